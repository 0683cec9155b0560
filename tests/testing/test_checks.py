"""The public checks pass what is right, and refuse what is wrong in each of the ways that they look for."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from molscore.core.denoiser import Denoiser, Posterior, ScoreDenoiser
from molscore.core.guidance import Guided, Replaced, Sum
from molscore.core.samplers import DPMSolver, EulerMaruyama, Heun, PredictorCorrector, Sampler, SamplerState
from molscore.core.sde import VE, CosineVP, LinearVP
from molscore.datasets.batch import MoleculeBatch
from molscore.model import load
from molscore.model.denoisers import ConformerDenoiser, MoleculeDenoiser
from molscore.model.state import Times, molecule_noise, size_mask
from molscore.pretrained import find
from molscore.testing import (
    check_batch_independence,
    check_contract,
    check_denoiser,
    check_equivariance,
    check_moments,
    check_order,
    check_permutation,
    check_purity,
    check_reflection,
    check_sampler,
)
from molscore.testing.samplers import MODES


@pytest.mark.parametrize(
    ("sampler", "order"), [(EulerMaruyama(), 1), (Heun(), 2), (DPMSolver(), 2), (DPMSolver(0.0), 2)]
)
def test_samplers_of_the_package(sampler, order):
    check_sampler(sampler, order)


def test_a_corrector_keeps_the_contract_and_has_no_order():
    check_contract(PredictorCorrector())


@dataclass(frozen=True)
class Wrong(Sampler):
    """Euler–Maruyama steps with a fault."""

    fault: str

    def sample(self, denoiser, z, times, noise, **options):
        if self.fault == "held":
            return super().sample(denoiser, z + 1e-6, times, noise, **options)
        if self.fault == "dtype":
            state = super().sample(denoiser, z, times, noise, **options)
            return state._replace(z=state.z.double())
        return super().sample(denoiser, z, times, noise, **options)

    def step(self, denoiser, state, t, s, noise):
        ahead = EulerMaruyama().step(denoiser, state, t, s, noise)
        if self.fault == "mates":
            return ahead._replace(z=ahead.z + 1e-3 * (ahead.z.mean(0) - ahead.z))
        if self.fault == "neighbours":
            return ahead._replace(z=ahead.z + 1e-3 * ahead.z.nan_to_num().sum(-1, keepdim=True))
        if self.fault == "noise":
            extra = 0.7 * (t - s).sqrt() * denoiser.sde.diffusion(t) * noise(state.z)
            return SamplerState(ahead.z + extra, ahead.carry)
        return ahead


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("held", "time stands still"),
        ("dtype", "dtype"),
        ("mates", "batch mates"),
        ("neighbours", "as if alone"),
    ],
)
def test_samplers_that_break_the_contract(fault, message):
    check_contract(Wrong("none"))
    with pytest.raises(AssertionError, match=message):
        check_contract(Wrong(fault))


def test_samplers_of_other_moments_or_order():
    with pytest.raises(AssertionError, match="variance is"):
        check_moments(Wrong("noise"), 100)
    with pytest.raises(AssertionError, match="the variance|the mean|the weight"):
        check_moments(EulerMaruyama(), 6)
    assert check_order(EulerMaruyama(), 1) == pytest.approx(1, abs=0.15)
    with pytest.raises(AssertionError, match=r"order 1\.\d\d, not 2|order 0\.9\d, not 2"):
        check_order(EulerMaruyama(), 2)


Z = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
T = torch.full((5, 3), 0.4, dtype=torch.float64)


def exact(sde) -> ScoreDenoiser:
    return ScoreDenoiser(sde, MODES.elementwise_score(sde))


@pytest.mark.parametrize("sde", [CosineVP(), VE(), LinearVP()], ids=repr)
def test_denoisers_of_the_core(sde):
    plain = exact(sde)
    guided = Guided(plain, lambda mean, t: mean.square().sum(1), 0.3)
    known = Replaced(plain, torch.zeros(3, dtype=torch.float64), torch.tensor([True, False, False]))
    for denoiser in (plain, guided, known, Sum([plain, guided], [2.0, -1.0])):
        check_denoiser(denoiser, Z, T)
        check_batch_independence(lambda rows, denoiser=denoiser: denoiser, Z, T, 1e-12)


class Remembers(Denoiser):
    """Its answer depends on how often it was asked."""

    def __init__(self):
        self.sde, self.asked = CosineVP(), 0

    def denoise(self, z, t, carry):
        self.asked += 1
        return Posterior(z * 0.5 + 1e-9 * self.asked)


class Careless(Denoiser):
    """It works on what it is given, and forgets that time 0 means given where it overrides the call."""

    def __init__(self, fault: str):
        self.sde, self.fault = CosineVP(), fault

    def denoise(self, z, t, carry):
        if self.fault == "in place":
            z += 0.0 * z + 1e-3
        return Posterior(0.5 * z)

    def __call__(self, z, t, carry=None):
        return self.denoise(z, t, carry) if self.fault == "given" else super().__call__(z, t, carry)


def test_denoisers_that_are_no_functions():
    with pytest.raises(AssertionError, match="says something else"):
        check_purity(Remembers(), Z.clone(), T)
    with pytest.raises(AssertionError, match="something else|changes what it is given"):
        check_purity(Careless("in place"), Z.clone(), T)
    with pytest.raises(AssertionError, match="not its own mean"):
        check_denoiser(Careless("given"), Z.clone(), T)
    mates = ScoreDenoiser(CosineVP(), lambda z, t: z.mean(0) - z)
    with pytest.raises(AssertionError, match="row 0 alone"):
        check_batch_independence(lambda rows: mates, Z, T)


@pytest.fixture(scope="module")
def molecules() -> MoleculeBatch:
    """Two of CNO chains, without stereo."""
    n, mask = 6, size_mask([6, 4])
    bonds = torch.zeros(2, n, n, dtype=torch.int64)
    for i in range(n - 1):
        bonds[:, i, i + 1] = bonds[:, i + 1, i] = 1
    bonds *= mask[:, :, None] & mask[:, None]
    positions = 1.4 * torch.randn(2, n, 3, generator=torch.Generator().manual_seed(1)) * mask[..., None]
    atoms = torch.tensor([[0, 1, 2, 0, 1, 0], [1, 0, 0, 2, 0, 0]]) * mask
    return MoleculeBatch(positions, atoms, bonds, mask, torch.zeros(2, 0, 5, dtype=torch.int64))


@torch.no_grad()
def test_bundled_models_are_pure_denoisers(molecules):
    """Whole molecules, with and without a carry; coordinates of given graphs. Parts of them at time 0 are given."""
    model = load(find("druglike"))
    denoiser = MoleculeDenoiser(model, molecules.mask)
    streams = [np.random.default_rng(k) for k in range(2)]
    z = molecule_noise(denoiser.layout, [6, 4], streams).double()
    t = denoiser.layout.pack_times(Times.uniform(*torch.full((2, 2), 0.5, dtype=torch.float64), 6))
    check_purity(denoiser, z, t)
    check_purity(denoiser, z, t, denoiser(z, t).carry)
    conformers = load(find("conformers"))
    x = molecules.positions.double()
    check_denoiser(ConformerDenoiser(conformers, molecules), x, torch.full((2, 6, 1), 0.3, dtype=torch.float64))


@torch.no_grad()
def test_bundled_conformers_turn_with_their_atoms(molecules):
    model, t = load(find("conformers")), torch.tensor(0.2)
    single = MoleculeBatch(*(part[:1] for part in molecules))
    x = single.positions

    def field(batch: MoleculeBatch):
        denoiser = ConformerDenoiser(model, batch)
        return lambda y: [denoiser.score(y, t)]

    def reordered(order: torch.Tensor):
        return field(single._replace(atoms=single.atoms[:, order], bonds=single.bonds[:, order][:, :, order]))

    check_equivariance(field(single), x, [True])
    check_reflection(field(single), x, [True])
    check_permutation(field(single), reordered, x, [False])
    with pytest.raises(AssertionError, match="a rotation and a translation"):
        check_equivariance(lambda y: [y.abs()], x, [True])
    with pytest.raises(AssertionError, match="under a reflection"):
        check_reflection(lambda y: [torch.linalg.cross(y, y.roll(1, -2))], x, [True])
    with pytest.raises(AssertionError, match="another order"):
        check_permutation(field(single), lambda order: field(single), x, [False])
    with pytest.raises(AssertionError, match="is constant"):
        check_equivariance(lambda y: [torch.ones(3, 4)], x, [False])
