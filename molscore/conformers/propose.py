"""Geometries of heavy atoms from the model.

Proposal k of a molecule takes its noise from a stream of ``(seed, k)``: it depends neither on how many are asked for,
nor on which other molecules there are. On a CPU the proposals of a molecule are a batch of their own, so that not even
rounding depends on the others; a GPU computes many molecules together, and the last bits may differ.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from molscore.conformers.target import Target
from molscore.model import MoleculeDiffusion
from molscore.model.conformers import sample_positions
from molscore.randomness import Purpose, stream
from molscore.score.represent import batch_of

CPU_PAIRS, GPU_PAIRS = 20_000, 2_000_000
"""Padded atom pairs that are computed together."""


def propose(
    model: MoleculeDiffusion, jobs: Sequence[tuple[Target, range]], seed: int, steps: int | None = None
) -> list[np.ndarray]:
    """Samples geometries.

    Args:
        model: a graph-conditioned one.
        jobs: for each molecule, the numbers of its proposals.
        seed: of the run.
        steps: evaluations of the network; None takes the model's.

    Returns:
        For each job ``(K, n, 3)`` positions in Å.
    """
    geometries = [np.empty((len(numbers), len(target.heavy), 3)) for target, numbers in jobs]
    changes: dict[str, Any] = {"steps": steps} if steps else {}
    for part in _batches(jobs, together=model.device.type == "cuda"):
        batch = batch_of([jobs[job][0].served for job, _ in part], model)
        streams = [stream(seed, Purpose.PROPOSAL, k) for _, k in part]
        sampled = sample_positions(model, batch, streams, **changes)
        for (job, k), positions in zip(part, sampled.cpu().numpy(), strict=True):
            target, numbers = jobs[job]
            geometries[job][k - numbers.start] = positions[: len(target.heavy)]
    return geometries


def _batches(jobs: Sequence[tuple[Target, range]], together: bool) -> Iterator[list[tuple[int, int]]]:
    """Job and number of the proposals that are computed together: those of all molecules, largest first, or of one."""
    each = [[(job, k) for k in numbers] for job, (_, numbers) in enumerate(jobs)]
    groups = [[proposal for group in each for proposal in group]] if together else each
    for group in groups:
        group.sort(key=lambda proposal: -len(jobs[proposal[0]][0].heavy))
        while group:
            largest = len(jobs[group[0][0]][0].heavy)
            count = max(1, (GPU_PAIRS if together else CPU_PAIRS) // largest**2)
            yield group[:count]
            group = group[count:]
