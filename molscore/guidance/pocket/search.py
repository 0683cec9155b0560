"""Poses of a molecule in a pocket: many starts, which follow the energy's slope and are shaken.

Conformers begin in random orientations about random points of the free volume. Those with the lowest energies move
down, as rigid bodies and about their rotatable bonds; then the best are copied, shaken, and move down again (iterated
local search, as in Vina: Trott and Olson, J. Comput. Chem. 31, 455, 2010). The energy is that of the pocket
(`molscore.guidance.pocket.maps`) and, between heavy atoms of the molecule that are four bonds or more apart,

    E = k Σ_ij max(0, d⁰ - d_ij)²,    k = 5 kcal/mol/Å²,    d⁰ = 0.9 (r_i + r_j)

with van der Waals radii r; 0.5 Å less between two polar atoms.
"""

import math
from collections.abc import Callable, Collection

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import from_mol
from molscore.chem.ensemble import heavy_atoms, positions
from molscore.chem.hydrogens import without_hydrogens
from molscore.chem.turning import bonds, moved, pulls, turned, weights
from molscore.guidance.pocket.maps import PocketMaps
from molscore.guidance.pocket.surroundings import RADII
from molscore.guidance.query import certain

STARTS, LANES, COPIES = 3000, 128, 8
"""Random poses, those of them that move, and copies of each of the best that are shaken."""

STEPS, REFRESHED, ROUNDS = 60, 10, 10
"""Moves of a descent, those after which its measures of inertia are taken anew, and how often poses are shaken."""

SHAKES = 1.5, 0.7, 1.5
"""Å, radians, and radians about a bond or two: standard deviations."""

STIFFNESS, LONGEST, WIDEST = 6.0, 0.4, 0.3
"""Of moves: kcal/mol/Å² for each atom, Å and radians."""

CONTACT, SHARE, POLAR = 5.0, 0.9, 0.5
"""k, the factor of d⁰, and Å."""


class Search:
    """A molecule that looks for its poses.

    Args:
        mol: with conformers.
        maps: of the pocket.
        held: atoms that do not move. With them poses begin where the conformers lie.
        left: seconds that are left; if there are none, no further round is begun.
    """

    def __init__(
        self, mol: Chem.Mol, maps: PocketMaps, held: Collection[int] = (), left: Callable[[], float] = lambda: math.inf
    ):
        self.mol, self.maps, self.held, self.left = mol, maps, held, left
        self.heavy, self.own = heavy_atoms(mol), bonds(mol, held)
        alone = Chem.Mol(mol, False, mol.GetConformer().GetId())
        kinds = maps.kinds(certain(without_hydrogens(from_mol(alone))))
        self.field = maps.field(kinds)
        numbers = np.array([z for z, *_ in kinds])
        radii, polar = np.array(RADII)[numbers], np.isin(numbers, (7, 8))
        gaps = Chem.GetDistanceMatrix(mol)[np.ix_(self.heavy, self.heavy)]
        self.first, self.second = np.nonzero(np.triu(gaps >= 4))
        self.closest = SHARE * (radii[self.first] + radii[self.second]) - POLAR * (
            polar[self.first] & polar[self.second]
        )

    def __repr__(self) -> str:
        return f"Search({self.mol.GetNumConformers()} conformers in {self.maps!r})"

    def energy(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies ``(B,)`` in kcal/mol of geometries ``(B, N, 3)``, and slopes of the same shape."""
        y = x[:, self.heavy]
        energy, slope = self.field(y)
        first, second, closest = self.first, self.second, self.closest
        away = y[:, first] - y[:, second]
        squared = np.einsum("bpi,bpi->bp", away, away)
        lane, pair = np.nonzero(squared < closest**2)
        distance = np.sqrt(np.maximum(squared[lane, pair], 1e-12))
        gap = closest[pair] - distance
        push = (-2 * CONTACT * gap / distance)[:, None] * away[lane, pair]
        np.add.at(slope, (lane, first[pair]), push)
        np.add.at(slope, (lane, second[pair]), -push)
        whole = np.zeros_like(x)
        whole[:, self.heavy] = slope
        return energy + CONTACT * np.bincount(lane, gap**2, len(x)), whole

    def poses(self, stream: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Poses ``(B, N, 3)`` in Å, the best first, their energies ``(B,)`` in kcal/mol, and their conformers ``(B,)``.

        Args:
            stream: of random numbers.
        """
        x, origin = self._starts(stream)
        x, energy, origin = self._sorted(*self.descended(x), origin)
        for _ in range(ROUNDS):
            if self.left() <= 0 or not (len(self.own.near) or not self.held):
                break
            best = np.repeat(self.apart(x, LANES // COPIES), COPIES)
            y, trial = self.descended(self._shaken(x[best], stream))
            x, energy, origin = self._sorted(*map(np.concatenate, ((x, y), (energy, trial), (origin, origin[best]))))
        return x, energy, origin

    def _sorted(self, x: np.ndarray, energy: np.ndarray, origin: np.ndarray) -> tuple[np.ndarray, ...]:
        order = np.argsort(energy, kind="stable")
        return x[order], energy[order], origin[order]

    def descended(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Geometries after `STEPS` moves down, each with a pace of its own, and their energies."""
        energy, slope = self.energy(x)
        pace, masses = np.ones(len(x)), weights(x, self.own)
        for k in range(STEPS):
            masses = weights(x, self.own) if k % REFRESHED == REFRESHED - 1 else masses
            trial = self._down(x, slope, pace, masses)
            there, new = self.energy(trial)
            better = there < energy
            x = np.where(better[:, None, None], trial, x)
            slope = np.where(better[:, None, None], new, slope)
            energy = np.where(better, there, energy)
            pace = np.clip(np.where(better, 1.3 * pace, 0.4 * pace), 1e-3, 4.0)
        return x, energy

    def _down(
        self, x: np.ndarray, slope: np.ndarray, pace: np.ndarray, masses: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        (force, torque, twist), (around, about) = pulls(x, self.own, -slope), masses
        rigid = 0.0 if self.held else 1.0
        pace = pace[:, None] / STIFFNESS
        shift = _shortened(rigid * pace * force / len(self.heavy), LONGEST)
        turn = _shortened(rigid * pace * torque / (around[:, None] + 1), LONGEST / 2)
        return moved(x, self.own, shift, turn, np.clip(pace * twist / (about + 1), -WIDEST, WIDEST))

    def _starts(self, stream: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = positions(self.mol)
        if self.held:
            return x, np.arange(len(x))
        points = self.maps.pocket.volume.points
        x = (x - x[:, self.heavy].mean(1, keepdims=True))[np.arange(STARTS) % len(x)]
        q = stream.normal(size=(STARTS, 4))
        w, v = q[:, :1], q[:, 1:]
        angle = 2 * np.arctan2(np.linalg.norm(v, axis=1, keepdims=True), w)
        zero = np.zeros((STARTS, 3))
        axis = angle * v / np.linalg.norm(v, axis=1, keepdims=True)
        x = turned(x, axis, zero)
        chosen = points[stream.integers(len(points), size=STARTS)]
        share = stream.random((STARTS, 1))
        x = x + (share * chosen + (1 - share) * points.mean(0))[:, None]
        energy, _ = self.energy(x)
        best = np.argsort(energy, kind="stable")[:LANES]
        return x[best], best % self.mol.GetNumConformers()

    def _shaken(self, x: np.ndarray, stream: np.random.Generator) -> np.ndarray:
        b, t = len(x), len(self.own.near)
        rigid = 0.0 if self.held else 1.0
        shift, turn = (rigid * scale * stream.normal(size=(b, 3)) for scale in SHAKES[:2])
        chosen = stream.random((b, t)) < 1.5 / max(t, 1)
        rotated = (stream.random((b, 1)) < 0.5) * (t > 0) if not self.held else np.ones((b, 1))
        twists = chosen * SHAKES[2] * stream.normal(size=(b, t)) * rotated
        return moved(x, self.own, shift * (1 - rotated), turn * (1 - rotated), twists)

    def apart(self, x: np.ndarray, number: int, least: float = 1.0) -> list[int]:
        """The first of poses ``(B, N, 3)``, so many, whose heavy atoms are no nearer to one another than that, in Å."""
        kept: list[int] = []
        for k in range(len(x)):
            gaps = ((x[kept][:, self.heavy] - x[k][self.heavy]) ** 2).sum(-1).mean(-1)
            if not (gaps < least**2).any():
                kept.append(k)
            if len(kept) == number:
                break
        return kept


def _shortened(v: np.ndarray, most: float) -> np.ndarray:
    """Vectors ``(B, 3)`` that are no longer than that."""
    short: np.ndarray = v * np.minimum(1, most / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12))
    return short
