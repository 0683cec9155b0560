"""`ConformerGenerator`: molecules in, ensembles of conformers out, in the same order."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any, Literal, TypeVar, Unpack

from rdkit import Chem

from molscore import pretrained
from molscore.chem.arrays import MoleculeError
from molscore.chem.io.columns import check_filtered
from molscore.chem.prepare import isomers, open_stereo, whole
from molscore.chem.stereo.marks import not_held, opposite
from molscore.chem.whole import sanitised
from molscore.conformers.ensemble import Ensemble
from molscore.conformers.given import item_title, molecule_of, packed_items, properties_of, unpacked_item
from molscore.conformers.options import ConformerArguments, ConformerOptions
from molscore.conformers.posing import CONFORMERS, lay_in_pocket
from molscore.conformers.propose import propose
from molscore.conformers.reasons import RDKIT, reason_of
from molscore.conformers.result import Conformers
from molscore.conformers.target import Target, target_of
from molscore.conformers.work import ROUNDS, Work
from molscore.limits import check_proposals
from molscore.model import MoleculeDiffusion
from molscore.model.mixin import PretrainedMixin
from molscore.randomness import checked_seed
from molscore.results import Items, Molecules, items_of, options_of
from molscore.versions import version
from molscore.workers import WorkerNumber, Workers, check_function, count, ready, shared

Item = TypeVar("Item")

GROUP = 16
"""Molecules of a stream that a GPU works on together. On a CPU, and with a limit of time, it is each by itself."""

PREPARATION = 0.3
"""Share of a molecule's time for finding out which of its isomers exist."""


class ConformerGenerator(PretrainedMixin):
    """Makes conformers with one model on one device.

    Args:
        model: one that was trained with given graphs.
        name: its name in records.

    Raises:
        ValueError: if the model has never been given a graph.
    """

    def __init__(self, model: MoleculeDiffusion, name: str):
        if not self.samples(model.config.graph_conditioned):
            raise ValueError(
                f"{name} makes new molecules, not conformers of given ones; use '{pretrained.GRAPH_CONDITIONED}'"
            )
        super().__init__(model, name)

    @staticmethod
    def samples(graph_conditioned: float) -> bool:
        return graph_conditioned > 0

    def generate(
        self,
        molecules: Molecules,
        n: int = 20,
        seed: int = 0,
        *,
        smiles: str | None = None,
        options: ConformerOptions | None = None,
        workers: int | Literal["auto"] | None = None,
        ray: str | None = None,
        **keywords: Unpack[ConformerArguments],
    ) -> Conformers:
        """Makes conformers of one molecule or many.

        Args:
            molecules: a SMILES, an RDKit molecule, sanitised or not, or many of them: a list, a generator, a pandas
                Series or DataFrame, whose other columns become properties of the molecules, ``input.NAME`` in a filter.
                Their own coordinates are used only for the sense of hindered axes. An item that is no molecule (None,
                nan, a number, what RDKit cannot read) gets a row with a reason.
            n: conformers of each, or of each isomer.
            seed: of the run. Conformers depend on molecule, model, seed and options alone; without a limit of time and
                on a CPU bit for bit, whatever the other molecules are.
            smiles: the column of a DataFrame that holds SMILES or molecules; None: ``mol``, ``smiles`` or ``SMILES``.
            options: the choices as one object, in place of keywords.
            workers, ray: processes, or a cluster, that share the work, see `molscore.workers`.
            keywords: the choices, see `ConformerOptions`.

        Returns:
            A row for each item, in order; ``mols[0]`` is the first molecule, every hydrogen an atom, with its
            conformers, best first. There are fewer than ``n`` if no more of them are distinct and there is no `fill`,
            if `window` or `seconds` ask for it, or there is no fallback.

        Raises:
            TypeError: for an unknown keyword, or keywords and `options` together.
            ValueError: for a choice out of range, or ``n``, ``seed`` or ``n`` times ``oversampling`` out of bounds.
        """
        choices, items = options_of(ConformerOptions, options, keywords), items_of(molecules, smiles)
        serving = self.serving(choices)
        ensembles = list(serving._ensembles(items, n, seed, choices, shared(workers, ray)))
        index = None if items.index is None else items.index.take([ensemble.item for ensemble in ensembles])
        return Conformers(ensembles, serving.manifest(n, seed, choices), index)

    def stream(
        self,
        molecules: Molecules,
        n: int = 20,
        seed: int = 0,
        *,
        smiles: str | None = None,
        options: ConformerOptions | None = None,
        workers: int | Literal["auto"] | None = None,
        ray: str | None = None,
        **keywords: Unpack[ConformerArguments],
    ) -> Iterator[Ensemble]:
        """As `generate`, one by one in constant memory.

        Yields:
            For each item, in order, its ensemble, or those of its isomers; one without conformers has a reason.
        """
        choices, items = options_of(ConformerOptions, options, keywords), items_of(molecules, smiles)
        return self.serving(choices)._ensembles(items, n, seed, choices, shared(workers, ray))

    def serving(self, options: ConformerOptions) -> "ConformerGenerator":
        """What does the work: `few_steps` where as few are asked for, without a core or a pocket; else this."""
        few, free, steps = self.few_steps, options.core is None and options.around is None, options.steps or 0
        return few if few and free and 0 < steps <= few.model.config.sampling.steps else self

    def manifest(self, n: int, seed: int, options: ConformerOptions) -> dict[str, Any]:
        """Provenance: version, model, weights, seed and options, which fix the result, and the device."""
        return {
            "molscore_version": version(),
            "model": self.name,
            "weights": self.weights,
            "seed": seed,
            "options": options.text(n),
            "device": str(self.model.device),
        }

    def _ensembles(
        self,
        items: Items,
        n: int,
        seed: int,
        options: ConformerOptions,
        workers: WorkerNumber,
    ) -> Iterator[Ensemble]:
        """The ensembles of each item in turn. Arguments are checked at once, not at the first item."""
        check_proposals(n, options.oversampling)
        if items.columns is not None:
            check_filtered(options.wanted.inputs, items.columns)
        start = ready(partial(self.served, n=n, seed=checked_seed(seed), options=options))
        number = count(workers, self.model.device.type)
        check_function(options.filter, number, "filter")
        groups = self.groups(enumerate(packed_items(items), start=1), options)

        def made() -> Iterator[Ensemble]:
            with Workers(start, number) as pool:
                for ensembles in pool.map(groups):
                    yield from chain.from_iterable(ensembles)

        return made()

    def groups(self, items: Iterable[Item], options: ConformerOptions) -> Iterator[list[Item]]:
        """Items of a stream that are worked on together: several on a GPU, else each by itself."""
        source, size = iter(items), GROUP if self._together(options) else 1
        while group := list(islice(source, size)):
            yield group

    def served(
        self, group: Sequence[tuple[int, object]], *, n: int, seed: int, options: ConformerOptions
    ) -> list[list[Ensemble]]:
        """The ensembles of molecules that are worked on together; arguments as for `generate`.

        Args:
            group: numbers, for the titles of molecules without one, and items as `packed_items` gives them.
        """
        end = time.monotonic() + (math.inf if options.seconds is None else options.seconds)
        items = [self._prepared(unpacked_item(item), number, n, seed, options) for number, item in group]
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
            mol = sanitised(molecule_of(given))
            prepared = whole(mol, options.fragments)
            if impossible := opposite(mol):
                raise MoleculeError("stereo", impossible)
            if unwanted := options.wanted.graph(prepared.mol, mol.GetPropsAsDict(autoConvertStrings=False)):
                raise MoleculeError("filter", unwanted)
            stereo_open = open_stereo(prepared.mol) > 0
            seconds = None if options.seconds is None else PREPARATION * options.seconds
            chosen = isomers(prepared.mol, options.stereo, options.max_isomers, seed, seconds).mols
            targets = [target_of(isomer, self.model) for isomer in chosen]
            if options.core is not None:
                targets = self._holding(targets, prepared.mol, options, seed, seconds)
        except RDKIT as error:
            nothing = Chem.Mol()
            nothing.SetProp("_Name", item_title(given, number))
            return Ensemble(nothing, n, reason=reason_of(error), item=number - 1)
        works = []
        for k, target in enumerate(targets):
            ensemble = Ensemble(
                target.mol,
                n if options.around is None else CONFORMERS,
                prepared.removed,
                k + 1,
                len(targets),
                stereo_open,
            )
            ensemble.not_held, ensemble.item = not_held(mol), number - 1
            works.append(Work(target, ensemble, properties_of(mol, number), options, poses=n))
        return works

    def _holding(
        self, targets: list[Target], mol: Chem.Mol, options: ConformerOptions, seed: int, seconds: float | None
    ) -> list[Target]:
        """The isomers that can hold the core, with its placements; if the one that was sampled cannot, one that can.

        Raises:
            MoleculeError: if there is none.
        """
        assert options.core is not None
        found, errors = [], []
        while targets:
            target = targets.pop(0)
            try:
                found.append(replace(target, placements=options.core.placements(target.mol, target.expected)))
            except MoleculeError as error:
                errors.append(error)
            if found and options.stereo == "sample":
                break
            if not found and options.stereo == "sample" and len(errors) == 1 and errors[0].reason == "pose":
                others = isomers(mol, "enumerate", options.max_isomers, seed, seconds).mols
                targets += [target_of(isomer, self.model) for isomer in others]
        if not found:
            raise errors[0]
        return found

    def _in_turn(self, works: list[Work], seed: int, options: ConformerOptions, end: float) -> None:
        """Fills the ensembles in turn; each may take its part of the time that is left of the molecule's."""
        share = 1.0 if options.around is None else 0.5  # the rest is for poses
        for k, work in enumerate(works):
            work.limit = share * max(end - time.monotonic(), 0) / (len(works) - k)
            self._serve([work], seed, options)

    def _serve(self, works: list[Work], seed: int, options: ConformerOptions) -> None:
        """Fills the ensembles."""
        for _ in range(ROUNDS):
            self._propose([work for work in works if work.proposable], seed, options)
            for work in works:
                work.complete()
        for work in works:
            work.embed(seed)
            if options.maps is None:
                work.finish()
            else:
                lay_in_pocket(work, options.maps, seed)

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
