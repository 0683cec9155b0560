"""Samples of a model: from a start to the last posterior mean, along given times. Every job is a choice of these.

    job                   times of positions    of the graph    start
    new molecules         t ^ position_power    t               noise
    conformers            t                     0               noise, or a geometry noised to the first time
    completion            0 where given, else as above          noise, and what is given
    likes of a shape      t, no more than t₀    t               positions noised to t₀, the graph noise
    uncertainty           t                     0               the molecule, noised a little

The way back ends at a small time `t_end`, not at 0: there the posterior mean, which is the result, is already as sharp
as at 0, and it costs no evaluation of the network beyond that of the last step.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser, Posterior
from molscore.core.samplers import DPMSolver, Noise, Sampler, SamplerState
from molscore.core.sde import perturb
from molscore.core.times import time_grid
from molscore.datasets.batch import MoleculeBatch
from molscore.model.completion import Given, whole
from molscore.model.config import SamplingConfig
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.device import sent
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.fakes import fakes_for
from molscore.model.placed import in_place
from molscore.model.state import Times, molecule_noise, size_mask
from molscore.reprs import short_repr


def sample(
    denoiser: Denoiser,
    sampler: Sampler,
    times: Tensor,
    noise: Noise,
    start: Tensor,
    on_step: Callable[[int, int], None] | None = None,
) -> Posterior:
    """Goes from a start along times, and takes the posterior mean at the last.

    Args:
        denoiser: see `molscore.model.denoisers`; guided or not.
        sampler: see `molscore.core.samplers`.
        times: ``(K, ...)``, never rising; each broadcasts against the state. One evaluation for the mean at the last,
            and one or two, as the sampler needs, for each step before.
        noise: draws a standard normal like its argument.
        start: the state at the first time.
        on_step: called with (step, K), the mean being the last step.

    Returns:
        The mean, and the denoiser's carry.
    """
    count, times = len(times), times.to(start.device)
    report = on_step or (lambda step, steps: None)
    state = SamplerState(start)
    if count > 1:
        state = sampler.sample(denoiser, start, times, noise, on_step=lambda k, _: report(k, count))
    posterior = denoiser(state.z, times[-1].to(start), state.carry)
    report(count, count)
    return posterior


class Sample(NamedTuple):
    """One molecule as it left the model: positions (n, 3) in Å, class probabilities (n, K) and (n, n, 4)."""

    positions: np.ndarray
    atom_probabilities: np.ndarray
    bond_probabilities: np.ndarray

    def __repr__(self) -> str:
        return short_repr(self)


@torch.no_grad()
def sample_molecules(
    model: MoleculeDiffusion,
    n_atoms: Sequence[int],
    streams: Sequence[np.random.Generator],
    *,
    steps: int | None = None,
    sampler: Sampler | None = None,
    guide: Callable[[MoleculeDenoiser], Denoiser] | None = None,
    steer: Callable[[Sampler, MoleculeDenoiser], Sampler] | None = None,
    given: Given | None = None,
    near: tuple[MoleculeBatch, float] | None = None,
    around: tuple[Callable[[int, np.random.Generator], np.ndarray], float] | None = None,
    classes: Sequence[bool] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    **settings: float,
) -> list[Sample]:
    """Molecules of given sizes.

    Args:
        model: the model, on the device to work on.
        n_atoms: atoms of each molecule, given ones included; a model with fake atoms returns about as many.
        streams: one for each molecule, see `molscore.randomness`; all its noise comes from there.
        steps: steps from noise to molecule; None takes the model's. The last is the posterior mean, one evaluation of
            the network; each of the others is a step of the sampler.
        sampler: None takes `DPMSolver` with the noise of the settings ``eta_x`` and ``eta_g``.
        guide: what to make of the model's denoiser, such as `molscore.core.guidance.Guided` of it.
        steer: what to make of the sampler, such as `molscore.core.steering.Steered` of it.
        given: parts that are known, see `molscore.model.completion`.
        near: molecules of these sizes, and the time in (0, 1] to which they are noised: the way back starts there. The
            steps are the share of that time of all.
        around: where n atoms start, ``(n, 3)`` Å, a function of n and a stream; and the graph time to whose position
            time they are noised. There they wait until the graph, which comes from pure noise, is as far.
        classes: which atom classes may be made; None is all.
        on_step: called with (step, steps).
        settings: changes to the model's own `SamplingConfig`. ``power`` and ``middle`` pack the steps towards the end,
            and towards the middle, see `molscore.core.times.time_grid`. ``t_end`` is the graph time at which the
            posterior mean is taken. ``eta_x`` and ``eta_g`` are the noise in coordinates and graph: 0 is the
            probability-flow ODE, 1 the reverse SDE, more corrects more of the errors made before.

    Returns:
        As many samples, in the same order.

    Raises:
        ValueError: for an unknown setting, steps or a size below 1, other than one stream for each molecule, times that
            are not in order, or given parts that do not fit.
    """
    if len(n_atoms) != len(streams):
        raise ValueError(f"{len(n_atoms)} molecules need as many streams, not {len(streams)}")
    if steps is not None and steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    own = model.config.sampling
    chosen = SamplingConfig.model_validate(own.model_dump() | settings | {"steps": steps or own.steps})
    if any(n < 1 for n in n_atoms):
        raise ValueError(f"a molecule has at least one atom, not {min(n_atoms)}")
    if len(n_atoms) == 0:
        return []
    device, dtype = model.device, torch.float64
    n_atoms = [n + fakes for n, fakes in zip(n_atoms, fakes_for(model.config.fake_atoms, streams), strict=True)]
    mask = size_mask(n_atoms, device)
    given = None if given is None else given.padded(mask)
    allowed = None if classes is None else torch.tensor(classes, device=device)
    stereo, least = (None, None) if given is None else (given.stereo, given.least)
    denoiser = MoleculeDenoiser(model, mask, stereo, allowed, least)
    layout = denoiser.layout
    framed = None if given is None else given.positions.any(1).tolist()

    def noise(z: Tensor) -> Tensor:
        return sent(molecule_noise(layout, n_atoms, streams, framed), z)

    t = time_grid(max(chosen.steps - 1, 1), t_min=chosen.t_end, power=chosen.power, middle=chosen.middle)
    t = t[: chosen.steps]
    if near is not None:
        t = times_from(t, near[1])
    t = t.to(device)
    times = Times.uniform(model.position_time(t)[:, None], t[:, None], layout.atoms)
    start = model.sde.prior(noise(torch.empty(0, dtype=dtype, device=device)))
    if near is not None:
        clean = whole(near[0]).padded(mask).start(model, layout.unpack(start))
        first = Times(*(y[0].expand(len(mask), *y.shape[2:]) for y in times))
        start = layout.pack(model.noised(clean, first, layout.unpack(start)))
    if around is not None:
        latest = model.position_time(torch.tensor(around[1], dtype=dtype, device=device))
        times, state = times._replace(x=times.x.clamp(max=latest)), layout.unpack(start)
        placed = _places(around[0], n_atoms, streams, mask) / model.config.position_scale
        start = layout.pack(state._replace(x=perturb(model.sde, placed, latest, state.x)))
    if given is not None:
        times, start = given.parts.times(times), layout.pack(given.start(model, layout.unpack(start)))
    if sampler is None:
        eta = torch.tensor([chosen.eta_x, chosen.eta_g], dtype=dtype, device=device)
        sampler = DPMSolver(layout.pack_times(Times.uniform(eta[0], eta[1], layout.atoms)), chosen.order)
    sampler = sampler if steer is None else steer(sampler, denoiser)
    used = denoiser if guide is None else guide(denoiser)
    last = sample(used, sampler, layout.pack_times(times), noise, start, on_step)
    mean = layout.unpack(last.mean)
    positions = mean.x.to(model.dtype) * model.config.position_scale
    positions = in_place(positions, last.carry)
    positions = positions if given is None else positions + given.origin
    itself = torch.eye(layout.atoms, dtype=torch.bool, device=device)
    parts = positions, probabilities(mean.a), probabilities(mean.e, itself)
    x, a, e = (part.float().cpu().numpy() for part in parts)
    samples = [Sample(x[k, :n], a[k, :n], e[k, :n, :n]) for k, n in enumerate(n_atoms)]
    return [without_fakes(raw) for raw in samples] if model.config.fake_atoms else samples


def _places(
    place: Callable[[int, np.random.Generator], np.ndarray],
    n_atoms: Sequence[int],
    streams: Sequence[np.random.Generator],
    mask: Tensor,
) -> Tensor:
    """Where atoms start ``(B, N, 3)`` Å; padding is zero."""
    x = torch.zeros(*mask.shape, 3, dtype=torch.float64)
    for row, (n, stream) in enumerate(zip(n_atoms, streams, strict=True)):
        x[row, :n] = torch.from_numpy(place(n, stream))
    return x.to(mask.device)


def times_from(times: Tensor, first: float) -> Tensor:
    """Falling times ``(K,)`` from ``first`` on.

    A first step of less than half the second is left out: solvers of second order divide by it.
    """
    later = times[times < first]
    if len(later) > 1 and first - later[0] < (later[0] - later[1]) / 2:
        later = later[1:]
    return torch.cat([times.new_tensor([first]), later])


def probabilities(mean: Tensor, none: Tensor | None = None) -> Tensor:
    """Mean one-hot vectors, of any scale, as probabilities; `none` says where the first class is certain."""
    mean = mean.clamp(min=0)
    if none is not None:
        mean = torch.where(none[..., None], torch.eye(mean.shape[-1]).to(mean)[0], mean)
    return mean / mean.sum(-1, keepdim=True).clamp(min=torch.finfo(mean.dtype).tiny)


def without_fakes(raw: Sample) -> Sample:
    """Leaves out the atoms whose most probable class is the last one, and that class."""
    real = raw.atom_probabilities.argmax(-1) < raw.atom_probabilities.shape[-1] - 1
    return Sample(raw.positions[real], raw.atom_probabilities[real, :-1], raw.bond_probabilities[real][:, real])
