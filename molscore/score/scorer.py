"""`MoleculeScorer`: how plausible given molecules are, by a graph-conditioned model.

For each molecule, from its coordinates and its graph:

* the log-likelihood per atom, nats: of the coordinates given the graph, a density in Å^-3(N - 1) over N atoms;
* the norm of the score at little noise, 1/Å: small where the geometry is relaxed;
* the epistemic uncertainty of that score, 1/Å: its spread over a posterior of the weights;
* the uncertainty of the positions, Å: the same propagated to the final positions, for the molecule and each atom.

If the model implies hydrogens, those of the molecule are not scored.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from rdkit import Chem

from molscore import pretrained
from molscore.chem.arrays import MoleculeError
from molscore.chem.properties import unpacked
from molscore.model import MoleculeDiffusion
from molscore.model.conformation import log_likelihood
from molscore.model.mixin import PretrainedMixin
from molscore.model.posterior import local_score, uncertainty
from molscore.randomness import Purpose, checked_seed, stream
from molscore.results import Molecules, items_of
from molscore.score.batches import BATCH, in_batches
from molscore.score.represent import UNREPRESENTABLE, Represented, batch_of, represent
from molscore.score.result import Scores, label, scored
from molscore.score.score import MoleculeScore
from molscore.versions import version
from molscore.workers import Workers, count, ready

PAIR_BUDGET = 20_000
"""Padded pairs of atoms in a batch on a CPU: larger batches are no faster."""


class MoleculeScorer(PretrainedMixin):
    """Scores molecules.

    Args:
        model: a graph-conditioned one, on the device to work on.
        name: its name in messages.

    Raises:
        ValueError: if the model has not been trained with given graphs.
    """

    def __init__(self, model: MoleculeDiffusion, name: str = "model"):
        if not model.config.graph_conditioned:
            raise ValueError(
                f"{name} is not graph-conditioned, so it cannot score coordinates; use '{pretrained.GRAPH_CONDITIONED}'"
            )
        super().__init__(model.eval(), name)

    def fault(self, mol: Chem.Mol | None) -> str | None:
        """Why the model cannot represent a molecule; None if it can."""
        try:
            represent(mol, self.model)
        except MoleculeError as error:
            return str(error)
        return None

    def score(
        self,
        molecules: Molecules,
        seed: int = 0,
        *,
        smiles: str | None = None,
        workers: int | Literal["auto"] = 1,
    ) -> Scores:
        """Scores one molecule or many.

        Args:
            molecules: an RDKit molecule, or many: a list, a generator, a pandas Series or DataFrame. Each sanitised,
                one conformer, hydrogens explicit (or, with a model that implies them, all left out). An item that is
                not (None, nan, a SMILES, a flat molecule) gets a row with a reason.
            seed: of probes and noise. A molecule's score depends on seed, model and molecule alone, not on its place.
            smiles: the column of a DataFrame that holds the molecules; None: ``mol``, if there is one.
            workers: processes that share the work, see `molscore.workers`.

        Returns:
            A score for each item, in order; without numbers but with a reason where the model cannot represent it.

        Raises:
            ValueError: for a bad seed, or a DataFrame without the column.
        """
        items, kept = items_of(molecules, smiles), list[object]()

        def keeping() -> Iterator[object]:
            for item in items.values:
                kept.append(item)
                yield item

        scores = list(self._scores(keeping(), seed, workers))
        mols = [scored(item, score) for item, score in zip(kept, scores, strict=True)]
        return Scores(scores, mols, self.manifest(seed), items.index, [label(item) for item in kept])

    def score_conformers(self, mol: Chem.Mol, seed: int = 0) -> Scores:
        """Scores each conformer of a molecule, in order; see `score`."""
        return self.score([Chem.Mol(mol, False, conformer.GetId()) for conformer in mol.GetConformers()], seed)

    def stream(
        self,
        molecules: Molecules,
        seed: int = 0,
        *,
        smiles: str | None = None,
        workers: int | Literal["auto"] = 1,
    ) -> Iterator[MoleculeScore]:
        """As `score`, one by one as they come, in constant memory.

        Yields:
            A score for each item, in order.
        """
        return self._scores(items_of(molecules, smiles).values, seed, workers)

    def manifest(self, seed: int) -> dict[str, Any]:
        """Provenance: version, model, weights and seed, which fix the scores, and the device."""
        return {
            "molscore_version": version(),
            "model": self.name,
            "weights": self.weights,
            "seed": seed,
            "device": str(self.model.device),
        }

    def _scores(self, items: Iterator[object], seed: int, workers: int | Literal["auto"]) -> Iterator[MoleculeScore]:
        """A score for each item. Arguments are checked at once, not at the first item."""
        start = ready(partial(self.together, seed=checked_seed(seed)))
        number = count(workers, self.model.device.type)

        def made() -> Iterator[MoleculeScore]:
            with Workers(start, number) as pool:
                yield from in_batches(pool, items, self.batch)

        return made()

    @property
    def batch(self) -> int | None:
        """Molecules in a task; None on a GPU, which takes as many as `PAIR_BUDGET` allows."""
        return BATCH if self.model.device.type == "cpu" else None

    def together(self, packed_mols: Sequence[object], *, seed: int) -> list[MoleculeScore]:
        """The scores of molecules that `molscore.score.batches` puts together."""
        mols = [unpacked(mol) for mol in packed_mols]
        results: dict[int, MoleculeScore] = {}
        representable: list[tuple[int, int, Represented]] = []
        for place, mol in enumerate(mols):
            try:
                molecule = represent(mol, self.model)
            except MoleculeError as error:
                results[place] = MoleculeScore(reason=str(error))
            else:
                representable.append((place, mol.GetNumAtoms() if isinstance(mol, Chem.Mol) else 0, molecule))
        representable.sort(key=lambda item: len(item[2].atoms))
        while representable:
            count = max(1, PAIR_BUDGET // len(representable[-1][2].atoms) ** 2)
            representable, batch = representable[:-count], representable[-count:]
            scores = self._batch([size for _, size, _ in batch], [molecule for _, _, molecule in batch], seed)
            for (place, _, _), score in zip(batch, scores, strict=True):
                results[place] = score
        return [results[place] for place in range(len(mols))]

    def _batch(self, sizes: list[int], molecules: list[Represented], seed: int) -> list[MoleculeScore]:
        model, batch = self.model, batch_of([molecule.arrays for molecule in molecules], self.model)

        def streams(purpose: Purpose) -> list[np.random.Generator]:
            return [stream(seed, purpose) for _ in molecules]

        atoms = batch.mask.sum(1)
        likelihood = log_likelihood(model, batch, streams(Purpose.LIKELIHOOD))
        local = local_score(model, batch, streams(Purpose.LOCAL_SCORE))
        spreads = None
        if model.posterior is not None:
            weights = stream(seed, Purpose.WEIGHT_SAMPLES)
            spreads = uncertainty(model, batch, streams(Purpose.UNCERTAINTY), weights).cpu()
        columns: dict[str, Any] = {
            "log_likelihood": likelihood.log_prob / atoms,
            "standard_error": likelihood.standard_error / atoms,
            "score_norm": local.norm,
        }
        if spreads is not None:
            columns["score_uncertainty"] = local.deviation
            columns["position_uncertainty"] = (spreads.square().sum(1) / atoms.cpu()).sqrt()
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        scores = []
        for k, (row, n, molecule) in enumerate(zip(rows, sizes, molecules, strict=True)):
            deviations = None
            if spreads is not None:
                deviations = np.full(n, np.nan)
                deviations[molecule.atoms] = spreads[k, : len(molecule.atoms)].numpy()
            if np.isfinite(row).all():
                scores.append(MoleculeScore(**dict(zip(columns, row, strict=True)), atom_uncertainty=deviations))
            else:
                scores.append(MoleculeScore(reason=f"not_finite: {UNREPRESENTABLE['not_finite']}"))
        return scores
