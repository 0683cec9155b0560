"""The verdict on what was completed, whoever completed it.

Valid is what sanitises, is one molecule, keeps the part with its bonds, charges and stereo within 0.1 Å, and has its
hydrogens placed without clash.
"""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays, MoleculeError
from molscore.chem.checks.validity import check
from molscore.chem.hydrogens import complete
from molscore.chem.parts import KeptPart

GEOMETRY = {
    "bond_length",
    "bond_angle",
    "ring_not_flat",
    "double_bond_not_flat",
    "flat_biaryl",
    "cumulene",
    "ring_flat",
}
"""Faults of a geometry that make no sample invalid; what is delivered has none of them."""


def fault(made: MoleculeArrays, part: KeptPart) -> tuple[str | None, Chem.Mol | None]:
    """The fault of heavy atoms as they are, the part first and about its own origin; and their molecule."""
    if part.fault(made):
        return "kept_part", None
    if part.posed and np.abs(made.positions[: len(part)] - part.arrays.positions).max() > 0.1:
        return "moved", None
    try:
        mol = complete(made)
    except MoleculeError as error:
        return error.reason, None
    found = check(mol)
    return (None if found is None else found.token), mol


def valid(token: str | None) -> bool:
    """Whether what has this fault, or none, counts as valid."""
    return token is None or token in GEOMETRY


def displacement(mols: Sequence[Chem.Mol], part: KeptPart) -> float | None:
    """Å by which an atom of the part has moved at most."""
    if not part.posed or not mols:
        return None
    given = part.arrays.positions + part.origin
    return round(max(float(np.abs(mol.GetConformer().GetPositions()[: len(part)] - given).max()) for mol in mols), 5)


def plain(mol: Chem.Mol) -> str:
    """SMILES without stereo, by which molecules are told apart."""
    return Chem.MolToSmiles(Chem.RemoveHs(mol), isomericSmiles=False)
