"""A small score network and its training, for problems whose scores are known."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from molscore.core.losses import denoising_loss
from molscore.core.mixture import Mixture
from molscore.core.sde import SDE

Draw = Callable[[int, torch.Generator], Tensor]
"""`draw(n, generator)`: n samples of the data, (n, d)."""


PLANE_MODES = Mixture(
    [0.4, 0.6], [[-1.0, 0.5], [1.2, -0.4]], [[[0.20, 0.12], [0.12, 0.10]], [[0.10, -0.06], [-0.06, 0.25]]]
)
"""Two correlated Gaussians in the plane, which several studies share."""


class SmallScore(nn.Module):
    """A perceptron that predicts the velocity v: s = -(sigma z + alpha v) / sigma, for a variance-preserving process.

    Then the posterior mean, alpha z - sigma v, is bounded where alpha is small.

    Args:
        sde: for alpha and sigma.
        dimensions: d.
        width: of the three hidden layers.
        norm: a layer of that many features, put after each hidden map; None for none.
    """

    def __init__(self, sde: SDE, dimensions: int, width: int = 64, norm: Callable[[int], nn.Module] | None = None):
        super().__init__()
        self.sde = sde
        layers: list[nn.Module] = []
        for inputs in (dimensions + 4, width, width):
            layers += [nn.Linear(inputs, width), *([norm(width)] if norm else []), nn.SiLU()]
        self.body, self.head = nn.Sequential(*layers), nn.Linear(width, dimensions)

    def features(self, z: Tensor, t: Tensor) -> Tensor:
        """(n, width): what the last, linear layer maps to the velocity."""
        t = t.expand(len(z), 1)
        waves = [t, torch.cos(torch.pi * t), torch.sin(torch.pi * t), torch.cos(2 * torch.pi * t)]
        return self.body(torch.cat([z, *waves], dim=1))

    def forward(self, z: Tensor, t: Tensor) -> Tensor:
        """The score of (n, d) states at times (n, 1), or a scalar."""
        t = torch.as_tensor(t, dtype=z.dtype)
        alpha, sigma = self.sde.marginal(t)
        return -z - alpha / sigma * self.head(self.features(z, t))


def train(
    net: nn.Module,
    sde: SDE,
    draw: Draw,
    *,
    steps: int = 2000,
    batch: int = 256,
    rate: float = 3e-3,
    seed: int = 0,
    t_min: float = 1e-2,
    on_step: Callable[[int], None] | None = None,
) -> float:
    """Denoising score matching at times uniform in [t_min, 1]; the rate falls along a cosine.

    Returns:
        The mean loss of the last tenth of the steps: the squared error of the noise, for each dimension.
    """
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses = []
    net.train()
    for step in range(steps):
        z0 = draw(batch, generator).float()
        t = t_min + (1 - t_min) * torch.rand(batch, 1, generator=generator)
        noise = torch.randn(z0.shape, generator=generator)
        loss = denoising_loss(sde, net, z0, t, noise, "sigma2").mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if on_step is not None:
            on_step(step + 1)
    net.eval()
    last = losses[-max(steps // 10, 1) :]
    return sum(last) / len(last)


def relative_error(score: Callable, exact: Callable, z: Tensor, t: Tensor) -> float:
    """E |s - s*|² / E |s*|² over the given states."""
    with torch.no_grad():
        wanted = exact(z.double(), t.double())
        learnt = score(z.float(), t.float()).double()
    return float((learnt - wanted).square().sum() / wanted.square().sum())
