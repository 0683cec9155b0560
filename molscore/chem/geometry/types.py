"""What decides a bond length or an angle: types of bonds and angles, from fine to coarse.

An atom's type is its element, its coordination number, a letter for its bonding (``a`` aromatic, ``d`` sp2, ``t`` sp,
none else), its charge and its unpaired electrons: ``C3d``, ``N3d+``, ``S4``, ``O1.``. An ``e`` stands for each lone
pair of an atom whose shape depends on it: ``S4`` is that of a sulfone, ``S4e`` that of SF4. A bond or an angle has one
key per level, the most specific first:

    bond    C3d-N3d/5        C3d-N3d    C3-N3    C-N
    angle   -C C3d/0:5 =O    -C C3d/0 =O    C3d/0:5    C3d/0    C3/0

A bond's number is the size of its smallest ring (3, 4, 5, 6 for all greater, 0 for none), an angle's that of the
smallest ring that holds both its bonds (``x`` if two rings below six hold one each, as in spiro compounds and
propellanes), followed by the ring sizes of its centre; in the second key of angles rings of six and more count as none.
A letter more in the first key of a bond separates what the types mix (`_mark`): ``C3do-C3do/5`` is the bond between two
carbonyl groups, not that of a diene, ``C3do-C3dy/0`` that of a stabilised ylide, ``C4f-S6/0`` that of SF5CF3.
A double bond that another follows, as in isocyanates, is written with it: ``=C=O``. The third key of a bond of a metal,
or of an atom of a shape, holds how many neighbours and lone pairs that has, and of its partner the element alone:
``Cl-Zn4``, ``F-S4e``.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from rdkit import Chem

from molscore.chem.geometry.shapes import is_metal, lone_pairs, rings, shape

_MARKED = frozenset(("oo", "oy", "fs", "np", "bb", "q"))
"""Pairs of marks, one of which may be none, that change the first key of a bond."""

LARGEST_RING = 6
"""Rings of this size and greater are alike."""

_ORDERS = {
    Chem.BondType.SINGLE: "-",
    Chem.BondType.DOUBLE: "=",
    Chem.BondType.TRIPLE: "#",
    Chem.BondType.AROMATIC: ":",
    Chem.BondType.DATIVE: ">",
}
_BONDING = {Chem.HybridizationType.SP: "t", Chem.HybridizationType.SP2: "d"}


class Terms(NamedTuple):
    """The bonds and angles of a molecule.

    Attributes:
        bonds: (B, 2) atoms.
        angles: (A, 3) atoms, the centre second.
        bond_keys, angle_keys: for each, its keys, one per level.
    """

    bonds: np.ndarray
    angles: np.ndarray
    bond_keys: list[tuple[str, ...]]
    angle_keys: list[tuple[str, ...]]


def terms(mol: Chem.Mol) -> Terms:
    """Bonds and angles of a sanitised molecule, every hydrogen an atom, with their keys."""
    atoms = list(mol.GetAtoms())
    labels = [label(atom) for atom in atoms]
    symbols = [atom.GetSymbol() for atom in atoms]
    plain = [f"{symbol}{atom.GetTotalDegree()}" for symbol, atom in zip(symbols, atoms, strict=True)]
    pairs = [_lone_pairs(atom) for atom in atoms]
    special = [is_metal(atom) or k is not None for atom, k in zip(atoms, pairs, strict=True)]
    of_atom: list[list[set[int]]] = [[] for _ in atoms]
    for ring in sorted(map(set, rings(mol)), key=len):
        for index in ring:
            of_atom[index].append(ring)

    bonds: list[tuple[int, int]] = []
    bond_keys: list[tuple[str, ...]] = []
    orders: dict[tuple[int, int], str] = {}
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        order = _ORDERS.get(bond.GetBondType(), "~")
        orders[i, j] = orders[j, i] = order
        degrees = [
            plain[a] + "e" * (pairs[a] or 0) if special[a] else symbols[a] if special[b] else plain[a]
            for a, b in ((i, j), (j, i))
        ]
        ends = (labels[i], labels[j]), degrees, (symbols[i], symbols[j])
        fine, middle, coarse = (order.join(sorted(pair)) for pair in ends)
        size = _smallest(of_atom[i], j)
        marks = [_mark(bond.GetBeginAtom(), bond), _mark(bond.GetEndAtom(), bond)]
        finest = fine
        if "".join(sorted(marks)) in _MARKED:
            finest = order.join(sorted((labels[i] + marks[0], labels[j] + marks[1])))
        bonds.append((i, j))
        bond_keys.append((f"{finest}/{size}", fine, middle, coarse))

    angles: list[tuple[int, int, int]] = []
    angle_keys: list[tuple[str, ...]] = []
    for j, atom in enumerate(atoms):
        around = [neighbour.GetIdx() for neighbour in atom.GetNeighbors()]
        sizes = "".join(str(min(len(ring), LARGEST_RING)) for ring in of_atom[j][:3])
        for i, k in combinations(around, 2):
            common = _both(of_atom[j], i, k)
            first, last = sorted(_end(atoms[a], j, orders[a, j]) for a in (i, k))
            place, anywhere = f"{labels[j]}/{common}:{sizes}", f"{labels[j]}/{0 if common == LARGEST_RING else common}"
            angles.append((i, j, k))
            exact = (f"{first} {place} {last}", f"{first} {anywhere} {last}")
            angle_keys.append((*exact, place, f"{labels[j]}/{common}", f"{plain[j]}/{common}"))
    return Terms(
        np.array(bonds, dtype=np.int64).reshape(-1, 2),
        np.array(angles, dtype=np.int64).reshape(-1, 3),
        bond_keys,
        angle_keys,
    )


def label(atom: Chem.Atom) -> str:
    """An atom's type."""
    bonding = "a" if atom.GetIsAromatic() else _BONDING.get(atom.GetHybridization(), "")
    charge = atom.GetFormalCharge()
    unpaired = "." * atom.GetNumRadicalElectrons()
    sign = "+" * max(charge, 0) + "-" * max(-charge, 0)
    pairs = "e" * (_lone_pairs(atom) or 0)
    return f"{atom.GetSymbol()}{atom.GetTotalDegree()}{bonding}{sign}{unpaired}{pairs}"


def lengths_and_angles(positions: np.ndarray, bonds: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., B) Å and (..., A) degrees, of positions (..., N, 3) in Å."""
    length = np.linalg.norm(positions[..., bonds[:, 0], :] - positions[..., bonds[:, 1], :], axis=-1)
    a, b = (positions[..., angles[:, k], :] - positions[..., angles[:, 1], :] for k in (0, 2))
    cosine = (a * b).sum(-1) / np.maximum(np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1), 1e-9)
    return length, np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _mark(atom: Chem.Atom, bond: Chem.Bond) -> str:
    """What distinguishes an end of a bond from others of its type, or "".

    ``o``: a carbonyl group's carbon; ``y``: a carbon that is double-bonded to P or S, of an ylide; ``f``: a carbon of
    two fluorines or more; ``s``: sulfur of SF4 or SF5; ``n``: oxygen between two nitro groups, ``p``: their nitrogen;
    ``q``: nitrogen of a nitro group whose oxygen has a hydrogen, not a charge; ``b``: in a bond that a benzene ring
    shares with one of four.
    """
    others = [(other, other.GetOtherAtom(atom)) for other in atom.GetBonds() if other.GetIdx() != bond.GetIdx()]
    double = [end for other, end in others if other.GetBondType() == Chem.BondType.DOUBLE]
    symbol, degree = atom.GetSymbol(), atom.GetTotalDegree()
    if symbol == "C" and bond.GetIsAromatic():
        both = all(bond.GetOwningMol().GetRingInfo().IsBondInRingOfSize(bond.GetIdx(), size) for size in (4, 6))
        return "b" if both else ""
    if symbol == "C" and degree == 3 and bond.GetBondType() == Chem.BondType.SINGLE:
        if any(end.GetSymbol() == "O" for end in double):
            return "o"
        return "y" if any(end.GetSymbol() in ("P", "S") and end.GetTotalDegree() > 2 for end in double) else ""
    if symbol == "C" and degree == 4:
        return "f" if sum(end.GetSymbol() == "F" for _, end in others) > 1 else ""
    if symbol == "S":
        return "s" if shape(atom) else ""
    if symbol == "N" and atom.GetFormalCharge() == 1 and degree == 3:
        if _is_nitro_cation(atom):
            return "q"
        return "p" if double else ""
    nitro = [end for _, end in others if end.GetSymbol() == "N" and end.GetFormalCharge() == 1]
    return "n" if symbol == "O" and nitro else ""


def _is_nitro_cation(nitrogen: Chem.Atom) -> bool:
    """Whether it is the nitrogen of a nitro group with a hydrogen, R-N(=O)-OH with a charge that no oxygen offsets."""
    ends = [(bond.GetBondType(), bond.GetOtherAtom(nitrogen)) for bond in nitrogen.GetBonds()]
    oxygens = [(order, end) for order, end in ends if end.GetSymbol() == "O"]
    orders = {order for order, _ in oxygens}
    neutral = all(end.GetFormalCharge() == 0 for _, end in ends)
    return neutral and len(oxygens) == 2 and orders == {Chem.BondType.SINGLE, Chem.BondType.DOUBLE}


def _end(atom: Chem.Atom, centre: int, order: str) -> str:
    text = order + atom.GetSymbol()
    if order == "=" and atom.GetHybridization() == Chem.HybridizationType.SP:
        text += "".join(f"={other.GetSymbol()}" for other in atom.GetNeighbors() if other.GetIdx() != centre)
    return text


def _lone_pairs(atom: Chem.Atom) -> int | None:
    """Of an atom of the main groups whose shape depends on them; None for others."""
    if atom.GetAtomicNum() <= 10 or is_metal(atom) or shape(atom) is None:
        return None
    return lone_pairs(atom)


def _both(rings: list[set[int]], i: int, k: int) -> int | str:
    """Size of the smallest of an atom's rings that holds two neighbours, ``x`` if small rings hold one each, or 0."""
    if sizes := [len(ring) for ring in rings if i in ring and k in ring]:
        return min(*sizes, LARGEST_RING)
    return "x" if all(0 < _smallest(rings, a) < LARGEST_RING for a in (i, k)) else 0


def _smallest(rings: list[set[int]], other: int) -> int:
    """Size of the smallest of an atom's rings that holds its neighbour, 0 if none does."""
    return min((min(len(ring), LARGEST_RING) for ring in rings if other in ring), default=0)
