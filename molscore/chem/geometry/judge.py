"""Judges a conformer by what is expected of its molecule: bond lengths, angles, flat atoms, shapes, hindered axes,
cumulenes.

The sentence names the worst offence: the one that leaves its limits by most.
"""

from itertools import permutations

import numpy as np
from rdkit import Chem

from molscore.chem.geometry.bounds import biaryl_fault
from molscore.chem.geometry.expected import Expected
from molscore.chem.geometry.types import lengths_and_angles
from molscore.chem.stereo.cumulenes import Cumulenes
from molscore.chem.thresholds import THRESHOLDS


def table_fault(mol: Chem.Mol, wanted: Expected, conformer: int = -1) -> tuple[str, str] | None:
    """What is wrong with a conformer by the table: ``bond_length``, ``bond_angle``, ``flat_biaryl`` or
    ``cumulene`` and a sentence, or None.

    Args:
        mol: the molecule.
        wanted: `molscore.chem.geometry.expected.expected` of it.
        conformer: which to look at.
    """
    positions = mol.GetConformer(conformer).GetPositions()
    lengths, angles = lengths_and_angles(positions, wanted.bonds, wanted.angles)
    if (worst := _worst(lengths, wanted.shortest, wanted.longest)) is not None:
        limits = _limits(lengths[worst], wanted.shortest[worst], wanted.longest[worst], ".2f", "Å")
        return "bond_length", f"the bond {names(mol, wanted.bonds[worst], '-')} is {limits}"
    if (worst := _worst(angles, wanted.least, wanted.greatest)) is not None:
        limits = _limits(angles[worst], wanted.least[worst], wanted.greatest[worst], ".0f", "°")
        return "bond_angle", f"the angle {names(mol, wanted.angles[worst], '-')} is {limits}"
    for name, rows in wanted.shapes:
        if _distortion(wanted.angles[rows], angles[rows], wanted.degrees[rows]) > THRESHOLDS.bond_angle.shape_margin:
            centre = names(mol, wanted.angles[rows[0], 1:2])
            return "bond_angle", f"the neighbours of {centre} do not lie as in a {name} shape"
    if len(wanted.flat):
        sums = angle_sums(positions, wanted.flat)
        worst = int((wanted.least_sum - sums).argmax())
        if sums[worst] < wanted.least_sum[worst]:
            centre, least = names(mol, wanted.flat[worst, :1]), wanted.least_sum[worst]
            return (
                "bond_angle",
                f"the angles at {centre} add up to {sums[worst]:.0f}°; it ought to be at least {least:.0f}°",
            )
    if fault := biaryl_fault(mol, wanted.axes, positions):
        return "flat_biaryl", fault
    if fault := cumulene_fault(mol, wanted.cumulenes, positions):
        return "cumulene", fault
    return None


def cumulene_fault(mol: Chem.Mol, wanted: Cumulenes, positions: np.ndarray) -> str | None:
    """Ends of cumulated double bonds that stand to one another as they cannot."""
    if not len(wanted.atoms):
        return None
    off = np.abs(wanted.off(positions))
    worst = int((off - wanted.tolerance).argmax())
    if not off[worst] > wanted.tolerance[worst]:
        return None
    ends = names(mol, wanted.atoms[worst, 1:3], " and ")
    return (
        f"the groups at {ends}, ends of cumulated double bonds, are turned by {off[worst]:.0f}° from where they belong"
    )


def _distortion(triples: np.ndarray, angles: np.ndarray, ideals: np.ndarray) -> float:
    """Degrees by which the worst angle of a centre is off, in the order of its neighbours where that is least."""
    ends, index = np.unique(triples[:, [0, 2]], return_inverse=True)
    i, k = index.reshape(-1, 2).T
    measured, ideal = np.zeros((2, len(ends), len(ends)))
    measured[i, k] = measured[k, i] = angles
    ideal[i, k] = ideal[k, i] = ideals
    orders = np.array(list(permutations(range(len(ends)))))
    return float(np.abs(ideal[orders[:, :, None], orders[:, None]] - measured).max(axis=(1, 2)).min())


def angle_sums(positions: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """(F,) degrees: sums of the three angles about each centre; `flat` is (F, 4), centre first."""
    triples = np.concatenate([flat[:, [a, 0, b]] for a, b in ((1, 2), (1, 3), (2, 3))])
    return lengths_and_angles(positions, triples[:, :2], triples)[1].reshape(3, -1).sum(0)


def names(mol: Chem.Mol, atoms: np.ndarray, between: str = ", ") -> str:
    """Symbols and indices of atoms."""
    return between.join(f"{mol.GetAtomWithIdx(int(a)).GetSymbol()}{int(a)}" for a in atoms)


def _worst(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> int | None:
    if len(values) == 0:
        return None
    excess = np.maximum(low - values, values - high)
    worst = int(excess.argmax())
    return worst if not excess[worst] <= 0 else None  # nor where it is NaN


def _limits(value: float, low: float, high: float, form: str, unit: str) -> str:
    limit = f"at least {low:{form}}" if value < low else f"at most {high:{form}}"
    return f"{value:{form}} {unit}; it ought to be {limit} {unit}"
