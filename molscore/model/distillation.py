"""Distillation of molecules to few steps, see `molscore.core.distillation`.

The student takes the teacher's place in the same sampler, in first-order steps. It is trained on its own samples: those
of a batch are made from noise, as they will be, with the prediction of each step handed to the next, and what it
returns at every step is judged. Data say how large molecules are, and what is given of them; that stays as it is.
Positions are weighted as in the denoising loss; of classes the student's logits are moved.

The teacher's own way of taking steps plays no part: the student can be better than the teacher at as many steps, and
than the teacher at many.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from molscore.core.distillation import moment_matching
from molscore.core.samplers.dpm_solver import ancestral
from molscore.core.times import log_snr_grid, time_grid
from molscore.datasets.batch import MoleculeBatch
from molscore.model.config import DiffusionConfig
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.features import Prediction, softmax
from molscore.model.state import MoleculeState, Parts, Times, frame_noise, in_frame, pair_mask, symmetric
from molscore.model.tasks import known_tags, task_parts

FINE = 64
"""Knots of a step, between which its times are interpolated."""
LAST = 1 / 3
"""The last step's molecules are noised to times from this share of its own on."""
JOINING, SETTLED, OPEN = 0.03, 0.45, 0.7
"""Weight of what `apart` says, and the graph times between which it is asked: at greater ones what a student returns is
hardly a molecule; at smaller ones no atom moves as far as two pieces are apart."""


class Distillation(nn.Module):
    """A student, its critic and their teacher.

    Args:
        student: is trained; begin from the teacher's weights. Its number of steps and their noise are those of its
            configuration, two steps at least.
        critic: is trained beside it; begin from the teacher's weights too.
        teacher: is not trained.
    """

    grid: Tensor

    def __init__(self, student: MoleculeDiffusion, critic: MoleculeDiffusion, teacher: MoleculeDiffusion):
        super().__init__()
        self.student, self.critic = student, critic
        self.teacher = (teacher.requires_grad_(False).eval(),)  # in a tuple it is no part of the module
        sampling, sde = student.config.sampling, student.sde
        self.steps = sampling.steps
        self.only_positions = student.config.graph_conditioned == 1
        if self.only_positions:
            grid = log_snr_grid(sde, (self.steps - 1) * FINE, sampling.t_end, sampling.t_start)
        else:
            grid = time_grid((self.steps - 1) * FINE, sampling.t_end, power=sampling.power, middle=sampling.middle)
        below = torch.linspace(1, LAST, FINE + 1, dtype=torch.float64)[1:] * sampling.t_end
        self.register_buffer("grid", torch.cat([grid, below]).float(), persistent=False)

    @property
    def models(self) -> list[MoleculeDiffusion]:
        """All three."""
        return [self.student, self.critic, *self.teacher]

    @property
    def vocabulary(self) -> list[tuple[int, int]]:
        """Of all three."""
        return self.student.vocabulary

    def time(self, u: Tensor) -> Tensor:
        """The time after ``u (B,)`` steps; whole numbers are the times of the sampler."""
        place = (u * FINE).clamp(0, len(self.grid) - 1)
        low = place.floor().long().clamp(max=len(self.grid) - 2)
        return torch.lerp(self.grid[low], self.grid[low + 1], place - low)

    def forward(self, *arguments: Any, **options: Any) -> dict[str, Tensor]:
        """`loss`, under the name that wrappers for several devices call."""
        return self.loss(*arguments, **options)

    def loss(
        self,
        batch: MoleculeBatch,
        generator: torch.Generator | None = None,
        rows: slice = slice(None),
        conditioned: bool | None = None,
    ) -> dict[str, Tensor]:
        """What is made small, and how far the student has come.

        Args:
            batch, generator, rows, conditioned: as for `MoleculeDiffusion.loss`.

        Returns:
            Scalars: ``loss``, the sum of the ``student``'s and the ``critic``'s; and mean squared differences between
            critic and teacher of ``positions``, in units of the state, and probabilities of ``atoms`` and ``bonds``.
        """
        student, critic, (teacher,) = self.student, self.critic, self.teacher
        config, dtype = student.config, student.dtype
        random: dict[str, Any] = {"generator": generator, "device": batch.mask.device, "dtype": dtype}
        b, n = batch.mask.shape
        if conditioned is None:
            conditioned = bool(torch.rand((), **random) < config.self_conditioning)
        lead = torch.rand(self.steps, b, **random)[:, rows]
        given = task_parts(config.tasks, config.graph_conditioned, batch.bonds, batch.mask, rows, **random)
        count = self.steps * batch.mask.sum().to(dtype)
        clean, mask, stereo = self._clean(MoleculeBatch(*(y[rows] for y in batch)), given)
        shapes = (b, n, 3), (b, n, len(student.classes)), (b, n, n, 4)

        def noise() -> MoleculeState:
            x, a, e = (torch.randn(*shape, **random)[rows] for shape in shapes)
            return MoleculeState(frame_noise(x, mask, given.positions), a, symmetric(e))

        def times(u: Tensor) -> Times:
            t = self.time(u)
            return given.times(Times.uniform(t if self.only_positions else student.position_time(t), t, n))

        outs: list[Prediction] = []
        means: list[MoleculeState] = []
        at = [times(torch.full_like(own, k)) for k, own in enumerate(lead)]
        state, before = student.noised(clean, at[0], noise()), None
        for k, now in enumerate(at):
            outs.append(student.predict(state, now, mask, before, stereo))
            constant = Prediction(*(y.detach() for y in outs[-1]))
            means.append(self._mean(constant, clean, now, mask))
            before = constant if conditioned else None
            if k + 1 < self.steps:
                state = self._step(state, means[-1], now, at[k + 1], noise())

        out, made = Prediction(*_joined(outs)), MoleculeState(*_joined(means))
        now, after = Times(*_joined(at)), Times(*_joined([times(k + own) for k, own in enumerate(lead)]))
        noised = student.noised(made, after, MoleculeState(*_joined([noise() for _ in at])))
        mask, stereo = mask.repeat(self.steps, 1), stereo.repeat(self.steps, 1, 1)
        with torch.no_grad():
            shown = [m.predict(noised, after, mask, None, stereo) if conditioned else None for m in (critic, teacher)]
            truth = teacher.predict(noised, after, mask, shown[1], stereo)
        guess = critic.predict(noised, after, mask, shown[0], stereo)
        losses, gaps = self._student(out, guess, truth, now, mask, count)
        followed = _weighted(losses, config) + JOINING * apart(out, now, mask)
        learnt = _weighted(self._critic(guess, made, after, mask, count), config)
        return {"loss": followed + learnt, "student": followed, "critic": learnt, **gaps}

    def _clean(self, batch: MoleculeBatch, given: Parts) -> tuple[MoleculeState, Tensor, Tensor]:
        """The molecules as a state, of which what is given stays; their mask; the tags of what is given."""
        config, dtype = self.student.config, self.student.dtype
        positions, atoms, bonds, mask, stereo = batch
        x = in_frame(positions.to(dtype) / config.position_scale, mask, given.positions)
        sizes = (len(self.student.classes), atoms), (4, bonds)
        a, e = (config.category_scale * torch.eye(k, dtype=dtype, device=mask.device)[y] for k, y in sizes)
        return MoleculeState(x, a, e), mask, known_tags(stereo, given.graph)

    def _mean(self, out: Prediction, clean: MoleculeState, times: Times, mask: Tensor) -> MoleculeState:
        """The state that the student made; what is given is its own."""
        scale = self.student.config.category_scale
        parts = out.positions, scale * softmax(out.atom_logits), scale * softmax(out.bond_logits)
        a, e = mask[..., None], pair_mask(mask)[..., None]
        return MoleculeState(
            *(
                torch.where(t[..., None] > 0, y, y0) * m
                for y, y0, t, m in zip(parts, clean, times, (a, a, e), strict=True)
            )
        )

    def _step(
        self, state: MoleculeState, mean: MoleculeState, t: Times, s: Times, noise: MoleculeState
    ) -> MoleculeState:
        """The sampler's step from t to s."""
        sampling = self.student.config.sampling
        etas = sampling.eta_x, sampling.eta_g, sampling.eta_g
        moved = []
        for z, z0, own, later, eps, eta in zip(state, mean, t, s, noise, etas, strict=True):
            own, later = own[..., None], later[..., None]
            there = ancestral(self.student.sde, z, z0, own, torch.minimum(later, own), eta, eps)
            moved.append(torch.where(own > 0, there, z))
        return MoleculeState(*moved)

    def _student(
        self, out: Prediction, guess: Prediction, truth: Prediction, times: Times, mask: Tensor, count: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """What the student follows, and how far critic and teacher are apart."""
        a, e = mask[..., None], pair_mask(mask)[..., None]
        moved = moment_matching(out.positions, guess.positions, truth.positions, a / self._variance(times))
        losses = {"positions": moved.sum() / (3 * count)}
        gaps = {"positions": ((guess.positions - truth.positions).detach() * a).square().sum() / (3 * count)}
        for name, k, t, m, size in (("atoms", 1, times.graph, a, count), ("bonds", 2, times.pairs, e, 2 * count)):
            both, made = (softmax(guess[k]), softmax(truth[k])), (m * (t > 0)[..., None]).to(out.positions)
            losses[name] = moment_matching(out[k], *both, made).sum() / size
            gaps[name] = ((both[0] - both[1]).detach() * made).square().sum() / size
        return losses, gaps

    def _critic(
        self, guess: Prediction, made: MoleculeState, times: Times, mask: Tensor, count: Tensor
    ) -> dict[str, Tensor]:
        """The critic's denoising loss of what the student made."""
        error = (guess.positions - made.x).square() / self._variance(times) * mask[..., None]
        losses = {"positions": error.sum() / (3 * count)}
        scale, pairs = self.student.config.category_scale, pair_mask(mask)
        for name, logits, target, t, m, size in (
            ("atoms", guess.atom_logits, made.a, times.graph, mask, count),
            ("bonds", guess.bond_logits, made.e, times.pairs, pairs, 2 * count),
        ):
            logits, target = logits.flatten(0, -2), target.flatten(0, -2) / scale
            entropy = nn.functional.cross_entropy(logits, target, reduction="none")
            losses[name] = (entropy * ((t > 0) & m).flatten()).sum() / size
        return losses

    def _variance(self, times: Times) -> Tensor:
        """sigma² of the positions ``(B, N, 1)``, infinite where they are given."""
        t = times.x[..., None].to(self.student.dtype)
        _, sigma = self.student.sde.marginal(t)
        return torch.where(t > 0, sigma**2, torch.inf)


def apart(out: Prediction, times: Times, mask: Tensor) -> Tensor:
    """Minus the log-probability that a bond joins the piece of the first atom to the rest, where none does; the mean.

    Teacher and critic judge what is near an atom: that a molecule is one piece they hardly see, the less as nearly all
    are. Without this one in twenty samples falls into two that lie side by side.
    """
    sides = pair_mask(mask)
    bonded = (out.bond_logits.detach().argmax(-1) > 0) & sides
    reached = torch.nn.functional.one_hot(torch.zeros_like(mask[:, 0], dtype=torch.int64), mask.shape[1]).bool()
    for _ in range(mask.shape[1]):
        reached = reached | (bonded & reached[:, None]).any(2)
    rest = mask & ~reached
    asked = ((times.graph > SETTLED) & (times.graph < OPEN) & mask).any(1) & rest.any(1)
    odds = out.bond_logits[..., 1:].logsumexp(-1) - out.bond_logits[..., 0]
    odds = odds.masked_fill(~(reached[:, :, None] & rest[:, None]), -torch.inf).flatten(1)
    joined = torch.where(asked, torch.where(asked[:, None], odds, 0).logsumexp(1), torch.inf)
    return nn.functional.softplus(-joined).mean()


def _joined(parts: Sequence[tuple[Tensor, ...]]) -> list[Tensor]:
    """States of several steps as one batch, field by field."""
    return [torch.cat(fields) for fields in zip(*parts, strict=True)]


def _weighted(losses: dict[str, Tensor], config: DiffusionConfig) -> Tensor:
    """Their sum, weighted as the parts of the denoising loss."""
    return losses["positions"] + config.atom_weight * losses["atoms"] + config.bond_weight * losses["bonds"]
