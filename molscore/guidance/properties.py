"""Properties of molecules that are still noise, and the energy of a target.

A small network reads a molecule as the posterior mean knows it, `SoftMolecules`, and returns mean and variance of each
property of the clean molecule: it is trained on posterior means of noised molecules whose properties are known
(``scripts/property_guide.py``), with the likelihood of a normal. So it says E[y | D(z_t, t), t], and how far y may yet
be from it, and needs no correction for what is soft in its input. The energy of a target, in kT, is minus the logarithm
of the probability that the property meets it; a value with a tolerance is a range:

    a <= y <= b   - log (Phi((b - mu) / s) - Phi((a - mu) / s))
    max, min      - or + SLOPE mu, in units of the property's standard deviation in the training data

The variance s² is taken as it is: the slope is that of the mean alone, lest samples become strange to be uncertain.

Source: Dhariwal and Nichol, "Diffusion models beat GANs on image synthesis", NeurIPS 2021 (classifier guidance); Nix
and Weigend, "Estimating the mean and variance of the target probability distribution", ICNN 1994. Labels: RDKit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from molscore.guidance.soft import SoftMolecules

WIDTH, LAYERS = 48, 3

LARGEST_TILT = 30.0
"""kT: between two classes of an atom or bond, in one evaluation. Where a target is far and time short, slopes are
steeper, and would overthrow all atoms at once."""

SLOPE = 10.0
"""kT for each standard deviation, of ``max`` and ``min``."""

LOG_VARIANCES = -7.0, 1.5
"""Of a property in units of its standard deviation: bounds."""


class PropertyNetwork(nn.Module):
    """Mean and logarithm of the variance of properties, in units of their standard deviations.

    Args:
        classes: K, of atoms.
        properties: P.
    """

    def __init__(self, classes: int, properties: int):
        super().__init__()
        self.enter = nn.Linear(classes + 3 + 2, WIDTH)
        self.layers = nn.ModuleList(nn.Linear(4 * WIDTH, WIDTH) for _ in range(LAYERS))
        self.hidden = nn.Linear(WIDTH + 3, 2 * WIDTH)
        self.leave = nn.Linear(2 * WIDTH + WIDTH, 2 * properties)

    def forward(self, molecules: SoftMolecules, t: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, P)`` each, at graph times ``t (B,)``."""
        atoms, bonds = (part.to(self.enter.weight) for part in (molecules.atoms, molecules.bonds))
        orders = bonds[..., 1:].movedim(-1, 1)  # (B, 3, N, N)
        there = molecules.mask[..., None].to(orders)
        time = torch.stack([t, t**2], -1).to(orders)
        wide = time[:, None].expand(-1, there.shape[1], -1)
        h = self.enter(torch.cat([atoms, orders.sum(-1).movedim(1, -1), wide], -1))
        for layer in self.layers:
            message = (orders @ h[:, None]).movedim(1, -2).flatten(-2)  # (B, N, 3 W)
            h = h + nn.functional.silu(layer(torch.cat([h, message], -1)))
        total = (h * there).sum(1) / 10
        size = there.sum(1) / 10
        hidden = nn.functional.silu(self.hidden(torch.cat([total, size, time], -1)))
        mean, raw = self.leave(torch.cat([hidden, total], -1)).chunk(2, -1)
        return mean, log_variances(raw)


def log_variances(raw: Tensor) -> Tensor:
    """What a network says, within `LOG_VARIANCES`."""
    low, high = LOG_VARIANCES
    return low + (high - low) * torch.sigmoid(raw)


class Aim(NamedTuple):
    """What a property is to be, in its own unit.

    Attributes:
        place: of the property among those of the network.
        low, high: bounds of what meets the target; infinite where it is ``max`` or ``min``; ``(B,)`` where each
            molecule has its own.
        sign: 1 for ``max``, -1 for ``min``, else 0.
    """

    place: int
    low: float | Tensor
    high: float | Tensor
    sign: int


class PropertyWish:
    """The energy of targets, in kT.

    Args:
        network: of all properties: a `PropertyNetwork`, or what is called like one.
        mean, deviation: ``(P,)``: of each property in the training data, in its unit.
        aims: the targets.
        least: standard deviation of a property, in units of that in the training data, below which none is believed.
            Where the network is sure the energy is steep, and pulls molecules apart that can no longer follow it.
    """

    longest_move = 0.03
    """Å that it may move an atom in one evaluation: geometry follows the graph."""

    def __init__(self, network: nn.Module, mean: Tensor, deviation: Tensor, aims: Sequence[Aim], least: float = 0.0):
        self.network, self.mean, self.deviation, self.aims, self.least = network, mean, deviation, list(aims), least

    def __call__(self, molecules: SoftMolecules, t: Tensor) -> Tensor:
        """See `molscore.guidance.soft.Wish`."""
        means, log_variances = self.network(limited(molecules), t)
        total = torch.zeros_like(means[:, 0])
        for k, low, high, sign in self.aims:
            scale = float(self.deviation[k])
            mu, s = means[:, k], (log_variances[:, k].detach() / 2).exp().clamp(min=self.least)
            if sign:
                total = total - sign * SLOPE * mu
            else:
                a, b = ((bound - float(self.mean[k])) / scale for bound in (low, high))
                total = total - log_mass((a - mu) / s, (b - mu) / s)
        return total


def limited(molecules: SoftMolecules) -> SoftMolecules:
    """The molecules, whose classes get slopes `LARGEST_TILT` apart at most; those of bonds in both directions."""
    atoms, bonds = molecules.atoms, molecules.bonds
    if atoms.requires_grad:
        atoms = atoms.clone()
        atoms.register_hook(lambda slope: _shortened(slope, LARGEST_TILT))
    if bonds.requires_grad:
        bonds = bonds.clone()
        bonds.register_hook(lambda slope: _shortened((slope + slope.transpose(1, 2)) / 2, LARGEST_TILT / 2))
    return molecules._replace(atoms=atoms, bonds=bonds)


def _shortened(slopes: Tensor, most: float) -> Tensor:
    """Slopes ``(..., K)`` whose largest and least differ by at most ``most``, in their proportions."""
    spread = slopes.amax(-1, keepdim=True) - slopes.amin(-1, keepdim=True)
    return slopes * (most / spread.clamp(min=most))


def log_mass(a: Tensor, b: Tensor) -> Tensor:
    """log (Phi(b) - Phi(a)) of the standard normal's distribution function, a < b, also far from both bounds.

    By symmetry the interval is taken where it lies below zero or about it: there log Phi keeps its digits.
    """
    above = a > 0
    a, b = torch.where(above, -b, a), torch.where(above, -a, b)
    low, high = torch.special.log_ndtr(a), torch.special.log_ndtr(b)
    return high + torch.log(-torch.expm1((low - high).clamp(max=-1e-6)))
