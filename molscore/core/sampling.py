"""Samplers: from noise at `times[0]` to data at `times[-1]`. Each is a plain function whose loop is the algorithm.

They follow, backward in time, the reverse SDE or its probability-flow ODE (see `sde`):

    euler_maruyama        dz = [f - g² s] dt + g dw, explicit Euler steps; 1 score a step
    predictor_corrector   the same step, then Langevin steps at the new time (`langevin`);
                          1 + corrector_steps scores a step
    probability_flow      dz = [f - g² s / 2] dt, Heun's second-order steps; 2 scores a step
    dpm_solver_pp_2m_sde  SDE-DPM-Solver++(2M): the linear part exact in log(alpha / sigma), the posterior mean
                          extrapolated from two steps (Lu et al. 2022); 1 score a step

All share the signature `sampler(sde, score, z, times, noise) -> z`:

* `score(z, t)` has the shape of `z`; whatever dtype it has, the state keeps the dtype of `z`, and the coefficients are
  computed in that dtype too.
* `times` is `(K + 1, ...)`, never rising; `times[k]` broadcasts against `z`, even as a clock for each element. An
  element whose clock stands still over a step (`times[k] == times[k + 1]`) is left exactly as it is.
* `noise(z)` draws a standard normal like `z`, so the caller rules over seeds, masks and symmetries.
* `on_step(k, K)`, if given, is called after step k = 1 ... K.

The result is a draw at `times[-1]`, noise floor included. For the cleaned state ask `mean_from_score` there.
"""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from molscore.core.langevin import Noise, langevin_corrector
from molscore.core.sde import SDE, Score, mean_from_score

OnStep = Callable[[int, int], None] | None


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
    wanted = torch.lerp(*sde.log_snr(ends), torch.linspace(0, 1, steps + 1, dtype=torch.float64))
    low, high = ends[1].expand_as(wanted).clone(), ends[0].expand_as(wanted).clone()
    for _ in range(60):  # log_snr falls with time: halve the bracket until float64 has no more digits
        middle = (low + high) / 2
        above = sde.log_snr(middle) > wanted
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    low[0], low[-1] = ends
    return low


def _steps(times: Tensor, z: Tensor, on_step: OnStep) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield (t, next t, does the clock move) for every step, and report each step once it is done."""
    if times.ndim == 0 or len(times) < 2:
        raise ValueError("times must hold at least two knots along its first axis")
    times = times.to(z)
    if (times[1:] > times[:-1]).any():
        raise ValueError("times must never rise: they run from noise (1) down to data (0)")
    count = len(times) - 1
    for k in range(count):
        yield times[k], times[k + 1], times[k] > times[k + 1]
        if on_step is not None:
            on_step(k + 1, count)


def euler_maruyama(
    sde: SDE,
    score: Score,
    z: Float[Tensor, "*shape"],
    times: Float[Tensor, "knots ..."],
    noise: Noise,
    *,
    on_step: OnStep = None,
) -> Float[Tensor, "*shape"]:
    """Euler–Maruyama steps of the reverse SDE; weak order 1.

    Args:
        sde: the forward process.
        score: `score(z, t)`.
        z: the state at `times[0]`, `(N, ...)`.
        times: `(K + 1, ...)`, never rising; `times[k]` broadcasts against `z`.
        noise: draws a standard normal like its argument.
        on_step: called with (k, K) after each step.

    Returns:
        The state at `times[-1]`, like `z`.

    Source: Song et al. 2021, section 4.1.
    """
    reverse = sde.reverse(score)
    for t, t_next, moves in _steps(times, z, on_step):
        dt = t - t_next
        moved = z - dt * reverse.drift(z, t) + dt.sqrt() * reverse.diffusion(t) * noise(z)
        z = torch.where(moves, moved, z)
    return z


def predictor_corrector(
    sde: SDE,
    score: Score,
    z: Float[Tensor, "*shape"],
    times: Float[Tensor, "knots ..."],
    noise: Noise,
    *,
    snr: float = 0.16,
    corrector_steps: int = 1,
    on_step: OnStep = None,
) -> Float[Tensor, "*shape"]:
    """Euler–Maruyama predictor, Langevin corrector.

    Args:
        sde: the forward process.
        score: `score(z, t)`.
        z: the state at `times[0]`, `(N, ...)`; the first axis counts samples.
        times: `(K + 1, ...)`, never rising; `times[k]` broadcasts against `z`. The score is asked at `times[-1]` too,
            where it must be finite.
        noise: draws a standard normal like its argument.
        snr: signal-to-noise ratio of a Langevin step, dimensionless.
        corrector_steps: Langevin steps after each predictor step.
        on_step: called with (k, K) after each step.

    Returns:
        The state at `times[-1]`, like `z`.

    Source: Song et al. 2021, algorithms 2 to 5.
    """
    reverse = sde.reverse(score)
    for t, t_next, moves in _steps(times, z, on_step):
        dt = t - t_next
        moved = z - dt * reverse.drift(z, t) + dt.sqrt() * reverse.diffusion(t) * noise(z)
        z = torch.where(moves, moved, z)
        z = langevin_corrector(sde, score, z, t_next, noise, moves, steps=corrector_steps, snr=snr)
    return z


def probability_flow(
    sde: SDE,
    score: Score,
    z: Float[Tensor, "*shape"],
    times: Float[Tensor, "knots ..."],
    noise: Noise | None = None,
    *,
    on_step: OnStep = None,
) -> Float[Tensor, "*shape"]:
    """Heun steps of the probability-flow ODE; order 2, deterministic (`noise` is not used).

    Args:
        sde: the forward process.
        score: `score(z, t)`; it is asked at `times[-1]` too, where it must be finite.
        z: the state at `times[0]`, `(N, ...)`.
        times: `(K + 1, ...)`, never rising; `times[k]` broadcasts against `z`.
        noise: unused, there for the common signature.
        on_step: called with (k, K) after each step.

    Returns:
        The state at `times[-1]`, like `z`.

    Source: Song et al. 2021, section 4.3; Heun's method as in Karras et al. 2022, algorithm 1.
    """
    reverse = sde.reverse(score)
    for t, t_next, moves in _steps(times, z, on_step):
        dt = t - t_next
        slope = reverse.flow(z, t)
        ahead = torch.where(moves, z - dt * slope, z)
        moved = z - dt * (slope + reverse.flow(ahead, t_next)) / 2
        z = torch.where(moves, moved, z)
    return z


def dpm_solver_pp_2m_sde(
    sde: SDE,
    score: Score,
    z: Float[Tensor, "*shape"],
    times: Float[Tensor, "knots ..."],
    noise: Noise,
    *,
    eta: float | Tensor = 1.0,
    final_first_order: bool = True,
    on_step: OnStep = None,
) -> Float[Tensor, "*shape"]:
    """SDE-DPM-Solver++(2M): few steps, stochastic.

    In l = log(alpha / sigma), with h = l_next - l, H = (1 + eta) h and D the posterior mean E[z_0 | z_t], a step is

        z_next = sigma_next / sigma e^(-eta h) z + alpha_next (1 - e^-H) D
                 + alpha_next (1 - e^-H) / 2 (D - D_last) h / h_last + sigma_next sqrt(1 - e^(-2 eta h)) eps.

    All but D is exact; the second line is its linear extrapolation. The first step of an element has no second line;
    nor has a step to sigma = 0, nor the last, if `final_first_order`.

    Args:
        sde: the forward process.
        score: `score(z, t)`.
        z: the state at `times[0]`, `(N, ...)`.
        times: `(K + 1, ...)`, never rising; `times[k]` broadcasts against `z`.
        noise: draws a standard normal like its argument.
        eta: share of the reverse SDE's noise: 1 is the reverse SDE, 0 the probability-flow ODE (DPM-Solver++(2M)); any
            other, also above 1, the SDE of the same marginals whose noise is sqrt(eta) g. A tensor broadcasts against
            `z`: elements may differ.
        final_first_order: end with a first-order step; more stable with few steps.
        on_step: called with (k, K) after each step.

    Returns:
        The state at `times[-1]`, like `z`.

    Source: Lu et al., "DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models", 2022.
    """
    last = len(times) - 2
    eta = torch.as_tensor(eta, dtype=z.dtype, device=z.device)
    noisy = bool((eta > 0).any())
    mean_last = h_last = None
    for k, (t, t_next, moves) in enumerate(_steps(times, z, on_step)):
        _, sigma = sde.marginal(t)
        alpha_next, sigma_next = sde.marginal(t_next)
        h = ((sde.log_snr(t_next) - sde.log_snr(t)) / 2).clamp(max=50)  # infinite on the way to sigma = 0
        weight = alpha_next * -torch.expm1(-(1 + eta) * h)

        mean = mean_from_score(sde, z, t, score(z, t).to(z))
        moved = sigma_next / sigma * torch.exp(-eta * h) * z + weight * mean
        if mean_last is not None and not (final_first_order and k == last):
            usable = (h_last > 0) & (sigma_next > 0)
            moved = moved + torch.where(usable, weight * h / 2 * (mean - mean_last) / h_last, 0)
        if noisy:
            moved = moved + sigma_next * torch.sqrt(-torch.expm1(-2 * eta * h)) * noise(z)

        z = torch.where(moves, moved, z)
        mean_last, h_last = mean, h
    return z


SAMPLERS = {
    "em": euler_maruyama,
    "pc": predictor_corrector,
    "ode": probability_flow,
    "dpm": dpm_solver_pp_2m_sde,
}
