"""Denoising is the score of the noised data: a linear score, then a small network, against the exact one."""

import torch
from matplotlib.figure import Figure
from studies.small import PLANE_MODES as TARGET
from studies.small import SmallScore, relative_error, train

from molscore.core.losses import denoising_loss
from molscore.core.sde import CosineVP, perturb

SDE = CosineVP()
STEPS = 4000
TIMES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


def run() -> dict:
    """Slopes of linear scores at several times; relative errors of a network."""
    linear = []
    for t in TIMES:
        time = torch.tensor(t, dtype=torch.float64)
        _, sigma = SDE.marginal(time)
        # Data at one point: z_t is pure noise of deviation sigma_t, and the score is -z / sigma_t².
        linear.append({"t": t, "learnt": slope(time), "exact": float(-1 / sigma**2)})
    torch.manual_seed(0)
    net = SmallScore(SDE, 2, width=128)
    loss = train(net, SDE, TARGET.sample, steps=STEPS, batch=512)
    exact, generator, errors = TARGET.score(SDE), torch.Generator().manual_seed(1), []
    for t in TIMES:
        time = torch.tensor(t, dtype=torch.float64)
        z0 = TARGET.sample(20_000, generator)
        z = perturb(SDE, z0, time, torch.randn(z0.shape, dtype=z0.dtype, generator=generator))
        errors.append({"t": t, "relative_error": relative_error(net, exact, z, time)})
    return {"linear": linear, "network": errors, "loss": loss, "parameters": sum(p.numel() for p in net.parameters())}


def slope(t: torch.Tensor, steps: int = 400, batch: int = 1000, seed: int = 0) -> float:
    """theta of s = theta z, by stochastic gradient descent with a falling rate on data at 0."""
    generator = torch.Generator().manual_seed(seed)
    _, sigma = SDE.marginal(t)
    theta = torch.zeros((), dtype=torch.float64, requires_grad=True)
    z0 = torch.zeros(batch, 1, dtype=torch.float64)
    for step in range(steps):
        noise = torch.randn(z0.shape, dtype=z0.dtype, generator=generator)
        loss = denoising_loss(SDE, lambda z, _, a=theta: a * z, z0, t, noise, "sigma2").mean()
        (gradient,) = torch.autograd.grad(loss, theta)
        rate = 0.5 / (2 * sigma.item() ** 4) / (1 + step / 20)  # the loss's curvature is 2 sigma⁴
        theta = (theta - rate * gradient).detach().requires_grad_()
    return theta.item()


def summary(result: dict) -> str:
    """The results, in a sentence or two."""
    worst = max(abs(row["learnt"] / row["exact"] - 1) for row in result["linear"])
    errors = ", ".join(f"{row['relative_error']:.2g} at t = {row['t']:g}" for row in result["network"][::2])
    return (
        f"The linear score is -1 / sigma² to {worst:.0e}. Squared error of the network's score of a mixture, relative: "
        f"{errors}: the less noise, the harder."
    )


def draw(result: dict, figure: Figure) -> None:
    """Learnt against exact slopes; error of the network against time."""
    left, right = figure.subplots(1, 2)
    times = [row["t"] for row in result["linear"]]
    left.loglog(times, [-row["exact"] for row in result["linear"]], "k--", label="1 / sigma²")
    left.loglog(times, [-row["learnt"] for row in result["linear"]], "o", label="learnt")
    left.set(xlabel="t", ylabel="-theta", title="s = theta z, data at one point")
    left.legend()
    rows = result["network"]
    right.loglog([row["t"] for row in rows], [row["relative_error"] for row in rows], "o-")
    right.set(xlabel="t", ylabel="E |s - s*|² / E |s*|²", title=f"network of {result['parameters']:,} parameters")
