"""Properties that depend on where the atoms are, of molecules that are still noise.

As `molscore.guidance.properties.PropertyNetwork`, with all atoms explicit: messages go along expected bonds and between
all atoms by their distance in the expected positions, which carry slopes. Among what the last layers see is the size of
dipoles |Σ q_i x_i| of charges that the network gives the atoms: their mean is taken off, so that it depends neither on
the origin nor on the frame.

Source: Satorras, Hoogeboom and Welling, "E(n) equivariant graph neural networks", ICML 2021; Unke and Meuwly, PhysNet,
2019 (dipoles of charges).
"""

import math

import torch
from torch import Tensor, nn

from molscore.guidance.properties import log_variances
from molscore.guidance.soft import SoftMolecules

WIDTH, LAYERS, HEADS, RADIAL, DIPOLES = 48, 3, 12, 12, 3
FAR = 3.0
"""Å over which radial functions fall off."""


class PlacedPropertyNetwork(nn.Module):
    """Mean and logarithm of the variance of properties, in units of their standard deviations.

    Args:
        classes: K, of atoms.
        properties: P.
    """

    def __init__(self, classes: int, properties: int):
        super().__init__()
        self.enter = nn.Linear(classes + 3 + 2, WIDTH)
        self.pairs = nn.ModuleList(nn.Linear(3 + RADIAL, HEADS, bias=False) for _ in range(LAYERS))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * WIDTH, 2 * WIDTH), nn.SiLU(), nn.Linear(2 * WIDTH, WIDTH))
            for _ in range(LAYERS)
        )
        self.charges = nn.Linear(WIDTH, DIPOLES)
        self.hidden = nn.Linear(WIDTH + DIPOLES + 3, 2 * WIDTH)
        self.leave = nn.Linear(2 * WIDTH + WIDTH, 2 * properties)

    def forward(self, molecules: SoftMolecules, t: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, P)`` each, at graph times ``t (B,)``."""
        x, atoms, bonds = (part.to(self.enter.weight) for part in molecules[:3])
        there = molecules.mask[..., None].to(atoms)
        b, n, _ = atoms.shape
        orders = bonds[..., 1:]
        pairs = torch.cat([orders, self.radial(x) * there[:, :, None] * there[:, None]], -1)
        time = torch.stack([t, t**2], -1).to(atoms)
        wide = time[:, None].expand(-1, n, -1)
        h = self.enter(torch.cat([atoms, orders.sum(2), wide], -1))
        for pair, layer in zip(self.pairs, self.layers, strict=True):
            message = pair(pairs).movedim(-1, 1) @ h.view(b, n, HEADS, -1).transpose(1, 2)
            h = h + layer(torch.cat([h, message.transpose(1, 2).flatten(2)], -1)) * there
        size = there.sum(1)
        q = self.charges(h)
        q = (q - (q * there).sum(1, keepdim=True) / size[:, None].clamp(min=1)) * there
        dipole = (q.transpose(1, 2) @ x).square().sum(-1).add(1e-4).sqrt()
        total = (h * there).sum(1) / 10
        hidden = nn.functional.silu(self.hidden(torch.cat([total, dipole, size / 10, time], -1)))
        mean, raw = self.leave(torch.cat([hidden, total], -1)).chunk(2, -1)
        return mean, log_variances(raw)

    def radial(self, x: Tensor) -> Tensor:
        """``(B, N, N, K)``: Gaussians in exp(-d / `FAR`); none of an atom and itself."""
        d = _distances(x)
        centres = torch.linspace(math.exp(-9 / FAR), 1, RADIAL).to(x)
        width = float(centres[1] - centres[0])
        values = torch.exp(-(((torch.exp(-d / FAR)[..., None] - centres) / width) ** 2))
        return values * (1 - torch.eye(x.shape[1])).to(x)[..., None]


def _distances(x: Tensor) -> Tensor:
    """``(B, N, N)`` Å, with slopes also where atoms are on top of one another."""
    return (x[:, :, None] - x[:, None]).square().sum(-1).add(1e-4).sqrt()
