"""Coordinates of given graphs: the score of conformations, their likelihood, and the way to their latents and back.

With the graph at time 0 the network sees the molecule, and its score is that of the coordinates alone,
``grad log p_t(x_t | graph)``, on the subspace of zero centre of mass, 3 (N - 1) dimensions. The core's flow and
likelihood take it as they take any other.

The likelihood is a density over conformations in Å, modulo translation; rotations count, so that it falls with the
volume of all orientations. Densities have a floor: coordinates are known to within ``sigma(t0)``.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from molscore.core import likelihood as core
from molscore.core.likelihood import Likelihood
from molscore.core.times import log_snr_grid
from molscore.datasets.batch import MoleculeBatch
from molscore.model.denoisers import ConformerDenoiser
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.state import centres, normal
from molscore.network.geometry import centre

T0, T1 = 0.02, 0.98
"""Coordinate times between which the flow runs: sigma is 0.05 Å at the first, alpha 0.03 at the last."""


def scaled(model: MoleculeDiffusion, batch: MoleculeBatch, given: Tensor | None = None) -> Tensor:
    """``(B, N, 3)``: positions as a state, in units of `position_scale`, centred; or `given` atoms are, ``(B, N)``."""
    x = batch.positions.to(model.dtype) / model.config.position_scale
    if given is None:
        return centre(x, batch.mask)
    frame = torch.where(given.any(1, keepdim=True), given, batch.mask)
    return (x - centres(x, frame)) * batch.mask[..., None]


def centred_probes(mask: Tensor, streams: Sequence[np.random.Generator], n: int) -> Tensor:
    """``(n, B, N, 3)``: probes for each molecule from its own stream, centred, zero in the padding.

    They are uniform on the sphere of radius sqrt(3 (N - 1)): for the isotropic part of a Jacobian, which is most of it
    where there is much noise, the estimate is exact.
    """
    probes = torch.zeros(n, *mask.shape, 3)
    for b, stream in enumerate(streams):
        atoms = int(mask[b].sum())
        own = normal(stream, n, atoms, 3)
        own = own - own.mean(1, keepdim=True)
        length = own.flatten(1).norm(dim=1).clamp(min=torch.finfo(own.dtype).tiny)
        probes[:, b, :atoms] = own * ((3 * (atoms - 1)) ** 0.5 / length)[:, None, None]
    return probes.to(mask.device)


def centred_noise(
    n_atoms: Sequence[int], width: int, streams: Sequence[np.random.Generator], framed: Sequence[bool] | None = None
) -> Tensor:
    """``(B, width, 3)`` on the CPU: standard normal on the subspace of zero centre of mass for the atoms of each
    molecule, which draws from its own stream; zero in the padding. Molecules that are `framed` by given atoms have all
    dimensions."""
    noise = torch.zeros(len(n_atoms), width, 3)
    for b, (atoms, stream) in enumerate(zip(n_atoms, streams, strict=True)):
        own = normal(stream, atoms, 3)
        noise[b, :atoms] = own if framed is not None and framed[b] else own - own.mean(0)
    return noise


def log_likelihood(
    model: MoleculeDiffusion,
    batch: MoleculeBatch,
    streams: Sequence[np.random.Generator],
    *,
    probes: int = 2,
    steps: int = 15,
    t0: float = T0,
) -> Likelihood:
    """Log-likelihood of coordinates given the graph.

    Args:
        model: one that was trained with given graphs.
        batch: molecules, positions in Å.
        streams: one for each, for its probes.
        probes: Hutchinson probes of each molecule, at each knot.
        steps: of the grid, one evaluation of the network each, and one more.
        t0: coordinate time of the data.

    Returns:
        Nats for each molecule, of a density in Å^-3(N - 1); standard errors; latents.
    """
    x, mask = scaled(model, batch), batch.mask
    dimensions = 3.0 * (mask.sum(1) - 1).to(x)

    def log_prior(latent: Tensor) -> Tensor:
        return -(latent.square().sum((1, 2)) + dimensions * math.log(2 * math.pi)) / 2

    likelihood = core.log_likelihood_on_grid(
        model.sde,
        ConformerDenoiser(model, batch).score,
        x,
        grid(model, steps, t0),
        lambda: centred_probes(mask, streams, probes).to(x),
        log_prior=log_prior,
        dimensions=dimensions,
    )
    return likelihood._replace(log_prob=likelihood.log_prob - dimensions * math.log(model.config.position_scale))


def grid(model: MoleculeDiffusion, steps: int, t0: float = T0) -> Tensor:
    """Rising times from ``t0`` to `T1`."""
    return log_snr_grid(model.sde, steps, t0, T1).flip(0)


def flow(
    model: MoleculeDiffusion, batch: MoleculeBatch, x: Tensor, back: bool = False, steps: int = 40, t0: float = T0
) -> Tensor:
    """Carries states of molecules with given graphs from data to latents, or back.

    Args:
        model, batch: as for `log_likelihood`.
        x: ``(B, N, 3)`` states: at ``t0``, or at `T1` if `back`.
        back: from latents to data.
        steps: of the midpoint rule.
        t0: coordinate time of the data.
    """
    times = grid(model, steps, t0).flip(0) if back else grid(model, steps, t0)
    ends = float(times[0]), float(times[-1])
    options = {"grid_constructor": lambda *_: times.to(x)}
    return core.flow(model.sde, ConformerDenoiser(model, batch).score, x, *ends, method="midpoint", options=options)
