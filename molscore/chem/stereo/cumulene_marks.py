"""The stereo of cumulated double bonds, which RDKit drops: what a SMILES marks, or 3-D coordinates show.

An allene marked ``@`` at its middle atom is read as a centre whose four neighbours are the groups at its ends
(OpenSMILES, "extended tetrahedral"): seen from the first, the others run anticlockwise. Slashes at the two ends of an
odd number of double bonds are read as at a single one. Both become a dihedral angle of
`molscore.chem.stereo.cumulenes.row`.
"""

import numpy as np
from rdkit import Chem

from molscore.chem.stereo.cumulenes import dihedrals_off, has_room, mark_in_place, row
from molscore.chem.thresholds import THRESHOLDS

_HANDS = {Chem.ChiralType.CHI_TETRAHEDRAL_CCW: 90, Chem.ChiralType.CHI_TETRAHEDRAL_CW: -90}
_SLASHES = (Chem.BondDir.ENDUPRIGHT, Chem.BondDir.ENDDOWNRIGHT)


def of_smiles(raw: Chem.Mol, full: Chem.Mol, chain: list[int]) -> int | None:
    """The dihedral angle that a SMILES marks, in degrees; None if there is no mark, or none that can be held.

    Args:
        raw: as read, not sanitised.
        full: sanitised, the same atoms in their order, then the hydrogens that were implied.
        chain: of `molscore.chem.stereo.cumulenes.chains` of `full`, between carbon atoms that show sides.
    """
    tree = _tree(raw)
    if not has_room(full, chain):
        return None
    ends, atoms = ((chain[0], chain[1]), (chain[-1], chain[-2])), row(full, chain)
    if len(chain) % 2 == 0:
        ups = [up for end in ends if (up := _up(raw, *end, tree)) is not None]
        if len(ups) < 2:
            return None
        same = [up[1] == (up[0] == atom) for up, atom in zip(ups, (atoms[0], atoms[3]), strict=True)]
        return 0 if same[0] == same[1] else 180
    middle = raw.GetAtomWithIdx(chain[len(chain) // 2])
    first = [_first(full, *end, raw.GetNumAtoms(), tree) for end in ends]
    if middle.GetChiralTag() not in _HANDS or None in first or any(b.GetIdx() >= tree for b in middle.GetBonds()):
        return None
    turned = (first[0] != atoms[0]) != (first[1] != atoms[3])
    return -_HANDS[middle.GetChiralTag()] if turned else _HANDS[middle.GetChiralTag()]


def of_coordinates(mol: Chem.Mol, chain: list[int]) -> int | None:
    """The dihedral angle that the first conformer shows, as 90, -90, 0 or 180 degrees; None if it shows none.

    Args:
        mol: sanitised, with a 3-D conformer.
        chain: of `molscore.chem.stereo.cumulenes.chains`, between carbon atoms that show sides.
    """
    if not has_room(mol, chain):
        return None
    atoms, x = np.array([row(mol, chain)]), mol.GetConformer().GetPositions()
    for degrees in (90, -90) if len(chain) % 2 else (0, 180):
        if abs(dihedrals_off(x, atoms, degrees, 360)[0]) < THRESHOLDS.cumulene.clear:
            return degrees
    return None


def hold_in_place(mol: Chem.Mol, chain: list[int], degrees: int | None) -> bool:
    """Marks a chain, unless the angle is None; returns whether it did."""
    if degrees is not None:
        mark_in_place(mol, chain, degrees)
    return degrees is not None


def _tree(raw: Chem.Mol) -> int:
    """Index of the first bond that closes a ring: RDKit puts these after all others, which come as their atoms do."""
    last = 0
    for bond in raw.GetBonds():
        if bond.GetEndAtomIdx() <= last:
            return bond.GetIdx()
        last = bond.GetEndAtomIdx()
    return raw.GetNumBonds()


def _first(full: Chem.Mol, end: int, near: int, written: int, tree: int) -> int | None:
    """The neighbour of an end that its SMILES names first: the atom before it, then its hydrogen, ring closures, and
    what follows. None where two ring closures leave that open."""
    places = []
    for bond in full.GetAtomWithIdx(end).GetBonds():
        other = bond.GetOtherAtomIdx(end)
        if other != near:
            closure = other < written and bond.GetIdx() >= tree
            places.append((1 if other >= written else 2 if closure else 0 if other < end else 3, other))
    if [place for place, _ in places].count(2) > 1:
        return None
    return min(places)[1]


def _up(raw: Chem.Mol, end: int, near: int, tree: int) -> tuple[int, bool] | None:
    """A neighbour of an end that a slash marks, and whether it lies above; None if there is none, or at a closure."""
    for bond in raw.GetAtomWithIdx(end).GetBonds():
        other = bond.GetOtherAtomIdx(end)
        if other != near and bond.GetBondDir() in _SLASHES and bond.GetIdx() < tree:
            return other, (bond.GetBondDir() == Chem.BondDir.ENDUPRIGHT) == (bond.GetBeginAtomIdx() == end)
    return None
