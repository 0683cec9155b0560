"""Field to flow: the probability-flow ODE there and back, residual steps, and likelihoods against analytic ones."""

import torch
from matplotlib.figure import Figure
from studies.small import PLANE_MODES
from torch import Tensor

from molscore.core.divergence import rademacher
from molscore.core.likelihood import flow, log_likelihood, log_likelihood_on_grid
from molscore.core.mixture import Mixture
from molscore.core.sde import CosineVP, perturb
from molscore.core.times import log_snr_grid

SDE, T0 = CosineVP(), 0.01
TARGETS = {
    "Gaussian": Mixture([1.0], [[0.5, -1.0]], [[[0.8, 0.5], [0.5, 0.6]]]),
    "mixture": PLANE_MODES,
}
N, KNOTS, PROBES, TILES = 100, 200, 4, 64


def run() -> dict:
    """Round trips against tolerance, residual steps against their length, likelihood errors in nats."""
    generator = torch.Generator().manual_seed(0)
    result: dict = {"n": N, "round_trip": [], "residual": [], "likelihood": {}}
    for name, target in TARGETS.items():
        z0 = target.sample(N, generator)
        time = z0.new_tensor(T0)
        z = perturb(SDE, z0, time, torch.randn(z0.shape, dtype=z0.dtype, generator=generator))
        score, exact = target.score(SDE), target.log_density(SDE, z, time)
        errors = (log_likelihood(SDE, score, z, T0).log_prob - exact).abs()
        estimate, standard_error = estimated(target, z, generator)
        scaled = (estimate - exact) / standard_error
        result["likelihood"][name] = {
            "exact_divergence_largest_error": errors.max().item(),
            "hutchinson_mean_error": (estimate - exact).mean().item(),
            "hutchinson_mean_absolute_error": (estimate - exact).abs().mean().item(),
            "hutchinson_standard_error_of_the_mean": (standard_error.square().mean() / N).sqrt().item(),
            "hutchinson_scaled_deviation": scaled.std().item(),
        }
        if name == "mixture":
            for tolerance in (1e-3, 1e-5, 1e-7, 1e-9):
                there = flow(SDE, score, z, T0, 1.0, rtol=tolerance, atol=tolerance)
                back = flow(SDE, score, there, 1.0, T0, rtol=tolerance, atol=tolerance)
                result["round_trip"].append({"tolerance": tolerance, "largest_error": (back - z).abs().max().item()})
            t = z.new_tensor(0.3)
            for step in (0.04, 0.02, 0.01, 0.005, 0.0025):
                ahead = z + step * score(z, t)
                error = (ahead - step * score(ahead, t) - z).norm().item()
                result["residual"].append({"step": step, "error": error})
    logs = torch.tensor([[row["step"], row["error"]] for row in result["residual"]], dtype=torch.float64).log()
    centred = logs - logs.mean(0)
    result["residual_slope"] = float((centred[:, 0] @ centred[:, 1]) / (centred[:, 0] @ centred[:, 0]))
    return result


def estimated(target: Mixture, z: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Log-likelihoods with Hutchinson's divergences, and their standard errors."""
    often = z.repeat(TILES, 1)  # the mean over copies has as many probes more
    times = log_snr_grid(SDE, KNOTS, T0).flip(0)
    likelihood = log_likelihood_on_grid(
        SDE,
        target.score(SDE),
        often,
        times,
        lambda: rademacher((PROBES, *often.shape), generator, often),
        log_prior=lambda x: target.log_density(SDE, x, x.new_ones(())),
    )
    variance = likelihood.standard_error.square().view(TILES, -1).mean(0) / TILES
    return likelihood.log_prob.view(TILES, -1).mean(0), variance.sqrt()


def summary(result: dict) -> str:
    """The results, in a sentence or two."""
    trip = result["round_trip"][-1]
    exact = max(row["exact_divergence_largest_error"] for row in result["likelihood"].values())
    estimated = max(row["hutchinson_mean_absolute_error"] for row in result["likelihood"].values())
    return (
        f"There and back again to {trip['largest_error']:.0e} at a tolerance of "
        f"{trip['tolerance']:.0e}; the residual step "
        f"and its approximate inverse miss by eps to the power {result['residual_slope']:.2f}. Log-likelihoods: exact "
        f"divergences within {exact:.4f} nat of the analytic value everywhere, Hutchinson's {estimated:.4f} off in "
        f"the mean."
    )


def draw(result: dict, figure: Figure) -> None:
    """Round-trip error against tolerance, residual error against step."""
    left, right = figure.subplots(1, 2)
    rows = result["round_trip"]
    left.loglog([row["tolerance"] for row in rows], [row["largest_error"] for row in rows], "o-")
    left.set(xlabel="tolerance of the solver", ylabel="largest error", title="data to latent to data")
    rows = result["residual"]
    right.loglog([row["step"] for row in rows], [row["error"] for row in rows], "o-")
    right.set(xlabel="eps", ylabel="error", title=f"x + eps s, then x - eps s: slope {result['residual_slope']:.3f}")
