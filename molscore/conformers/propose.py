"""Geometries of heavy atoms from the model.

Proposal k of a molecule takes its noise from a stream of ``(seed, k)``: it depends neither on how many are asked for,
nor on which other molecules there are. On a CPU the proposals of a molecule are a batch of their own, so that not even
rounding depends on the others; a GPU computes many molecules together, and the last bits may differ.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molscore.conformers.target import Target
from molscore.datasets.batch import MoleculeBatch
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
        targets = [jobs[job][0].of_number(k) for job, k in part]
        batch, given = _held(batch, targets)
        sampled = sample_positions(model, batch, streams, given=given, **changes)
        for (job, k), target, positions in zip(part, targets, sampled.cpu().numpy(), strict=True):
            place = geometries[job][k - jobs[job][1].start]
            place[:] = positions[: len(target.heavy)]
            if target.held is not None:
                place += target.held.positions.mean(0)
                place[target.held_places] = target.held.positions
    return geometries


def _held(batch: MoleculeBatch, targets: Sequence[Target]) -> tuple[MoleculeBatch, Tensor | None]:
    """The batch with the cores that targets hold in their places, about the origin; where these are ``(B, N)``."""
    if all(target.held is None for target in targets):
        return batch, None
    positions, given = np.zeros(batch.positions.shape, dtype=np.float32), np.zeros(batch.mask.shape, dtype=bool)
    for b, target in enumerate(targets):
        if target.held is not None:
            positions[b, target.held_places] = target.held.positions - target.held.positions.mean(0)
            given[b, target.held_places] = True
    x, atoms = torch.from_numpy(positions).to(batch.positions), torch.from_numpy(given).to(batch.mask)
    return batch._replace(positions=x), atoms


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
