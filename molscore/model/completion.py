"""Parts of molecules that are given: their classes, their positions, or both, at diffusion time 0.

A bond is given where both its atoms are, and that there is none between a closed atom and what is made. Where
positions are given the frame is theirs: the state's origin is their centre, their atoms do not move, and noise is not
centred.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from molscore.datasets.batch import MoleculeBatch
from molscore.model.diffusion import BOND_CLASSES, MoleculeDiffusion
from molscore.model.state import MoleculeState, Parts, centres, closed_pairs, pair_mask
from molscore.reprs import short_repr


def whole(batch: MoleculeBatch) -> "Given":
    """Whole molecules, given."""
    return Given(batch, batch.mask, batch.mask)


@dataclass(frozen=True, eq=False)
class Given:
    """What is given of a batch of molecules.

    Attributes:
        batch: B molecules padded to N atoms, on the model's device; only what the masks name is looked at, and the tags
            of stereo, which may name given atoms alone.
        graph: ``(B, N)`` bool: atoms whose classes are given.
        positions: ``(B, N)`` bool: atoms whose positions are given.
        closed: ``(B, N)`` bool: atoms with given classes that take no further bond; None is none.
        least: ``(B, N)`` int: bonds to what is made that an atom must get, see `molscore.model.required`; None is none.

    Raises:
        ValueError: for masks of another shape, or that name padding.
    """

    batch: MoleculeBatch
    graph: Tensor
    positions: Tensor
    closed: Tensor | None = None
    least: Tensor | None = None

    def __post_init__(self) -> None:
        for name in ("graph", "positions", "closed", "least"):
            mask = getattr(self, name)
            if mask is not None and (mask.shape != self.batch.mask.shape or mask[~self.batch.mask].any()):
                raise ValueError(f"'{name}' must be of the shape {tuple(self.batch.mask.shape)} and name atoms alone")

    def padded(self, mask: Tensor) -> "Given":
        """The same in a batch of another width, with places that it leaves to the model.

        Args:
            mask: ``(B, N)`` bool, the atoms of the new batch; molecules may be larger in it.

        Raises:
            ValueError: for another number of molecules, or smaller ones.
        """
        old, (b, n) = self.batch, mask.shape
        if len(old.mask) != b or (old.mask.sum(1) > mask.sum(1)).any():
            raise ValueError(f"parts of {len(old.mask)} molecules are given for {b}, or more atoms than a molecule has")
        m = min(n, old.mask.shape[1])

        def wide(part: Tensor, axes: int) -> Tensor:
            new = part.new_zeros(b, *[n] * axes, *part.shape[1 + axes :])
            place = (slice(None), *[slice(m)] * axes)
            new[place] = part[place]
            return new

        batch = MoleculeBatch(wide(old.positions, 1), wide(old.atoms, 1), wide(old.bonds, 2), mask, old.stereo)
        closed, least = (None if y is None else wide(y, 1) for y in (self.closed, self.least))
        return Given(batch, wide(self.graph, 1), wide(self.positions, 1), closed, least)

    @property
    def stereo(self) -> Tensor:
        """Tags, see `molscore.datasets.batch.MoleculeBatch`."""
        return self.batch.stereo

    @cached_property
    def origin(self) -> Tensor:
        """``(B, 1, 3)`` Å: the centre of the given positions; zero where there are none."""
        return centres(self.batch.positions, self.positions)

    @cached_property
    def parts(self) -> Parts:
        """What of it is given."""
        closed = torch.zeros_like(self.graph) if self.closed is None else self.closed & self.graph
        return Parts(self.positions, self.graph, closed_pairs(self.graph, closed) & pair_mask(self.batch.mask))

    def start(self, model: MoleculeDiffusion, state: MoleculeState) -> MoleculeState:
        """The state with what is given in its place, clean."""
        x = (self.batch.positions.double() - self.origin.double()) / model.config.position_scale
        like: dict[str, Any] = {"device": x.device, "dtype": x.dtype}
        bonds = torch.where(self.parts.apart, 0, self.batch.bonds)
        a, e = (
            model.config.category_scale * torch.eye(k, **like)[classes]
            for k, classes in ((len(model.classes), self.batch.atoms), (BOND_CLASSES, bonds))
        )
        masks = self.positions, self.graph, self.parts.pairs & pair_mask(self.batch.mask)
        parts = zip(masks, (x, a, e), state, strict=True)
        return MoleculeState(*(torch.where(mask[..., None], own.to(z), z) for mask, own, z in parts))

    __repr__ = short_repr
