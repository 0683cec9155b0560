"""Conformers against reference conformers: is each reference near a conformer (recall), and the reverse (precision)?

For one molecule with references r and conformers c, and the symmetric heavy-atom RMSD of `molscore.chem.ensemble`,

    recall:    d_r = min_c RMSD(r, c),        precision:    d_c = min_r RMSD(r, c)

AMR (average minimum RMSD) is the average of d over the molecule, then over molecules; coverage at δ is the share of
d < δ, strictly, averaged in the same way (Ganea et al., GeoMol, NeurIPS 2021). A molecule without any conformer has
coverage 0. It has no RMSD: AMR is over the others, and to be read beside the number of these failures, which is always
given.

Intervals are 95 %, over molecules: from a bootstrap; of the median from order statistics; of a coverage that is yes or
no for every molecule, Wilson's. Stereo is judged from the positions alone (`stereo_kept`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.arrays import assign_stereo_in_place
from molscore.chem.ensemble import rmsd_matrix
from molscore.chem.thresholds import THRESHOLDS
from molscore.evaluate.molecules.relaxation import median_ranks
from molscore.evaluate.rates import wilson

RESAMPLES = 2000
"""Resamples of a bootstrap."""

Distances = Sequence[np.ndarray | None]
"""For each molecule the RMSDs in Å that are to be small, None for a molecule without conformers."""


class Recall(NamedTuple):
    """Nearest RMSDs of one molecule, in Å.

    Attributes:
        best: (R,) of each reference to the nearest conformer.
        precision: (K,) of each conformer to the nearest reference.
    """

    best: np.ndarray
    precision: np.ndarray


def recall(conformers: np.ndarray, references: np.ndarray, correspondences: np.ndarray) -> Recall:
    """Compares the conformers of one molecule with its references.

    Args:
        conformers: (K, n, 3) Å, heavy atoms, K >= 1.
        references: (R, n, 3) Å, R >= 1.
        correspondences: (A, n) of `molscore.chem.ensemble.correspondences`, from conformers to references.

    Raises:
        ValueError: if shapes do not fit, or there is nothing to compare.
    """
    if len(conformers) == 0 or len(references) == 0:
        raise ValueError(f"{len(conformers)} conformers cannot be compared with {len(references)} references")
    distances = rmsd_matrix(conformers, correspondences, references)
    return Recall(distances.min(axis=0), distances.min(axis=1))


def summary(
    distances: Distances, thresholds: Sequence[float] = THRESHOLDS.coverage.rmsd, seed: int = 0
) -> dict[str, Any]:
    """AMR and coverage of many molecules.

    Args:
        distances: of each molecule, `Recall.best` or `Recall.precision`; None without conformers.
        thresholds: in Å.
        seed: of the bootstrap.

    Returns:
        ``molecules``; ``failures``, those without conformers; ``mean`` and ``median``, each ``{value, low, high}`` in Å
        over molecules with conformers; ``coverage``: threshold, as text -> ``{value, low, high}`` over all molecules.
        Figures of nothing are None.
    """
    averages = _averages(distances)
    there = averages[~np.isnan(averages)]
    ends = median_ranks(len(there))
    low, high = np.sort(there)[[ends[0] - 1, ends[1] - 1]].tolist() if ends else (None, None)
    return {
        "molecules": len(distances),
        "failures": len(distances) - len(there),
        "mean": mean_interval(there, seed),
        "median": {"value": float(np.median(there)) if len(there) else None, "low": low, "high": high},
        "coverage": {str(limit): _share(_coverage(distances, limit), seed) for limit in thresholds},
    }


def difference(
    a: Distances, b: Distances, thresholds: Sequence[float] = THRESHOLDS.coverage.rmsd, seed: int = 0
) -> dict[str, Any]:
    """One method less another on the same molecules, in pairs. Below 0, `a` has the smaller mean RMSD.

    Args:
        a, b: distances by each method, molecules in the same order.
        thresholds: in Å.
        seed: of the bootstrap.

    Returns:
        ``molecules``; ``pairs``, those to which both give conformers; ``mean`` over pairs, in Å, and ``coverage`` over
        all molecules as in `summary`.

    Raises:
        ValueError: if the methods were not given as many molecules.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} molecules are no pairs")
    change = _averages(a) - _averages(b)
    change = change[~np.isnan(change)]
    return {
        "molecules": len(a),
        "pairs": len(change),
        "mean": mean_interval(change, seed),
        "coverage": {str(x): mean_interval(_coverage(a, x) - _coverage(b, x), seed) for x in thresholds},
    }


def mean_interval(values: np.ndarray, seed: int = 0) -> dict[str, float | None]:
    """Mean of independent values (N,), ``{value, low, high}``; all None if there are none."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) == 0:
        return {"value": None, "low": None, "high": None}
    draws = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975)).tolist()
    return {"value": float(values.mean()), "low": low, "high": high}


def _share(values: np.ndarray, seed: int) -> dict[str, float | None]:
    """`mean_interval` of shares (N,) in [0, 1], Wilson's if each is 0 or 1."""
    interval = mean_interval(values, seed)
    if len(values) and np.isin(values, (0, 1)).all():
        interval["low"], interval["high"] = wilson(int(values.sum()), len(values))
    return interval


def _averages(distances: Distances) -> np.ndarray:
    """(N,) Å, the average within each molecule; NaN without conformers."""
    return np.array([np.nan if rmsds is None else np.mean(rmsds) for rmsds in distances], dtype=np.float64)


def _coverage(distances: Distances, threshold: float) -> np.ndarray:
    """(N,) the share below the threshold in each molecule; 0 without conformers."""
    return np.array([0.0 if rmsds is None else np.mean(np.asarray(rmsds) < threshold) for rmsds in distances])


def stereo_kept(mol: Chem.Mol, smiles: str) -> list[bool]:
    """Whether each conformer has the stereo that was asked for; what was left open may be either.

    The stereo of a copy is removed and perceived anew from the positions. It is right if the canonical SMILES is.

    Args:
        mol: with conformers; heavy atoms in the order of `smiles`.
        smiles: what was asked for.
    """
    with rdBase.BlockLogs():
        asked = Chem.MolFromSmiles(smiles)
        wanted = _canonical(asked)
        return [_canonical(_perceived(mol, conformer.GetId(), asked)) == wanted for conformer in mol.GetConformers()]


def _perceived(mol: Chem.Mol, conformer: int, asked: Chem.Mol) -> Chem.Mol:
    """The molecule with stereo from its positions, at the centres and bonds where some was asked for."""
    copy = Chem.Mol(mol, confId=conformer)
    Chem.RemoveStereochemistry(copy)
    assign_stereo_in_place(copy)
    for atom in asked.GetAtoms():
        if atom.GetChiralTag() == Chem.ChiralType.CHI_UNSPECIFIED:
            copy.GetAtomWithIdx(atom.GetIdx()).SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    for bond in asked.GetBonds():
        if bond.GetStereo() in (Chem.BondStereo.STEREONONE, Chem.BondStereo.STEREOANY):
            ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            copy.GetBondBetweenAtoms(*ends).SetStereo(Chem.BondStereo.STEREONONE)
    for bond in copy.GetBonds():  # the marks beside double bonds, which SMILES are written from, are made anew
        bond.SetBondDir(Chem.BondDir.NONE)
    Chem.SetDoubleBondNeighborDirections(copy)
    return copy


def _canonical(mol: Chem.Mol) -> str:
    """Canonical isomeric SMILES, read and written twice so that both sides are treated alike."""
    once = Chem.MolFromSmiles(Chem.MolToSmiles(Chem.RemoveHs(mol)))
    return Chem.MolToSmiles(once)
