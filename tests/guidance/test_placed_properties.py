"""The guide of qm9 to properties of quantum chemistry: what it says of known molecules, and its slopes."""

from copy import deepcopy

import pytest
import torch

from molscore.chem.embedding.etkdg import embed
from molscore.chem.forcefield.relax import relax
from molscore.generate.estimates import estimates
from molscore.guidance.properties import Aim, PropertyWish
from molscore.guidance.property_guide import load_guide
from molscore.guidance.soft import SoftMolecules
from molscore.pretrained import guide_file


@pytest.fixture(scope="module")
def guide():
    return load_guide(guide_file("qm9"))


@pytest.fixture(scope="module")
def soft(guide):
    """Two molecules of 5 and 7 atoms as noise leaves them, float64."""
    generator = torch.Generator().manual_seed(0)
    mask = torch.arange(7)[None] < torch.tensor([5, 7])[:, None]
    pairs = mask[:, :, None] & mask[:, None] & ~torch.eye(7, dtype=torch.bool)
    atoms = torch.rand(2, 7, len(guide.about["vocabulary"]), generator=generator, dtype=torch.float64)
    bonds = torch.rand(2, 7, 7, 4, generator=generator, dtype=torch.float64)
    bonds = bonds + bonds.transpose(1, 2)
    bonds = bonds / bonds.sum(-1, keepdim=True) * pairs[..., None]
    positions = 2 * torch.randn(2, 7, 3, generator=generator, dtype=torch.float64)
    return SoftMolecules(positions, atoms / atoms.sum(-1, keepdim=True) * mask[..., None], bonds, mask, [])


@pytest.fixture(scope="module")
def network(guide):
    return deepcopy(guide.network).double()


T = torch.tensor([0.2, 0.6], dtype=torch.float64)


@pytest.mark.parametrize(
    ("smiles", "mu", "alpha", "gap"),
    [("c1ccccc1", 0.0, 56.6, 6.8), ("CCCCCCC", 0.06, 75.0, 9.0), ("CC(=O)C", 2.7, 36.4, 6.3)],
)  # B3LYP/6-31G(2df,p), as in QM9
def test_known_molecules(guide, smiles, mu, alpha, gap):
    estimate = estimates(guide, ["mu", "alpha", "gap"], 0.03)
    values = estimate(relax(embed(smiles), "mmff").mol)
    assert values["mu"] == pytest.approx(mu, abs=0.8)
    assert values["alpha"] == pytest.approx(alpha, abs=4)
    assert values["gap"] == pytest.approx(gap, abs=1)


def test_frame_order_and_padding_do_not_count(network, soft):
    mean, log_variance = network(soft, T)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    moved = soft._replace(positions=soft.positions @ turn + 3.0)
    torch.testing.assert_close(network(moved, T), (mean, log_variance), rtol=1e-7, atol=1e-7)
    order = torch.tensor([4, 2, 0, 3, 1, 5, 6])
    bonds = soft.bonds[:, order][:, :, order]
    mixed = SoftMolecules(soft.positions[:, order], soft.atoms[:, order], bonds, soft.mask, [])
    torch.testing.assert_close(network(mixed, T)[0], mean, rtol=1e-9, atol=1e-9)
    alone = SoftMolecules(soft.positions[:1, :5], soft.atoms[:1, :5], soft.bonds[:1, :5, :5], soft.mask[:1, :5], [])
    torch.testing.assert_close(network(alone, T[:1])[0], mean[:1], rtol=1e-9, atol=1e-9)


def test_slopes_are_those_of_finite_differences(guide, network, soft):
    infinite = float("inf")
    aims = [Aim(k, -infinite, infinite, sign) for k, sign in enumerate((1, -1, 1))]
    wish = PropertyWish(network, guide.mean, guide.deviation, aims)
    positions = soft.positions.clone().requires_grad_()
    (slope,) = torch.autograd.grad(wish(soft._replace(positions=positions), T).sum(), positions)
    way = torch.randn(slope.shape, generator=torch.Generator().manual_seed(2), dtype=slope.dtype)
    up, down = (wish(soft._replace(positions=soft.positions + h * way), T).sum().item() for h in (1e-5, -1e-5))
    assert (up - down) / 2e-5 == pytest.approx(float((slope * way).sum()), rel=1e-5)
    assert slope.abs().max() > 1e-3 and not slope[0, 5:].any()


def test_molecules_may_have_targets_of_their_own(guide, network, soft):
    centres = 2.0, 5.0
    together = torch.tensor(centres, dtype=torch.float64)
    wish = PropertyWish(network, guide.mean, guide.deviation, [Aim(0, together - 0.1, together + 0.1, 0)])
    for k, centre in enumerate(centres):
        alone = PropertyWish(network, guide.mean, guide.deviation, [Aim(0, centre - 0.1, centre + 0.1, 0)])
        assert alone(soft, T)[k].item() == pytest.approx(wish(soft, T)[k].item(), rel=1e-6)


def test_atoms_on_top_of_one_another_have_finite_slopes(network, soft):
    positions = torch.zeros_like(soft.positions, requires_grad=True)
    mean, _ = network(soft._replace(positions=positions), T)
    (slope,) = torch.autograd.grad(mean.sum(), positions)
    assert torch.isfinite(slope).all()
