"""Attempts in their order, made in batches by worker processes.

Which attempts share a call of the network follows from their numbers alone (`windows`, and within a window their
sizes), so neither the number of workers, nor how many molecules are asked for, nor where an earlier run stopped changes
a bit. Workers sample and judge; duplicates are found here, in order. No more is begun than the molecules that are still
missing seem to need.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING, Protocol

import numpy as np

from molscore.chem.checks.validity import DuplicateFilter, Remembered
from molscore.files.ondisk import Texts
from molscore.generate.estimates import estimate_for
from molscore.generate.judge import Attempt, Judge
from molscore.generate.options import GenerationOptions
from molscore.score import MoleculeScorer
from molscore.workers import AHEAD, Cluster, Workers

if TYPE_CHECKING:
    from molscore.generate.generator import MoleculeGenerator

FIRST_WINDOWS, WINDOW = (0.5, 1.0, 2.0, 3.5), 4.0
"""Batches whose attempts are sorted by size together: the first windows, and all others. On a CPU the first end at
attempts 8, 24, 56 and 112, so that neither ten nor a hundred molecules leave many attempts over."""

ALIKE = 0.15
"""Standard deviation of the sizes, in shares of their mean, below which there is nothing to sort: such windows end
earlier, on a CPU at attempts 8, 24, 32, 40, 56, 72, 88 and 120: around kept parts more attempts turn out duplicates."""

FIRST_ALIKE, ALIKE_WINDOW = (0.5, 1.0, 0.5, 0.5, 1.0, 1.0, 1.0), 2.0

PATIENCE = 20, 500
"""Give up after 20 N + 500 attempts."""


class Known(Protocol):
    """Attempts that need not be made again, such as a `dict`: number to the isomeric SMILES of the molecule, or to None
    where it was rejected."""

    def __contains__(self, number: int, /) -> bool: ...

    def __getitem__(self, number: int, /) -> str | None: ...


class BatchJudge:
    """Makes the attempts of a batch: samples them with one call of the network, and judges them.

    Args:
        generator: with the model.
        seed, options: as for `attempts`.
    """

    def __init__(self, generator: "MoleculeGenerator", seed: int, options: GenerationOptions):
        self.generator, self.seed, self.options = generator, seed, options
        self.judge = Judge(
            generator.model, options, estimate_for(options, generator.name, generator.model.config.sampling.t_end)
        )
        device = str(generator.model.device)
        self.scorer = MoleculeScorer.from_pretrained(device=device) if options.uncertainty else None

    def __call__(self, batch: tuple[int, ...]) -> list[Attempt]:
        """The attempts with these numbers, in their order, each for itself: duplicates are not looked for."""
        samples = self.generator.sample(batch, self.seed, self.options)
        judged = [self.judge(index, sample) for index, sample in zip(batch, samples, strict=True)]
        if self.scorer is None:
            return judged
        passed = [attempt.index for attempt in judged if attempt.fault is None]
        scores = self.scorer.score([attempt.mol for attempt in judged if attempt.fault is None], self.seed)
        more = {index: score.properties() for index, score in zip(passed, scores, strict=True)}
        scored = [replace(attempt, properties=attempt.properties | more.get(attempt.index, {})) for attempt in judged]
        return list(map(self.judge.filtered, scored)) if self.judge.waits else scored


def attempts(
    generator: "MoleculeGenerator",
    n: int,
    seed: int,
    options: GenerationOptions,
    *,
    first: int = 0,
    known: Known | None = None,
    seen: Remembered | None = None,
    workers: int | Cluster = 1,
) -> Iterator[Attempt]:
    """Attempts ``first``, ``first + 1``, ... until ``n`` of them have passed, or `PATIENCE` is exceeded.

    Args:
        generator: with the model.
        n: how many must pass.
        seed, options: as for `MoleculeGenerator.generate`; the steps are chosen.
        first: number of the first attempt.
        known: attempts that need not be made again. They are left out, but count.
        seen: isomeric SMILES that count as duplicates from the start; those of what passes are added.
        workers: processes, or the cluster, that make them.
    """
    known, duplicate = known or {}, DuplicateFilter(Texts() if seen is None else seen)
    accepted, end = 0, first + patience(n)
    following = cut(generator, options, first)
    begun: deque[tuple[range, int]] = deque()  # windows, and of how many batches their attempts will come
    with Workers(partial(BatchJudge, generator, seed, options), workers) as pool:
        while True:
            under_way = sum(len(window) for window, _ in begun)
            while not begun or (accepted + under_way < n and pool.waiting < AHEAD * pool.number):
                window = next(following)
                batches = [
                    batch
                    for batch in generator.batches(window, seed, options)
                    if any(index not in known for index in batch if first <= index < end)
                ]
                for batch in batches:
                    pool.submit(batch)
                begun.append((window, len(batches)))
                under_way += len(window)
            window, count = begun.popleft()
            made = {attempt.index: attempt for _ in range(count) for attempt in pool.result()}
            for index in window:
                if accepted >= n or index >= end:
                    return
                if index < first:
                    continue
                if index not in known:
                    attempt = made[index] if options.raw else _distinct(made[index], duplicate)
                    accepted += attempt.fault is None
                    yield attempt
                elif (smiles := known[index]) is not None:
                    accepted += 1
                    duplicate.seen.add(smiles)
            if accepted >= n:
                return


def patience(n: int) -> int:
    """Attempts after which a run that wants ``n`` molecules gives up."""
    return PATIENCE[0] * n + PATIENCE[1]


def cut(generator: "MoleculeGenerator", options: GenerationOptions, first: int = 0) -> Iterator[range]:
    """The `windows` of a run, whole groups of particles each, from that on which holds attempt ``first``."""
    together = options.particles
    groups = windows(generator.batch_size(options) // together, first // together, alike(generator.sizes_for(options)))
    return (range(together * window.start, together * window.stop) for window in groups)


def windows(batch_size: int, first: int = 0, alike: bool = False) -> Iterator[range]:
    """Attempts that are sampled together, from ``first`` on: cut by their numbers alone, whatever a run asks for.

    The first are short, so that a few molecules cost few attempts; the longer ones, up to four batches, save padding.

    Args:
        batch_size: molecules in a call of the network.
        first: number of the first attempt.
        alike: whether all are of nearly one size, see `alike`.
    """
    start = first
    parts = chain(FIRST_ALIKE, repeat(ALIKE_WINDOW)) if alike else chain(FIRST_WINDOWS, repeat(WINDOW))
    for part in parts:
        length = max(1, round(part * batch_size))
        yield range(start, start + length)
        start += length


def alike(sizes: np.ndarray) -> bool:
    """Whether sizes with these weights, from 0 on, are nearly the same."""
    numbers = np.arange(len(sizes))
    mean = np.average(numbers, weights=sizes)
    return bool(np.average((numbers - mean) ** 2, weights=sizes) < (ALIKE * mean) ** 2)


def _distinct(attempt: Attempt, duplicate: DuplicateFilter) -> Attempt:
    """The attempt, rejected as a duplicate if its molecule was accepted before."""
    if attempt.smiles is None or attempt.fault is not None:
        return attempt
    return replace(attempt, fault=duplicate(attempt.smiles))
