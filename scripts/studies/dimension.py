"""The curse of dimension: the error of a learnt score against dimension, and against the size of the sample."""

import torch
from matplotlib.figure import Figure
from studies.small import SmallScore, relative_error, train

from molscore.core.mixture import Mixture
from molscore.core.sde import CosineVP, perturb

SDE = CosineVP()
AXIS = Mixture([0.5, 0.5], [[-1.0], [1.0]], [[[0.05]], [[0.05]]])
DIMENSIONS, SIZES = (1, 2, 4, 8, 16), (10, 30, 100, 300, 1000)
SIZE, DIMENSION = 300, 2
T = 0.2
SEEDS = 3
KEYS = {"dimension": "d", "size": "n"}


def run() -> dict:
    """Relative errors at t = 0.2 of networks trained on few samples, over three seeds, and the slopes."""
    against = {
        "dimension": [row(d, SIZE) for d in DIMENSIONS],
        "size": [row(DIMENSION, n) for n in SIZES],
    }
    slopes = {name: slope([r[KEYS[name]] for r in rows], rows) for name, rows in against.items()}
    return {"size": SIZE, "dimension": DIMENSION, "t": T, "seeds": SEEDS, "against": against, "slopes": slopes}


def slope(x: list[int], rows: list[dict]) -> dict:
    """Of log error against log x by least squares over all seeds, with its standard error."""
    points = [(a, e) for a, row in zip(x, rows, strict=True) for e in row["errors"]]
    a, e = torch.tensor(points, dtype=torch.float64).log().T
    a, e = a - a.mean(), e - e.mean()
    value = (a @ e) / (a @ a)
    deviation = ((e - value * a).square().sum() / (len(a) - 2) / (a @ a)).sqrt()
    return {"value": value.item(), "standard_error": deviation.item()}


def row(d: int, n: int) -> dict:
    """Errors for dimension d and n training samples."""
    errors = [error(d, n, seed) for seed in range(SEEDS)]
    return {"d": d, "n": n, "errors": errors, "mean": sum(errors) / SEEDS}


def error(d: int, n: int, seed: int) -> float:
    """Two modes along each of d axes: 2^d modes, of which n samples visit few if d is large."""
    generator = torch.Generator().manual_seed(seed)
    data = AXIS.sample(n * d, generator).view(n, d)
    torch.manual_seed(seed)
    net = SmallScore(SDE, d, width=128)
    train(net, SDE, lambda k, g: data[torch.randint(n, (k,), generator=g)], steps=1500, batch=256, seed=seed)
    clock, z0 = torch.tensor(T, dtype=torch.float64), AXIS.sample(5000 * d, generator).view(5000, d)
    z = perturb(SDE, z0, clock, torch.randn(z0.shape, dtype=z0.dtype, generator=generator))
    return relative_error(net, AXIS.elementwise_score(SDE), z, clock)


def summary(result: dict) -> str:
    """The results, in a sentence or two."""
    slopes = {name: "{value:.2f} ± {standard_error:.2f}".format(**slope) for name, slope in result["slopes"].items()}
    return (
        f"Slopes in log-log: the error goes as the dimension to the power {slopes['dimension']} at {result['size']} "
        f"samples, and as the size of the sample to the power {slopes['size']} in {result['dimension']} dimensions."
    )


def draw(result: dict, figure: Figure) -> None:
    """Error against dimension and against the size of the sample."""
    labels = {"dimension": f"dimension, {result['size']} samples", "size": f"samples, {result['dimension']} dimensions"}
    for (name, rows), axes in zip(result["against"].items(), figure.subplots(1, 2), strict=True):
        x = [row[KEYS[name]] for row in rows]
        for seed in range(result["seeds"]):
            axes.loglog(x, [row["errors"][seed] for row in rows], "o", ms=3, color="gray")
        axes.loglog(x, [row["mean"] for row in rows], "o-")
        slope = result["slopes"][name]
        title = f"slope {slope['value']:.2f} ± {slope['standard_error']:.2f}"
        axes.set(xlabel=labels[name], ylabel="E |s - s*|² / E |s*|²", title=title)
