"""A posterior over the weights that turn the last layer's vectors into displacements, and what it says of molecules.

The displacement that the network returns is linear in these weights, so their posterior follows from sums over the
training molecules: Laplace's, with the sandwich's covariance (`molscore.core.bayes`; ``scripts/studies/bayes.py`` holds
it against a known one). So do mean and variance of the score: `local_score`. The uncertainty of a sample is that
variance, propagated (`uncertainty`): coordinates, noised to where bonds can still be guessed, are carried back through
the reverse SDE by several draws of the weights, all with the same noise, and the spread of where an atom ends is the
atom's uncertainty, in Å.

Both are epistemic: what training has not taught. What a molecule's flexibility leaves open is no part of them. And both
count the last layer's weights alone, a small part of the network's: they rank, their scale is a lower bound.

A graph-conditioned model brings the weights' covariance in its file.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from molscore.core.bayes import LastLayer, draws, spread, variance
from molscore.core.denoiser import Denoiser, score_from_mean
from molscore.core.samplers import DPMSolver
from molscore.core.sde import perturb
from molscore.core.times import time_grid
from molscore.datasets.batch import MoleculeBatch, MoleculeStore
from molscore.model.conformation import centred_noise, scaled
from molscore.model.denoisers import ConformerDenoiser
from molscore.model.device import sent
from molscore.model.diffusion import MoleculeDiffusion, last_layer_features
from molscore.model.state import normal
from molscore.network.geometry import centre
from molscore.randomness import Purpose, stream
from molscore.reprs import short_repr

LOCAL = 0.01
"""Coordinate time of the local score: sigma is 0.03 Å."""

NOISED, STEPS, DRAWS = 0.3, 3, 8
"""Coordinate time to which a molecule is noised (sigma 0.65 Å), steps back from there, draws of the weights."""

SAMPLE, BATCH = 20_000, 50
"""Training molecules that a posterior is made from, and how many at a time."""


class LocalScore(NamedTuple):
    """What the score says of given coordinates, root mean squares over the atoms, ``(B,)``, 1/Å.

    Attributes:
        norm: of its mean: how far from relaxed the geometry is.
        deviation: of its standard deviation; None without a posterior.
    """

    norm: Tensor
    deviation: Tensor | None

    def __repr__(self) -> str:
        return short_repr(self)


def centred(vectors: Tensor, mask: Tensor) -> Tensor:
    """The vectors ``(B, N, 3, D)`` less their mean over the atoms, as displacements are; zero in the padding."""
    return centre(vectors.flatten(2), mask).view_as(vectors)


@torch.no_grad()
def gather(model: MoleculeDiffusion, batch: MoleculeBatch, source: np.random.Generator, layer: LastLayer) -> None:
    """Adds molecules to the moments of the last layer: features and errors of the displacement, at random times."""
    x0, mask = scaled(model, batch), batch.mask
    b = len(x0)
    t = torch.from_numpy((source.permutation(b) + source.random(b)) / b)
    t = model.position_time(t).to(x0)[:, None, None]
    noise = centre(normal(source, *x0.shape).to(x0), mask)
    x = perturb(model.sde, x0, t, noise)
    mean, vectors = ConformerDenoiser(model, batch).mean_and_vectors(x, t)
    _, sigma = model.sde.marginal(t)
    error = (mean - x0) / sigma * mask[..., None]
    layer.add(centred(vectors, mask).flatten(1, 2).double(), error.flatten(1)[..., None].double())


def fit_posterior(model: MoleculeDiffusion, store: MoleculeStore, n: int = SAMPLE, seed: int = 0) -> Tensor:
    """The weights' covariance: Laplace's, made robust by the sandwich, in which each molecule is one datum.

    Args:
        model: a graph-conditioned one.
        store: the molecules that it was trained on.
        n: how many of them are looked at; they stand for all.
        seed: of the choice, times and noise.

    Returns:
        ``(D, D)`` float32 on the model's device, for ``model.posterior``.
    """
    source = stream(seed, Purpose.POSTERIOR)
    chosen = source.permutation(len(store))[:n]
    chosen = chosen[np.argsort(store.sizes[chosen])]
    layer = LastLayer.empty(last_layer_features(model), like=torch.empty(0, dtype=torch.float64, device=model.device))
    for rows in np.array_split(chosen, -(-len(chosen) // BATCH)):
        gather(model, store.gather(rows), source, layer)
    return (layer.sandwich()[0] * (len(chosen) / len(store))).float()


@torch.no_grad()
def local_score(
    model: MoleculeDiffusion,
    batch: MoleculeBatch,
    streams: Sequence[np.random.Generator],
    *,
    t: float = LOCAL,
    views: int = 4,
) -> LocalScore:
    """The score at little noise, averaged over the noise: E[s(alpha x + sigma eps)].

    To each value, what a single datum at x would have, -eps / sigma, is added back: on average it is zero.

    Args:
        model: a graph-conditioned one.
        batch: molecules, positions in Å.
        streams: one for each.
        t: coordinate time.
        views: draws of the noise, an even number: each comes with its opposite.
    """
    x, mask, denoiser = scaled(model, batch), batch.mask, ConformerDenoiser(model, batch)
    time = torch.tensor(t).to(x)
    alpha, sigma = model.sde.marginal(time)
    total, spreads, n_atoms = torch.zeros_like(x), x.new_zeros(len(x)), mask.sum(1).tolist()
    for _ in range(views // 2):
        noise = sent(centred_noise(n_atoms, mask.shape[1], streams), x)
        for eps in (noise, -noise):
            noisy = alpha * x + sigma * eps
            mean, vectors = denoiser.mean_and_vectors(noisy, time)
            total += (score_from_mean(model.sde, centre(noisy, mask), time, mean) + eps / sigma) * mask[..., None]
            if model.posterior is not None:
                spreads += variance(centred(vectors, mask), model.posterior[None]).sum((1, 2, 3)) * (alpha / sigma) ** 2
    views, atoms = views // 2 * 2, mask.sum(1)
    norm = ((total / views).square().sum((1, 2)) / atoms).sqrt() / model.config.position_scale
    if model.posterior is None:
        return LocalScore(norm, None)
    return LocalScore(norm, (spreads / views / atoms).sqrt() / model.config.position_scale)


def uncertainty(
    model: MoleculeDiffusion,
    batch: MoleculeBatch,
    streams: Sequence[np.random.Generator],
    weights: np.random.Generator,
    *,
    n: int = DRAWS,
    noised: float = NOISED,
    steps: int = STEPS,
) -> Tensor:
    """How far the posterior's draws disagree on where each atom belongs.

    Args:
        model: a graph-conditioned one, with a posterior.
        batch: molecules, positions in Å.
        streams: one for each.
        weights: of the draws of the weights, which are the same for all molecules.
        n: draws of the weights.
        noised: coordinate time from which the molecules are carried back.
        steps: of the reverse SDE.

    Returns:
        ``(B, N)`` Å: the root of the variance of an atom's position, zero in the padding.

    Raises:
        ValueError: if the model has no posterior.
    """
    if model.posterior is None:
        raise ValueError("this model brings no posterior of its weights, so it cannot tell how uncertain it is")
    x0, mask = scaled(model, batch), batch.mask
    changes = draws(model.posterior[None], normal(weights, n, 1, len(model.posterior)))[:, 0]
    n_atoms = mask.sum(1).tolist()
    noises = [sent(centred_noise(n_atoms, mask.shape[1], streams), x0) for _ in range(steps + 1)]
    times = time_grid(steps, t_min=noised / 8, t_max=noised, power=2.0)
    start = perturb(model.sde, x0, torch.tensor(noised).to(x0), noises[0])

    sampler, denoiser = DPMSolver(), ConformerDenoiser(model, batch)

    def cleaned(changed: Denoiser) -> Tensor:
        """The last step is one of its own, of first order: more stable where there are few."""
        fresh = iter(noises[1:])
        z = sampler.sample(changed, start, times[:-1], lambda _: next(fresh)).z if steps > 1 else start
        z = sampler.sample(changed, z, times[-2:], lambda _: next(fresh)).z
        return changed.mean(z, times[-1].to(z))

    with torch.no_grad():
        _, spreads = spread(cleaned, (denoiser.changed(change.expand(len(x0), -1)) for change in changes))
    return spreads.sum(-1).sqrt() * model.config.position_scale
