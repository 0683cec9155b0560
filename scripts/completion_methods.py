"""Completion with and without training for it: what is given is held, replaced, a goal of guidance, or a potential.

    given       parts at time 0, what is made at time t: what the product does; a network has to be trained for it
    replaced    all atoms at one time, and what is known put in the place of its posterior mean, until it is released
    guided      all atoms at one time, the score moved towards what is known: down the gradient of an energy
    particles   sequential Monte Carlo, by the same energy; of parts that are given, by how well they are joined

and any of these with each step gone several times. An energy is the squared distance of what is known from its
posterior mean over twice the variance sigma² / (alpha² + sigma²), that of standard normal data given their noisy state
(Song et al., "Pseudoinverse-guided diffusion models", ICLR 2023), in units of the state. Replacement within sequential
Monte Carlo is that of Trippe et al., "Diffusion probabilistic modeling of protein backbones in 3D", ICLR 2023.

All atoms at one time have no frame but that of what is known: its centre is the origin, and noise turns nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molscore.core.denoiser import Denoiser, Posterior
from molscore.core.guidance import Guided, RePaint, Replaced
from molscore.core.samplers import DPMSolver, Noise, OnStep, Sampler, SamplerState
from molscore.core.steering import Steered
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.completion import given_parts
from molscore.model import MoleculeDiffusion, Sample, sample_molecules
from molscore.model.completion import Given
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.diffusion import BOND_CLASSES
from molscore.model.features import Prediction
from molscore.model.state import Layout, MoleculeState, Times, centres, pair_mask, size_mask
from molscore.network.geometry import centre
from molscore.randomness import Purpose, stream

CERTAIN = 50.0
"""Logit of a class that is known."""

APART, STIFFNESS = 3.0, 5.0
"""Å between atoms with neither bond nor angle; nats per Å² by which they lie closer."""


@dataclass(frozen=True)
class Arm:
    """A way to complete.

    Attributes:
        trained: by the network that was trained for it.
        given: parts are at time 0.
        release: graph time down to which they are replaced; None does not replace them.
        times: how often each step is gone.
        scale: of guidance by the gradient of the energy; 0 is none.
        particles: side by side; 1 is none.
        weight: of the potential of particles.
    """

    trained: bool = False
    given: bool = False
    release: float | None = None
    times: int = 1
    scale: float = 0
    particles: int = 1
    weight: float = 1

    def steps(self, evaluations: int) -> int:
        """The most that take no more evaluations: the last takes one, as do particles that are weighed at last."""
        return (evaluations - 1 - (self.particles > 1)) // self.times + 1

    def samples(
        self, generator: MoleculeGenerator, options: GenerationOptions, count: int, seed: int, evaluations: int
    ) -> list[Sample]:
        """So many completions, in the frame of the part.

        Raises:
            ValueError: if the model cannot make them, or they are no whole groups of particles.
        """
        if count % self.particles:
            raise ValueError(f"{count} samples are no whole groups of {self.particles} particles")
        model, part = generator.model, options.part
        assert part is not None and part.posed
        if model.config.fake_atoms:
            raise ValueError("particles are of one size, which fake atoms change")
        sizes = generator.sizes_for(options).cumsum()
        streams = [stream(seed, Purpose.MOLECULE, k) for k in range(count)]
        n_atoms = [int(np.searchsorted(sizes, rng.random() * sizes[-1], side="right")) for rng in streams]
        n_atoms = [n_atoms[k - k % self.particles] for k in range(count)]
        given = given_parts(part, model, count).padded(size_mask(n_atoms, model.device))
        task = Task(self, model, given, torch.Generator().manual_seed(seed))
        return sample_molecules(
            model,
            n_atoms,
            streams,
            steps=self.steps(evaluations),
            sampler=task.sampler(),
            guide=task.guide,
            given=given if self.given else None,
        )


class Task:
    """An arm's denoiser and sampler for one batch.

    Args:
        arm: which.
        model: of the molecules.
        given: what is known of them.
        random: source of the numbers by which particles are drawn.
    """

    def __init__(self, arm: Arm, model: MoleculeDiffusion, given: Given, random: torch.Generator):
        self.arm, self.model, self.given, self.random = arm, model, given, random
        self.layout = Layout(given.batch.mask.shape[1], len(model.classes), BOND_CLASSES)
        self.classes = given.graph, given.parts.pairs & pair_mask(given.batch.mask)
        self.mask = self.layout.pack_times(Times(given.positions, *self.classes))
        nothing = torch.zeros(self.mask.shape, dtype=torch.float64, device=model.device)
        self.known = self.layout.pack(given.start(model, self.layout.unpack(nothing)))

    def guide(self, denoiser: MoleculeDenoiser) -> Denoiser:
        """What to make of the model's denoiser."""
        if self.arm.given:
            return denoiser
        guided: Denoiser = Framed(denoiser, self.given.positions, None if self.arm.release is None else self.corrected)
        if self.arm.scale:
            guided = Guided(guided, self.energy, self.arm.scale)
        return self.replaced(guided) if self.arm.particles == 1 else guided

    def replaced(self, denoiser: Denoiser) -> Denoiser:
        """The denoiser, with what is known in its place until it is released."""
        if self.arm.release is None:
            return denoiser
        return Replaced(denoiser, self.known, self.mask, self.release)

    @property
    def release(self) -> Tensor:
        """The time down to which each element is replaced."""
        time = torch.tensor(self.arm.release or 0.0, dtype=torch.float64)
        return self.layout.pack_times(Times.uniform(self.model.position_time(time), time, self.layout.atoms))

    def corrected(self, previous: Prediction, t: Tensor) -> Prediction:
        """The previous prediction as the network sees it: right about what is replaced."""
        known = self.layout.unpack(self.known.to(previous.positions))
        mask = self.layout.unpack(self.mask & (t > self.release))
        placed = known.x + centres(previous.positions, self.given.positions)
        own = MoleculeState(placed, *(CERTAIN * y / self.model.config.category_scale for y in known[1:]))
        return Prediction(*(torch.where(held, new, old) for held, new, old in zip(mask, own, previous, strict=True)))

    def sampler(self) -> Sampler:
        """The model's own sampler, and what the arm makes of it."""
        own = self.model.config.sampling
        x, graph = torch.tensor([own.eta_x, own.eta_g], dtype=torch.float64)
        sampler: Sampler = DPMSolver(self.layout.pack_times(Times.uniform(x, graph, self.layout.atoms)))
        if self.arm.particles > 1:
            sampler = Within(sampler, self.replaced)
        if self.arm.times > 1:
            sampler = RePaint(sampler, self.arm.times)
        if self.arm.particles > 1:
            sampler = Settled(sampler, self.potential, self.uniform, self.arm.particles)
        return sampler

    def uniform(self, like: Tensor) -> Tensor:
        """Uniform numbers."""
        return torch.rand(like.shape, generator=self.random, dtype=like.dtype)

    def energy(self, mean: Tensor, t: Tensor) -> Tensor:
        """``(B,)``: less the log likelihood of what is known, see the module; a bond counts in either direction."""
        known, (x, a, e) = self.layout.unpack(self.known.to(mean)), self.layout.unpack(mean)
        alpha, sigma = self.model.sde.marginal(self.layout.unpack_times(t).x[..., None])
        variance = (sigma**2 / (alpha**2 + sigma**2)).clamp(min=1e-4)
        energy = torch.where(self.given.positions[..., None], (x - known.x) ** 2 / (2 * variance), 0).sum((1, 2))
        for held, wanted, classes in zip(self.classes, known[1:], (a, e), strict=True):
            probability = (wanted * classes).sum(-1) / self.model.config.category_scale**2
            energy = energy - torch.where(held, probability.clamp(min=1e-9).log(), 0).flatten(1).sum(1)
        return energy

    def potential(self, posterior: Posterior, t: Tensor) -> Tensor:
        """``(B,)``: log weight of a particle."""
        mean = posterior.mean
        return self.arm.weight * (self.joined(mean) if self.arm.given else -self.energy(mean, t))

    def joined(self, mean: Tensor) -> Tensor:
        """``(B,)``: log probability that all atoms to be bonded are, less what lies too close with no bond to hold it.

        Atoms of which one is made, and between which there is neither a bond nor an angle, are to be `APART`.
        """
        given, (x, _, e) = self.given, self.layout.unpack(mean)
        atoms = given.batch.mask
        made, open_ = atoms & ~given.graph, given.graph if given.closed is None else given.graph & ~given.closed
        bond = (1 - e[..., 0] / self.model.config.category_scale).clamp(0, 1) * pair_mask(atoms)
        bonded = 1 - torch.where(made[:, None], 1 - bond, 1).prod(-1)
        logs = torch.where(open_, bonded.clamp(min=1e-4).log(), 0).sum(1)
        free = (1 - bond) * (1 - (bond @ bond).clamp(max=1)) * (pair_mask(atoms) & (made[:, None] | made[..., None]))
        close = (APART - torch.cdist(x, x) * self.model.config.position_scale).clamp(min=0)
        return logs - (STIFFNESS * close**2 * free).sum((1, 2)) / 2


class Framed(Denoiser):
    """Of all atoms at one time, in the frame of some of them, whose centre is the origin.

    The model's own is of centred states, and finds its mean centred.

    Args:
        denoiser: the model's.
        atoms: ``(B, N)`` bool, those whose mean has its centre at the origin.
        corrected: the previous prediction, at a time, as the network is to see it.
    """

    def __init__(
        self,
        denoiser: MoleculeDenoiser,
        atoms: Tensor,
        corrected: Callable[[Prediction, Tensor], Prediction] | None = None,
    ):
        self.denoiser, self.atoms, self.corrected, self.sde = denoiser, atoms, corrected, denoiser.sde

    def denoise(self, z: Tensor, t: Tensor, carry: Any) -> Posterior:
        own = self.denoiser
        x, a, e = own.layout.unpack(z)
        # A gradient is to be symmetric as the state is, and nothing in the padding.
        state = MoleculeState(centre(x, own.mask), a * own.parts[0], (e + e.transpose(1, 2)) / 2 * own.parts[1])
        if self.corrected is not None and carry is not None:
            carry = self.corrected(carry, t)
        mean, carry = own(own.layout.pack(state), t, carry)
        x, a, e = own.layout.unpack(mean)
        x = (x - centres(x, self.atoms)) * own.parts[0]
        return Posterior(own.layout.pack(MoleculeState(x, a, e)), carry)


@dataclass(frozen=True, eq=False)
class Within(Sampler):
    """A sampler that sees another denoiser than those around it.

    Attributes:
        sampler: whose steps are taken.
        change: what it is to see, made of the denoiser.
    """

    sampler: Sampler
    change: Callable[[Denoiser], Denoiser]

    def step(self, denoiser: Denoiser, state: SamplerState, t: Tensor, s: Tensor, noise: Noise) -> SamplerState:
        return self.sampler.step(self.change(denoiser), state, t, s, noise)


@dataclass(frozen=True, eq=False)
class Settled(Steered):
    """Steering whose particles are weighed and drawn a last time at the last time; one evaluation more."""

    def sample(
        self,
        denoiser: Denoiser,
        z: Tensor,
        times: Tensor,
        noise: Noise,
        *,
        carry: Any = None,
        on_step: OnStep = None,
    ) -> SamplerState:
        state = super().sample(denoiser, z, times, noise, carry=carry, on_step=on_step)
        return self.settled(denoiser, state, times[-1])
