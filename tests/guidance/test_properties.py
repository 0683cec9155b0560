"""The energy of targets of properties, and the guide of the bundled model."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from rdkit import Chem
from scipy.stats import norm

from molscore.chem.checks.descriptors import describe
from molscore.chem.targets import ESTIMATED, TOLERANCES, read_targets
from molscore.guidance.properties import LARGEST_TILT, PropertyWish, log_mass
from molscore.guidance.property_guide import load_guide
from molscore.guidance.soft import SoftMolecules
from molscore.pretrained import guide_file

SMILES = ("CC(=O)Oc1ccccc1C(=O)O", "CN1CCN(c2ccc(F)cc2)CC1", "O=C(Nc1ccc(Cl)cc1)c1cccnc1", "CCCCCCc1ccccc1CCCC")


@pytest.fixture(scope="module")
def guide():
    return load_guide(guide_file("druglike"))


def known(guide, smiles: str) -> SoftMolecules:
    """A molecule of which everything is known, in the classes of the guide; its positions do not count."""
    mol = Chem.MolFromSmiles(smiles)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    vocabulary = [tuple(pair) for pair in guide.about["vocabulary"]]
    classes = [vocabulary.index((atom.GetAtomicNum(), atom.GetFormalCharge())) for atom in mol.GetAtoms()]
    orders = torch.from_numpy(Chem.GetAdjacencyMatrix(mol, useBO=True)).long()
    n = len(classes)
    bonds = torch.eye(4, dtype=torch.float64)[orders] * ~torch.eye(n, dtype=torch.bool)[..., None]
    atoms = torch.eye(len(vocabulary), dtype=torch.float64)[classes]
    return SoftMolecules(torch.zeros(1, n, 3), atoms[None], bonds[None], torch.ones(1, n, dtype=torch.bool), vocabulary)


@pytest.mark.parametrize("smiles", SMILES)
def test_properties_of_known_molecules_are_read_off(guide, smiles):
    mean, _ = guide.network(known(guide, smiles), torch.tensor([0.05]))
    values = dict(zip(guide.names, (mean[0] * guide.deviation + guide.mean).tolist(), strict=True))
    right = describe(Chem.MolFromSmiles(smiles))
    assert values["logp"] == pytest.approx(right["logp"], abs=1.2)
    assert values["tpsa"] == pytest.approx(right["tpsa"], abs=15)
    assert values["mw"] == pytest.approx(right["mw"], abs=25)


def test_padding_and_order_of_atoms_do_not_count(guide):
    one = known(guide, SMILES[0])
    n, more = one.mask.shape[1], 4
    grown = [torch.zeros(1, n + more, *rest) for rest in ((3,), one.atoms.shape[2:], (n + more, 4))]
    for wide, part in zip(grown, one[:3], strict=True):
        wide[tuple(slice(size) for size in part.shape)] = part
    mask = torch.arange(n + more)[None] < n
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    turned = one._replace(atoms=one.atoms[:, order], bonds=one.bonds[:, order][:, :, order])
    t = torch.tensor([0.4])
    expected = guide.network(one, t)[0]
    for other in (SoftMolecules(*grown, mask, one.vocabulary), turned):
        torch.testing.assert_close(guide.network(other, t)[0], expected, rtol=1e-4, atol=1e-4)


def test_the_slope_of_the_energy_is_that_of_finite_differences(guide):
    one, t = known(guide, SMILES[1]), torch.tensor([0.5], dtype=torch.float64)
    targets = read_targets(["logp=min", "qed=max"])
    soft = one._replace(atoms=0.8 * one.atoms + 0.2 / one.atoms.shape[-1], bonds=0.8 * one.bonds + 0.01)
    wish = PropertyWish(deepcopy(guide.network).double(), guide.mean, guide.deviation, guide.aims(targets))
    parts = {name: getattr(soft, name).clone().requires_grad_() for name in ("atoms", "bonds")}
    slopes = torch.autograd.grad(wish(soft._replace(**parts), t).sum(), list(parts.values()))
    generator, h = torch.Generator().manual_seed(1), 1e-5
    for (name, part), slope in zip(parts.items(), slopes, strict=True):
        way = torch.randn(part.shape, generator=generator, dtype=part.dtype)
        way = way + way.transpose(1, 2) if name == "bonds" else way  # slopes of bonds are made symmetric
        up, down = (wish(soft._replace(**{name: part.detach() + k * way}), t).item() for k in (h, -h))
        assert (up - down) / (2 * h) == pytest.approx(float((slope * way).sum()), rel=1e-5)


def test_slopes_are_limited_where_the_target_is_far(guide):
    one, t = known(guide, SMILES[0]), torch.tensor([0.05])
    parts = {name: getattr(one, name).clone().requires_grad_() for name in ("atoms", "bonds")}
    energy = guide.wish(read_targets(["logp=40+-0.01"]))(one._replace(**parts), t).sum()
    atoms, bonds = torch.autograd.grad(energy, list(parts.values()))
    bonds = bonds + bonds.transpose(1, 2)
    for slope in (atoms, bonds):
        spread = slope.amax(-1) - slope.amin(-1)
        assert 25 < spread.max() < LARGEST_TILT + 1e-3


def test_mass_of_a_normal_in_an_interval():
    a, b = torch.tensor([-1.0, 3.0, -9.0, -0.1, 5.0]).double(), torch.tensor([2.0, 4.0, -8.0, 0.1, np.inf]).double()
    above, below = norm.sf(a) - norm.sf(b), norm.cdf(b) - norm.cdf(a)  # each loses its digits on the other side
    expected = np.log(np.where(a.numpy() > 0, above, below))
    torch.testing.assert_close(log_mass(a, b), torch.from_numpy(expected), rtol=1e-6, atol=1e-9)
    far = torch.tensor([50.0, -60.0], requires_grad=True)
    (slope,) = torch.autograd.grad(log_mass(far, far + 1).sum(), far)
    assert slope[0] < -49 and slope[1] > 58


def test_energy_is_least_where_the_target_is_met(guide):
    molecules, t = [known(guide, smiles) for smiles in SMILES], torch.tensor([0.05])
    wish = guide.wish(read_targets(["logp=5.5..7"]))
    energies = [wish(one, t).item() for one in molecules]
    assert int(np.argmin(energies)) == 3 and energies[3] < 2 < energies[0]
    highest, lowest = (guide.wish(read_targets([f"logp={word}"])) for word in ("max", "min"))
    assert highest(molecules[3], t) < highest(molecules[0], t)
    assert highest(molecules[3], t).item() == pytest.approx(-lowest(molecules[3], t).item(), rel=1e-5)


def test_sizes_follow_the_target(guide):
    sizes = np.arange(51)
    means = [
        float(np.average(sizes, weights=guide.size_weights(read_targets([text]), 51))) for text in ("mw=200", "mw=450")
    ]
    assert 12 < means[0] < 17 and 29 < means[1] < 36
    assert (guide.size_weights(read_targets(["logp=2.5"]), 60) >= 0).all()


def test_the_guides_know_all_that_can_be_a_target(guide):
    assert [*guide.names, *ESTIMATED] == list(TOLERANCES)
    assert load_guide(guide_file("qm9")).names == list(ESTIMATED)


def test_a_damaged_guide_is_refused(tmp_path):
    path = tmp_path / "x.properties.safetensors"
    path.write_bytes(guide_file("druglike").read_bytes()[:5000])
    with pytest.raises(ValueError, match="damaged or no guide"):
        load_guide(path)
