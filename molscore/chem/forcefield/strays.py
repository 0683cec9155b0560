"""Bonds, angles, planes and hindered axes that a minimisation has left outside what is known of their kind.

A force field's parameters may agree with the table of bond lengths and angles where its minimum does not: a rest length
at the end of the range, and strain from the neighbours. What strays is held within the range by flat-bottomed
restraints, and the minimisation goes on. Strain is real: the restraints are no stiffer than bonds and angles
themselves, and what is inside its range is never touched.
"""

from dataclasses import dataclass

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


def strays(positions: np.ndarray, wanted: Expected) -> Strays:
    """What of a geometry strays. Straight angles are left alone: rings bend cumulenes and triple bonds in truth.

    Args:
        positions: ``(N, 3)`` Å.
        wanted: `molscore.chem.geometry.expected` of the molecule.
    """
    allowed = THRESHOLDS.strays
    lengths, angles = lengths_and_angles(positions, wanted.bonds, wanted.angles)
    longer = _outside(lengths, wanted.shortest, wanted.longest, wanted.length_margins, allowed.length)
    wider = _outside(angles, wanted.least, wanted.greatest, wanted.angle_margins, allowed.angle)
    low, turns = THRESHOLDS.flat_biaryl.twist + SPARE, twists(positions, wanted.axes)
    apart = np.linalg.norm(positions[wanted.pairs[:, 0]] - positions[wanted.pairs[:, 1]], axis=1)
    close = apart < wanted.nearest
    pairs = zip(wanted.pairs[close].tolist(), wanted.nearest[close].tolist(), strict=True)
    return Strays(
        tuple((*wanted.bonds[k].tolist(), *limits) for k, *limits in longer)
        + tuple((i, j, least + ROOM, FAR) for (i, j), least in pairs),
        tuple((*wanted.angles[k].tolist(), *limits) for k, *limits in wider if wanted.degrees[k] < NEARLY_STRAIGHT),
        tuple(
            (*axis, *((low, 180 - low) if turn > 0 else (low - 180, -low)))
            for axis, turn in zip(wanted.axes.tolist(), turns.tolist(), strict=True)
            if not low <= abs(turn) <= 180 - low
        )
        + _bent(positions, wanted.planes, 180.0, allowed.plane)
        + _bent(positions, wanted.rings, 0.0, allowed.ring),
    )


def _bent(positions: np.ndarray, rows: np.ndarray, flat: float, allowed: float) -> tuple[Twist, ...]:
    """Dihedral angles of what ought to be flat that are off by more than allowed, to be held within half of that."""
    off = np.abs(np.abs(twists(positions, rows)) - flat)
    limits = flat - allowed / 2, flat + allowed / 2
    return tuple((*row, *limits) for row in rows[off > allowed].tolist())


def _outside(
    values: np.ndarray, least: np.ndarray, greatest: np.ndarray, margins: np.ndarray, allowed: float
) -> list[tuple[int, float, float]]:
    """Which values leave their range by more than a part of the margin, and the range, half as much wider."""
    low, high, room = least + margins, greatest - margins, allowed * margins
    off = np.flatnonzero((values < low - room) | (values > high + room))
    return [(int(k), float(low[k] - room[k] / 2), float(high[k] + room[k] / 2)) for k in off]
