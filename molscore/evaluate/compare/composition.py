"""What the molecules are made of: atoms, elements, rings, groups, charges. Figures to hold against the reference's."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays
from molscore.chem.checks.alerts import unusual
from molscore.chem.checks.descriptors import describe
from molscore.evaluate.compare.groups import group_shares, mean_difference

PROPERTIES = ("qed", "sa", "logp", "mw", "rings", "heavy")
"""Descriptors whose means are compared, see `molscore.chem.checks.descriptors`."""

LARGEST_RING = 8
"""Rings of this many atoms and more are counted together."""


def composition(molecules: Sequence[MoleculeArrays], mols: Sequence[Chem.Mol]) -> dict[str, Any]:
    """Summarises valid molecules.

    Args:
        molecules: M molecules.
        mols: the same, sanitised.

    Returns:
        ``molecules`` M; ``atoms_per_molecule`` and its standard deviation ``atoms_per_molecule_sd``; ``elements``
        symbol -> share of all atoms; ``rings_per_molecule`` size -> mean number of such rings (smallest set of
        smallest rings), with '8+' for 8 and more; ``groups`` functional group -> share of molecules with it;
        ``charged_molecules`` share with a formal charge on any atom; ``net_charged_molecules`` share whose charges do
        not cancel; ``properties`` mean of each of `PROPERTIES`; ``unusual`` share of molecules with each pattern of
        `molscore.chem.checks.alerts`, and under ``any`` of those with one or more. Of no molecules, only ``molecules``.
    """
    m = len(molecules)
    if m == 0:
        return {"molecules": 0}
    sizes = np.array([len(molecule.atomic_numbers) for molecule in molecules])
    numbers, counts = np.unique(np.concatenate([mol.atomic_numbers for mol in molecules]), return_counts=True)
    table = Chem.GetPeriodicTable()
    rings = Counter(min(len(ring), LARGEST_RING) for mol in mols for ring in mol.GetRingInfo().AtomRings())
    return {
        "molecules": m,
        "atoms_per_molecule": float(sizes.mean()),
        "atoms_per_molecule_sd": float(sizes.std()),
        "elements": {
            table.GetElementSymbol(int(z)): int(c) / int(sizes.sum()) for z, c in zip(numbers, counts, strict=True)
        },
        "rings_per_molecule": {
            f"{size}+" if size == LARGEST_RING else str(size): rings[size] / m for size in range(3, LARGEST_RING + 1)
        },
        "groups": group_shares(mols),
        "charged_molecules": float(np.mean([bool(mol.formal_charges.any()) for mol in molecules])),
        "net_charged_molecules": float(np.mean([int(mol.formal_charges.sum()) != 0 for mol in molecules])),
        "properties": properties(mols),
        "unusual": unusual_shares(mols),
    }


def properties(mols: Sequence[Chem.Mol]) -> dict[str, float]:
    """Means of `PROPERTIES` over sanitised molecules, at least one."""
    descriptors = [describe(mol, PROPERTIES) for mol in mols]
    return {name: float(np.mean([values[name] for values in descriptors])) for name in PROPERTIES}


def unusual_shares(mols: Sequence[Chem.Mol]) -> dict[str, float]:
    """Pattern -> share of sanitised molecules that have it; ``any``: one or more. Absurd chemistry shows here."""
    patterns = [unusual(mol) for mol in mols]
    counts = Counter(name for names in patterns for name in names)
    return {"any": sum(map(bool, patterns)) / len(mols)} | {k: n / len(mols) for k, n in counts.most_common()}


def differences(a: dict[str, Any], b: dict[str, Any]) -> dict[str, float]:
    """One figure for each table of two compositions.

    Returns:
        ``elements`` half the summed absolute difference of the shares (total variation: the share of atoms that would
        have to be another element); ``rings`` and ``groups`` the mean absolute difference of their figures. Empty if
        either is of no molecules.
    """
    if "elements" not in a or "elements" not in b:
        return {}
    n_elements = len(a["elements"].keys() | b["elements"].keys())
    return {
        "elements": mean_difference(a["elements"], b["elements"]) * n_elements / 2,
        "rings": mean_difference(a["rings_per_molecule"], b["rings_per_molecule"]),
        "groups": mean_difference(a["groups"], b["groups"]),
    }
