"""Implicit bias: under gradient flow the antisymmetric part of a linear score decays, at rates that are known.

For s = W z, and data of covariance C that noise takes to C_t = alpha² C + sigma² I, the denoising loss
E |W z + eps / sigma|² / 2 has the gradient W C_t + I. In the eigenbasis of C_t, with eigenvalues c_i, gradient flow
moves each entry by itself, W_ij to -delta_ij / c_j as exp(-c_j tau). So of A = (W - W') / 2, begun from a symmetric
part that commutes with C_t,

    A_ij(tau) = A_ij(0) (exp(-c_i tau) + exp(-c_j tau)) / 2 :

it decays as exp(-c tau) for isotropic data, c being the noised variance; else at the rate (c_i + c_j) / 2 at first and
at the smaller of the two in the end.
"""

from itertools import combinations

import torch
from matplotlib.figure import Figure

from molscore.core.losses import denoising_loss
from molscore.core.mixture import Mixture
from molscore.core.sde import CosineVP, perturb

SDE = CosineVP()
T = torch.tensor(0.3, dtype=torch.float64)
CASES = {"isotropic": [0.5, 0.5, 0.5], "anisotropic": [2.0, 1.0, 0.3]}
STEP, STEPS, EARLY = 0.005, 1600, 20
N = 20_000


def run() -> dict:
    """The antisymmetric part along gradient descent with small steps on one sample, for two covariances."""
    return {name: flow(variances) for name, variances in CASES.items()}


def flow(variances: list[float]) -> dict:
    """Descends the denoising loss of whitened draws, whose moments are exact; fits rates to every pair of axes."""
    target = Mixture([1.0], [[0.0] * 3], [torch.diag(torch.tensor(variances)).tolist()])
    generator = torch.Generator().manual_seed(0)
    both = torch.randn(N, 6, dtype=torch.float64, generator=generator)
    both = both - both.mean(0)
    both = both @ torch.linalg.inv(torch.linalg.cholesky(both.T @ both / N)).T  # exactly unit covariance
    z0, noise = both[:, :3] * torch.tensor(variances, dtype=torch.float64).sqrt(), both[:, 3:]
    c = target.moments(SDE, T.item())[1].diag()
    W = torch.tensor([[-1.0, 0.9, -0.7], [-0.9, -1.0, 0.5], [0.7, -0.5, -1.0]], dtype=torch.float64)
    moment = perturb(SDE, z0, T, noise)
    second, cross = moment.T @ moment / N, noise.T @ moment / N
    _, sigma = SDE.marginal(T)
    W.requires_grad_()
    loss = denoising_loss(SDE, lambda z, _: z @ W.T, z0, T, noise, "sigma2").sum(1).mean() / (2 * sigma**2)
    (gradient,) = torch.autograd.grad(loss, W)
    W = W.detach()
    assert torch.allclose(gradient, W @ second + cross / sigma, atol=1e-9)  # so the loop below needs no data
    path = []
    for _ in range(STEPS + 1):
        path.append((W - W.T) / 2)
        W = W - STEP * (W @ second + cross / sigma)
    path = torch.stack(path).abs()
    pairs = []
    for i, j in combinations(range(3), 2):
        entries = path[:, i, j].log()
        pairs.append(
            {
                "eigenvalues": [c[i].item(), c[j].item()],
                "early_fitted": ((entries[0] - entries[EARLY]) / (EARLY * STEP)).item(),
                "early_predicted": ((c[i] + c[j]) / 2).item(),
                "late_fitted": ((entries[-EARLY - 1] - entries[-1]) / (EARLY * STEP)).item(),
                "late_predicted": min(c[i], c[j]).item(),
                "path": path[:: STEPS // 40, i, j].tolist(),
            }
        )
    return {"time": [k * STEP for k in range(0, STEPS + 1, STEPS // 40)], "pairs": pairs}


def summary(result: dict) -> str:
    """The results, in a sentence or two."""
    pairs = [pair for name in CASES for pair in result[name]["pairs"]]
    worst = max(
        abs(pair[f"{when}_fitted"] / pair[f"{when}_predicted"] - 1) for pair in pairs for when in ("early", "late")
    )
    c = result["isotropic"]["pairs"][0]
    return (
        f"Isotropic data: the antisymmetric part decays at the rate {c['early_fitted']:.4f}, the noised variance being "
        f"{c['early_predicted']:.4f}. Over all pairs of axes and both covariances the fitted rates "
        f"are within {worst:.1%} "
        f"of the predicted ones."
    )


def draw(result: dict, figure: Figure) -> None:
    """Each antisymmetric entry, with the predicted curve."""
    for (name, training), axes in zip(result.items(), figure.subplots(1, 2), strict=True):
        time = torch.tensor(training["time"])
        for pair in training["pairs"]:
            a, b = pair["eigenvalues"]
            axes.semilogy(time, pair["path"], "o", ms=3, label=f"c = {a:.2f}, {b:.2f}")
            axes.semilogy(time, pair["path"][0] * (torch.exp(-a * time) + torch.exp(-b * time)) / 2, "k--", lw=0.8)
        axes.set(xlabel="time of gradient flow", ylabel="|A_ij|", title=name)
        axes.legend()
