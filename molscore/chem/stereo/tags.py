"""Stereo as a model sees it: which way four atoms are arranged.

A tag is a row ``(a, b, c, d, code)`` of four atoms and what their arrangement must be:

* ``COUNTERCLOCKWISE`` or ``CLOCKWISE``: the sign of the volume ``(x_b - x_a) . [(x_c - x_a) x (x_d - x_a)]``, 1 or -1.
  For a tetrahedral centre a and three of its neighbours that is the chirality; for a hindered bond b-c between ortho
  atoms a and d it is the sense of the axis. A mirror changes it: the code is a pseudoscalar.
* ``CIS`` or ``TRANS``: on which sides of the double bond b=c the atoms a and d lie, 2 or -2. A mirror does not
  change it.

Tags are made from the stereo that a molecule specifies (`tags`), and compared with positions (`wrong`): no program's
perception of stereo comes in between. Whether RDKit perceives other stereo from the positions is separate (`misread`).
"""

from collections.abc import Collection, Sequence

import numpy as np
from rdkit import Chem

from molscore.chem.thresholds import THRESHOLDS

COUNTERCLOCKWISE, CLOCKWISE, CIS, TRANS = 1, -1, 2, -2

_CENTRES = {Chem.ChiralType.CHI_TETRAHEDRAL_CCW: 1, Chem.ChiralType.CHI_TETRAHEDRAL_CW: -1}
AXES = {Chem.BondStereo.STEREOATROPCW: 1, Chem.BondStereo.STEREOATROPCCW: -1}
"""Code of a tag for the stereo of a bond that is a hindered axis."""

_SIDES = {
    Chem.BondStereo.STEREOZ: CIS,
    Chem.BondStereo.STEREOCIS: CIS,
    Chem.BondStereo.STEREOE: TRANS,
    Chem.BondStereo.STEREOTRANS: TRANS,
}


def tags(mol: Chem.Mol, redundant: bool = False, among: Collection[int] | None = None) -> np.ndarray:
    """The stereo that a molecule specifies, ``(S, 5)`` int64; where it specifies none there is no tag.

    Args:
        mol: sanitised, stereo assigned. Hydrogens may be atoms or not; they, and dummy atoms, are named only where
            nothing else can be.
        redundant: a tag for each three of a centre's four neighbours, so that they do not hold where the fourth lies
            on the side of the others.
        among: atoms by which centres are named, as far as they can be; None is all.
    """
    rows = []
    for atom in mol.GetAtoms():
        if (sign := _CENTRES.get(atom.GetChiralTag())) is None:
            continue
        neighbours = [bond.GetOtherAtomIdx(atom.GetIdx()) for bond in atom.GetBonds()]
        if len(neighbours) not in (3, 4):
            continue
        if len(neighbours) == 3:
            rows.append((atom.GetIdx(), *neighbours, sign))
            continue
        others = [k for k, n in enumerate(neighbours) if among is not None and n not in among]
        others += [k for k, n in enumerate(neighbours) if mol.GetAtomWithIdx(n).GetAtomicNum() <= 1]
        for left_out in range(4) if redundant else (*others, 3)[:1]:
            named = neighbours[:left_out] + neighbours[left_out + 1 :]
            rows.append((atom.GetIdx(), *named, -sign if left_out % 2 == 0 else sign))
    for bond in mol.GetBonds():
        if (stereo := bond.GetStereo()) == Chem.BondStereo.STEREONONE:
            continue
        begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if stereo in _SIDES and len(bond.GetStereoAtoms()) == 2:
            first, last = bond.GetStereoAtoms()
            rows.append((first, begin, end, last, _SIDES[stereo]))
        elif stereo in AXES:
            rows.append((*axis_atoms(bond), AXES[stereo]))
    return np.array(rows, dtype=np.int64).reshape(-1, 5)


def assign_in_place(mol: Chem.Mol, rows: np.ndarray) -> None:
    """Gives a molecule the stereo of tags, the inverse of `tags`, in place of its own; axes aside."""
    Chem.RemoveStereochemistry(mol)
    for a, b, c, d, code in rows.tolist():
        if abs(code) == 1 and mol.GetBondBetweenAtoms(a, d) is not None:
            for kind in _CENTRES:
                mol.GetAtomWithIdx(a).SetChiralTag(kind)
                own = [row for row in tags(mol, redundant=True).tolist() if row[0] == a and set(row[1:4]) == {b, c, d}]
                if any(row[4] * _parity(row[1:4], (b, c, d)) == code for row in own):
                    break
        elif abs(code) == 2:
            bond = mol.GetBondBetweenAtoms(b, c)
            ends = (a, d) if bond.GetBeginAtomIdx() == b else (d, a)
            bond.SetStereoAtoms(*ends)
            bond.SetStereo(Chem.BondStereo.STEREOCIS if code == CIS else Chem.BondStereo.STEREOTRANS)
    Chem.SetDoubleBondNeighborDirections(mol)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)


def axis_atoms(bond: Chem.Bond) -> tuple[int, int, int, int]:
    """The four atoms by which RDKit defines the sense of an axis: at either end the neighbour of lowest index."""
    begin, end = bond.GetBeginAtom(), bond.GetEndAtom()
    first, last = (
        min(n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() != other.GetIdx())
        for atom, other in ((begin, end), (end, begin))
    )
    return first, begin.GetIdx(), end.GetIdx(), last


def wrong(positions: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """Which tags do not hold: ``(K, S)`` bool for positions ``(K, N, 3)`` in Å and tags ``(S, 5)``.

    Centres that are flat, double bonds that are twisted and atoms in one place are wrong too.
    """
    a, b, c, d = np.moveaxis(np.asarray(positions, dtype=np.float64)[:, tags[:, :4]], 2, 0)
    sign = np.sign(tags[:, 4])
    volume = _dot(_unit(b - a), np.cross(_unit(c - a), _unit(d - a)))
    axis = _unit(c - b)
    across = [_unit(y - _dot(y, axis)[..., None] * axis) for y in (a - b, d - c)]
    handed = np.abs(tags[:, 4]) == 1
    with np.errstate(invalid="ignore"):
        right = sign * volume > THRESHOLDS.stereo.flat_centre, sign * _dot(*across) > THRESHOLDS.stereo.twisted_bond
        return ~np.where(handed, *right)


def misread(mol: Chem.Mol, conformer: int, asked: np.ndarray) -> bool:
    """Whether RDKit perceives other stereo from the positions than was asked for, or, at a carbon atom, none.

    RDKit perceives no handedness of bridgehead nitrogens, nor of carbon atoms that have one only by theirs, as opposite
    the nitrogen of quinuclidines: for these `wrong` alone decides. So it does for axes, of which RDKit perceives none
    from positions alone.

    Args:
        mol: as for `tags`, every hydrogen an atom.
        conformer: which of its conformers.
        asked: `tags` of the molecule.
    """
    if not len(asked):
        return False
    copy = Chem.Mol(mol, False, conformer)
    Chem.RemoveStereochemistry(copy)
    try:
        Chem.AssignStereochemistryFrom3D(copy)
    except RuntimeError:  # a direction between two atoms in one place
        return True
    read = {tuple(row) for row in tags(copy).tolist()}
    for *atoms, code in asked.tolist():
        carbon = abs(code) == 1 and mol.GetAtomWithIdx(atoms[0]).GetAtomicNum() == 6
        if (*atoms, -code) in read or carbon and (*atoms, code) not in read and atoms[0] in _by_carbon_alone(mol):
            return True
    return False


def _by_carbon_alone(mol: Chem.Mol) -> set[int]:
    """Carbon centres that are stereocentres even without the handedness of other elements."""
    alone = Chem.Mol(mol)
    for atom in alone.GetAtoms():
        if atom.GetAtomicNum() != 6:
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    Chem.AssignStereochemistry(alone, cleanIt=True, force=True)
    return {atom.GetIdx() for atom in alone.GetAtoms() if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED}


def _parity(order: Sequence[int], other: Sequence[int]) -> int:
    """1 if an even number of swaps makes one order of three the other, else -1."""
    shift = list(other).index(order[0])
    return 1 if list(order) == [*other[shift:], *other[:shift]] else -1


def _dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x * y).sum(-1)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)
