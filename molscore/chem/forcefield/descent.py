"""Down the energy of a force field, many conformers at once: L-BFGS whose first guess of the inverse Hessian comes from
the molecule's bonds (`model_hessian`).

    x ← x - t P g,    P from the last steps and changes of the gradient g, and from the model where these end

(Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.4), t by backtracking. RDKit's own minimiser has to learn
the Hessian from nothing, and keeps it as a dense matrix: of 40 atoms it takes several times as many steps, of several
times the time each. What becomes of a conformer does not depend on the others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rdkit.ForceField import ForceField

from molscore.chem.forcefield.model_hessian import InverseHessian

MEMORY = 10
"""Steps that are remembered."""

FARTHEST = 0.3
"""Å that an atom moves in a step, at most."""

FALL, TRIES = 1e-4, 8
"""Part of the fall that the slope promises by which the energy has to fall, and how often a step is shortened."""


def descend(
    fields: Sequence[ForceField],
    positions: np.ndarray,
    inverse: InverseHessian,
    steps: int,
    force: float,
    free: np.ndarray | None = None,
) -> np.ndarray:
    """Minimises energies.

    Args:
        fields: initialised, one for each conformer; they may be the same.
        positions: ``(K, N, 3)`` Å.
        inverse: of the model of their Hessian, over the atoms that move.
        steps: at most.
        force: kcal/mol/Å; a conformer has settled when no component of a force is greater.
        free: indices of the atoms that move; None is all.

    Returns:
        ``(K, N, 3)`` Å. What has no finite energy stays where it is.
    """
    result = positions.reshape(len(positions), 3 * positions.shape[1]).copy()
    columns = slice(None) if free is None else (3 * free[:, None] + np.arange(3)).ravel()

    def evaluated(rows: np.ndarray, x: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies, and gradients where an energy is within its limit. RDKit's gradients go by distances that only its
        energies refresh: each has to follow its own."""
        every = result[rows]
        every[:, columns] = x
        e, g = np.empty(len(rows)), np.zeros_like(every)
        for place, (k, limit, listed) in enumerate(zip(rows.tolist(), limits.tolist(), every.tolist(), strict=True)):
            e[place] = fields[k].CalcEnergy(listed)
            if e[place] <= limit:
                g[place] = fields[k].CalcGrad(listed)
        return e, g[:, columns]

    rows = np.flatnonzero(np.isfinite(result).all(1))
    x, inverse = result[rows][:, columns], inverse[rows]
    e, g = evaluated(rows, x, np.full(len(rows), np.inf))
    past: list[_Step] = []
    for _ in range(steps):
        going = (np.abs(g).max(1) > force) & np.isfinite(e)
        if not going.all():
            rows, x, e, g, inverse = rows[going], x[going], e[going], g[going], inverse[going]
            past = [_Step(*(part[going] for part in step)) for step in past]
        if not len(rows):
            break
        move = _direction(g, inverse, past)
        slope, after, new, rising = (move * g).sum(1), e.copy(), np.zeros_like(g), np.arange(len(rows))
        for _ in range(TRIES):
            limits = e[rising] + FALL * slope[rising]
            tried, new[rising] = evaluated(rows[rising], x[rising] + move[rising], limits)
            after[rising] = tried
            if (good := tried <= limits).all():
                rising = rising[:0]
                break
            rising, tried = rising[~good], tried[~good]
            with np.errstate(invalid="ignore"):
                part = -slope[rising] / (2 * (tried - e[rising] - slope[rising]))  # where a parabola is least
            part = np.where(part > 0.1, np.minimum(part, 0.5), 0.1)
            move[rising] *= part[:, None]
            slope[rising] *= part
        after[rising], move[rising] = e[rising], 0  # nothing leads down: with no force left, it is at an end
        past = [*past[1 - MEMORY :], _Step.of(move, new - g)]
        x, e, g = x + move, after, new
        every = result[rows]
        every[:, columns] = x
        result[rows] = every
    return result.reshape(positions.shape)


class _Step(NamedTuple):
    """What `_direction` remembers of a step: ``(K, 3M)`` the move and the change of the gradient, ``(K,)`` the inverse
    of their product, 0 where there is no use in it."""

    move: np.ndarray
    change: np.ndarray
    inverse: np.ndarray

    @classmethod
    def of(cls, move: np.ndarray, change: np.ndarray) -> "_Step":
        product = (move * change).sum(1)
        return cls(move, change, np.divide(1, product, out=np.zeros_like(product), where=product > 1e-9))


def energies(field: ForceField, positions: np.ndarray) -> np.ndarray:
    """(K,) kcal/mol at positions ``(K, N, 3)``, in a field that serves them all."""
    return np.array([field.CalcEnergy(x) for x in positions.reshape(len(positions), 3 * positions.shape[1]).tolist()])


def _direction(g: np.ndarray, inverse: InverseHessian, past: list[_Step]) -> np.ndarray:
    """(K, 3M) moves: downhill, and none takes an atom farther than `FARTHEST`."""
    rest, parts = g.copy(), []
    for step in reversed(past):
        parts.append((step.inverse * (step.move * rest).sum(1))[:, None])
        rest -= parts[-1] * step.change
    uphill = inverse @ rest
    for step, part in zip(past, reversed(parts), strict=True):
        uphill += (part - (step.inverse * (step.change * uphill).sum(1))[:, None]) * step.move
    longest = np.sqrt((uphill.reshape(len(g), -1, 3) ** 2).sum(-1).max(1))
    return -uphill * np.minimum(1, FARTHEST / np.maximum(longest, 1e-12))[:, None]
