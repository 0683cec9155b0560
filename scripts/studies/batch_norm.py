"""Batch normalisation's betrayal: a score that depends on its batch, or on statistics of no noise level in particular.

In training a batch holds all noise levels, and batch normalisation standardises by their mixture. In sampling a batch
is at one noise level: in train mode its own statistics replace the mixture's, and each sample depends on its batch
mates; in eval mode running averages of the mixture are used, as training hardly ever had them exactly. Layer
normalisation standardises each sample by itself.
"""

import torch
from matplotlib.figure import Figure
from studies.small import PLANE_MODES as TARGET
from studies.small import SmallScore, relative_error, train
from torch import nn

from molscore.core.denoiser import ScoreDenoiser
from molscore.core.samplers import DPMSolver
from molscore.core.sde import CosineVP, perturb
from molscore.core.times import time_grid
from molscore.model import sample

SDE = CosineVP()
NORMS = {"none": None, "layer": nn.LayerNorm, "batch": nn.BatchNorm1d}
N, STEPS = 4000, 3000
TIMES = (0.05, 0.2, 0.5, 0.9)


def run() -> dict:
    """Sample quality and score error with no norm, layer norm, and batch norm in either mode."""
    rows = []
    for name, norm in NORMS.items():
        torch.manual_seed(0)
        net = SmallScore(SDE, 2, norm=norm)
        loss = train(net, SDE, TARGET.sample, steps=STEPS)
        for mode in ("eval", "train") if name == "batch" else ("eval",):
            net.train(mode == "train")
            with torch.no_grad():
                rows.append({"norm": name, "mode": mode, "loss": loss, **quality(net)})
            net.eval()
    return {"n": N, "rows": rows}


def quality(net: SmallScore) -> dict:
    """Distance of samples from the density's moments, error of the score, and what batch mates change."""
    generator = torch.Generator().manual_seed(1)

    def noise(z):
        return torch.randn(z.shape, dtype=z.dtype, generator=generator)

    times = time_grid(100, t_min=0.01)
    start = SDE.prior(noise(torch.empty(N, 2)))
    made = sample(ScoreDenoiser(SDE, net), DPMSolver(), times, noise, start).mean.double()
    weight = TARGET.weights @ TARGET.means
    centred = TARGET.means - weight
    covariance = torch.einsum("k,kij->ij", TARGET.weights, TARGET.covariances)
    covariance = covariance + torch.einsum("k,ki,kj->ij", TARGET.weights, centred, centred)
    exact, errors = TARGET.score(SDE), []
    for t in TIMES:
        clock = torch.tensor(t, dtype=torch.float64)
        z0 = TARGET.sample(N, generator)
        errors.append(relative_error(net, exact, perturb(SDE, z0, clock, noise(z0)), clock))
    states = noise(torch.empty(64, 2))
    alone = net(states[:32], torch.tensor(0.5))
    together = net(torch.cat([states[:32], 3 * states[32:]]), torch.tensor(0.5))[:32]
    return {
        "mean_error": (made.mean(0) - weight).norm().item(),
        "covariance_error": ((made.T.cov() - covariance).norm() / covariance.norm()).item(),
        "score_errors": dict(zip(map(str, TIMES), errors, strict=True)),
        "change_by_batch_mates": ((together - alone).norm() / alone.norm()).item(),
    }


def summary(result: dict) -> str:
    """The results, in a sentence or two."""
    cells = ", ".join(
        f"{row['covariance_error']:.1%} ({row['norm']}{', ' + row['mode'] + ' mode' if row['norm'] == 'batch' else ''})"
        for row in result["rows"]
    )
    mates = result["rows"][-1]["change_by_batch_mates"]
    return f"Error of the samples' covariance: {cells}. In train mode batch mates change a score by {mates:.0%}."


def draw(result: dict, figure: Figure) -> None:
    """Error of the score against time; error of the samples' covariance."""
    left, right = figure.subplots(1, 2)
    names = []
    for row in result["rows"]:
        names.append(row["norm"] + (f", {row['mode']} mode" if row["norm"] == "batch" else ""))
        left.loglog(TIMES, list(row["score_errors"].values()), "o-", label=names[-1])
    left.set(xlabel="t", ylabel="E |s - s*|² / E |s*|²")
    left.legend()
    right.bar(names, [row["covariance_error"] for row in result["rows"]])
    right.set(ylabel="relative error of the samples' covariance")
    right.tick_params(axis="x", rotation=20)
