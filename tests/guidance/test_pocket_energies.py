"""Energies in a pocket: gradients against finite differences, and values that are known."""

from itertools import product

import numpy as np
import pytest
import torch

from molscore.chem.io.protein import Protein
from molscore.chem.pocket.receptor import find_pocket
from molscore.chem.pocket.roles import ANY, NARROW
from molscore.chem.pocket.site import read_site
from molscore.guidance.pocket.burial import burial
from molscore.guidance.pocket.electrostatics import electrostatics
from molscore.guidance.pocket.hydrogen_bonds import hydrogen_bonds
from molscore.guidance.pocket.hydrophobic import hydrophobic
from molscore.guidance.pocket.sterics import sterics
from molscore.guidance.pocket.surroundings import Surroundings
from molscore.guidance.pocket.wish import KT, PocketWish
from molscore.guidance.roles import soft_roles
from molscore.guidance.soft import SoftMolecules

ENERGIES = [sterics, hydrogen_bonds, hydrophobic, electrostatics, burial]
VOCABULARY = [(6, 0), (7, 0), (8, 0), (7, 1), (8, -1), (17, 0)]
FLOAT = torch.float64


def surroundings(positions, **changes):
    """A pocket of carbons that offer nothing, changed as asked for."""
    x = torch.tensor(positions, dtype=FLOAT).view(-1, 3)
    zeros, none = torch.zeros(len(x), dtype=FLOAT), torch.zeros(0, dtype=FLOAT)
    parts = {"positions": x, "radii": zeros + 1.7, "hydrophobe": zeros, "charge": zeros, "polar": zeros}
    parts |= {"partners": none.view(0, 3), "directions": none.view(0, 3), "volume": torch.zeros(1, 3, dtype=FLOAT)}
    parts |= dict.fromkeys(("donor", "acceptor", "metal", "full", "none"), none)
    return Surroundings(**parts | {name: torch.as_tensor(value, dtype=FLOAT) for name, value in changes.items()})


def molecule(positions, classes, bonds=()):
    """One molecule that is certain."""
    x = torch.tensor(positions, dtype=FLOAT).view(1, -1, 3)
    n = x.shape[1]
    orders = torch.zeros(1, n, n, dtype=torch.int64)
    for i, j, order in bonds:
        orders[0, i, j] = orders[0, j, i] = order
    atoms = torch.eye(len(VOCABULARY), dtype=FLOAT)[torch.tensor([classes])]
    mask = torch.ones(1, n, dtype=torch.bool)
    return SoftMolecules(x, atoms, torch.eye(4, dtype=FLOAT)[orders], mask, VOCABULARY)


def energy(term, positions, classes, pocket, t=0.0, bonds=()):
    return float(term(molecule(positions, classes, bonds), pocket, torch.tensor([t], dtype=FLOAT)))


@pytest.fixture(scope="module")
def crowd():
    """Two blurred molecules of 6 and 4 atoms among 30 atoms of all kinds, which some of them overlap."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 3)) * 4
    unit = rng.normal(size=(12, 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    pocket = surroundings(
        x,
        hydrophobe=rng.random(30) < 0.5,
        charge=rng.integers(-1, 2, 30),
        polar=np.arange(30) < 12,
        partners=x[:12],
        directions=unit,
        donor=rng.random(12) < 0.6,
        acceptor=rng.random(12) < 0.6,
        metal=np.arange(12) == 5,
        full=np.full(12, 0.9),
        none=np.full(12, -0.9),
        volume=rng.normal(size=(5, 3)),
    )
    atoms = torch.from_numpy(rng.dirichlet(np.ones(6), size=(2, 6)))
    bonds = torch.from_numpy(rng.dirichlet([6, 1, 0.3, 0.3], size=(2, 6, 6)))
    bonds = (bonds + bonds.transpose(1, 2)) / 2
    positions = torch.from_numpy(rng.normal(size=(2, 6, 3)) * 2)
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    pair = (mask[:, None] & mask[:, :, None] & ~torch.eye(6, dtype=torch.bool))[..., None]
    return SoftMolecules(
        positions, atoms, torch.where(pair, bonds, bonds.new_tensor([1.0, 0, 0, 0])), mask, VOCABULARY
    ), pocket


@pytest.mark.parametrize(("term", "t"), list(product(ENERGIES, (0.0, 0.6))))
def test_gradients_are_those_of_finite_differences(crowd, term, t):
    molecules, pocket = crowd
    times = torch.full((2,), t, dtype=FLOAT)
    for name in ("positions", "atoms", "bonds"):
        start = getattr(molecules, name)

        def value(y, name=name):
            return term(molecules._replace(**{name: y}), pocket, times).sum()

        moving = start.clone().requires_grad_()
        out = value(moving)
        assert out != 0
        slope = torch.autograd.grad(out, moving)[0] if out.requires_grad else torch.zeros_like(start)
        along = torch.from_numpy(np.random.default_rng(1).normal(size=tuple(start.shape)))
        h = 1e-6
        expected = (value(start + h * along) - value(start - h * along)) / (2 * h)
        assert float((slope * along).sum()) == pytest.approx(float(expected), rel=1e-5, abs=1e-6), name


@pytest.mark.parametrize("term", ENERGIES)
def test_padding_does_not_count_and_all_turns_together(crowd, term):
    molecules, pocket = crowd
    t = torch.full((2,), 0.3, dtype=FLOAT)
    before = term(molecules, pocket, t)
    moved = molecules.positions.clone()
    moved[1, 4:] += 7
    assert torch.allclose(term(molecules._replace(positions=moved), pocket, t), before)
    rotation = torch.linalg.qr(torch.from_numpy(np.random.default_rng(2).normal(size=(3, 3)))).Q
    shift = torch.tensor([3.0, -50, 20], dtype=FLOAT)
    turned = {k: getattr(pocket, k) @ rotation.T + shift for k in ("positions", "partners", "volume")}
    around = Surroundings(**vars(pocket) | turned | {"directions": pocket.directions @ rotation.T})
    there = term(molecules._replace(positions=molecules.positions @ rotation.T + shift), around, t)
    assert torch.allclose(there, before, atol=1e-6)


def test_two_carbons_overlap_below_their_radii():
    pocket = surroundings([0, 0, 0])
    assert energy(sterics, [3.56, 0, 0], [0], pocket) == 0
    assert energy(sterics, [3.05, 0, 0], [0], pocket) == pytest.approx(10 * 0.5**2)
    assert energy(sterics, [2.8, 0, 0], [0], pocket, t=1.0) == 0
    assert 0 < energy(sterics, [1.5, 0, 0], [0], pocket, t=1.0) < energy(sterics, [1.5, 0, 0], [0], pocket)
    polar = surroundings([0, 0, 0], radii=[1.55], polar=[1])
    assert energy(sterics, [2.6, 0, 0], [1], polar) < energy(sterics, [2.6, 0, 0], [0], polar)


def hydrogen_bonding(donor, acceptor, metal=0, width=NARROW):
    directions = [[0, 0, 0]] if width == ANY else [[1, 0, 0]]
    full, none = ([value] for value in width)
    return surroundings(
        [0, 0, 0],
        polar=[1],
        partners=[[0, 0, 0]],
        directions=directions,
        donor=[donor],
        acceptor=[acceptor],
        metal=[metal],
        full=full,
        none=none,
    )


def test_a_hydrogen_bond_has_a_length_and_a_direction():
    carbonyl = [[2.9, 0, 0], [4.1, 0, 0]], [2, 0]
    double = [(0, 1, 2)]
    donor = hydrogen_bonding(donor=1, acceptor=0)
    best = energy(hydrogen_bonds, *carbonyl, donor, bonds=double)
    assert best == pytest.approx(-2 * 1.5 * np.tanh(0.5))
    assert energy(hydrogen_bonds, [[0, 2.9, 0], [0, 4.1, 0]], [2, 0], donor, bonds=double) == 0
    assert best < energy(hydrogen_bonds, [[3.4, 0, 0], [4.6, 0, 0]], [2, 0], donor, bonds=double) < -0.1
    assert energy(hydrogen_bonds, *carbonyl, hydrogen_bonding(donor=0, acceptor=1), bonds=double) == 0
    hydroxyl = hydrogen_bonding(donor=0, acceptor=1)
    assert energy(hydrogen_bonds, *carbonyl, hydroxyl, bonds=[(0, 1, 1)]) == pytest.approx(best)
    zinc = hydrogen_bonding(donor=0, acceptor=0, metal=1, width=ANY)
    assert energy(hydrogen_bonds, [[0, 0, 2.2], [0, 0, 3.4]], [2, 0], zinc, bonds=double) < 1.5 * best


def test_roles_follow_from_the_graph():
    def of(classes, bonds):
        roles = soft_roles(molecule(np.arange(3 * len(classes)), classes, bonds))
        return [part[0].tolist() for part in roles]

    donor, acceptor, hydrophobe, _ = of([0, 2, 1, 0], [(0, 1, 2), (0, 2, 1), (2, 3, 1)])  # an amide, and a methyl
    assert donor == [0, 0, 1, 0] and acceptor == [0, 1, 0, 0] and max(hydrophobe) < 0.4
    donor, acceptor, _, _ = of([0, 1, 0], [(0, 1, 2), (1, 2, 1)])  # an imine, such as pyridine's
    assert donor == [0, 0, 0] and acceptor == [0, 1, 0]
    donor, acceptor, _, _ = of([0, 1, 0, 0], [(1, 0, 1), (1, 2, 1), (1, 3, 1)])
    assert donor == acceptor == [0, 0, 0, 0]
    donor, acceptor, _, charge = of([0, 3, 4, 5], [(0, 1, 1), (0, 2, 1)])
    assert donor == [0, 1, 0, 0] and acceptor == [0, 0, 1, 0] and charge == [0, 1, -1, 0]
    assert of([0, 0], [(0, 1, 1)])[2] == [1, 1]


def test_bare_carbon_seeks_bare_carbon():
    pocket = surroundings([[0, 0, 0], [0, 0, 1.5]], hydrophobe=[1, 1])
    assert energy(hydrophobic, [3.8, 0, 0], [0], pocket) < -0.3
    assert energy(hydrophobic, [3.8, 0, 0], [2], pocket) > 0.1
    assert energy(hydrophobic, [7, 0, 0], [0], pocket) == 0


def test_opposite_charges_attract():
    pocket = surroundings([0, 0, 0], charge=[-1])
    assert energy(electrostatics, [2.8, 0, 0], [3], pocket) == pytest.approx(-332.06 / 8 / 2.8**2)
    assert (
        energy(electrostatics, [2.8, 0, 0], [4], pocket) > 5 and energy(electrostatics, [2.8, 0, 0], [0], pocket) == 0
    )


def test_outside_of_the_volume_it_costs():
    pocket = surroundings([[0, 0, 30.0]])
    assert energy(burial, [0.9, 0, 0], [0], pocket) == 0
    assert energy(burial, [4.0, 0, 0], [0], pocket) == pytest.approx(9)
    assert energy(burial, [0, 0, 0], [0], surroundings([[3.5, 0, 0], [-3.5, 0, 0]])) == pytest.approx(
        -0.8 * (1 - np.exp(-2 / 10))
    )


def test_a_wish_is_the_sum_of_its_parts_and_leads_inside():
    """Along the slope of the energy an atom of carbon leaves the wall of a hollow ball, and settles inside."""
    k = np.arange(280)
    z, angle = 1 - (2 * k + 1) / 280, np.pi * (3 - np.sqrt(5)) * k
    wall = 7.0 * np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)
    labels = np.array([f"A/ALA {number}" for number in k])
    protein = Protein(wall + 40, np.full(280, 6), labels, np.full(280, "protein"), np.full(280, "CB"))
    wish = PocketWish(find_pocket(protein, read_site("40,40,40", protein)))
    t, lone = torch.zeros(1, dtype=FLOAT), molecule([0, 0, 0], [0])
    x = torch.tensor([[[45.5, 40, 40]]], dtype=FLOAT, requires_grad=True)
    before = wish(lone._replace(positions=x), t)
    parts = wish.parts(lone._replace(positions=x), t)
    assert float(before.detach()) == pytest.approx(sum(float(part.detach()) for part in parts.values()) / KT)
    for _ in range(50):
        (slope,) = torch.autograd.grad(wish(lone._replace(positions=x), t).sum(), x)
        x = (x - 0.01 * slope).detach().requires_grad_()
    assert wish(lone._replace(positions=x), t) < 0 < before
    assert torch.linalg.norm(x.detach() - 40) < 4.2
