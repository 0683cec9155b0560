"""Attempts of a run once more, watched on their way from noise.

The network is asked for the same batches as in the run, so the molecules are the same, bit by bit.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from molscore.chem.trajectory import Trajectory
from molscore.core.denoiser import Denoiser
from molscore.generate.attempts import cut
from molscore.generate.estimates import estimate_for
from molscore.generate.judge import Judge
from molscore.generate.options import GenerationOptions
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.recorded import Recorded

if TYPE_CHECKING:
    from molscore.generate.generator import MoleculeGenerator


def trajectories(
    generator: "MoleculeGenerator", indices: Collection[int], seed: int, options: GenerationOptions
) -> list[Trajectory]:
    """See `MoleculeGenerator.trajectories`; the options have their steps."""
    made: dict[int, Trajectory] = {}
    for window in cut(generator, options):
        if window.start > max(indices, default=-1):
            return [made[index] for index in indices]
        for batch in generator.batches(window, seed, options) if any(index in window for index in indices) else ():
            wanted = [index for index in batch if index in indices]
            made |= zip(wanted, _watched(generator, batch, wanted, seed, options), strict=True)
    raise AssertionError("windows never end")


def _watched(
    generator: "MoleculeGenerator", batch: tuple[int, ...], wanted: list[int], seed: int, options: GenerationOptions
) -> list[Trajectory]:
    """Those of the wanted attempts of a batch."""
    if not wanted:
        return []
    recorded: list[Recorded] = []

    def watch(denoiser: MoleculeDenoiser, asked: Denoiser) -> Denoiser:
        recorded.append(Recorded(denoiser, [batch.index(index) for index in wanted], asked))
        return recorded[-1]

    samples = dict(zip(batch, generator.sample(batch, seed, options, watch=watch), strict=True))
    judge, classes = (
        Judge(generator.model, options, estimate_for(options, generator.name, generator.model.config.sampling.t_end)),
        np.array(generator.model.classes),
    )
    made = []
    for index, frames in zip(wanted, recorded[-1].frames(), strict=True):
        attempt = judge(index, samples[index])
        numbers, charges = np.moveaxis(classes[frames.atoms], -1, 0)
        mol = generator.delivered(attempt, seed, options) if attempt.fault is None else attempt.mol
        title = f"molscore_{seed}_{index}"
        parts = frames.times, frames.positions + options.frame, numbers, charges, frames.bonds
        made.append(Trajectory(title, *parts, mol, attempt.reason))
    return made
