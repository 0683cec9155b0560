"""Coordinates of known graphs: the score of conformations, their likelihood, and the way to their latents and back.

With the graph's clock at 0 the network is told the molecule, and its score is that of the coordinates alone,
``grad log p_t(x_t | graph)``, on the subspace of zero centre of mass, 3 (N - 1) dimensions. The core's flow and
likelihood take it as they take any other.

The likelihood is a density over conformations in Å, modulo translation; rotations count, so that it falls with the
volume of all orientations. Densities have a floor: coordinates are known to within ``sigma(t0)``.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from molscore import forks
from molscore.core import likelihood as core
from molscore.core.likelihood import Likelihood
from molscore.core.sampling import log_snr_grid
from molscore.core.sde import Score, score_from_mean
from molscore.datasets.batch import MoleculeBatch
from molscore.model.diffusion import BOND_CLASSES, MoleculeDiffusion
from molscore.model.state import normal, pair_mask
from molscore.network.geometry import centre

T0, T1 = 0.02, 0.98
"""Coordinate times between which the flow runs: sigma is 0.05 Å at the first, alpha 0.03 at the last."""


def position_score(model: MoleculeDiffusion, batch: MoleculeBatch) -> Score:
    """The score of the coordinates of molecules whose graphs are known.

    Args:
        model: one that was trained with known graphs.
        batch: the molecules; their positions are not looked at.

    Returns:
        ``score(x, t)`` for ``x (B, N, 3)`` in units of the state, zero in the padding, and one time of the coordinates
        or ``(B, 1, 1)``. It is that of the centred ``x``, and centred itself.
    """
    evaluate = score_and_vectors(model, batch)
    return lambda x, t: evaluate(x, t)[0]


def score_and_vectors(model: MoleculeDiffusion, batch: MoleculeBatch) -> Callable[..., tuple[Tensor, Tensor]]:
    """`position_score`, with the vectors of the network's last layer.

    Returns:
        ``evaluate(x, t, change=None)`` gives the score and the vectors ``(B, N, 3, D)``; ``change (B, D)`` is added to
        the weights that map them to displacements, for each molecule its own.
    """
    forks.check()
    like = {"device": model.device, "dtype": model.dtype}
    scale, mask = model.config.category_scale, batch.mask
    alpha, _ = model.sde.marginal(torch.zeros((), **like))
    a = alpha * scale * torch.eye(len(model.classes), **like)[batch.atoms] * mask[..., None]
    e = alpha * scale * torch.eye(BOND_CLASSES, **like)[batch.bonds]
    own = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
    e = e * (pair_mask(mask) | own)[..., None]
    graph = model.evidence(a, e, mask, torch.zeros(len(mask), 2, **like), None)

    def evaluate(x: Tensor, t: Tensor, change: Tensor | None = None) -> tuple[Tensor, Tensor]:
        t = torch.as_tensor(t, **like).expand(len(x), 1, 1)
        clocks = torch.stack([t[:, 0, 0], torch.zeros(len(x), **like)], dim=-1)
        y = centre(x.to(model.dtype), mask)
        mean, vectors = model.predict_positions(y, graph, mask, clocks, batch.stereo, change)
        return (score_from_mean(model.sde, y, t, mean) * mask[..., None]).to(x), vectors

    return evaluate


def scaled(model: MoleculeDiffusion, batch: MoleculeBatch) -> Tensor:
    """``(B, N, 3)``: the positions as a state, centred, in units of `position_scale`."""
    return centre(batch.positions.to(model.dtype) / model.config.position_scale, batch.mask)


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


def centred_noise(mask: Tensor, streams: Sequence[np.random.Generator]) -> Tensor:
    """``(B, N, 3)``: standard normal on the subspace of zero centre of mass, each molecule from its own stream."""
    noise = torch.zeros(*mask.shape, 3)
    for b, stream in enumerate(streams):
        atoms = int(mask[b].sum())
        own = normal(stream, atoms, 3)
        noise[b, :atoms] = own - own.mean(0)
    return noise.to(mask.device)


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
        model: one that was trained with known graphs.
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

    found = core.log_likelihood_on_grid(
        model.sde,
        position_score(model, batch),
        x,
        grid(model, steps, t0),
        lambda: centred_probes(mask, streams, probes).to(x),
        log_prior=log_prior,
        dimensions=dimensions,
    )
    return found._replace(log_prob=found.log_prob - dimensions * math.log(model.config.position_scale))


def grid(model: MoleculeDiffusion, steps: int, t0: float = T0) -> Tensor:
    """Rising times from ``t0`` to `T1`."""
    return log_snr_grid(model.sde, steps, t0, T1).flip(0)


def flow(
    model: MoleculeDiffusion, batch: MoleculeBatch, x: Tensor, back: bool = False, steps: int = 40, t0: float = T0
) -> Tensor:
    """Carries states of molecules with known graphs from data to latents, or back.

    Args:
        model, batch: as for `position_score`.
        x: ``(B, N, 3)`` states: at ``t0``, or at `T1` if `back`.
        back: from latents to data.
        steps: of the midpoint rule.
        t0: coordinate time of the data.
    """
    times = grid(model, steps, t0).flip(0) if back else grid(model, steps, t0)
    ends = float(times[0]), float(times[-1])
    options = {"grid_constructor": lambda *_: times.to(x)}
    return core.flow(model.sde, position_score(model, batch), x, *ends, method="midpoint", options=options)
