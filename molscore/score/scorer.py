"""`MoleculeScorer`: how plausible given molecules are, by a graph-conditioned model.

For each molecule, from its coordinates and its graph:

* the log-likelihood per atom, nats: of the coordinates given the graph, a density in Å^-3(N - 1) over N atoms;
* the norm of the score at little noise, 1/Å: small where the geometry is relaxed;
* the epistemic uncertainty of that score, 1/Å: its spread over a posterior of the weights;
* the uncertainty of the positions, Å: the same propagated to the final positions, for the molecule and each atom.

If the model implies hydrogens, those of the molecule are not scored.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

import numpy as np
from rdkit import Chem

from molscore import pretrained
from molscore.chem.arrays import MoleculeError
from molscore.chem.properties import Packed, unpacked
from molscore.model import MoleculeDiffusion, choose_device, load
from molscore.model.conformation import log_likelihood
from molscore.model.posterior import local_score, uncertainty
from molscore.randomness import Purpose, checked_seed, stream
from molscore.score.batches import BATCH, in_batches
from molscore.score.represent import UNREPRESENTABLE, Represented, batch_of, represent
from molscore.workers import Workers, count, ready

PAIR_BUDGET = 20_000
"""Padded pairs of atoms in a batch on a CPU: larger batches are no faster."""


@dataclass(frozen=True, eq=False)
class MoleculeScore:
    """The scores of one molecule; None or empty where there is a `reason`.

    Attributes:
        log_likelihood: nats per atom that the model sees.
        standard_error: of it, from the spread between probes of the divergence.
        score_norm: 1/Å, root mean square over the atoms.
        score_uncertainty: 1/Å, root mean square over the atoms; None if the model has no posterior.
        position_uncertainty: Å, root mean square over the atoms.
        atom_uncertainty: Å, for each atom of the molecule; nan for implied hydrogens.
        reason: token of `molscore.score.represent.UNREPRESENTABLE`, and a sentence; None if there is a score.
    """

    log_likelihood: float | None = None
    standard_error: float | None = None
    score_norm: float | None = None
    score_uncertainty: float | None = None
    position_uncertainty: float | None = None
    atom_uncertainty: np.ndarray | None = None
    reason: str | None = None

    def __repr__(self) -> str:
        if self.log_likelihood is None:
            return f"MoleculeScore(not scored: {self.reason})"
        parts = [f"log-likelihood {self.log_likelihood:.3g} nats per atom"]
        if self.score_norm is not None:
            parts.append(f"score norm {self.score_norm:.3g} / Å")
        if self.position_uncertainty is not None:
            parts.append(f"position uncertainty {self.position_uncertainty:.2g} Å")
        return f"MoleculeScore({', '.join(parts)})"

    def properties(self) -> dict[str, float | str]:
        """Properties of a record: the numbers that there are, and the reason where there are none."""
        tags: dict[str, float | str] = {
            tag: value for tag, name in TAGS.items() if (value := getattr(self, name)) is not None
        }
        if self.atom_uncertainty is not None:
            tags[ATOM_TAG] = " ".join("n/a" if np.isnan(x) else f"{x:.3g}" for x in self.atom_uncertainty)
        return tags | ({} if self.reason is None else {REASON_TAG: self.reason})


TAGS = {
    "log_likelihood_nats_per_atom": "log_likelihood",
    "log_likelihood_standard_error_nats_per_atom": "standard_error",
    "score_norm_per_angstrom": "score_norm",
    "score_uncertainty_per_angstrom": "score_uncertainty",
    "position_uncertainty_angstrom": "position_uncertainty",
}
"""Name of a property: attribute of `MoleculeScore`."""

ATOM_TAG = "atom.dprop.position_uncertainty_angstrom"
"""A list over the atoms: RDKit's SDF reader gives each atom its number, as ``position_uncertainty_angstrom``."""

REASON_TAG = "not_scored"


class MoleculeScorer:
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
        self.model, self.name = model.eval(), name

    def __repr__(self) -> str:
        return f"MoleculeScorer({self.name!r}, device='{self.model.device}')"

    @classmethod
    def from_pretrained(cls, name: str = pretrained.GRAPH_CONDITIONED, device: str = "auto") -> Self:
        """A bundled model by name, or one from a ``.safetensors`` file."""
        return cls(load(pretrained.find(name), choose_device(device)), name)

    def fault(self, mol: Chem.Mol | None) -> str | None:
        """Why the model cannot represent a molecule; None if it can."""
        try:
            represent(mol, self.model)
        except MoleculeError as error:
            return str(error)
        return None

    def score(
        self,
        mols: Iterable[Chem.Mol | None],
        seed: int = 0,
        on_progress: Callable[[int], None] | None = None,
        *,
        workers: int | Literal["auto"] = 1,
    ) -> list[MoleculeScore]:
        """Scores each molecule, in order; see `stream`."""
        scores = []
        for score in self.stream(mols, seed, workers=workers):
            scores.append(score)
            if on_progress is not None:
                on_progress(len(scores))
        return scores

    def score_conformers(self, mol: Chem.Mol, seed: int = 0) -> list[MoleculeScore]:
        """Scores each conformer of a molecule, in order; see `stream`."""
        return self.score([Chem.Mol(mol, False, conformer.GetId()) for conformer in mol.GetConformers()], seed)

    def stream(
        self, mols: Iterable[Chem.Mol | None], seed: int = 0, *, workers: int | Literal["auto"] = 1
    ) -> Iterator[MoleculeScore]:
        """Scores molecules as they come.

        Args:
            mols: sanitised, one conformer each, hydrogens explicit (or, with a model that implies them, all left out);
                None stands for a molecule that could not be read.
            seed: of probes and noise. A molecule's score depends on seed, model and molecule alone, not on its place.
            workers: processes that share the work, each of one thread, or ``auto`` for as many as there are cores to
                use. They change nothing but the time. A script that asks for several needs
                ``if __name__ == "__main__":``, as everywhere in `multiprocessing`.

        Yields:
            A score for each, in order; without numbers but with a reason where the model cannot represent it.

        Raises:
            ValueError: for a single molecule in place of several, or a bad seed.
        """
        if isinstance(mols, Chem.Mol):
            raise ValueError("one molecule was given where several are expected; put it in a list: score([mol])")
        start = ready(partial(self.together, seed=checked_seed(seed)))
        with Workers(start, count(workers, self.model.device.type)) as pool:
            yield from in_batches(pool, mols, self.batch)

    @property
    def batch(self) -> int | None:
        """Molecules in a task; None on a GPU, which takes as many as `PAIR_BUDGET` allows."""
        return BATCH if self.model.device.type == "cpu" else None

    def together(self, packed_mols: Sequence[Packed | None], *, seed: int) -> list[MoleculeScore]:
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
                representable.append((place, 0 if mol is None else mol.GetNumAtoms(), molecule))
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
