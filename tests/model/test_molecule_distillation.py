"""Distillation of molecules: where gradients go, which times are met, what is given, what is the teacher's."""

import pytest
import torch

from molscore.core.samplers import DPMSolver
from molscore.core.times import log_snr_grid, time_grid
from molscore.datasets.batch import MoleculeBatch
from molscore.model import distillation
from molscore.model.config import DiffusionConfig, SamplingConfig, TaskShares
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.distillation import FINE, Distillation, apart
from molscore.model.features import Prediction
from molscore.model.sampling import sample
from molscore.model.state import Layout, MoleculeState, Times, frame_noise, symmetric
from molscore.network.geometry import centre
from molscore.network.network import NetworkConfig

SIZES = {"pair_channels": 12, "layers": 2, "heads": 4, "radial": 8, "vectors": 4, "condition_channels": 12}
NETWORK = NetworkConfig(irreps="12x0e + 8x1o", stereo=True, **SIZES)
VOCABULARY = [(6, 0), (7, 1), (8, -1)]


def model_of(seed: int, **config) -> MoleculeDiffusion:
    """Generic weights."""
    torch.manual_seed(0)
    sampling = SamplingConfig(steps=config.pop("steps", 4), eta_x=10, eta_g=10, order=1)
    model = MoleculeDiffusion(
        DiffusionConfig(network=NETWORK, sampling=sampling, **config), VOCABULARY, [0, 0, 0.5, 0.5]
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model


def distillation_of(seeds=(1, 1, 1), **config) -> Distillation:
    return Distillation(*(model_of(seed, **config) for seed in seeds))


@pytest.fixture(scope="module")
def batch() -> MoleculeBatch:
    """Chains of four to six atoms."""
    sizes = torch.tensor([4, 5, 6, 6, 4, 5])
    mask = torch.arange(6) < sizes[:, None]
    bonds = torch.diag_embed(torch.ones(6, 5, dtype=torch.int64), 1)
    bonds = (bonds + bonds.mT) * mask[:, None] * mask[:, :, None]
    generator = torch.Generator().manual_seed(3)
    positions = torch.randn(6, 6, 3, generator=generator) * mask[..., None]
    atoms = torch.randint(3, (6, 6), generator=generator) * mask
    return MoleculeBatch(positions, atoms, bonds, mask, torch.zeros(6, 0, 5, dtype=torch.int64))


def gradients(distilled, batch, part, **options):
    for model in (distilled.student, distilled.critic):
        model.zero_grad(set_to_none=True)
    losses = distilled.loss(batch, torch.Generator().manual_seed(0), **options)
    losses[part].backward()
    return losses, *(
        sum(p.grad.abs().sum().item() for p in model.parameters() if p.grad is not None) for model in distilled.models
    )


@pytest.mark.parametrize("conditioned", [True, False])
def test_where_critic_and_teacher_agree_nothing_is_to_be_learnt(batch, conditioned, monkeypatch):
    """However far the student is from them; and only the critic sees that its molecules are others."""
    monkeypatch.setattr(distillation, "JOINING", 0.0)
    distilled = distillation_of((2, 1, 1))
    losses, student, *_ = gradients(distilled, batch, "student", conditioned=conditioned)
    assert student < 1e-3 and max(losses[name] for name in ("positions", "atoms", "bonds")) < 1e-10
    _, student, critic, teacher = gradients(distilled, batch, "critic", conditioned=conditioned)
    assert student == teacher == 0 and critic > 0


def test_each_learns_from_its_own_loss_and_the_teacher_never(batch):
    distilled = distillation_of((1, 2, 3))
    losses, student, critic, teacher = gradients(distilled, batch, "student")
    assert student > 1 and critic == teacher == 0
    assert all(losses[name] > 0 for name in ("positions", "atoms", "bonds"))
    assert losses["loss"] == losses["student"] + losses["critic"]
    assert not {id(p) for p in distilled.teacher[0].parameters()} & {id(p) for p in distilled.parameters()}


@pytest.mark.parametrize("steps", [2, 3, 16])
@pytest.mark.parametrize("conformers", [False, True])
def test_its_times_are_those_of_the_sampler(steps, conformers):
    distilled = distillation_of(steps=steps, graph_conditioned=float(conformers))
    sampling, sde = distilled.student.config.sampling, distilled.student.sde
    if conformers:
        times = log_snr_grid(sde, steps - 1, sampling.t_end, sampling.t_start)
    else:
        times = time_grid(steps - 1, sampling.t_end, power=sampling.power, middle=sampling.middle)
    assert distilled.time(torch.arange(float(steps))).tolist() == pytest.approx(times.tolist(), rel=1e-5)
    after = distilled.time(torch.arange(0, steps, 1 / FINE))
    assert (after.diff() < 0).all() and 0 < after[-1] < sampling.t_end


@pytest.mark.parametrize("shares", [{"pieces": 1.0}, {"cores": 1.0}, {"scaffolds": 1.0}])
def test_what_is_given_stays_and_is_not_asked_for(batch, shares, monkeypatch):
    """At every step the student's molecules have it as the data do."""
    distilled, calls = distillation_of((1, 2, 3), tasks=TaskShares(**shares)), []
    noised = distilled.student.noised
    monkeypatch.setattr(distilled.student, "noised", lambda *parts: calls.append(parts) or noised(*parts))
    losses, student, *_ = gradients(distilled, batch, "student")
    assert student > 0 and losses["loss"].isfinite()
    (clean, first, _), (made, *_) = calls
    for part, given, t in zip(made, clean, first, strict=True):
        here = (t == 0).repeat(distilled.steps, *[1] * (t.ndim - 1))
        mask = batch.mask.repeat(distilled.steps, 1)
        here &= mask if t.ndim == 2 else mask[:, :, None] & mask[:, None] & ~torch.eye(6, dtype=torch.bool)
        assert torch.equal(part[here], given.repeat(distilled.steps, *[1] * (given.ndim - 1))[here])
    assert any((t == 0).any() for t in first)
    if "cores" in shares:
        assert losses["atoms"] == losses["bonds"] == 0 and losses["positions"] > 0


def test_conformers_have_no_loss_of_classes(batch):
    distilled = distillation_of((1, 2, 3), graph_conditioned=1.0)
    losses, student, *_ = gradients(distilled, batch, "student")
    assert losses["atoms"] == losses["bonds"] == 0 and losses["positions"] > 0 and student > 0


@pytest.mark.parametrize("steps", [2, 5])
def test_it_is_trained_on_what_the_sampler_makes(batch, steps, monkeypatch):
    """Its last states are the model's samples of the same noise."""
    distilled, made = distillation_of((1, 1, 1), steps=steps, self_conditioning=1.0), []
    student, (b, n) = distilled.student, batch.mask.shape
    noised = student.noised
    monkeypatch.setattr(student, "noised", lambda *parts: made.append(parts) or noised(*parts))
    distilled.loss(batch, torch.Generator().manual_seed(0), conditioned=True)
    ours = MoleculeState(*(part[-b:] for part in made[1][0]))

    generator = torch.Generator().manual_seed(0)
    torch.rand(steps, b, generator=generator), torch.rand(b, generator=generator)  # times of the judges, tasks
    layout = Layout(n, len(VOCABULARY), 4)

    def noise(z):
        shapes = (b, n, 3), (b, n, len(VOCABULARY)), (b, n, n, 4)
        x, a, e = (torch.randn(*shape, generator=generator) for shape in shapes)
        return layout.pack(
            MoleculeState(frame_noise(x, batch.mask, torch.zeros(b, n, dtype=torch.bool)), a, symmetric(e))
        )

    t = distilled.time(torch.arange(float(steps)))
    times = layout.pack_times(Times.uniform(student.position_time(t)[:, None], t[:, None], n))
    zero, clean = torch.zeros(b, n), torch.eye(3)[batch.atoms]
    bonds = torch.eye(4)[batch.bonds]
    start = layout.pack(
        noised(
            MoleculeState(centre(batch.positions / 1.4, batch.mask), clean, bonds),
            at(1.0, zero),
            layout.unpack(noise(None)),
        )
    )
    with torch.no_grad():
        last = sample(MoleculeDenoiser(student, batch.mask), DPMSolver(10.0, order=1), times, noise, start)
    theirs = layout.unpack(last.mean)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def at(t: float, like: torch.Tensor) -> Times:
    """One time for all."""
    return Times.of_atoms(torch.full_like(like, t), torch.full_like(like, t))


def test_pieces_are_asked_for_a_bond_and_whole_molecules_are_not():
    """Of two pairs and a chain the first lacks a bond: any of four, best the likeliest; not at all times."""
    mask = torch.tensor([[True] * 4 + [False], [True] * 5])
    logits = torch.zeros(2, 5, 5, 4)
    logits[..., 0] = 5.0
    for molecule, i, j in ((0, 0, 1), (0, 2, 3), (1, 0, 1), (1, 1, 2), (1, 2, 3), (1, 3, 4)):
        logits[molecule, i, j, 1] = logits[molecule, j, i, 1] = 9.0
    logits[0, 1, 2, 1] = logits[0, 2, 1, 1] = 2.0
    logits.requires_grad_()
    out = Prediction(torch.zeros(2, 5, 3), torch.zeros(2, 5, 3), logits)
    times = [at(t, torch.zeros(2, 5)) for t in (0.6, 0.3, 0.9)]
    odds = (torch.tensor([2.0, 0, 0]).exp().sum() + 3 * 3).log() - 5  # four pairs, three orders each
    expected = torch.nn.functional.softplus(-odds) / 2
    assert apart(out, times[0], mask).item() == pytest.approx(expected.item(), rel=1e-5)
    assert apart(out, times[1], mask) == apart(out, times[2], mask) == 0
    apart(out, times[0], mask).backward()
    fall = -logits.grad[0, :, :, 1]
    assert (fall[:2, 2:4] > 0).all() and fall[1, 2] == fall.max() and fall[2:, :2].abs().sum() == 0
    assert logits.grad[1].abs().sum() == 0


def test_parts_of_a_batch_add_up(batch):
    distilled = distillation_of((1, 2, 3))
    whole = distilled.loss(batch, torch.Generator().manual_seed(0), conditioned=True)
    parts = [
        distilled.loss(batch, torch.Generator().manual_seed(0), slice(k, None, 2), conditioned=True) for k in range(2)
    ]
    for name, value in whole.items():
        torch.testing.assert_close(sum(part[name] for part in parts), value, rtol=1e-4, atol=1e-5)
