"""The model as a denoiser of the core: whole molecules, or coordinates of molecules whose graphs are given.

Mask, stereo and position-independent features are bound when a denoiser is made; self-conditioning travels as its
carry. So a denoiser is a pure function, and any number of threads may ask it.
"""

from typing import Any

import torch
from torch import Tensor

from molscore import forks, memory
from molscore.core.denoiser import Denoiser, Posterior
from molscore.datasets.batch import MoleculeBatch
from molscore.model.diffusion import BOND_CLASSES, MoleculeDiffusion
from molscore.model.features import Features, Prediction, softmax
from molscore.model.required import with_bonds
from molscore.model.state import Layout, MoleculeState, Times, pair_mask
from molscore.network.geometry import centre

BARRED = -1e4
"""Logit of a class that may not be made."""


class MoleculeDenoiser(Denoiser):
    """Of coordinates, atoms and bonds together; states and times are flat, see `molscore.model.state.Layout`.

    Its carry is the `Prediction`, which the network sees at the next call if it was trained to.

    Args:
        model: on the device to work on.
        mask: ``(B, N)`` bool.
        stereo: ``(B, S, 5)`` tags of what is given; None if there are none.
        classes: ``(K,)`` bool, the atom classes that may be made; None is all.
        least: ``(B, N)`` int, bonds to what is made that given atoms must get; None is none.
    """

    def __init__(
        self,
        model: MoleculeDiffusion,
        mask: Tensor,
        stereo: Tensor | None = None,
        classes: Tensor | None = None,
        least: Tensor | None = None,
    ):
        _prepare(model)
        self.barred = None if classes is None else ~classes
        self.least = least if least is not None and (least > 0).any() else None
        self.model, self.mask, self.stereo, self.sde = model, mask, stereo, model.sde
        self.layout = Layout(mask.shape[1], len(model.classes), BOND_CLASSES)
        self.parts = mask[..., None], pair_mask(mask)[..., None]

    def __repr__(self) -> str:
        return f"MoleculeDenoiser({len(self.mask)} molecules of up to {self.mask.shape[1]} atoms)"

    def denoise(self, z: Tensor, t: Tensor, carry: Prediction | None) -> Posterior:
        model = self.model
        state = self.layout.unpack(z.to(model.dtype))
        shapes = self.mask.shape, self.mask.shape, (*self.mask.shape, self.mask.shape[1])
        own = self.layout.unpack_times(t.to(model.dtype))
        times = Times(*(y.expand(shape) for y, shape in zip(own, shapes, strict=True)))
        prediction = model.predict(state, times, self.mask, carry, self.stereo)
        if self.barred is not None:
            made = (times.graph > 0)[..., None] & self.barred
            prediction = prediction._replace(atom_logits=prediction.atom_logits.masked_fill(made, BARRED))
        if self.least is not None:
            made = (times.graph > 0) & self.mask
            prediction = prediction._replace(bond_logits=with_bonds(prediction.bond_logits, self.least, made))
        a, e = (
            model.config.category_scale * softmax(logits) * part
            for logits, part in zip(prediction[1:], self.parts, strict=True)
        )
        mean = self.layout.pack(MoleculeState(prediction.positions, a, e))
        return Posterior(mean, prediction if model.config.self_conditioning else None)


class ConformerDenoiser(Denoiser):
    """Of the coordinates ``(B, N, 3)`` of molecules whose graphs are given, in units of the state.

    Times broadcast against the coordinates. Where none is 0 the mean is that of the centred coordinates, and centred
    itself; zero in the padding.

    Args:
        model: one that was trained with given graphs.
        batch: the molecules; their positions are not looked at.
    """

    def __init__(self, model: MoleculeDiffusion, batch: MoleculeBatch):
        _prepare(model)
        like: dict[str, Any] = {"device": model.device, "dtype": model.dtype}
        scale, mask = model.config.category_scale, batch.mask
        a = scale * torch.eye(len(model.classes), **like)[batch.atoms] * mask[..., None]
        e = scale * torch.eye(BOND_CLASSES, **like)[batch.bonds] * pair_mask(mask)[..., None]
        given = torch.zeros(mask.shape, **like)
        self.times = Times.of_atoms(given, given)
        self.features: Features = model.features(a, e, mask, self.times)
        self.model, self.mask, self.stereo, self.sde = model, mask, batch.stereo, model.sde
        self.change: Tensor | None = None

    def __repr__(self) -> str:
        return f"ConformerDenoiser({len(self.mask)} molecules of up to {self.mask.shape[1]} atoms)"

    def changed(self, change: Tensor) -> "ConformerDenoiser":
        """The same with ``change (B, D)`` added to the weights that map the last layer's vectors to displacements."""
        other = object.__new__(ConformerDenoiser)
        other.__dict__ |= self.__dict__ | {"change": change}
        return other

    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        return Posterior(self.mean_and_vectors(z, t)[0])

    def score(self, z: Tensor, t: Tensor) -> Tensor:
        """That of the centred coordinates, unless some are given, and zero in the padding."""
        return super().score(self._framed(z, t), t) * self.mask[..., None]

    def mean_and_vectors(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The mean ``(B, N, 3)``, and the vectors ``(B, N, 3, D)`` of the network's last layer."""
        t = t.to(self.times.x)
        x = self._framed(z, t).to(self.model.dtype)
        times = self.times._replace(x=t.expand(*x.shape[:2], 1).squeeze(-1))
        return self.model.predict_positions(x, self.features, self.mask, times, self.stereo, self.change)

    def _framed(self, z: Tensor, t: Tensor) -> Tensor:
        given = ((t.to(z) == 0).expand(*z.shape[:2], 1) & self.mask[..., None]).any(1, keepdim=True)
        return torch.where(given, z, centre(z, self.mask))


def _prepare(model: MoleculeDiffusion) -> None:
    """Before anything is computed."""
    forks.check()
    if model.device.type == "cpu":
        memory.keep_freed()
