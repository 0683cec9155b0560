"""`ConformerGenerator`: molecules in, ensembles out, in the same order."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Literal, TypeVar, Unpack

from rdkit import Chem

from molscore import pretrained
from molscore.chem.arrays import MoleculeError
from molscore.chem.io.rows import split_smiles
from molscore.chem.io.smiles import parse_smiles
from molscore.chem.prepare import isomers, open_stereo, whole
from molscore.chem.properties import packed, unpacked
from molscore.chem.stereo.marks import not_held, opposite
from molscore.chem.whole import sanitised
from molscore.conformers.ensemble import Ensemble
from molscore.conformers.options import ConformerArguments, ConformerOptions
from molscore.conformers.propose import propose
from molscore.conformers.target import target_of
from molscore.conformers.work import RDKIT, ROUNDS, Work, reason_of
from molscore.limits import check_proposals, shown
from molscore.model import MoleculeDiffusion, choose_device, load
from molscore.randomness import checked_seed
from molscore.workers import Workers, count, ready

Item = TypeVar("Item")

GROUP = 16
"""Molecules of a stream that a GPU works on together. On a CPU, and with a limit of time, it is each by itself."""

PREPARATION = 0.3
"""Share of a molecule's time for finding out which of its isomers exist."""


class ConformerGenerator:
    """Makes conformers with one model on one device.

    Args:
        model: one that was trained with given graphs.
        name: its name in records.

    Raises:
        ValueError: if the model has never been given a graph.
    """

    def __init__(self, model: MoleculeDiffusion, name: str):
        if model.config.graph_conditioned == 0:
            raise ValueError(
                f"{name} makes new molecules, not conformers of given ones; use '{pretrained.GRAPH_CONDITIONED}'"
            )
        self.model, self.name = model, name

    def __repr__(self) -> str:
        return f"ConformerGenerator({self.name!r}, device='{self.model.device}')"

    @classmethod
    def from_pretrained(cls, name: str = pretrained.GRAPH_CONDITIONED, device: str = "auto") -> "ConformerGenerator":
        """Loads a bundled model by name, or a model file by path.

        Args:
            name: a name that ``molscore models`` lists, or the path of a .safetensors file.
            device: ``auto`` (CUDA if available), ``cpu``, ``cuda`` or ``cuda:1``.

        Raises:
            ValueError: for an unknown model or a device that is not there.
        """
        return cls(load(pretrained.find(name), choose_device(device)), name)

    def generate(
        self, molecule: str | Chem.Mol, n: int = 20, seed: int = 0, **options: Unpack[ConformerArguments]
    ) -> Chem.Mol:
        """Makes conformers of one molecule.

        Args:
            molecule: SMILES, or an RDKit molecule; its own coordinates are used only for the sense of hindered axes.
            n: how many.
            seed: with the model and the options it fixes the result.
            options: those of `molscore.conformers.ConformerOptions`.

        Returns:
            The molecule, every hydrogen an atom, with its conformers, best first; `molscore.conformers.Ensemble` lists
            the properties of each conformer. There are fewer than ``n`` if no more of them are distinct and there is no
            `fill`, if `window` or `seconds` ask for it, or there is no fallback.

        Raises:
            MoleculeError: if there is no conformer; its ``reason`` and ``detail`` say why.
            ValueError: for bad options, or ``stereo="enumerate"``: that is for `ensembles`.
        """
        chosen = ConformerOptions(**options)
        if chosen.stereo == "enumerate":
            raise ValueError("generate makes one ensemble; ask `ensembles` for those of several isomers")
        (ensemble,) = next(self.ensembles([molecule], n, seed, chosen))
        if not ensemble.mol.GetNumConformers():
            assert ensemble.reason is not None
            raise MoleculeError(*ensemble.reason)
        return ensemble.mol

    def ensembles(
        self,
        mols: Iterable[str | Chem.Mol | None],
        n: int = 20,
        seed: int = 0,
        options: ConformerOptions = ConformerOptions(),  # noqa: B008
        *,
        workers: int | Literal["auto"] = 1,
    ) -> Iterator[list[Ensemble]]:
        """Makes conformers of many molecules.

        Args:
            mols: molecules, sanitised or not, or SMILES. What is neither (None, a number, what RDKit cannot read) is an
                ensemble with a reason.
            n: conformers of each isomer.
            seed: of the run. An ensemble depends on molecule, model, seed and options alone; without a limit of time
                and on a CPU bit for bit, whatever the other molecules are.
            options: the choices.
            workers: processes that share the work, each of one thread, or ``auto`` for as many as there are cores to
                use. They change nothing but the time. A script that asks for several needs
                ``if __name__ == "__main__":``, as everywhere in `multiprocessing`.

        Yields:
            For each molecule, in order, an ensemble of each isomer; one without conformers where there is a reason.

        Raises:
            ValueError: for ``n``, ``seed`` or ``n`` times ``options.oversampling`` out of bounds, or a single molecule
                in place of several.
        """
        if isinstance(mols, (str, Chem.Mol)):
            raise ValueError("one molecule was given where several are expected; put it in a list: ensembles([mol])")
        check_proposals(n, options.oversampling)
        start = ready(partial(self.served, n=n, seed=checked_seed(seed), options=options))
        groups = self.groups(((number, packed(mol)) for number, mol in enumerate(mols, start=1)), options)
        with Workers(start, count(workers, self.model.device.type)) as pool:
            for ensembles in pool.map(groups):
                yield from ensembles

    def groups(self, items: Iterable[Item], options: ConformerOptions) -> Iterator[list[Item]]:
        """Items of a stream that are worked on together: several on a GPU, else each by itself."""
        source, size = iter(items), GROUP if self._together(options) else 1
        while group := list(islice(source, size)):
            yield group

    def served(
        self, group: Sequence[tuple[int, object]], *, n: int, seed: int, options: ConformerOptions
    ) -> list[list[Ensemble]]:
        """The ensembles of molecules that are worked on together; arguments as for `ensembles`.

        Args:
            group: numbers, for the titles of molecules without one, and what `molscore.chem.properties.packed` made of
                the molecules.
        """
        end = time.monotonic() + (math.inf if options.seconds is None else options.seconds)
        items = [self._prepared(unpacked(mol), number, n, seed, options) for number, mol in group]
        works = [work for item in items if not isinstance(item, Ensemble) for work in item]
        if self._together(options):
            self._serve(works, seed, options)
        else:
            self._in_turn(works, seed, options, end)
        return [[item] if isinstance(item, Ensemble) else [work.ensemble for work in item] for item in items]

    def _together(self, options: ConformerOptions) -> bool:
        return self.model.device.type == "cuda" and options.seconds is None

    def _prepared(
        self, given: object, number: int, n: int, seed: int, options: ConformerOptions
    ) -> list[Work] | Ensemble:
        """The isomers of a molecule, to be worked on; an ensemble with a reason if there are none."""
        try:
            mol = sanitised(_molecule(given))
            prepared = whole(mol, options.fragments)
            if impossible := opposite(mol):
                raise MoleculeError("stereo", impossible)
            stereo_open = open_stereo(prepared.mol) > 0
            seconds = None if options.seconds is None else PREPARATION * options.seconds
            chosen = isomers(prepared.mol, options.stereo, options.max_isomers, seed, seconds).mols
            targets = [target_of(isomer, self.model) for isomer in chosen]
        except RDKIT as error:
            return Ensemble(Chem.Mol(), n, reason=reason_of(error))
        works = []
        for k, target in enumerate(targets):
            ensemble = Ensemble(
                target.mol, n, prepared.removed, k + 1, len(targets), stereo_open, not_held=not_held(mol)
            )
            works.append(Work(target, ensemble, _properties(mol, number), options))
        return works

    def _in_turn(self, works: list[Work], seed: int, options: ConformerOptions, end: float) -> None:
        """Fills the ensembles in turn; each may take its part of the time that is left of the molecule's."""
        for k, work in enumerate(works):
            work.limit = max(end - time.monotonic(), 0) / (len(works) - k)
            self._serve([work], seed, options)

    def _serve(self, works: list[Work], seed: int, options: ConformerOptions) -> None:
        """Fills the ensembles."""
        for _ in range(ROUNDS):
            self._propose([work for work in works if work.proposable], seed, options)
            for work in works:
                work.complete()
        for work in works:
            work.embed(seed)
            work.finish()

    def _propose(self, works: list[Work], seed: int, options: ConformerOptions) -> None:
        """Adds to the pools: all at once, or in small parts if there is a limit of time."""
        ends = {id(work): work.round_end() for work in works}
        while works := [work for work in works if work.proposed < ends[id(work)] and work.proposable]:
            began, jobs = time.monotonic(), []
            for work in works:
                most = ends[id(work)] if work.limit == math.inf else work.proposed + work.at_once
                jobs.append((work.target, range(work.proposed, min(most, ends[id(work)]))))
                work.proposed = jobs[-1][1].stop
            proposals = propose(self.model, jobs, seed, options.steps)
            for work, (_, numbers), positions in zip(works, jobs, proposals, strict=True):
                work.take(positions, numbers)
                work.spent += time.monotonic() - began  # limited, it is alone


def _molecule(given: object) -> Chem.Mol:
    """The molecule that was given, or that of a SMILES.

    Raises:
        MoleculeError: if there is none.
    """
    if given is None:
        raise MoleculeError("unreadable", "there is None in place of a molecule; RDKit could not read it")
    if isinstance(given, Chem.Mol):
        return given
    if not isinstance(given, str):
        raise MoleculeError("unreadable", f"an RDKit molecule or a SMILES is wanted, not {shown(given)}")
    smiles, name = split_smiles(given)
    mol, reason, detail = parse_smiles(smiles)
    if mol is None:
        raise MoleculeError(reason or "smiles", detail or "")
    mol.SetProp("_Name", name)
    return mol


def _properties(mol: Chem.Mol, number: int) -> dict[str, Any]:
    """The properties of a molecule and its title; where it has none, the title is its place in the stream."""
    name = mol.GetProp("_Name").strip() if mol.HasProp("_Name") else ""
    return mol.GetPropsAsDict(autoConvertStrings=False) | {"_Name": name or f"molecule_{number}"}
