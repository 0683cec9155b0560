"""Molecules in batches of like size, shared by workers, and their results in the order of the molecules.

A window of the stream is sorted by size and cut; which molecules share a batch follows from their places alone, so that
results are the same, bit for bit, for any number of workers.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from rdkit import Chem

from molscore.chem.properties import packed
from molscore.workers import Workers

Result = TypeVar("Result")

WINDOW = 256
"""Molecules that are sorted by size together."""

BATCH = 16
"""Molecules in a task of a worker. On a CPU more at a time are no faster."""


def in_batches(pool: Workers[Any, list[Result]], mols: Iterable[object], batch: int | None = BATCH) -> Iterator[Result]:
    """A result for each molecule, in order.

    Args:
        pool: gives the results of a list of molecules, each `packed`; what is no molecule is as it is.
        mols: taken from their source window by window.
        batch: molecules in a task; None takes whole windows.
    """
    source, begun = iter(mols), deque[tuple[int, list[list[int]]]]()
    while True:
        while len(begun) < min(pool.number, 2) and (window := list(islice(source, WINDOW))):
            order = sorted(range(len(window)), key=lambda k: -_size(window[k]))
            size = batch or WINDOW
            batches = [order[at : at + size] for at in range(0, len(order), size)]
            for places in batches:
                pool.submit([packed(window[k]) for k in places])
            begun.append((len(window), batches))
        if not begun:
            return
        length, batches = begun.popleft()
        results: dict[int, Result] = {}
        for places in batches:
            results |= zip(places, pool.result(), strict=True)
        yield from (results[k] for k in range(length))


def _size(mol: object) -> int:
    """Heavy atoms."""
    return mol.GetNumHeavyAtoms() if isinstance(mol, Chem.Mol) else 0
