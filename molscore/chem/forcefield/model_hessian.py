"""Which directions of a molecule are stiff: a model of the Hessian of its energy, and the inverse of that.

    H = Σ k ∇q ∇qᵀ + ε 1

over bond lengths, angles, dihedral angles and the heights of flat atoms above their neighbours, q, with one force
constant for each kind: those of all molecules are alike (Schlegel, Theor. Chim. Acta 66, 333, 1984; Lindh,
Bernhardsson, Karlström and Malmqvist, Chem. Phys. Lett. 241, 423, 1995). A minimisation that measures its steps by it
(`descent`) need not find out for each conformer that bonds are much stiffer than torsions.

Large molecules are parted into blocks, and what couples these is left out: time and memory grow with the atoms. A block
is inverted tile by tile: so small are these that a BLAS uses a single thread, whose number would change the last bits.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from rdkit import Chem

BOND, ANGLE, SINGLE, MULTIPLE, HEIGHT = 1000.0, 200.0, 60.0, 150.0, 60.0
"""kcal/mol/Å² for bond lengths, kcal/mol/rad² for angles and for all dihedral angles about a single bond, and about
another one, together; kcal/mol/Å² for heights. Single bonds are stiffer here than by themselves: what is farther apart,
and meets when they turn, has no term of its own."""

LEAST = 7.5
"""kcal/mol/Å²: ε."""

STRAIGHT = 0.2
"""Sine below which an angle counts as straight, about which nothing turns."""

BLOCK = 64
"""Atoms of a block, at most."""

TILE = 64
"""Rows of a tile, at most: up to 64³ multiplications OpenBLAS, which numpy brings, starts no threads."""


@dataclass(frozen=True, eq=False)
class InverseHessian:
    """Of K conformers, over M atoms that may move.

    Attributes:
        walk: (M,) these atoms, by their place among themselves, in the order in which blocks hold them.
        blocks: (K, G, 3b, 3b) float32 in Å² mol/kcal; the last block may have places to spare.
    """

    walk: np.ndarray
    blocks: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "InverseHessian":
        """That of some conformers."""
        return InverseHessian(self.walk, self.blocks[rows])

    def __matmul__(self, gradients: np.ndarray) -> np.ndarray:
        """(K, 3M), for gradients (K, 3M)."""
        count, groups, size = self.blocks.shape[:3]
        ordered, moves = np.zeros((count, groups * size // 3, 3), np.float32), np.empty((count, len(self.walk), 3))
        ordered[:, : len(self.walk)] = gradients.reshape(moves.shape)[:, self.walk]
        product = np.einsum("kgij,kgj->kgi", self.blocks, ordered.reshape(count, groups, size))
        moves[:, self.walk] = product.reshape(ordered.shape)[:, : len(self.walk)]
        return moves.reshape(gradients.shape)


@dataclass(frozen=True, eq=False)
class ModelHessian:
    """The terms of one molecule.

    Attributes:
        bonds: (B, 2), angles: (A, 3), the centre second, torsions: (T, 4), heights: (F, 4), the flat atom first.
        of_torsions: (T,) kcal/mol/rad².
        walk: (N,) all atoms, along the bonds.
    """

    bonds: np.ndarray
    angles: np.ndarray
    torsions: np.ndarray
    heights: np.ndarray
    of_torsions: np.ndarray
    walk: np.ndarray

    def inverse(self, positions: np.ndarray, free: np.ndarray | None = None) -> InverseHessian:
        """The inverse at positions ``(K, N, 3)`` in Å, over ascending atoms that may move; None is all.

        Where positions are not finite it means nothing.
        """
        positions = np.where(np.isfinite(positions).all((1, 2), keepdims=True), positions, 0)
        walk = self.walk if free is None else self.walk[np.isin(self.walk, free)]
        groups = max(1, -(-len(walk) // BLOCK))
        size = -(-len(walk) // groups)
        place = np.full(len(self.walk), -1)
        place[walk] = np.arange(len(walk))
        values, targets = [], []
        for atoms, k, slopes in (
            (self.bonds, BOND, _of_lengths),
            (self.angles, ANGLE, _of_angles),
            (self.torsions, self.of_torsions[:, None, None], _of_dihedrals),
            (self.heights, HEIGHT, _of_heights),
        ):
            (first, last), ends = _pairs(atoms.shape[1]), place[atoms]
            within = (ends[:, first] >= 0) & (ends[:, last] >= 0) & (ends[:, first] // size == ends[:, last] // size)
            slope = np.sqrt(k) * slopes(*np.moveaxis(positions[:, atoms], 2, 0))
            products = slope[:, :, first, :, None] * slope[:, :, last, None, :]
            rows, columns = 3 * ends[:, first][within], 3 * (ends[:, last][within] % size)
            entries = (rows[:, None] + np.arange(3))[:, :, None] * 3 * size + (columns[:, None] + np.arange(3))[:, None]
            targets.append(entries.ravel())
            products = products if within.all() else products[:, within]
            values.append(products.reshape(len(positions), len(targets[-1])))
        shape, every = (groups, 3 * size, 3 * size), np.concatenate(targets)
        sums = [np.bincount(every, each, np.prod(shape)) for each in np.concatenate(values, axis=1)]
        hessians = np.array(sums, dtype=np.float32).reshape(len(positions), *shape)
        hessians[..., np.arange(3 * size), np.arange(3 * size)] += LEAST
        return InverseHessian(np.searchsorted(np.sort(walk), walk), _inverse(hessians))


def model_hessian(mol: Chem.Mol) -> ModelHessian:
    """The model for a sanitised molecule, every hydrogen an atom; coordinates are not looked at."""
    around = [[neighbour.GetIdx() for neighbour in atom.GetNeighbors()] for atom in mol.GetAtoms()]
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    angles = [(i, j, k) for j, ends in enumerate(around) for i, k in combinations(ends, 2)]
    torsions, of_torsions = [], []
    for (j, k), bond in zip(bonds, mol.GetBonds(), strict=True):
        first, last = ([end for end in around[a] if end != b] for a, b in ((j, k), (k, j)))
        longer = max(len(first), len(last)) if first and last else 0
        rows = [(first[n % len(first)], j, k, last[n % len(last)]) for n in range(longer)]
        rows = [row for row in rows if row[0] != row[3]]
        torsions += rows
        total = SINGLE if bond.GetBondType() == Chem.BondType.SINGLE else MULTIPLE
        of_torsions += [total / max(len(rows), 1) ** 0.5] * len(rows)
    flat = [
        (atom.GetIdx(), *around[atom.GetIdx()])
        for atom in mol.GetAtoms()
        if atom.GetDegree() == 3 and atom.GetHybridization() == Chem.HybridizationType.SP2
    ]
    return ModelHessian(
        np.array(bonds, dtype=np.int64).reshape(-1, 2),
        np.array(angles, dtype=np.int64).reshape(-1, 3),
        np.array(torsions, dtype=np.int64).reshape(-1, 4),
        np.array(flat, dtype=np.int64).reshape(-1, 4),
        np.array(of_torsions),
        np.array(_walk(around)),
    )


def _inverse(matrices: np.ndarray) -> np.ndarray:
    """Of positive definite matrices ``(..., n, n)``, by Gauss and Jordan's elimination of tiles."""
    n, lead = matrices.shape[-1], matrices.shape[:-2]
    count = -(-n // TILE)
    size = -(-n // count)
    padded = np.zeros((*lead, count * size, count * size), dtype=matrices.dtype)
    padded[..., :n, :n] = matrices
    padded[..., np.arange(n, count * size), np.arange(n, count * size)] = 1
    tiles = padded.reshape(*lead, count, size, count, size).swapaxes(-3, -2)
    for p in range(count):
        pivot = np.linalg.inv(tiles[..., p, p, :, :])
        row = pivot[..., None, :, :] @ tiles[..., p, :, :, :]
        column = tiles[..., :, p, :, :].copy()
        tiles = tiles - column[..., :, None, :, :] @ row[..., None, :, :, :]
        tiles[..., p, :, :, :] = row
        tiles[..., :, p, :, :] = -column @ pivot[..., None, :, :]
        tiles[..., p, p, :, :] = pivot
    return tiles.swapaxes(-3, -2).reshape(padded.shape)[..., :n, :n]


def _walk(around: list[list[int]]) -> list[int]:
    """All atoms, each near those before it: depth first, from the first one of each fragment."""
    walk: dict[int, None] = {}
    for start in range(len(around)):
        ahead = [start]
        while ahead:
            if (atom := ahead.pop()) not in walk:
                walk[atom] = None
                ahead += sorted(around[atom], key=lambda other: len(around[other]), reverse=True)
    return list(walk)


def _pairs(n: int) -> np.ndarray:
    """(2, n²) all pairs of the n atoms of a term."""
    return np.indices((n, n)).reshape(2, -1)


def _of_lengths(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(K, B, 2, 3) derivatives of distances by the positions of both atoms; as `_of_angles` and the others."""
    unit, _ = _unit(a - b)
    return np.stack([unit, -unit], axis=2)


def _of_angles(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    (left, near), (right, far) = _unit(a - b), _unit(c - b)
    cosine = _dot(left, right)
    sine = np.sqrt(np.maximum(1 - cosine**2, STRAIGHT**2))
    first, last = (cosine * left - right) / (sine * near), (cosine * right - left) / (sine * far)
    return np.stack([first, -first - last, last], axis=2)


def _of_dihedrals(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996)."""
    f, h = a - b, d - c
    axis, length = _unit(b - c)
    left, right = np.cross(f, axis), np.cross(h, axis)
    least = STRAIGHT**2
    left /= np.maximum(_dot(left, left), least)
    right /= np.maximum(_dot(right, right), least)
    turn = (_dot(f, axis) * left - _dot(h, axis) * right) / length
    return np.stack([-left, left + turn, -right - turn, right], axis=2)


def _of_heights(centre: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    normal, _ = _unit(np.cross(b - a, c - a))
    return np.stack([normal, *[-normal / 3] * 3], axis=2)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(-1, keepdims=True)


def _unit(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    length = np.maximum(np.sqrt(_dot(vectors, vectors)), 1e-3)
    return vectors / length, length
