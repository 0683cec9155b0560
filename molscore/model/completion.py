"""Parts of molecules that are given: their classes, their positions, or both, at diffusion time 0.

A bond is given where both its atoms are. Where positions are given the frame is theirs: the state's origin is their
centre, their atoms do not move, and noise is not centred.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from molscore.datasets.batch import MoleculeBatch
from molscore.model.diffusion import BOND_CLASSES, MoleculeDiffusion
from molscore.model.state import MoleculeState, Times, pair_mask


@dataclass(frozen=True, eq=False)
class Given:
    """What is given of a batch of molecules.

    Attributes:
        batch: B molecules padded to N atoms, on the model's device; only what the masks name is looked at, and the tags
            of stereo, which may name given atoms alone.
        graph: ``(B, N)`` bool: atoms whose classes are given.
        positions: ``(B, N)`` bool: atoms whose positions are given.

    Raises:
        ValueError: for masks of another shape, or that name padding.
    """

    batch: MoleculeBatch
    graph: Tensor
    positions: Tensor

    def __post_init__(self) -> None:
        for name in ("graph", "positions"):
            mask = getattr(self, name)
            if mask.shape != self.batch.mask.shape or (mask & ~self.batch.mask).any():
                raise ValueError(f"'{name}' must be of the shape {tuple(self.batch.mask.shape)} and name atoms alone")

    @property
    def stereo(self) -> Tensor:
        """Tags, see `molscore.datasets.batch.MoleculeBatch`."""
        return self.batch.stereo

    @cached_property
    def origin(self) -> Tensor:
        """``(B, 1, 3)`` Å: the centre of the given positions; zero where there are none."""
        held = self.positions[..., None].to(self.batch.positions)
        return (self.batch.positions * held).sum(1, keepdim=True) / held.sum(1, keepdim=True).clamp(min=1)

    def times(self, times: Times) -> Times:
        """Of each atom: 0 where it is given, and else ``times (K, 1, N)``; ``(K, B, N)``."""
        return Times(torch.where(self.positions, 0, times.x), torch.where(self.graph, 0, times.graph))

    def start(self, model: MoleculeDiffusion, state: MoleculeState) -> MoleculeState:
        """The state with what is given in its place, clean."""
        x = (self.batch.positions.double() - self.origin.double()) / model.config.position_scale
        like = {"device": x.device, "dtype": x.dtype}
        a, e = (
            model.config.category_scale * torch.eye(k, **like)[classes]
            for k, classes in ((len(model.classes), self.batch.atoms), (BOND_CLASSES, self.batch.bonds))
        )
        pairs = self.graph[:, :, None] & self.graph[:, None] & pair_mask(self.batch.mask)
        masks = self.positions, self.graph, pairs
        parts = zip(masks, (x, a, e), state, strict=True)
        return MoleculeState(*(torch.where(mask[..., None], own.to(z), z) for mask, own, z in parts))
