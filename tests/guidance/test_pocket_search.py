"""Maps of a pocket against its energy, and poses that are found with them."""

import numpy as np
import pytest
import torch
from hollow_ball import CENTRE, SITE, write_ball
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMultipleConfs

from molscore.chem.arrays import from_mol
from molscore.chem.ensemble import heavy_atoms
from molscore.chem.hydrogens import without_hydrogens
from molscore.chem.pocket.receptor import read_pocket
from molscore.guidance.pocket.maps import PocketMaps
from molscore.guidance.pocket.search import Search
from molscore.guidance.pocket.wish import PocketWish
from molscore.guidance.query import certain


@pytest.fixture(scope="module")
def pocket(tmp_path_factory):
    return read_pocket(write_ball(tmp_path_factory.mktemp("ball") / "ball.pdb", 7.5), SITE)


@pytest.fixture(scope="module")
def maps(pocket):
    return PocketMaps(pocket)


@pytest.fixture(scope="module")
def mol():
    mol = Chem.AddHs(Chem.MolFromSmiles("C[C@H](O)CCc1ccccc1"))
    assert len(EmbedMultipleConfs(mol, 4, randomSeed=5)) == 4
    return mol


def test_maps_say_what_the_energy_says(maps, mol, pocket):
    molecules = certain(without_hydrogens(from_mol(Chem.Mol(mol, False, 0))))
    field, heavy, rng = maps.field(maps.kinds(molecules)), heavy_atoms(mol), np.random.default_rng(0)
    wish, zero = PocketWish(pocket), torch.zeros(1, dtype=torch.float64)
    x = mol.GetConformer(0).GetPositions()[heavy]
    places = x - x.mean(0) + CENTRE + rng.normal(size=(40, 1, 3)) * 0.5
    parts = [wish.parts(molecules._replace(positions=torch.from_numpy(y)[None]), zero) for y in places]
    exact = np.array([float(sum(part.values())) for part in parts])
    clear = np.array([float(part["sterics"]) < 2 for part in parts])  # walls are softened
    errors = (field(places)[0] - exact)[clear]
    assert clear.sum() > 10 and np.abs(errors).max() < 1 and abs(errors.mean()) < 0.2 < exact[clear].std()


def test_slopes_of_maps_and_of_contacts_are_those_of_the_energy(maps, mol):
    search, rng = Search(mol, maps), np.random.default_rng(1)
    x = mol.GetConformer(0).GetPositions()[None]
    x = x - x.mean(1, keepdims=True) + CENTRE
    x[0, search.heavy] += rng.normal(size=(len(search.heavy), 3))
    x[0, search.heavy[0]] = x[0, search.heavy[-1]] + 1  # a contact within the molecule
    _, slope = search.energy(x)
    for _ in range(5):
        step = rng.normal(size=x.shape) * 1e-4
        difference = search.energy(x + step)[0] - search.energy(x - step)[0]
        assert difference[0] == pytest.approx(2 * (slope * step).sum(), rel=0.01, abs=1e-5)


def test_what_lies_far_away_is_pulled_back(maps, mol):
    search = Search(mol, maps)
    x = mol.GetConformer(0).GetPositions()[None] + CENTRE + np.array([30.0, 0, 0])
    energy, slope = search.energy(x)
    assert energy[0] > 1000 and (slope[0, search.heavy, 0] > 0).all()


def test_poses_are_low_apart_and_the_same_again(maps, mol):
    search = Search(mol, maps)
    x, energy, origin = search.poses(np.random.default_rng(2))
    assert (np.diff(energy) >= 0).all() and energy[0] < -5 and set(origin) <= {0, 1, 2, 3}
    assert np.allclose(search.energy(x)[0], energy)
    kept = search.apart(x, 5, 2.0)
    y = x[kept][:, search.heavy]
    gaps = np.sqrt(((y[:, None] - y) ** 2).sum(-1).mean(-1))
    assert kept[0] == 0 and (gaps[np.triu_indices(len(kept), 1)] >= 2).all()
    again = Search(mol, PocketMaps(maps.pocket)).poses(np.random.default_rng(2))[0]
    assert np.array_equal(x, again)


def test_held_atoms_stay(maps, mol):
    ring = mol.GetSubstructMatch(Chem.MolFromSmarts("c1ccccc1"))
    one = Chem.Mol(mol, False, 0)
    one.GetConformer().SetPositions(one.GetConformer().GetPositions() + CENTRE)
    x, energy, _ = Search(one, maps, ring).poses(np.random.default_rng(3))
    assert np.allclose(x[:, list(ring)], one.GetConformer().GetPositions()[list(ring)]) and len(x) > 1
