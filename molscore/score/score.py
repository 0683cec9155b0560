"""The scores of one molecule, as attributes and as properties of a record."""

from dataclasses import dataclass

import numpy as np


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
