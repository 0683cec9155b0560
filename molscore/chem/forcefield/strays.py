"""Bonds, angles, planes and hindered axes that a minimisation has left outside what is known of their kind.

A force field's parameters may agree with the table of bond lengths and angles where its minimum does not: a rest length
at the end of the range, and strain from the neighbours. What strays is held within the range by flat-bottomed
restraints, and the minimisation goes on. Strain is real: the restraints are no stiffer than bonds and angles
themselves, and what is inside its range is never touched.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from rdkit.ForceField import ForceField

from molscore.chem.forcefield.springs import NEARLY_STRAIGHT
from molscore.chem.geometry.bounds import twists
from molscore.chem.geometry.expected import Expected
from molscore.chem.geometry.types import lengths_and_angles
from molscore.chem.thresholds import THRESHOLDS

BOND_STIFFNESS, ANGLE_STIFFNESS, TWIST_STIFFNESS = 3000.0, 0.15, 0.05
"""kcal/mol/Å², and kcal/mol/deg² twice: somewhat more than bonds and angles have, to prevail over the strain."""

ROOM, FAR = 0.05, 1e3
"""Å beyond the least distance of two atoms that are not bonded that their restraint asks for, and no bound."""

SPARE = 10.0
"""Degrees beyond the least twist of a hindered axis that its restraint asks for."""


Twist = tuple[int, int, int, int, float, float]


@dataclass(frozen=True, eq=False)
class Strays:
    """What to hold, and where.

    Attributes:
        lengths: two atoms, bonded or too close, and the least and the greatest distance in Å.
        angles: three atoms, and the least and the greatest angle in degrees.
        twists: four atoms, and the least and the greatest dihedral angle in degrees.
    """

    lengths: tuple[tuple[int, int, float, float], ...] = ()
    angles: tuple[tuple[int, int, int, float, float], ...] = ()
    twists: tuple[Twist, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lengths or self.angles or self.twists)

    def hold_in(self, field: ForceField, kind: str) -> None:
        """Adds the restraints to an initialised force field; `kind` is ``MMFF`` or ``UFF``."""
        distance, angle, torsion = (
            getattr(field, f"{kind}Add{what}Constraint") for what in ("Distance", "Angle", "Torsion")
        )
        for i, j, low, high in self.lengths:
            distance(i, j, False, low, high, BOND_STIFFNESS)
        for i, j, k, low, high in self.angles:
            angle(i, j, k, False, low, min(high, 180.0), ANGLE_STIFFNESS)
        for a, b, c, d, low, high in self.twists:
            torsion(a, b, c, d, False, low, high, TWIST_STIFFNESS)


def strays(positions: np.ndarray, wanted: Expected) -> list[Strays]:
    """What of each geometry strays. Straight angles are left alone: rings bend cumulenes and triple bonds in truth.

    Args:
        positions: ``(K, N, 3)`` Å.
        wanted: `molscore.chem.geometry.expected` of the molecule.
    """
    allowed, bent = THRESHOLDS.strays, wanted.degrees < NEARLY_STRAIGHT
    lengths, angles = lengths_and_angles(positions, wanted.bonds, wanted.angles[bent])
    stretched = _range(wanted.shortest, wanted.longest, wanted.length_margins, allowed.length)
    opened = _range(wanted.least[bent], wanted.greatest[bent], wanted.angle_margins[bent], allowed.angle)
    apart = np.linalg.norm(positions[:, wanted.pairs[:, 0]] - positions[:, wanted.pairs[:, 1]], axis=-1)
    near, far = wanted.nearest + ROOM, np.full(len(wanted.nearest), FAR)
    dihedrals = np.concatenate([wanted.axes, wanted.planes, wanted.rings])
    turns, least = twists(positions, dihedrals), THRESHOLDS.flat_biaryl.twist + SPARE
    kinds = [len(wanted.axes), len(wanted.planes), len(wanted.rings)]
    flat, most = (
        np.repeat(values, kinds) for values in ((90.0, 180.0, 0.0), (90 - least, allowed.plane, allowed.ring))
    )
    held = np.repeat((90 - least, allowed.plane / 2, allowed.ring / 2), kinds)
    sign = np.where((turns < 0) & (flat == 90), -1, 1)
    off = np.abs(np.abs(turns) - flat) > most
    return [
        Strays(
            _rows(wanted.bonds, *stretched[2:], (lengths[k] < stretched[0]) | (lengths[k] > stretched[1]))
            + _rows(wanted.pairs, near, far, apart[k] < wanted.nearest),
            _rows(wanted.angles[bent], *opened[2:], (angles[k] < opened[0]) | (angles[k] > opened[1])),
            _rows(dihedrals, sign[k] * flat - held, sign[k] * flat + held, off[k]),
        )
        for k in range(len(positions))
    ]


def _range(
    least: np.ndarray, greatest: np.ndarray, margins: np.ndarray, allowed: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where values stray: where they leave their range by more than a part of the margin; and where they are held, in
    the range, half as much wider."""
    low, high, room = least + margins, greatest - margins, allowed * margins
    return low - room, high + room, low - room / 2, high + room / 2


def _rows(atoms: np.ndarray, low: np.ndarray, high: np.ndarray, chosen: np.ndarray) -> tuple[Any, ...]:
    """The chosen rows of atoms, each with its limits."""
    rows = zip(atoms[chosen].tolist(), low[chosen].tolist(), high[chosen].tolist(), strict=True)
    return tuple((*row, *limits) for row, *limits in rows)
