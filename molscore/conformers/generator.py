"""`ConformerGenerator`: molecules in, ensembles out, in the same order, whatever the molecules are."""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

from molscore import pretrained
from molscore.chem.arrays import MoleculeError, isomeric_smiles
from molscore.chem.ensemble import k_medoids, rmsd_matrix
from molscore.chem.prepare import isomers, open_stereo, whole
from molscore.conformers.build import completed, embedded, fault
from molscore.conformers.ensemble import Ensemble, ranked
from molscore.conformers.options import Options
from molscore.conformers.propose import propose
from molscore.conformers.target import Target, target_of
from molscore.model import MoleculeDiffusion, choose_device, load
from molscore.randomness import checked_seed

GROUP = 16
"""Molecules of a stream that are worked on together."""

LEAST, ALONE = 10, 25
"""Proposals of a molecule in a round, at least; the second where one conformer stands for all of them."""

AT_ONCE = 8
"""Proposals, or conformers to complete, of a molecule between two looks at the clock."""

ROUNDS = 3
"""How often the model may propose, before the rest falls to ETKDGv3."""


RDKIT = (ValueError, RuntimeError)
"""What RDKit raises where it meets what it was not made for: one molecule must not end the others."""


@dataclass
class _Work:
    """One isomer on its way.

    Attributes:
        target: the isomer.
        ensemble: what is known of the outcome.
        limit: seconds that it may take.
        proposed: proposals drawn so far.
        pool: those that are plausible and not used yet, ``(K, n, 3)``.
        parts: conformers so far, see `molscore.conformers.ensemble.ranked`.
        spent: seconds.
    """

    target: Target
    ensemble: Ensemble
    limit: float
    proposed: int = 0
    pool: np.ndarray | None = None
    parts: list[tuple[str, Chem.Mol]] = field(default_factory=list)
    spent: float = 0.0

    @property
    def missing(self) -> int:
        """Conformers that are still to be made."""
        return self.ensemble.asked - sum(mol.GetNumConformers() for _, mol in self.parts)

    @property
    def late(self) -> bool:
        """Whether its time is over."""
        return self.spent >= self.limit


class ConformerGenerator:
    """Makes conformers with one model on one device.

    Args:
        model: one that was trained with known graphs.
        name: what to call it in records.

    Raises:
        ValueError: if the model has never been given a graph.
    """

    def __init__(self, model: MoleculeDiffusion, name: str):
        if model.config.known_graph == 0:
            raise ValueError(f"{name} makes molecules and finds no coordinates; use '{pretrained.KNOWN_GRAPHS}'")
        self.model, self.name = model, name

    @classmethod
    def from_pretrained(cls, name: str = pretrained.KNOWN_GRAPHS, device: str = "auto") -> "ConformerGenerator":
        """Loads a bundled model by name, or a model file by path.

        Args:
            name: a name that ``molscore models`` lists, or the path of a .safetensors file.
            device: ``auto`` (CUDA if there is any), ``cpu``, ``cuda`` or ``cuda:1``.

        Raises:
            ValueError: for an unknown model or a device that is not there.
        """
        return cls(load(pretrained.find(name), choose_device(device)), name)

    def generate(self, molecule: str | Chem.Mol, n: int = 20, seed: int = 0, **options: Any) -> Chem.Mol:
        """Makes conformers of one molecule.

        Args:
            molecule: SMILES, or an RDKit molecule, sanitised; its own coordinates are not looked at.
            n: how many.
            seed: with the model and the options it fixes the result.
            options: those of `molscore.conformers.Options`.

        Returns:
            The molecule, every hydrogen an atom, with its conformers, best first; what each conformer's properties tell
            says `molscore.conformers.Ensemble`. Its title is that of the input, or its SMILES. There are fewer than
            ``n`` only if `window`, `rmsd` or `seconds` ask for it, or there is no fall-back.

        Raises:
            MoleculeError: if there is no conformer; its ``reason`` and ``detail`` tell why.
            ValueError: for bad options, or ``stereo="enumerate"``: that is for `ensembles`.
        """
        chosen = Options(**options)
        if chosen.stereo == "enumerate":
            raise ValueError("generate makes one ensemble; ask `ensembles` for those of several isomers")
        if isinstance(molecule, str):
            with rdBase.BlockLogs():
                mol = Chem.MolFromSmiles(molecule)
            if mol is None:
                raise MoleculeError("smiles", f"RDKit cannot read {molecule!r}")
        else:
            mol = molecule
        (found,) = next(self.ensembles([mol], n, seed, chosen))
        if not found.mol.GetNumConformers():
            raise MoleculeError(*found.reason)
        return found.mol

    def ensembles(
        self,
        mols: Iterable[Chem.Mol | None],
        n: int = 20,
        seed: int = 0,
        options: Options = Options(),  # noqa: B008
    ) -> Iterator[list[Ensemble]]:
        """Makes conformers of many molecules, a group at a time.

        Args:
            mols: sanitised molecules; None stands for one that could not be read.
            n: conformers of each isomer.
            seed: of the run. An ensemble depends on molecule, model, seed and options alone.
            options: the choices.

        Yields:
            For each molecule, in order, an ensemble of each isomer; one without conformers where there is a reason.

        Raises:
            ValueError: for ``n`` below 1, a bad seed, or a single molecule in place of several.
        """
        if isinstance(mols, (str, Chem.Mol)):
            raise ValueError("one molecule was given where several are expected; put it in a list: ensembles([mol])")
        if n < 1:
            raise ValueError(f"n must be at least 1, not {n}")
        seed, source = checked_seed(seed), iter(mols)
        while group := [self._prepared(mol, n, seed, options) for mol in islice(source, GROUP)]:
            works = [work for item in group if not isinstance(item, Ensemble) for work in item]
            self._serve(works, seed, options)
            for item in group:
                yield [item] if isinstance(item, Ensemble) else [work.ensemble for work in item]

    def _prepared(self, mol: Chem.Mol | None, n: int, seed: int, options: Options) -> list[_Work] | Ensemble:
        """The isomers of a molecule, to be worked on; or what there is to say if there are none."""
        began = time.monotonic()
        if not isinstance(mol, Chem.Mol):
            what = "the molecule could not be read" if mol is None else f"an RDKit molecule is wanted, not {mol!r}"
            return Ensemble(Chem.Mol(), n, reason=("unreadable", what))
        try:
            prepared = whole(mol, options.fragments)
            drawn = open_stereo(prepared.mol) > 0
            found = isomers(prepared.mol, options.stereo, options.max_isomers, seed, options.seconds).mols
            for isomer in found:
                isomer.SetProp("_Name", _name(mol) or isomeric_smiles(isomer))
            targets = [target_of(isomer, self.model) for isomer in found]
        except MoleculeError as error:
            return Ensemble(Chem.Mol(), n, reason=(error.reason, error.detail))
        except RDKIT as error:
            return Ensemble(Chem.Mol(), n, reason=("rdkit", str(error)))
        limit = math.inf if options.seconds is None else options.seconds
        works = []
        for k, target in enumerate(targets):
            ensemble = Ensemble(target.mol, n, prepared.removed, k + 1, len(found), drawn)
            works.append(_Work(target, ensemble, limit))
        for work in works:
            work.spent = (time.monotonic() - began) / len(works)
        return works

    def _serve(self, works: list[_Work], seed: int, options: Options) -> None:
        """Fills the ensembles."""
        able = [work for work in works if work.target.arrays is not None and options.method == "score"]
        for _ in range(ROUNDS):
            able = [work for work in able if work.missing and not work.late]
            self._propose(able, seed, options)
            for work in able:
                try:
                    self._complete(work, options)
                except RDKIT:
                    work.ensemble.dropped["rdkit"] += len(work.pool)
                    work.pool = work.pool[:0]
        for work in works:
            try:
                if work.missing and (options.fallback or options.method == "etkdg"):
                    self._embed(work, seed, options)
                work.ensemble.mol = ranked(work.target, work.parts, options, work.ensemble.dropped)
                if not work.ensemble.mol.GetNumConformers():
                    work.ensemble.reason = self._why_not(work, options)
            except RDKIT as error:
                work.ensemble.reason = ("rdkit", str(error))

    def _propose(self, works: list[_Work], seed: int, options: Options) -> None:
        """Adds to the pools: all at once, or little by little if there is a limit of time."""
        ends = {}
        for work in works:
            least = ALONE if work.ensemble.asked == 1 else LEAST
            ends[id(work)] = work.proposed + max(math.ceil(options.surplus * work.missing), least)
        while works := [work for work in works if work.proposed < ends[id(work)] and not work.late]:
            jobs = []
            for work in works:
                most = ends[id(work)] if options.seconds is None else work.proposed + AT_ONCE
                jobs.append((work.target, range(work.proposed, min(most, ends[id(work)]))))
                work.proposed = jobs[-1][1].stop
            self._draw(works, jobs, seed, options)

    def _draw(self, works: list[_Work], jobs: list[tuple[Target, range]], seed: int, options: Options) -> None:
        began = time.monotonic()
        drawn = propose(self.model, jobs, seed, options.steps)
        sizes = [len(numbers) * len(target.heavy) ** 2 for target, numbers in jobs]
        for work, positions, size in zip(works, drawn, sizes, strict=True):
            positions = work.target.mended(positions)
            good = work.target.plausible(positions)
            if not good.all():
                work.ensemble.dropped["implausible"] += int((~good).sum())
            fresh = positions[good]
            work.pool = fresh if work.pool is None else np.concatenate([work.pool, fresh])
            work.spent += (time.monotonic() - began) * size / sum(sizes)

    def _complete(self, work: _Work, options: Options) -> None:
        """Conformers from the pool: as many as are missing, spread over it; then others in place of what fails."""
        began = time.monotonic() - work.spent
        while len(work.pool) and work.missing and not work.late:
            chosen = range(len(work.pool))
            if len(work.pool) > work.missing:
                distances = rmsd_matrix(work.pool, work.target.symmetries)
                # Whole thousandths of an Å: rounding errors must not choose between the two ends of a pair.
                chosen = k_medoids(np.rint(1000 * distances), work.missing)
            taken = np.zeros(len(work.pool), dtype=bool)
            for at in range(0, len(chosen), AT_ONCE):
                part = list(chosen)[at : at + AT_ONCE]
                taken[part] = True
                mol = completed(work.target, work.pool[part], options.relax)
                for conformer in [one.GetId() for one in mol.GetConformers()]:
                    if token := fault(work.target, mol, conformer):
                        work.ensemble.dropped[token] += 1
                        mol.RemoveConformer(conformer)
                work.parts.append(("score", mol))
                work.spent = time.monotonic() - began
                if work.late:
                    break
            work.pool = work.pool[~taken]

    def _embed(self, work: _Work, seed: int, options: Options) -> None:
        began = time.monotonic() - work.spent

        def left() -> float:
            work.spent = time.monotonic() - began
            return work.limit - work.spent

        if options.method == "score":
            work.ensemble.reason = work.target.reason or (
                "failed",
                f"{work.missing} conformers that the model failed at",
            )
        mol = embedded(work.target, range(work.missing), seed, options.relax, left)
        work.parts.append(("etkdg", mol))

    def _why_not(self, work: _Work, options: Options) -> tuple[str, str]:
        if work.late:
            return "late", f"no conformer within {options.seconds} s"
        if options.fallback or options.method == "etkdg":
            return "embedding", "ETKDGv3 finds no conformer with this stereo"
        told = work.ensemble.dropped.most_common()
        return work.target.reason or ("failed", "every proposal failed: " + ", ".join(f"{k} {t}" for t, k in told))


def _name(mol: Chem.Mol) -> str:
    return mol.GetProp("_Name").strip() if mol.HasProp("_Name") else ""
