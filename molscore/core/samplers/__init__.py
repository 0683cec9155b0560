"""Samplers: from noise to data, backward along a diffusion. One file each; `sampler` holds what they share.

EulerMaruyama         dz = [f - g² s] dt + g dw, explicit Euler steps; 1 evaluation of the denoiser a step
PredictorCorrector    one sampler's step, then another's at the new time; by default the one above and `Langevin`
Heun                  dz = [f - g² s / 2] dt, second-order steps; 2 evaluations a step
DPMSolver             SDE-DPM-Solver++(2M): the linear part exact, the posterior mean extrapolated; 1 a step
Langevin              steps at one noise level after another; `steps` evaluations a step
"""

from collections.abc import Callable

from molscore.core.samplers.dpm_solver import DPMSolver
from molscore.core.samplers.euler_maruyama import EulerMaruyama
from molscore.core.samplers.heun import Heun
from molscore.core.samplers.langevin import Langevin
from molscore.core.samplers.predictor_corrector import PredictorCorrector
from molscore.core.samplers.sampler import Noise, OnStep, Sampler, SamplerState

SAMPLERS: dict[str, Callable[[], Sampler]] = {
    "em": EulerMaruyama,
    "pc": PredictorCorrector,
    "ode": Heun,
    "dpm": DPMSolver,
}
"""By the names that the command line knows."""

__all__ = [
    "SAMPLERS",
    "DPMSolver",
    "EulerMaruyama",
    "Heun",
    "Langevin",
    "Noise",
    "OnStep",
    "PredictorCorrector",
    "Sampler",
    "SamplerState",
]
