"""The denoising loss of molecules at random diffusion times, parts of which may be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from molscore.core.losses import weighted_mean_error
from molscore.datasets.batch import MoleculeBatch
from molscore.model.fakes import add_fakes
from molscore.model.features import Prediction
from molscore.model.state import MoleculeState, Times, frame_noise, in_frame, pair_mask, symmetric
from molscore.model.tasks import known_tags, task_parts

if TYPE_CHECKING:
    from molscore.model.diffusion import MoleculeDiffusion


def denoising_loss(
    model: MoleculeDiffusion,
    batch: MoleculeBatch,
    generator: torch.Generator | None,
    rows: slice,
    conditioned: bool | None,
) -> dict[str, Tensor]:
    """See `molscore.model.diffusion.MoleculeDiffusion.loss`."""
    config = model.config
    like: dict[str, Any] = {"device": batch.mask.device, "dtype": model.dtype}
    random: dict[str, Any] = {"generator": generator} | like
    if config.fake_atoms:
        batch = add_fakes(batch, config.fake_atoms, len(model.vocabulary), generator)
    (b, n), classes = batch.mask.shape, (len(model.classes), 4)
    # Stratified times: one in each of B equal slices of [0, 1].
    t = (torch.randperm(b, **random) + torch.rand(b, **random)) / b
    noise = [torch.randn(*shape, **random) for shape in ((b, n, 3), (b, n, classes[0]), (b, n, n, classes[1]))]
    if conditioned is None:
        conditioned = bool(torch.rand((), **random) < config.self_conditioning)
    count = batch.mask.sum().to(model.dtype)
    given = task_parts(config.tasks, config.graph_conditioned, batch.bonds, batch.mask, rows, **random)
    positions, *labels, mask, stereo = (y[rows] for y in batch)
    times = given.times(Times.uniform(model.position_time(t)[rows], t[rows], n))
    x0 = in_frame(positions.to(model.dtype) / config.position_scale, mask, given.positions)
    a0, e0 = (config.category_scale * torch.eye(k, **like)[y] for k, y in zip(classes, labels, strict=True))
    x, a, e = (y[rows] for y in noise)
    noise_state = MoleculeState(frame_noise(x, mask, given.positions), a, symmetric(e))
    noised = model.noised(MoleculeState(x0, a0, e0), times, noise_state)
    if model.training and config.distortion:
        _, sigma = model.sde.marginal(times.x[..., None])
        extra = frame_noise(torch.randn(b, n, 3, **random)[rows], mask, given.positions)
        noised = noised._replace(x=noised.x + config.distortion * sigma * extra * (times.x > 0)[..., None])
    stereo, previous = known_tags(stereo, given.graph), None
    if conditioned:
        with torch.no_grad():
            previous = model.predict(noised, times, mask, None, stereo)
    out = model.predict(noised, times, mask, previous, stereo)
    return _parts(model, out, x0, labels, times, mask, count)


def _parts(
    model: MoleculeDiffusion,
    out: Prediction,
    x0: Tensor,
    labels: list[Tensor],
    times: Times,
    mask: Tensor,
    count: Tensor,
) -> dict[str, Tensor]:
    """The losses of a prediction: of clean positions and classes of atoms and bonds, over `count` atoms."""
    config, atoms, pairs = model.config, mask.to(x0.dtype), pair_mask(mask).to(x0.dtype)
    error = weighted_mean_error(model.sde, out.positions, x0, times.x[..., None], "velocity")
    positions = (error * atoms[..., None]).sum() / (3 * count)
    atom, bond = (
        nn.functional.cross_entropy(logits.flatten(0, -2), y.flatten(), reduction="none")
        for logits, y in zip(out[1:], labels, strict=True)
    )
    atom = (atom * atoms.flatten()).sum() / count
    bond = (bond * pairs.flatten()).sum() / (2 * count)
    total = positions + config.atom_weight * atom + config.bond_weight * bond
    return {"loss": total, "positions": positions, "atoms": atom, "bonds": bond}
