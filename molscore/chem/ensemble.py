"""Ensembles: how far the conformers of one molecule are from one another.

The distance of two conformers is the root mean square distance of their n heavy atoms, at its least over rotations R,
translations and symmetries p of the molecular graph:

    RMSD(x, y)² = min_p min_R 1/n Σ_i |x_i - R y_p(i)|² = (|x|² + |y|² - 2 max_p λ(H_p)) / n,    H_p = Σ_i x_i y_p(i)ᵀ

with centred x and y. λ is the largest root of the characteristic polynomial of the quaternion form of H,

    P(λ) = λ⁴ - 2 |H|² λ² - 8 det(H) λ + |H|⁴ - 4 |cof H|²

(Horn, J. Opt. Soc. Am. A 4, 629, 1987; Theobald, Acta Cryst. A 61, 478, 2005). All its roots are real, so that λ is
known to be below a bound where P and its derivatives are positive: most symmetries are dismissed without solving for λ.
The symmetries are those of RDKit's ``GetBestRMS``.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from rdkit import Chem, rdBase

MOST = 20_000
"""Symmetries that are looked at; of a molecule that has more, the distances are upper bounds."""

BLOCK = 16_384
"""Superpositions solved together: few enough that their arrays stay in the processor's cache."""

STEPS = 60
"""Newton steps at most; some ten are enough, but where two roots coincide (linear molecules)."""

CLOSE = 0.05
"""Å. Below it rounding shows in the root of the polynomial, and singular values are taken instead."""

# What GetBestRMS calls conjugated terminal groups: carboxylate, nitro, phosphate, sulfonate, amidinium.
_TERMINAL = Chem.MolFromSmarts("[O,N;D1;$([O,N;D1]-[*]=[O,N;D1]),$([O,N;D1]=[*]-[O,N;D1])]~[*]")
_SINGLE_OR_DOUBLE = Chem.BondFromSmarts("-,=")


def heavy_atoms(mol: Chem.Mol) -> np.ndarray:
    """Indices of the atoms that are not hydrogen, ``(n,)``, in the order of the molecule."""
    return np.array([atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() != 1], dtype=np.int64)


def positions(mol: Chem.Mol) -> np.ndarray:
    """Positions of the atoms in all conformers, ``(K, N, 3)`` in Å."""
    each = [conformer.GetPositions() for conformer in mol.GetConformers()]
    return np.array(each, dtype=np.float64).reshape(len(each), mol.GetNumAtoms(), 3)


def heavy_positions(mol: Chem.Mol) -> np.ndarray:
    """Positions of the heavy atoms in all conformers, ``(K, n, 3)`` in Å."""
    return positions(mol)[:, heavy_atoms(mol)]


def symmetries(mol: Chem.Mol, most: int = MOST) -> np.ndarray:
    """Automorphisms of the graph of heavy atoms; stereo is not looked at, and ends of conjugated groups are alike.

    Args:
        mol: sanitised; hydrogens may be atoms or not, conformers are not needed.
        most: how many to return at most.

    Returns:
        ``(A, n)``, A >= 1: entry ``[a, i]`` is the heavy atom that i may be exchanged for, counted among heavy atoms.
    """
    return correspondences(mol, mol, most)


def correspondences(mol: Chem.Mol, other: Chem.Mol, most: int = MOST, bonds: bool = True) -> np.ndarray:
    """All ways to lay the graph of heavy atoms of one molecule on that of another; `symmetries` if both are the same.

    Args:
        mol, other: sanitised; hydrogens may be atoms or not, conformers are not needed.
        most: how many to return at most.
        bonds: bond orders and charges must agree. Otherwise elements and who is bonded to whom are enough, so that
            tautomers and states of protonation correspond.

    Returns:
        ``(A, n)``: entry ``[a, i]`` is the heavy atom of `other` that corresponds to heavy atom i of `mol`. A is 0 if
        the graphs differ.
    """
    query, target = _skeleton(mol), _skeleton(other)
    n = query.GetNumAtoms()
    if (n, query.GetNumBonds()) != (target.GetNumAtoms(), target.GetNumBonds()):
        return np.empty((0, n), dtype=np.int64)
    for atom in () if bonds else (*query.GetAtoms(), *target.GetAtoms()):
        atom.SetFormalCharge(0)
        atom.SetIsAromatic(False)
    for bond in () if bonds else (*query.GetBonds(), *target.GetBonds()):
        bond.SetBondType(Chem.BondType.SINGLE)
        bond.SetIsAromatic(False)
    for atom, neighbour in query.GetSubstructMatches(_TERMINAL):
        query.GetAtomWithIdx(atom).SetFormalCharge(0)
        query.ReplaceBond(query.GetBondBetweenAtoms(atom, neighbour).GetIdx(), _SINGLE_OR_DOUBLE)
    matches = target.GetSubstructMatches(query, uniquify=False, useChirality=False, maxMatches=most)
    return np.array(matches, dtype=np.int64).reshape(-1, n)


def _skeleton(mol: Chem.Mol) -> Chem.RWMol:
    """Heavy atoms and their bonds, without conformers and stereo."""
    bare = Chem.Mol(mol, True)
    with rdBase.BlockLogs():
        Chem.RemoveStereochemistry(bare)
        return Chem.RWMol(Chem.RemoveAllHs(bare, sanitize=False))


def frame_rmsd_matrix(x: np.ndarray, symmetries: np.ndarray, y: np.ndarray) -> np.ndarray:
    """RMSD in Å at its least over symmetries alone, every geometry where it lies: ``(K, M)``.

    Args:
        x, y: ``(K, n, 3)`` and ``(M, n, 3)`` Å, in one frame.
        symmetries: ``(A, n)``, see `symmetries`.
    """
    origin = np.concatenate([x, y]).mean((0, 1))  # far from it digits would be lost
    x, y = x - origin, y - origin
    norms = (x**2).sum((1, 2))[:, None] + (y**2).sum((1, 2))
    flat = x.reshape(len(x), -1)
    overlap = np.max([flat @ y[:, symmetry].reshape(len(y), -1).T for symmetry in symmetries], axis=0)
    return np.sqrt(np.maximum(norms - 2 * overlap, 0) / x.shape[1])


def rmsd_matrix(x: np.ndarray, symmetries: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
    """Distances between conformers after the best superposition, over all symmetries; mirror images do not superpose.

    Args:
        x: (K, n, 3) Å, heavy atoms.
        symmetries: (A, n), of `symmetries`, or of `correspondences` if `y` is another molecule.
        y: (M, n, 3) Å; x itself if None.

    Returns:
        (K, M) Å, with zeros on the diagonal if `y` is None.

    Raises:
        ValueError: if shapes do not fit, or there are no atoms or no symmetries.
    """
    own = y is None
    x, symmetries = np.asarray(x, dtype=np.float64), np.asarray(symmetries)
    y = x if own else np.asarray(y, dtype=np.float64)
    n = symmetries.shape[-1]
    if symmetries.ndim != 2 or symmetries.size == 0 or x.shape[1:] != (n, 3) or y.shape[1:] != (n, 3):
        raise ValueError(f"positions {x.shape} and {y.shape} do not fit symmetries {symmetries.shape}")
    x, y = (z - z.mean(axis=1, keepdims=True) for z in (x, y))
    distances = np.zeros((len(x), len(y)))
    rows = max(1, BLOCK // max(len(y), 1))
    for i in range(0, len(x), rows):
        first = i if own else 0
        distances[i : i + rows, first:] = _rmsd_block(x[i : i + rows], y[first:], symmetries)
    if own:
        distances = np.triu(distances, 1)
        distances += distances.T
    return distances


def _rmsd_block(x: np.ndarray, y: np.ndarray, symmetries: np.ndarray) -> np.ndarray:
    """(k, M) RMSD of centred conformers, a part of `rmsd_matrix`."""
    k, m, n = len(x), len(y), x.shape[1]
    power = ((x**2).sum((1, 2))[:, None] + (y**2).sum((1, 2)))[:, None, :]  # (k, 1, M), at least 2 λ
    best, covariance = np.full((k, m), -np.inf), np.zeros((3, 3, k, m))
    left = x.transpose(2, 0, 1)[:, None]  # (3, 1, k, n)
    for rows in _chunks(symmetries, max(1, BLOCK // (k * m))):
        right = y[:, rows].transpose(3, 2, 1, 0).reshape(3, n, -1)  # (3, n, a M)
        h = (left @ right).reshape(3, 3, k, len(rows), m)
        largest = _largest_roots(h, best[:, None, :], power / 2)
        choice = largest.argmax(axis=1)[:, None, :]
        value = np.take_along_axis(largest, choice, axis=1)[:, 0]
        better = value > best
        best = np.where(better, value, best)
        chosen = np.take_along_axis(h, choice[None, None], axis=3)[:, :, :, 0]
        covariance = np.where(better, chosen, covariance)
    rmsd = np.sqrt(np.maximum(power[:, 0] - 2 * best, 0) / n)
    close = rmsd < CLOSE
    if close.any():
        u, s, v = np.linalg.svd(covariance[:, :, close].transpose(2, 0, 1))
        s[:, 2] *= np.sign(np.linalg.det(u) * np.linalg.det(v))
        rmsd[close] = np.sqrt(np.maximum(power[:, 0][close] - 2 * s.sum(axis=1), 0) / n)
    return rmsd


def _chunks(symmetries: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(symmetries), size):
        yield symmetries[start : start + size]


def _largest_roots(h: np.ndarray, bound: np.ndarray, start: np.ndarray) -> np.ndarray:
    """λ of covariances h (3, 3, k, a, M), where it exceeds a bound; -inf where not. `start` is at least λ."""
    (a, b, c), (d, e, f), (g, i, j) = h
    cofactors = (
        *(e * j - f * i, f * g - d * j, d * i - e * g, c * i - b * j, a * j - c * g),
        *(b * g - a * i, b * f - c * e, c * d - a * f, a * e - b * d),
    )
    square = a * a + b * b + c * c + d * d + e * e + f * f + g * g + i * i + j * j
    c1 = -8 * (a * cofactors[0] + b * cofactors[1] + c * cofactors[2])
    c2, c0 = -2 * square, square**2 - 4 * sum(cofactor**2 for cofactor in cofactors)
    below = bound > 0
    if below.any():
        p, slope, bend = _polynomial(np.where(below, bound, 0), c2, c1, c0)
        below = below & (p > 0) & (slope > 0) & (bend > 0)
    open_ = ~np.broadcast_to(below, square.shape)
    roots = np.full(square.shape, -np.inf)
    roots[open_] = _newton(np.broadcast_to(start, square.shape)[open_], c2[open_], c1[open_], c0[open_])
    return roots


def _newton(root: np.ndarray, c2: np.ndarray, c1: np.ndarray, c0: np.ndarray) -> np.ndarray:
    """The largest root, from above: every step goes down and none goes too far, until rounding ends it."""
    for _ in range(STEPS):
        p, slope, _ = _polynomial(root, c2, c1, c0)
        step = np.divide(p, slope, out=np.zeros_like(p), where=(p > 0) & (slope > 0))
        root = root - step
        if not (step > 1e-13 * root).any():
            break
    return root


def _polynomial(
    root: np.ndarray, c2: np.ndarray, c1: np.ndarray, c0: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P, P' and P''/2 at `root`."""
    square = root * root
    return (square + c2) * square + c1 * root + c0, (4 * square + 2 * c2) * root + c1, 6 * square + c2


def prune(distances: np.ndarray, order: Sequence[int], threshold: float) -> list[int]:
    """Drops each conformer that is too close to one kept before.

    Args:
        distances: (K, K) Å.
        order: indices, the most wanted first.
        threshold: Å; nearer than that to one that is kept is dropped. 0 drops nothing.

    Returns:
        The indices that are kept, in their order.
    """
    kept: list[int] = []
    for k in order:
        if not (distances[k, kept] < threshold).any():
            kept.append(int(k))
    return kept


def k_medoids(distances: np.ndarray, k: int) -> list[int]:
    """Representatives: those k that leave the rest the least distance, in sum, to the nearest of them.

    Built greedily, then improved by the best single exchange until there is none (PAM: Kaufman and Rousseeuw, Finding
    Groups in Data, 1990). Deterministic.

    Args:
        distances: (K, K), symmetric.
        k: how many, at least 1; all K if there are no more.

    Returns:
        Ascending indices, distinct.

    Raises:
        ValueError: if k is below 1.
    """
    if k < 1:
        raise ValueError(f"{k} medoids cannot be chosen; k must be at least 1")
    if k >= len(distances):
        return list(range(len(distances)))
    medoids: list[int] = []
    nearest = np.full(len(distances), np.inf)
    for _ in range(k):
        cost = np.minimum(distances, nearest).sum(axis=1)
        cost[medoids] = np.inf
        medoids.append(int(cost.argmin()))
        nearest = np.minimum(nearest, distances[medoids[-1]])
    while (exchange := _exchange(distances, medoids)) is not None:
        medoids[exchange[0]] = exchange[1]
    return sorted(medoids)


def _exchange(distances: np.ndarray, medoids: list[int]) -> tuple[int, int] | None:
    """(place, new medoid) of the exchange that lowers the cost most, None if none lowers it.

    All exchanges at once (FastPAM: Schubert and Rousseeuw, Inf. Syst. 101, 101804, 2021): a point whose medoid goes has
    the second nearest, or the new one; any other point its own, or the new one.
    """
    to_medoids = np.vstack([distances[medoids], np.full(len(distances), np.inf)])
    first, second = np.partition(to_medoids, 1, axis=0)[:2]
    owner = np.eye(len(medoids))[to_medoids.argmin(axis=0)]  # (K, k)
    stays = np.minimum(distances, first)
    cost = stays.sum(axis=1)[:, None] + (np.minimum(distances, second) - stays) @ owner  # (K, k)
    candidate, place = np.unravel_index(cost.argmin(), cost.shape)
    return (int(place), int(candidate)) if cost[candidate, place] < first.sum() * (1 - 1e-12) else None
