"""Bond lengths, bond angles and dihedral angles of molecules, each with its type.

A type names the elements and the kekulised bonds along the path, read in the direction that comes first: ``C-H``,
``H-C=O``, ``H-C-C-N``. Every bond, angle and dihedral is counted once. Dihedrals are signed (IUPAC), in degrees; a
mirror image changes the sign, reading the path backwards does not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays

_GLYPHS = {1: "-", 2: "=", 3: "#"}
_ORDERS = {glyph: order for order, glyph in _GLYPHS.items()}
_BASE = 128


@dataclass(frozen=True, eq=False)
class Coordinates:
    """V internal coordinates of one kind, from many molecules.

    Attributes:
        molecule: (V,) int64, which molecule.
        code: (V,) int64, the type; `type_name` spells it.
        value: (V,) float64, Å or degrees.
    """

    molecule: np.ndarray
    code: np.ndarray
    value: np.ndarray


def type_name(code: int) -> str:
    """Spells a type: 'C-C=O'."""
    symbols = []
    while code:
        code, symbol = divmod(code, _BASE)
        symbols.append(symbol)
    table = Chem.GetPeriodicTable()
    parts = [_GLYPHS[s] if k % 2 else table.GetElementSymbol(s) for k, s in enumerate(reversed(symbols))]
    return "".join(parts)


def type_code(name: str) -> int:
    """The type that a name spells, in either direction.

    Raises:
        ValueError: if it is no path of elements and bonds.
    """
    parts = re.split(r"([-=#])", name)
    table = Chem.GetPeriodicTable()
    try:
        symbols = [_ORDERS[p] if k % 2 else table.GetAtomicNumber(p) for k, p in enumerate(parts)]
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{name!r} is not a path of elements and bonds like 'C-C=O'") from error
    return int(_codes(np.array([symbols[::2]]), np.array([symbols[1::2]]))[0])


def measure(molecules: Sequence[MoleculeArrays]) -> dict[str, Coordinates]:
    """Measures every bond, angle and dihedral.

    Angles go over each pair of bonds that share an atom; dihedrals over each bond with a further bond at both ends.

    Returns:
        'bond' (Å), 'angle' (degrees, 0 to 180), 'dihedral' (degrees, -180 to 180).
    """
    parts: dict[str, list[tuple[np.ndarray, ...]]] = {kind: [] for kind in ("bond", "angle", "dihedral")}
    for k, molecule in enumerate(molecules):
        numbers = molecule.atomic_numbers.astype(np.int64)
        orders = np.zeros((len(numbers), len(numbers)), dtype=np.int64)
        i, j = molecule.bonds.T
        orders[i, j] = orders[j, i] = molecule.bond_orders
        for kind, paths in _paths(molecule.bonds, len(numbers)).items():
            if len(paths):
                codes = _codes(numbers[paths], orders[paths[:, :-1], paths[:, 1:]])
                points = molecule.positions.astype(np.float64)[paths]
                parts[kind].append((np.full(len(paths), k), codes, _VALUES[kind](points)))
    empty = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return {
        kind: Coordinates(*(np.concatenate(column) for column in zip(empty, *columns, strict=True)))
        for kind, columns in parts.items()
    }


def _paths(bonds: np.ndarray, n_atoms: int) -> dict[str, np.ndarray]:
    """Atom indices: bonds (B, 2), angles (A, 3), dihedrals (D, 4)."""
    neighbours: list[list[int]] = [[] for _ in range(n_atoms)]
    pairs = bonds.tolist()
    for i, j in pairs:
        neighbours[i].append(j)
        neighbours[j].append(i)
    angles = [(i, j, k) for j, ends in enumerate(neighbours) for i, k in combinations(ends, 2)]
    dihedrals = [
        (i, j, k, m) for j, k in pairs for i in neighbours[j] if i != k for m in neighbours[k] if m != j and m != i
    ]
    indices = {"bond": pairs, "angle": angles, "dihedral": dihedrals}
    return {kind: np.array(paths, dtype=np.int64) for kind, paths in indices.items()}


def _codes(numbers: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Types of paths of n atoms: elements (P, n) and bond orders (P, n - 1) to (P,) int64, the same read backwards."""
    symbols = np.empty((len(numbers), 2 * numbers.shape[1] - 1), dtype=np.int64)
    symbols[:, ::2], symbols[:, 1::2] = numbers, orders
    weights = _BASE ** np.arange(symbols.shape[1] - 1, -1, -1, dtype=np.int64)
    return np.minimum(symbols @ weights, symbols[:, ::-1] @ weights)


def bond_lengths(points: np.ndarray) -> np.ndarray:
    """Lengths in Å of (P, 2, 3) points: (P,)."""
    return np.linalg.norm(points[:, 1] - points[:, 0], axis=-1)


def bond_angles(points: np.ndarray) -> np.ndarray:
    """Angles in degrees at the middle one of (P, 3, 3) points: (P,), 0 to 180."""
    u, v = points[:, 0] - points[:, 1], points[:, 2] - points[:, 1]
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(u, v), axis=-1), (u * v).sum(axis=-1)))


def dihedral_angles(points: np.ndarray) -> np.ndarray:
    """Dihedral angles in degrees of (P, 4, 3) points: (P,), -180 to 180, IUPAC sign."""
    a, b, c = points[:, 1] - points[:, 0], points[:, 2] - points[:, 1], points[:, 3] - points[:, 2]
    left, right = np.cross(a, b), np.cross(b, c)
    sine = np.linalg.norm(b, axis=-1) * (a * right).sum(axis=-1)
    return np.degrees(np.arctan2(sine, (left * right).sum(axis=-1)))


_VALUES = {"bond": bond_lengths, "angle": bond_angles, "dihedral": dihedral_angles}
