"""How many atoms are made around a part that is kept.

In a core's place grows what makes molecules of sizes like those of the training data; a part of a lead is replaced by
one of about its size; fragments are joined by linkers as long as their anchors are apart, see
``scripts/linker_sizes.py``.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from molscore.chem.parts import KeptPart

SPREAD = 0.25
"""Standard deviation of the size of what replaces a part, in shares of it; at least `LEAST_SPREAD` atoms."""

LEAST_SPREAD = 1.0

LONGEST_BOND = 1.9
"""Å, of chains that reach from anchor to anchor: C-S."""

LINKERS = Path(__file__).with_name("linker_sizes.json")


HALOGENS = ("F", "Cl", "Br", "I")
"""Elements whose atoms have one bond each."""


def made_sizes(
    part: KeptPart, known: np.ndarray, atoms: tuple[int, int] | None = None, elements: Sequence[str] | None = None
) -> np.ndarray:
    """Weights of the numbers of atoms of whole molecules, from 0 on.

    Args:
        part: what is kept.
        known: weights of the sizes that the model has seen, from 0 on.
        atoms: fewest and most atoms that are made; None is any.
        elements: of what is made; None is any. Halogens are no more than there are bonds to make.

    Raises:
        ValueError: if the model, or the part, has room for none of them.
    """
    n, most = len(part), len(known) - 1
    made = np.arange(most - n + 1)
    if part.removed:
        spread = max(SPREAD * part.removed, LEAST_SPREAD)
        weights = np.exp(-(((made - part.removed) / spread) ** 2) / 2)
    elif (distance := anchor_distance(part)) is not None:
        weights = np.interp(made, *linkers(distance), left=0, right=0)
    else:
        weights = known[n:].copy()
    if len(apart := nearest(part)):
        check_reach(float(apart.max()), min(most - n, atoms[1] if atoms else most))
    bonds = part.least
    least = max(1, int(bonds.max()))  # one atom may have bonds to several that are kept
    usual = least if part.removed or anchor_distance(part) is not None else max(1, int(bonds.sum()))
    weights[: min(usual, len(weights))] = 0
    room = most
    if elements is not None and set(elements) <= set(HALOGENS):
        room = int(part.free[part.open].sum())
        weights[room + 1 :] = 0
        if atoms is not None and atoms[0] > room:
            words = ", ".join(elements)
            raise ValueError(f"of {words} alone, with one bond each, {room} atoms can be made at most, not {atoms[0]}")
    if atoms is not None or not weights.any():
        low, high = atoms or (usual, usual + 5)
        if high < least:
            raise ValueError(f"an atom must get {least} bonds, so that {least} atoms are made at least, not {high}")
        inside = (made >= max(low, least)) & (made <= min(high, room))
        if not inside.any():
            largest = f"the model's largest molecule has {most} atoms, {n} of which are kept"
            raise ValueError(f"no room for {low} to {high} atoms: {largest}")
        weights = np.where(inside, np.maximum(weights, 1e-6 * inside), 0)
    return np.concatenate([np.zeros(n), weights])


def check_reach(distance: float, atoms: int) -> None:
    """Raises ValueError if a chain of so many atoms cannot reach from one anchor to the other."""
    if distance > LONGEST_BOND * (atoms + 1):
        least = math.ceil(distance / LONGEST_BOND) - 1
        raise ValueError(
            f"anchors to join are {distance:.1f} Å apart, which takes {least} atoms at least, and there may be {atoms}"
        )


def anchor_distance(part: KeptPart) -> float | None:
    """Å between the anchors of fragments that are to be joined: of the two closest of different fragments.

    None for a part in one piece, or without a pose.
    """
    apart = nearest(part)
    return float(apart.min()) if len(apart) else None


def nearest(part: KeptPart) -> np.ndarray:
    """Å from the anchors of each fragment to the nearest of another; none for one piece, or without a pose."""
    anchors = np.flatnonzero(part.open)
    x, piece = part.arrays.positions[anchors], part.pieces[anchors]
    if not part.posed or len(set(part.pieces)) < 2:
        return np.zeros(0)
    apart = np.linalg.norm(x[:, None] - x[None], axis=-1)
    apart = np.where(piece[:, None] == piece[None], np.inf, apart)
    return np.array([apart[piece == k].min() for k in sorted(set(piece))])


def linkers(distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of atoms of linkers between anchors so many Å apart, and their weights."""
    step, rows = _table()
    weights = rows[min(int(distance / step), len(rows) - 1)]
    return np.arange(1, len(weights) + 1), weights


@cache
def _table() -> tuple[float, np.ndarray]:
    table = json.loads(LINKERS.read_text())
    return float(table["step"]), np.array(table["weights"], dtype=float)
