"""The score as a compass: Langevin dynamics on a density that is known, plain, adjusted and annealed."""

import torch
from matplotlib.figure import Figure

from molscore.core.denoiser import ScoreDenoiser
from molscore.core.langevin import langevin_dynamics, metropolis_langevin
from molscore.core.mixture import Mixture
from molscore.core.samplers import Langevin
from molscore.core.sde import CosineVP
from molscore.core.times import time_grid

SDE = CosineVP()
T0 = torch.tensor(0.02, dtype=torch.float64)
TARGET = Mixture([0.3, 0.7], [[-1.2], [1.0]], [[[0.09]], [[0.16]]])
CHAINS = 20_000


def run() -> dict:
    """Variances of chains on N(0, 1) against the step; shares of the right mode of a mixture."""
    generator = torch.Generator().manual_seed(0)

    def noise(z):
        return torch.randn(z.shape, dtype=z.dtype, generator=generator)

    def uniform(z):
        return torch.rand(z.shape, dtype=z.dtype, generator=generator)

    rows = []
    for step in (0.05, 0.1, 0.2, 0.5, 1.0):
        start = torch.zeros(CHAINS, 1, dtype=torch.float64)
        plain = langevin_dynamics(lambda x: -x, start, step, noise, int(30 / step))
        adjusted, accepted = metropolis_langevin(
            lambda x: -x, lambda x: -(x[:, 0] ** 2) / 2, start, step, noise, uniform, int(30 / step)
        )
        rows.append(
            {
                "step": step,
                "plain": plain.var().item(),
                "predicted": 1 / (1 - step / 2),
                "adjusted": adjusted.var().item(),
                "accepted": accepted,
            }
        )
    start = torch.full((CHAINS, 1), -1.2, dtype=torch.float64)
    sigma, score = SDE.marginal(T0)[1].item(), TARGET.score(SDE)
    stuck = langevin_dynamics(lambda x: score(x, T0), start, 0.1 * sigma**2, noise, 800)
    annealing = Langevin(steps=20, size=0.2)
    annealed = annealing.sample(ScoreDenoiser(SDE, score), start, time_grid(40, t_min=T0.item()), noise).z
    edges = torch.linspace(-2.5, 2.5, 61, dtype=torch.float64)
    centres = (edges[1:] + edges[:-1]) / 2
    width = (edges[1] - edges[0]).item()

    def histogram(z):
        return (torch.histc(z, 60, -2.5, 2.5) / len(z) / width).tolist()

    return {
        "standard_error": (2 / CHAINS) ** 0.5,
        "chains": CHAINS,
        "variance": rows,
        "right_mode": {
            "exact": TARGET.probability_above(SDE, T0.item(), torch.zeros((), dtype=torch.float64)).item(),
            "plain": (stuck > 0).double().mean().item(),
            "annealed": (annealed > 0).double().mean().item(),
        },
        "histograms": {
            "z": centres.tolist(),
            "exact": TARGET.log_density(SDE, centres[:, None], T0).exp().tolist(),
            "plain": histogram(stuck),
            "annealed": histogram(annealed),
        },
    }


def summary(result: dict) -> str:
    """The results, in a sentence or two."""
    last, shares = result["variance"][-1], result["right_mode"]
    return (
        f"Plain steps of {last['step']:g} sample a variance of {last['plain']:.2f} instead of 1 (predicted "
        f"{last['predicted']:.2f}), adjusted ones {last['adjusted']:.2f}. Of two modes the right one holds "
        f"{shares['exact']:.1%}; a plain chain from the left finds {shares['plain']:.1%}, an annealed one "
        f"{shares['annealed']:.1%}."
    )


def draw(result: dict, figure: Figure) -> None:
    """Variance against step; histograms of the chains."""
    left, right = figure.subplots(1, 2)
    steps = [row["step"] for row in result["variance"]]
    left.plot(steps, [row["predicted"] for row in result["variance"]], "k--", label="1 / (1 - h / 2)")
    left.plot(steps, [row["plain"] for row in result["variance"]], "o", label="unadjusted")
    left.plot(steps, [row["adjusted"] for row in result["variance"]], "s", label="Metropolis-adjusted")
    left.set(xlabel="step h", ylabel="variance of chains on N(0, 1)")
    left.legend()
    histograms = result["histograms"]
    right.plot(histograms["z"], histograms["exact"], "k", label="density")
    right.step(histograms["z"], histograms["plain"], where="mid", label="plain chain from the left")
    right.step(histograms["z"], histograms["annealed"], where="mid", label="annealed")
    right.set(xlabel="z")
    right.legend()
