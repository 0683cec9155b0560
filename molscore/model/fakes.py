"""Fake atoms: room for a model to change its mind about how many atoms a molecule has.

In training a molecule gets up to so many atoms of a class of their own, without bonds, each somewhere near a real atom;
a sample begins with as many more atoms than it needs, and those that turn out fake are dropped. The sizes of what is
left follow the data, since those of the whole do.

Source: Dunn and Koes, FlowMol3, arXiv:2508.12629.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from molscore.datasets.batch import MoleculeBatch

FAKE = (0, 0)
"""Atomic number and charge of a fake atom."""

SPREAD = 1.0
"""Standard deviation in Å of a fake atom's coordinates about those of its real one."""


def add_fakes(batch: MoleculeBatch, most: int, fake: int, generator: torch.Generator | None = None) -> MoleculeBatch:
    """Adds 0 to ``most`` fake atoms to every molecule, all numbers equally likely.

    Args:
        batch: B molecules of up to N atoms.
        most: room for fake atoms.
        fake: their class.
        generator: source of numbers and places, on the batch's device.

    Returns:
        The batch with N + ``most`` places; a molecule's fake atoms follow its real ones.
    """
    positions, atoms, bonds, mask, stereo = batch
    (b, n), device = mask.shape, mask.device
    random: dict[str, Any] = {"generator": generator, "device": device}
    real = mask.sum(1, keepdim=True)
    number = torch.randint(most + 1, (b, 1), **random)
    anchor = (torch.rand(b, most, **random) * real).long()
    spots = positions.gather(1, anchor[..., None].expand(-1, -1, 3))
    spots = spots + SPREAD * torch.randn(b, most, 3, dtype=positions.dtype, **random)
    place = real + torch.arange(most, device=device)  # right behind the real atoms; what is too many is padding
    positions = torch.cat([positions, positions.new_zeros(b, most, 3)], dim=1)
    positions = positions.scatter(1, place[..., None].expand(-1, -1, 3), spots)
    atoms = torch.cat([atoms, atoms.new_zeros(b, most)], dim=1).scatter(1, place, fake)
    bonds = torch.nn.functional.pad(bonds, (0, most, 0, most))
    whole = torch.arange(n + most, device=device) < real + number
    return MoleculeBatch(positions * whole[..., None], atoms * whole, bonds, whole, stereo)


def fakes_for(most: int, streams: Sequence[np.random.Generator]) -> list[int]:
    """How many fake atoms to begin each sample with, from its own stream."""
    return [int(stream.integers(most + 1)) if most else 0 for stream in streams]
