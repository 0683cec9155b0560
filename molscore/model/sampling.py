"""New molecules from a model: noise, the reverse SDE of the core, the last posterior mean.

The way back ends at a small time `t_end`, not at 0: there the posterior mean, which is the result, is already as sharp
as at 0, and it costs no evaluation of the network beyond that of the last step.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from molscore import forks
from molscore.core.langevin import langevin_corrector
from molscore.core.sampling import SAMPLERS, time_grid
from molscore.core.sde import score_from_mean
from molscore.model.config import SamplingConfig
from molscore.model.diffusion import BOND_CLASSES, MoleculeDiffusion, Prediction
from molscore.model.fakes import fakes_for
from molscore.model.state import Shape, molecule_noise, pair_mask, size_mask


class Sample(NamedTuple):
    """One molecule as it left the model: positions (n, 3) in Å, class probabilities (n, K) and (n, n, 4)."""

    positions: np.ndarray
    atom_probabilities: np.ndarray
    bond_probabilities: np.ndarray


@torch.no_grad()
def sample(
    model: MoleculeDiffusion,
    n_atoms: Sequence[int],
    streams: Sequence[np.random.Generator],
    *,
    steps: int | None = None,
    sampler: str = "dpm",
    corrector: int = 0,
    snr: float = 0.16,
    on_step: Callable[[int, int], None] | None = None,
    **settings: float,
) -> list[Sample]:
    """Draws molecules of given sizes.

    Args:
        model: the model, on the device to work on.
        n_atoms: atoms of each molecule; a model with fake atoms returns about as many.
        streams: one for each molecule, see `molscore.randomness`; all its noise comes from there.
        steps: steps from noise to molecule; None takes the model's. The last is the posterior mean, one evaluation of
            the network; each of the others is a step of the sampler, one evaluation, or two with ``ode`` and ``pc``.
        sampler: a name in `molscore.core.sampling.SAMPLERS`.
        corrector, snr: Langevin steps at `t_end`, one more evaluation each, and their signal-to-noise ratio, see
            `molscore.core.sampling.predictor_corrector`.
        on_step: called with (step, steps).
        settings: changes to the model's own `SamplingConfig`. ``power`` and ``middle`` pack the steps towards the end,
            and towards the middle, see `molscore.core.sampling.time_grid`. ``t_end`` is the graph time at which the
            posterior mean is taken. ``eta_x`` and ``eta_g`` are the noise of ``dpm`` in coordinates and graph: 0 is the
            probability-flow ODE, 1 the reverse SDE, more corrects more of the errors made before; the other samplers
            have no choice.

    Returns:
        As many samples, in the same order.

    Raises:
        ValueError: for an unknown sampler or setting, steps or a size below 1, other than one stream for each
            molecule, or times that are not in order.
    """
    forks.check()
    if sampler not in SAMPLERS:
        raise ValueError(f"unknown sampler '{sampler}'; choose one of {', '.join(SAMPLERS)}")
    if len(n_atoms) != len(streams):
        raise ValueError(f"{len(n_atoms)} molecules need as many streams, not {len(streams)}")
    if steps is not None and steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    own = model.config.sampling
    chosen = SamplingConfig.model_validate(own.model_dump() | settings | {"steps": steps or own.steps})
    steps = chosen.steps
    if any(n < 1 for n in n_atoms):
        raise ValueError(f"a molecule has at least one atom, not {min(n_atoms)}")
    if len(n_atoms) == 0:
        return []
    device, dtype = model.device, model.dtype
    n_atoms = [n + fakes for n, fakes in zip(n_atoms, fakes_for(model.config.fake_atoms, streams), strict=True)]
    mask = size_mask(n_atoms, device)
    shape = Shape(mask.shape[1], len(model.classes), BOND_CLASSES)
    atoms, pairs = mask[..., None], pair_mask(mask)[..., None]
    scale = model.config.category_scale
    # The diagonal of the bond state is kept empty; the network knows it as "no bond", without noise.
    empty = torch.zeros(shape.atoms, shape.atoms, BOND_CLASSES, dtype=dtype, device=device)
    empty[..., 0].fill_diagonal_(scale)
    previous: Prediction | None = None
    report = on_step or (lambda step, steps: None)

    def noise(z: Tensor) -> Tensor:
        return molecule_noise(shape, n_atoms, streams).to(z)

    def predict(z: Tensor, t: Tensor) -> Tensor:
        """Posterior mean of the whole state at times ``t (D,)``; keeps the prediction for the next call."""
        nonlocal previous
        t_x, t_g = t[0].to(dtype), t[-1].to(dtype)
        x, a, e = shape.unpack(z.to(dtype))
        alpha, _ = model.sde.marginal(t_g)
        clocks = torch.stack([t_x, t_g]).expand(len(mask), 2)
        seen = previous if model.config.self_conditioning else None  # else the network has never met one
        previous = model.predict(x, a, e + alpha * empty, mask, clocks, seen)
        a, e = (scale * y.softmax(-1) * y_mask for y, y_mask in zip(previous[1:], (atoms, pairs), strict=True))
        return shape.pack(previous.positions, a, e).to(z)

    def score(z: Tensor, t: Tensor) -> Tensor:
        return score_from_mean(model.sde, z, t.to(z), predict(z, t))

    t = time_grid(max(steps - 1, 1), t_min=chosen.t_end, power=chosen.power, middle=chosen.middle)[:steps].to(device)
    times = shape.clocks(model.position_clock(t), t)
    z = model.sde.prior(noise(torch.empty(0, dtype=torch.float64, device=device)))
    if steps > 1:
        eta = shape.clocks(*torch.tensor([chosen.eta_x, chosen.eta_g], dtype=torch.float64, device=device))
        options = {"eta": eta, "final_first_order": False} if sampler == "dpm" else {}
        z = SAMPLERS[sampler](model.sde, score, z, times, noise, on_step=lambda k, _: report(k, steps), **options)
        z = langevin_corrector(model.sde, score, z, times[-1], noise, steps=corrector, snr=snr)
    predict(z, times[-1])
    report(steps, steps)
    positions = (previous.positions * model.config.position_scale).float().cpu().numpy()
    a, e = (logits.softmax(-1).float().cpu().numpy() for logits in (previous.atom_logits, previous.bond_logits))
    samples = [Sample(positions[k, :n], a[k, :n], e[k, :n, :n]) for k, n in enumerate(n_atoms)]
    return [without_fakes(one) for one in samples] if model.config.fake_atoms else samples


def without_fakes(one: Sample) -> Sample:
    """Leaves out the atoms whose most probable class is the last one, and that class."""
    real = one.atom_probabilities.argmax(-1) < one.atom_probabilities.shape[-1] - 1
    return Sample(one.positions[real], one.atom_probabilities[real, :-1], one.bond_probabilities[real][:, real])
