"""Overfitting: on few samples the denoising loss falls while the samples become copies; the detectors tell."""

import torch
from matplotlib.figure import Figure
from studies.small import SmallScore, train

from molscore.core.denoiser import ScoreDenoiser
from molscore.core.diagnostics import copying, coverage, memorisation, nearest, neighbour_radii, votes
from molscore.core.losses import denoising_loss
from molscore.core.mixture import Mixture
from molscore.core.samplers import DPMSolver
from molscore.core.sde import CosineVP
from molscore.core.times import time_grid
from molscore.model import sample

SDE = CosineVP()
TARGET = Mixture(
    [0.25] * 4,
    [[-1.5, 0.0], [1.5, 0.0], [0.0, 1.5], [0.0, -1.5]],
    [[[0.15, 0.1], [0.1, 0.15]], [[0.15, -0.1], [-0.1, 0.15]], [[0.2, 0.0], [0.0, 0.05]], [[0.05, 0.0], [0.0, 0.2]]],
)
SIZES = (10, 30, 100, 1000)
SAMPLES = 1000


def run() -> dict:
    """Training and fresh loss, novelty, coverage and the detectors' figures against the size of the training set."""
    return {"samples": SAMPLES, "rows": [row(n) for n in SIZES]}


def row(n: int) -> dict:
    """One training set."""
    generator = torch.Generator().manual_seed(n)
    data, fresh = TARGET.sample(n, generator).float(), TARGET.sample(n, generator).float()
    held = TARGET.sample(SAMPLES, generator).float()
    torch.manual_seed(0)
    net = SmallScore(SDE, 2, width=256)

    def again(k, g):
        return data[torch.randint(n, (k,), generator=g)]

    loss = train(net, SDE, again, steps=6000, batch=256, rate=2e-3)
    made = sampled(net, generator)
    distances = torch.cdist(made, torch.cat([data, fresh])).numpy()
    training = torch.arange(2 * n).numpy() < n
    hits = memorisation(votes(distances), training)
    closest = nearest(torch.cdist(made, data).numpy())
    apart = nearest(torch.cdist(held, data).numpy())
    radii = neighbour_radii(torch.cdist(held, held).numpy())
    fair = TARGET.sample(SAMPLES, generator).float()
    covered = coverage(torch.cdist(made, held).numpy(), radii) / coverage(torch.cdist(fair, held).numpy(), radii)
    return {
        "n": n,
        "loss": loss,
        "loss_on_fresh_data": fresh_loss(net, held),
        "z": float(hits.z),
        "share_of_training": float(hits.share),
        "copying_z": float(copying(closest, apart)),
        "coverage": float(covered),
        "median_distance_to_training": float(torch.tensor(closest).median()),
        "median_distance_of_fresh_data": float(torch.tensor(apart).median()),
    }


def fresh_loss(net: SmallScore, data: torch.Tensor, seed: int = 5) -> float:
    """The denoising loss of data that the network has not seen, over many times and noises."""
    generator = torch.Generator().manual_seed(seed)
    repeated = data.repeat(20, 1)
    t = 0.01 + 0.99 * torch.rand(len(repeated), 1, generator=generator)
    noise = torch.randn(repeated.shape, generator=generator)
    with torch.no_grad():
        return denoising_loss(SDE, net, repeated, t, noise, "sigma2").mean().item()


def sampled(net: SmallScore, generator: torch.Generator) -> torch.Tensor:
    """Samples of a network."""

    def noise(z):
        return torch.randn(z.shape, dtype=z.dtype, generator=generator)

    times = time_grid(60, t_min=0.01)
    with torch.no_grad():
        start = SDE.prior(noise(torch.empty(SAMPLES, 2)))
        return sample(ScoreDenoiser(SDE, net), DPMSolver(), times, noise, start).mean


def summary(result: dict) -> str:
    """The results, in a sentence or two."""
    first, last = result["rows"][0], result["rows"][-1]
    return (
        f"On {first['n']} samples the loss is {first['loss']:.2f} "
        f"({first['loss_on_fresh_data']:.2f} on fresh data) and "
        f"{first['share_of_training']:.0%} of what is drawn lies nearer to them than held-out data do: z = "
        f"{first['z']:.1f}. On {last['n']} it is {last['loss']:.2f} "
        f"({last['loss_on_fresh_data']:.2f}), z = {last['z']:.1f}."
    )


def draw(result: dict, figure: Figure) -> None:
    """Losses and detectors against the size of the training set."""
    left, right = figure.subplots(1, 2)
    rows = result["rows"]
    sizes = [row["n"] for row in rows]
    left.semilogx(sizes, [row["loss"] for row in rows], "o-", label="training loss")
    left.semilogx(sizes, [row["loss_on_fresh_data"] for row in rows], "s-", label="loss on fresh data")
    left.set(xlabel="training samples")
    left.legend()
    right.semilogx(sizes, [row["z"] for row in rows], "o-", label="memorisation, z")
    right.semilogx(sizes, [10 * row["coverage"] for row in rows], "s-", label="coverage of a fair sample's, tenths")
    right.axhline(3, color="k", ls="--", lw=0.8)
    right.set(xlabel="training samples")
    right.legend()
