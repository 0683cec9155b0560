"""Grids of diffusion times, along which samplers and flows go."""

import torch
from jaxtyping import Float
from torch import Tensor

from molscore.core.sde import SDE


def time_grid(
    steps: int, t_min: float = 1e-3, t_max: float = 1.0, power: float = 1.0, middle: float = 0.0
) -> Float[Tensor, " knots"]:
    """Times that fall from `t_max` to `t_min`.

    They are t_max^(1/power) ... t_min^(1/power), raised to `power`, with even steps between if `middle` is 0; else step
    lengths are in proportion to 1 + middle cos(2 pi u), u from 0 to 1.

    Args:
        steps: number of steps K.
        t_min: the last time. Keep it above 0 where sigma(0) = 0.
        t_max: the first time.
        power: 1 for even steps; larger packs the steps towards `t_min` (Karras et al. 2022, eq. 5).
        middle: above -1 and below 1; larger packs the steps towards the middle.

    Returns:
        `(steps + 1,)`, float64.

    Raises:
        ValueError: no steps, or times not in order within [0, 1], or `power` or `middle` out of range.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if not 0 <= t_min < t_max <= 1:
        raise ValueError(f"need 0 <= t_min < t_max <= 1, got t_min={t_min}, t_max={t_max}")
    if power <= 0 or not -1 < middle < 1:
        raise ValueError(f"power must be positive and middle within (-1, 1), got power={power}, middle={middle}")
    u = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    u = u + middle * torch.sin(2 * torch.pi * u) / (2 * torch.pi)
    t = torch.lerp(torch.full_like(u, t_max ** (1 / power)), torch.full_like(u, t_min ** (1 / power)), u) ** power
    t[0], t[-1] = t_max, t_min
    return t


def log_snr_grid(sde: SDE, steps: int, t_min: float, t_max: float = 1.0) -> Float[Tensor, " knots"]:
    """Times that fall from `t_max` to `t_min`, evenly spaced in the logarithm of alpha² / sigma².

    Args:
        sde: the noising process.
        steps: number of steps K.
        t_min, t_max: the last time and the first, where sigma > 0.

    Returns:
        `(steps + 1,)`, float64.

    Raises:
        ValueError: as `time_grid`.
    """
    ends = time_grid(1, t_min, t_max)
    first, last = sde.log_snr(ends)
    wanted = torch.lerp(first, last, torch.linspace(0, 1, steps + 1, dtype=torch.float64))
    low, high = ends[1].expand_as(wanted).clone(), ends[0].expand_as(wanted).clone()
    for _ in range(60):  # log_snr falls with time: halve the bracket until float64 has no more digits
        middle = (low + high) / 2
        above = sde.log_snr(middle) > wanted
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    low[0], low[-1] = ends
    return low
