"""How neighbours lie about an atom that has room for more than four electron pairs, or a metal's shells.

By the number of neighbours and lone pairs (VSEPR: Gillespie, Coord. Chem. Rev. 252, 1315, 2008), by the oxidation state
for square-planar metals, or by a stereo tag (``@SP``, ``@TB``, ``@OH``).
"""

from itertools import combinations, permutations

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem.rdDistGeom import GetMoleculeBoundsMatrix

_X, _Y, _Z = np.eye(3)
_THIRDS = [np.array([np.cos(a), np.sin(a), 0.0]) for a in np.radians([0, 120, 240])]
_BENT = np.radians([88.0, 102.0 / 2, 94.0, 85.0])
"""Angles that lone pairs leave: of neighbours across in a T to the third (ClF3 87.5, PhICl2 88), half of that between
the two neighbours beside one another in a see-saw (SF4 101.5, SeF4 100.6, TeCl4 103), of the other two to their
bisector, turned away from the lone pair (SF4 173 between them), and of the base of a square pyramid to its top (BrF5
84.8, IF5 81.9); electron diffraction and microwave work as collected by Gillespie and Hargittai, The VSEPR Model of
Molecular Geometry (1991)."""


def _at(angle: float, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The unit vector at an angle, in radians, from a first towards a second one at right angles to it."""
    return np.cos(angle) * first + np.sin(angle) * second


_T, _SIDE, _ACROSS, _BASE = _BENT

_IDEALS = np.array([90.0, 120.0, 180.0])
"""Degrees between neighbours of an atom with a stereo tag."""

CORNERS: dict[str, list[np.ndarray]] = {
    "linear": [_Z, -_Z],
    "T-shaped": [_X, _at(_T, _X, _Z), _at(_T, _X, -_Z)],
    "see-saw": [_at(_SIDE, _X, _Y), _at(_SIDE, _X, -_Y), _at(_ACROSS, -_X, _Z), _at(_ACROSS, -_X, -_Z)],
    "square planar": [_X, -_X, _Y, -_Y],
    "trigonal bipyramid": [*_THIRDS, _Z, -_Z],
    "square pyramid": [_Z, *(_at(_BASE, _Z, side) for side in (_X, -_X, _Y, -_Y))],
    "octahedron": [_Z, -_Z, _X, -_X, _Y, -_Y],
}
"""Unit vectors to the neighbours."""

_RELUCTANT = {"T-shaped": 1, "see-saw": 2, "trigonal bipyramid": 3, "square pyramid": 1}
"""So many corners, the first, are for neighbours that attract electrons least, or by a multiple bond."""

_PAIRS = {
    (2, 3): "linear",
    (3, 2): "T-shaped",
    (4, 1): "see-saw",
    (4, 2): "square planar",
    (5, 0): "trigonal bipyramid",
    (5, 1): "square pyramid",
    (6, 0): "octahedron",
    (6, 1): "octahedron",
}
"""Shape by neighbours and lone pairs."""

_TAGS = {
    Chem.ChiralType.CHI_SQUAREPLANAR: (4, "square planar"),
    Chem.ChiralType.CHI_TRIGONALBIPYRAMIDAL: (5, "trigonal bipyramid"),
    Chem.ChiralType.CHI_OCTAHEDRAL: (6, "octahedron"),
}
_SQUARE = {"Pd": (2, 4), "Pt": (2, 4), "Rh": (1,), "Ir": (1,), "Au": (3,)}
"""Oxidation states of metals that are square planar where they have four neighbours. Platinum(IV) and palladium(IV)
have six: with four, a neutral ligand is drawn with a bond of its own."""

_OTHER_METALS = frozenset({3, 4, 11, 12, 13, 19, 20, 30, 31, 37, 38, 48, 49, 55, 56, 80, 81, 87, 88})

ELECTRONEGATIVITY = {1: 2.2, 5: 2.0, 6: 2.55, 7: 3.0, 8: 3.4, 9: 4.0, 14: 1.9, 15: 2.2, 16: 2.6, 17: 3.2, 33: 2.2}
ELECTRONEGATIVITY |= {34: 2.55, 35: 3.0, 50: 2.0, 51: 2.05, 52: 2.1, 53: 2.7, 80: 2.0, 82: 2.3, 83: 2.0}
"""Pauling's, by atomic number; that of others, metals, is near 1.8."""


def is_metal(atom: Chem.Atom) -> bool:
    """Whether it is of groups 1 to 12, or below boron; hydrogen and the metals of later groups are not meant."""
    z = atom.GetAtomicNum()
    return _has_open_shell(atom) or z in _OTHER_METALS


def _has_open_shell(atom: Chem.Atom) -> bool:
    """Whether its d or f shell is open, as in elements 21 to 29 and those below them."""
    z = atom.GetAtomicNum()
    return 21 <= z <= 29 or 39 <= z <= 47 or 57 <= z <= 79 or 89 <= z <= 111


def lone_pairs(atom: Chem.Atom) -> int:
    """Electron pairs of a main-group atom that no bond uses."""
    outer = Chem.GetPeriodicTable().GetNOuterElecs(atom.GetAtomicNum())
    left = outer - atom.GetFormalCharge() - atom.GetTotalValence() - atom.GetNumRadicalElectrons()
    return max(0, left // 2 - sum(_gives(bond, atom) for bond in atom.GetBonds()))


def shape(atom: Chem.Atom) -> str | None:
    """Key of `CORNERS`; None where hybridisation alone decides the angles."""
    degree = atom.GetDegree()
    if is_tagged(atom):
        return _TAGS[atom.GetChiralTag()][1]
    if _has_open_shell(atom):
        square = degree == 4 and _oxidation_state(atom) in _SQUARE.get(atom.GetSymbol(), ())
        return "square planar" if square else {2: "linear", 6: "octahedron"}.get(degree)
    if atom.GetAtomicNum() <= 10:
        return None
    return _PAIRS.get((degree, lone_pairs(atom)))


def is_tagged(atom: Chem.Atom) -> bool:
    """Whether a stereo tag of the atom defines which neighbours lie across from one another."""
    degree, _ = _TAGS.get(atom.GetChiralTag(), (None, None))
    numbered = atom.HasProp("_chiralPermutation") and atom.GetIntProp("_chiralPermutation") > 0
    return degree == atom.GetDegree() and bool(numbered)


def unknown_metal(mol: Chem.Mol) -> str | None:
    """A sentence on a metal whose neighbours' arrangement does not follow from the molecule, or None.

    It follows from a stereo tag; for six neighbours; for four about platinum and its kin; and, as about atoms of the
    main groups, for four and no d electrons, and for up to four and ten.
    """
    for atom in mol.GetAtoms():
        degree = atom.GetDegree()
        if not _has_open_shell(atom) or degree < 2 or is_tagged(atom) or degree == 6 or shape(atom) == "square planar":
            continue
        electrons = _d_electrons(atom)
        if not (electrons == 10 and degree <= 4 or electrons == 0 and degree == 4):
            place = f"{atom.GetSymbol()}{atom.GetIdx()}"
            return f"how the {degree} neighbours of {place} lie about it is not known; give a tag (@SP, @TB, @OH)"
    return None


def rings(mol: Chem.Mol) -> tuple[tuple[int, ...], ...]:
    """The smallest rings, those too that dative bonds close, as in chelates: RDKit leaves these out."""
    if all(bond.GetBondType() != Chem.BondType.DATIVE for bond in mol.GetBonds()):
        return mol.GetRingInfo().AtomRings()
    return tuple(map(tuple, Chem.GetSymmSSSR(Chem.Mol(mol), includeDativeBonds=True)))


def shape_stereo_differs(mol: Chem.Mol, conformer: int = -1) -> bool:
    """Whether RDKit reads another tag ``@SP``, ``@TB`` or ``@OH`` from the positions than an atom has."""
    read = Chem.Mol(mol, False, conformer)
    Chem.AssignStereochemistryFrom3D(read)
    return any(
        not is_tagged(other) or other.GetIntProp("_chiralPermutation") != atom.GetIntProp("_chiralPermutation")
        for atom, other in zip(mol.GetAtoms(), read.GetAtoms(), strict=True)
        if is_tagged(atom)
    )


def ideal_angles(mol: Chem.Mol, index: int) -> dict[tuple[int, int], float]:
    """Degrees between each two neighbours of an atom that has a `shape`; empty for others.

    Where there is no tag, the neighbours that attract electrons most go to the axes, and bonds of one ring to corners
    that are near one another.
    """
    atom = mol.GetAtomWithIdx(index)
    name = shape(atom)
    if name is None:
        return {}
    around = [neighbour.GetIdx() for neighbour in atom.GetNeighbors()]
    if is_tagged(atom):
        return _tagged_angles(mol, index, around)
    corners = CORNERS[name]
    between = np.degrees(np.arccos(np.clip(np.array(corners) @ np.array(corners).T, -1, 1)))
    reluctance = np.array([_reluctance(mol.GetBondBetweenAtoms(index, k), index) for k in around])
    together = np.zeros((len(around), len(around)), dtype=bool)
    for ring in rings(mol):
        if index in ring and len(ring) <= 7:
            members = [k for k, a in enumerate(around) if a in ring]
            together[np.ix_(members, members)] = True
    np.fill_diagonal(together, False)
    first = _RELUCTANT.get(name, 0)

    def cost(order: tuple[int, ...]) -> float:  # order[corner] is the neighbour there
        rows = list(order)
        strain = between[together[np.ix_(rows, rows)]].sum() / 90
        return 10 * strain - reluctance[rows[:first]].sum()

    best = min(permutations(range(len(around))), key=cost)
    return {
        tuple(sorted((around[best[a]], around[best[b]]))): float(between[a, b])
        for a, b in combinations(range(len(around)), 2)
    }


def _gives(bond: Chem.Bond, atom: Chem.Atom) -> bool:
    return bond.GetBondType() == Chem.BondType.DATIVE and bond.GetBeginAtomIdx() == atom.GetIdx()


def _oxidation_state(atom: Chem.Atom) -> int:
    own = [bond.GetBondTypeAsDouble() for bond in atom.GetBonds() if bond.GetBondType() != Chem.BondType.DATIVE]
    return atom.GetFormalCharge() + round(sum(own))


def _d_electrons(atom: Chem.Atom) -> int | None:
    """None for lanthanides and actinides."""
    z = atom.GetAtomicNum()
    first = next((noble for noble, last in ((18, 29), (36, 47), (68, 79)) if noble + 2 < z <= last), None)
    return None if first is None else z - first - _oxidation_state(atom)


def _reluctance(bond: Chem.Bond, index: int) -> float:
    if bond.GetBondTypeAsDouble() > 1.5:
        return 0.0
    return -ELECTRONEGATIVITY.get(bond.GetOtherAtom(bond.GetOwningMol().GetAtomWithIdx(index)).GetAtomicNum(), 1.8)


def _tagged_angles(mol: Chem.Mol, index: int, around: list[int]) -> dict[tuple[int, int], float]:
    """By the law of cosines from RDKit's distance bounds, which take account of the tags."""
    with rdBase.BlockLogs():
        bounds = GetMoleculeBoundsMatrix(mol, set15bounds=False, scaleVDW=False, doTriangleSmoothing=False)
    middle = (np.triu(bounds, 1) + np.tril(bounds, -1).T) / 2
    middle += middle.T
    angles = {}
    for a, b in combinations(sorted(around), 2):
        x, y, z = middle[index, a], middle[index, b], middle[a, b]
        angle = np.degrees(np.arccos(np.clip((x * x + y * y - z * z) / (2 * x * y), -1, 1)))
        angles[a, b] = float(_IDEALS[np.abs(_IDEALS - angle).argmin()])
    return angles
