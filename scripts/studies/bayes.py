"""An honest model: posteriors of a score network's last layer, propagated to samples, where the posterior is known.

The data are n draws of N(m, 1). Of m they leave open N(mean of the data, 1 / n), and a sample of the model shifts with
m one to one: over the posterior, each sample, its noise held, ought to have the deviation 1 / sqrt(n). A small network
is trained on each of several data sets; draws of its last layer by Laplace's method and by the sandwich, weights along
the end of the training (SWAG: Maddox et al., NeurIPS 2019), and an ensemble on resampled data each sample with the same
noise. Then the error of the samples' mean, in units of what was predicted, tells how honest they are: its mean square
over data sets ought to be 1.
"""

import copy
from collections.abc import Callable, Iterator

import torch
from matplotlib.figure import Figure
from studies.small import SmallScore, train
from torch import Tensor

from molscore.core.bayes import LastLayer, draws, spread
from molscore.core.denoiser import Denoiser, ScoreDenoiser
from molscore.core.samplers import DPMSolver
from molscore.core.sde import CosineVP, perturb
from molscore.core.times import time_grid
from molscore.model import sample

SDE, MEAN = CosineVP(), 0.7
DATA, SETS, STEPS = 100, 8, 400
VIEWS, DRAWS, MEMBERS, SAMPLES = 200, 16, 5, 500
WIDTH = 12


def run() -> dict:
    """Predicted deviation of the samples, over data sets, and the errors in its units."""
    exact = DATA**-0.5
    rows: dict[str, list[dict]] = {}
    for k in range(SETS):
        generator = torch.Generator().manual_seed(k)
        data = MEAN + torch.randn(DATA, 1, generator=generator)
        path: list[dict] = []
        net = fitted(data, k, path)
        layer = moments(net, data, generator)
        posteriors: dict[str, Callable[[], Iterator]] = {
            "laplace": lambda net=net, layer=layer, g=generator: changed(net, layer.laplace()[0], g),
            "sandwich": lambda net=net, layer=layer, g=generator: changed(net, layer.sandwich(1e-3)[0], g),
            "swag": lambda net=net, path=path, g=generator: along(net, path, g),
            "ensemble": lambda data=data, k=k, g=generator: members(data, k, g),
        }
        for name, scores in posteriors.items():
            mean, variance = spread(sampled, (ScoreDenoiser(SDE, score) for score in scores()))
            deviation = variance.mean().sqrt().item()
            error = (sampled(ScoreDenoiser(SDE, net)).mean() - MEAN).item()
            rows.setdefault(name, []).append({"deviation": deviation, "error": error})
    summaries = {}
    for name, each in rows.items():
        deviations = torch.tensor([row["deviation"] for row in each])
        scaled = torch.tensor([row["error"] / row["deviation"] for row in each])
        summaries[name] = {
            "deviation": deviations.mean().item(),
            "relative_to_exact": (deviations.mean() / exact).item(),
            "mean_square_of_scaled_error": scaled.square().mean().item(),
            "data_sets": each,
        }
    return {"n": DATA, "data_sets": SETS, "exact_deviation": exact, "posteriors": summaries}


def fitted(data: Tensor, seed: int, path: list[dict] | None = None) -> SmallScore:
    """A network trained on the data; the weights of its last quarter go to `path`, if there is one."""
    torch.manual_seed(seed)
    net = SmallScore(SDE, 1, width=WIDTH)

    def keep(step: int) -> None:
        if path is not None and step > 3 * STEPS // 4 and step % 5 == 0:
            path.append(copy.deepcopy(net.state_dict()))

    def draw(n: int, generator: torch.Generator) -> Tensor:
        return data[torch.randint(len(data), (n,), generator=generator)]

    train(net, SDE, draw, steps=STEPS, rate=1e-2, seed=seed, on_step=keep)
    return net


@torch.no_grad()
def moments(net: SmallScore, data: Tensor, generator: torch.Generator) -> LastLayer:
    """Features, a one for the bias among them, and errors of the velocity, each datum in many noised views."""
    t = 0.01 + 0.99 * torch.rand(len(data) * VIEWS, 1, generator=generator)
    noise = torch.randn(len(t), 1, generator=generator)
    z0 = data.repeat_interleave(VIEWS, 0)
    alpha, sigma = SDE.marginal(t)
    features = net.features(perturb(SDE, z0, t, noise), t)
    errors = net.head(features) - (alpha * noise - sigma * z0)
    features = torch.cat([features, torch.ones(len(t), 1)], dim=1)
    layer = LastLayer.empty(features.shape[1], like=torch.empty(0, dtype=torch.float64))
    layer.add(features.view(len(data), VIEWS, -1).double(), errors.view(len(data), VIEWS, 1).double())
    return layer


def changed(net: SmallScore, covariance: Tensor, generator: torch.Generator) -> Iterator[SmallScore]:
    """The network with draws of its last layer."""
    for change in draws(covariance[None], torch.randn(DRAWS, 1, len(covariance), generator=generator))[:, 0].float():
        changed_net = copy.deepcopy(net)
        with torch.no_grad():
            changed_net.head.weight += change[None, :-1]
            changed_net.head.bias += change[-1:]
        yield changed_net


def along(net: SmallScore, path: list[dict], generator: torch.Generator) -> Iterator[SmallScore]:
    """The network with weights from the Gaussian of those that the training passed: SWAG, diagonal."""
    for _ in range(DRAWS):
        changed_net = copy.deepcopy(net)
        state = {}
        for name in path[0]:
            passed = torch.stack([weights[name] for weights in path])
            state[name] = passed.mean(0) + passed.std(0) * torch.randn(passed.shape[1:], generator=generator)
        changed_net.load_state_dict(state)
        yield changed_net


def members(data: Tensor, seed: int, generator: torch.Generator) -> Iterator[SmallScore]:
    """Networks trained on data drawn with replacement."""
    for k in range(MEMBERS):
        chosen = torch.randint(len(data), (len(data),), generator=generator)
        yield fitted(data[chosen], 1000 * (seed + 1) + k)


@torch.no_grad()
def sampled(denoiser: Denoiser) -> Tensor:
    """Samples by the reverse SDE, of the same noise for every denoiser."""
    generator = torch.Generator().manual_seed(5)

    def noise(z: Tensor) -> Tensor:
        return torch.randn(z.shape, generator=generator)

    times = time_grid(40, t_min=0.02)
    return sample(denoiser, DPMSolver(), times, noise, SDE.prior(noise(torch.empty(SAMPLES, 1)))).mean


def summary(result: dict) -> str:
    """The results, in a sentence or two."""
    cells = ", ".join(
        f"{name} {posterior['relative_to_exact']:.2f} ({posterior['mean_square_of_scaled_error']:.3g})"
        for name, posterior in result["posteriors"].items()
    )
    return (
        f"Predicted deviation of a sample in units of the exact one, and in brackets the mean "
        f"square of the actual error in "
        f"units of the predicted one, over {result['data_sets']} data sets: {cells}; 1 (1) would be perfect."
    )


def draw(result: dict, figure: Figure) -> None:
    """Predicted deviations beside the exact one; errors in units of them."""
    left, right = figure.subplots(1, 2)
    for k, (name, posterior) in enumerate(result["posteriors"].items()):
        left.plot(
            [name] * result["data_sets"], [row["deviation"] for row in posterior["data_sets"]], "o", color=f"C{k}"
        )
        right.bar(name, posterior["mean_square_of_scaled_error"], color=f"C{k}")
    left.axhline(result["exact_deviation"], color="k", lw=0.8)
    left.set(ylabel="deviation of a sample over the posterior", yscale="log")
    right.axhline(1, color="k", lw=0.8)
    right.set(ylabel="mean square of error / deviation", yscale="log")
