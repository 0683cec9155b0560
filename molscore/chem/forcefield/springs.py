"""Relaxation by the table of bond lengths and angles alone, for atoms without parameters in any force field.

    E(x) = Σ k_b (r - r0)² + Σ k_a (cos θ - cos θ0)² / sin² θ0 + Σ k_f v² + Σ k_c max(0, V - s v)²
           + Σ k_r max(0, d - r)² + Σ k_c max(0, P - |v|)²,
           Σ k_a 2 (1 + cos θ) in place of the second where θ0 is near 180°

over bonds, angles, flat groups (v is the triple product of unit vectors, 0 in a plane), handed centres (sign s), pairs
of three or more bonds apart that are closer than d, and perpendicular ends of cumulated double bonds (with a sign where
that is marked). There are no other torsions: these stay near what they are. SciPy's L-BFGS finds the minimum.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molscore.chem.geometry.expected import Expected
from molscore.chem.stereo.tags import tags

BOND, ANGLE, SHAPE, FLAT, HANDED, CONTACT = 300.0, 60.0, 40.0, 40.0, 200.0, 15.0
"""Stiffness: kcal/mol/Å² for bonds and contacts, kcal/mol for the others."""

NEARLY_STRAIGHT = 165.0
"""Degrees: greater angles count as straight."""

VOLUME = 0.5
"""Least triple product of unit vectors at a handed centre; a tetrahedral one has 0.77."""

PERPENDICULAR = 0.748
"""The same across cumulated double bonds whose ends are perpendicular, where bonds and axis are 120° apart."""

NEAR = {3: 0.76, 4: 0.88}
"""Distance that contacts keep, in units of the sum of the van der Waals radii, by the number of bonds between: 4 stands
for all more."""

HYDROGEN_BOND = 0.62
"""The same, between a hydrogen and an atom that takes hydrogen bonds."""

STEPS, FORCE, TOLERANCE = 400, 0.1, 1e-8
"""Steps of the minimisation; kcal/mol/Å, the force that ends it; and the part of the energy by which a step has to
lower it, a small one, lest a single short step ends it."""


@dataclass(frozen=True, eq=False)
class Springs:
    """The terms of one molecule's energy; see the module."""

    wanted: Expected
    flat: np.ndarray
    handed: np.ndarray
    pairs: np.ndarray
    nearest: np.ndarray
    angle_stiffness: np.ndarray
    across: np.ndarray
    across_sign: np.ndarray

    def energy(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """kcal/mol and its gradient ``(3N,)`` at positions ``(3N,)``."""
        x = x.reshape(-1, 3)
        gradient = np.zeros_like(x)
        total = self._stretch(x, gradient) + self._bend(x, gradient)
        total += _volumes(x, gradient, self.flat, lambda v: (FLAT * v**2, 2 * FLAT * v))
        if len(self.handed):
            sign = self.handed[:, 4]

            def handed(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
                short = np.maximum(VOLUME - sign * v, 0)
                return HANDED * short**2, -2 * HANDED * sign * short

            total += _volumes(x, gradient, self.handed[:, [0, 0, 0, 1, 2, 3]], handed)
        if len(self.across):

            def across(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
                sign = np.where(self.across_sign == 0, np.where(v < 0, -1, 1), self.across_sign)
                short = np.maximum(PERPENDICULAR - sign * v, 0)
                return HANDED * short**2, -2 * HANDED * sign * short

            total += _volumes(x, gradient, self.across, across)
        return total, gradient.ravel()

    def _stretch(self, x: np.ndarray, gradient: np.ndarray) -> float:
        """Bonds, and contacts that are too close."""
        close = ((x[self.pairs[:, 0]] - x[self.pairs[:, 1]]) ** 2).sum(1) < self.nearest**2
        i, j = np.concatenate([self.wanted.bonds, self.pairs[close]]).T
        rest = np.concatenate([self.wanted.lengths, self.nearest[close]])
        stiffness = np.full(len(rest), CONTACT)
        stiffness[: len(self.wanted.bonds)] = BOND
        unit, length = _unit(x[i] - x[j])
        force = (2 * stiffness * (length - rest))[:, None] * unit
        _add(gradient, i, force)
        _add(gradient, j, -force)
        return float((stiffness * (length - rest) ** 2).sum())

    def _bend(self, x: np.ndarray, gradient: np.ndarray) -> float:
        i, j, k = self.wanted.angles.T
        target = np.radians(self.wanted.degrees)
        a, length_a = _unit(x[i] - x[j])
        b, length_b = _unit(x[k] - x[j])
        cosine = (a * b).sum(1)
        straight = self.wanted.degrees > NEARLY_STRAIGHT
        scale = self.angle_stiffness / np.where(straight, 1.0, np.sin(target) ** 2)
        off = cosine - np.cos(target)
        energy = scale * np.where(straight, 2 * (1 + cosine), off**2)
        slope = scale * np.where(straight, 2.0, 2 * off)
        to_i = (slope / length_a)[:, None] * (b - cosine[:, None] * a)
        to_k = (slope / length_b)[:, None] * (a - cosine[:, None] * b)
        _add(gradient, i, to_i)
        _add(gradient, k, to_k)
        _add(gradient, j, -to_i - to_k)
        return float(energy.sum())


def springs(mol: Chem.Mol, wanted: Expected) -> Springs:
    """The terms for a molecule, sanitised and with every hydrogen an atom."""
    groups = [(j, j, j, a, b, c) for j, a, b, c in wanted.flat.tolist()]
    for bond in mol.GetBonds():
        if bond.GetIsAromatic() or bond.GetBondType() == Chem.BondType.DOUBLE:
            groups += _four_in_plane(bond)
    ends = wanted.cumulenes
    spans = np.array([(b, b, c, a, c, d) for a, b, c, d in ends.atoms.tolist()], dtype=np.int64).reshape(-1, 6)
    crossed = ends.degrees % 180 == 90
    groups += spans[~crossed].tolist()
    separation = Chem.GetDistanceMatrix(mol)
    pairs = np.argwhere(np.triu(separation >= 3, 1))
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
    radii = np.array([Chem.GetPeriodicTable().GetRvdw(int(z)) for z in numbers])
    part = np.where(separation[tuple(pairs.T)] == 3, NEAR[3], NEAR[4])
    takes = np.isin(numbers, (7, 8, 9, 16, 17))
    first, last = pairs.T
    bonded = (numbers[first] == 1) & takes[last] | (numbers[last] == 1) & takes[first]
    asked = tags(mol)
    return Springs(
        wanted,
        np.array(groups, dtype=np.int64).reshape(-1, 6),
        asked[np.abs(asked[:, 4]) == 1] if len(asked) else asked,
        pairs,
        np.where(bonded, HYDROGEN_BOND, part) * (radii[first] + radii[last]),
        np.array([SHAPE if j in wanted.shaped else ANGLE for j in wanted.angles[:, 1].tolist()]),
        spans[crossed],
        np.where(ends.period == 360, -np.sign(ends.degrees), 0)[crossed],
    )


def settle_by_table_in_place(mol: Chem.Mol, wanted: Expected, steps: int = STEPS, fixed: Sequence[int] = ()) -> None:
    """Minimises the energy of each conformer; one that is not finite is left as it is.

    Args:
        mol: sanitised, every hydrogen an atom.
        wanted: `molscore.chem.geometry.expected` of it.
        steps: of the minimisation.
        fixed: atoms that stay where they are.
    """
    from scipy.optimize import minimize  # it loads slowly, and few molecules need it

    terms, held = springs(mol, wanted), list(fixed)

    def energy(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = terms.energy(x)
        gradient.reshape(-1, 3)[held] = 0
        return value, gradient

    for conformer in mol.GetConformers():
        x = conformer.GetPositions()
        if not np.isfinite(x).all():
            continue
        minimum = minimize(
            energy,
            x.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": steps, "maxfun": 2 * steps, "ftol": TOLERANCE, "gtol": FORCE, "maxcor": 20},
        ).x
        if np.isfinite(minimum).all():
            conformer.SetPositions(minimum.reshape(-1, 3))


def _four_in_plane(bond: Chem.Bond) -> list[tuple[int, int, int, int, int, int]]:
    """For each neighbour on either side of a double bond: the vectors a-b, c-b and d-c lie in a plane."""
    b, c = bond.GetBeginAtom(), bond.GetEndAtom()
    if any(atom.GetHybridization() != Chem.HybridizationType.SP2 for atom in (b, c)):
        return []
    left = [n.GetIdx() for n in b.GetNeighbors() if n.GetIdx() != c.GetIdx()]
    right = [n.GetIdx() for n in c.GetNeighbors() if n.GetIdx() != b.GetIdx()]
    return [(b.GetIdx(), b.GetIdx(), c.GetIdx(), a, c.GetIdx(), d) for a in left for d in right]


def _volumes(
    x: np.ndarray,
    gradient: np.ndarray,
    groups: np.ndarray,
    energy_and_slope: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> float:
    """Of the triple product of the unit vectors from groups[:, k] to groups[:, k + 3], k = 0, 1, 2."""
    if not len(groups):
        return 0.0
    (a, la), (b, lb), (c, lc) = (_unit(x[groups[:, k + 3]] - x[groups[:, k]]) for k in range(3))
    crosses = _cross(b, c), _cross(c, a), _cross(a, b)
    volume = (a * crosses[0]).sum(1)
    energy, slope = energy_and_slope(volume)
    for k, (unit, length, cross) in enumerate(zip((a, b, c), (la, lb, lc), crosses, strict=True)):
        force = (slope / length)[:, None] * (cross - volume[:, None] * unit)
        _add(gradient, groups[:, k + 3], force)
        _add(gradient, groups[:, k], -force)
    return float(energy.sum())


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """As `np.cross`, which takes five times as long for a few vectors."""
    (a0, a1, a2), (b0, b1, b2) = a.T, b.T
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=1)


def _unit(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    length = np.maximum(np.sqrt((vectors * vectors).sum(1)), 1e-6)
    return vectors / length[:, None], length


def _add(gradient: np.ndarray, index: np.ndarray, vectors: np.ndarray) -> None:
    for k in range(3):
        gradient[:, k] += np.bincount(index, vectors[:, k], minlength=len(gradient))
