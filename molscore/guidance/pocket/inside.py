"""Molecules in a pocket: what becomes of them there, and what their records say."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from rdkit import Chem

from molscore.chem.arrays import from_mol
from molscore.chem.checks.validity import Fault
from molscore.chem.ensemble import heavy_atoms
from molscore.chem.fit import fit
from molscore.chem.hydrogens import without_hydrogens
from molscore.chem.pocket.receptor import Pocket
from molscore.chem.pocket.settle import settle_in_pocket
from molscore.chem.pocket.volume import nearest
from molscore.guidance.pocket.wish import PocketWish
from molscore.guidance.query import certain

OVERLAP, INSIDE, SHARE = 0.075, 3.0, 0.75
"""Share of a molecule's volume that may be in the protein (as PoseBusters has it), Å within which an atom counts as in
the free volume, and the share of heavy atoms that must be."""


def settled(mol: Chem.Mol, pocket: Pocket, fixed: Sequence[int] = ()) -> tuple[Chem.Mol, Fault | None, dict[str, Any]]:
    """A molecule relaxed where it lies, what is wrong with its place, and properties of its record.

    Args:
        mol: hydrogens explicit, in the frame of the pocket. It is left as it is.
        pocket: around it.
        fixed: atoms that stay where they are.
    """
    mol = settle_in_pocket(mol, pocket, fixed).mol
    heavy = heavy_atoms(mol)
    places = np.concatenate([pocket.volume.points, pocket.site.points]) if pocket.site.ligand else pocket.volume.points
    inside = float((nearest(mol.GetConformer().GetPositions()[heavy], places) <= INSIDE).mean())
    if inside < SHARE:
        return mol, Fault("outside_pocket", f"{inside:.0%} of its heavy atoms lie in the pocket"), {}
    place = fit(mol, pocket.protein)
    if place.clashes or place.overlap > OVERLAP:
        detail = f"{place.clashes} pairs of atoms are too close, {place.overlap:.1%} of its volume is in the protein"
        return mol, Fault("pocket_clash", detail), {}
    return mol, None, place.properties() | energies(mol, pocket)


def energies(mol: Chem.Mol, pocket: Pocket) -> dict[str, float]:
    """Energies of a molecule in a pocket in kcal/mol, by the names of properties."""
    molecules = certain(without_hydrogens(from_mol(mol)))
    positions = torch.from_numpy(mol.GetConformer().GetPositions()[heavy_atoms(mol)])[None]
    parts = PocketWish(pocket).parts(molecules._replace(positions=positions), torch.zeros(1, dtype=torch.float64))
    values = {"energy": sum(map(float, parts.values())), **{name: float(value) for name, value in parts.items()}}
    return {f"pocket_{name}_kcal_per_mol": round(value, 2) + 0.0 for name, value in values.items()}
