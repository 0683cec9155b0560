"""Where a molecule lies does not matter, however far: positions are moved in float64 before they become float32."""

import numpy as np
import pytest
import torch
from rdkit import Chem
from scipy.spatial.transform import Rotation

import molscore
from molscore.chem.checks.validity import check
from molscore.chem.embedding.etkdg import embed
from molscore.chem.ensemble import heavy_positions, rmsd_matrix, symmetries
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.score.interpolate import interpolate

OFFSETS = ([1e3, -1e3, 5e2], [1e6, 1e6, -1e6], [0.0, 0.0, -3e7])


@pytest.fixture(scope="module")
def mols():
    return [embed("CC(=O)OCC(N)=O"), embed("C/C=C/CC(N)CO")]


def away(mol: Chem.Mol, offset: list[float]) -> Chem.Mol:
    far = Chem.Mol(mol)
    far.GetConformer().SetPositions(mol.GetConformer().GetPositions() + np.array(offset))
    return far


@pytest.fixture(scope="module")
def scorer():
    torch.set_num_threads(1)
    return molscore.MoleculeScorer.from_pretrained(device="cpu")


def test_scores(scorer, mols):
    for mol in mols:
        here, *there = scorer.score([mol, *(away(mol, offset) for offset in OFFSETS)])
        for moved in there:
            assert moved.log_likelihood == pytest.approx(here.log_likelihood, abs=2e-3)
            assert moved.score_norm == pytest.approx(here.score_norm, rel=2e-3)
            assert moved.score_uncertainty == pytest.approx(here.score_uncertainty, rel=2e-3)
            np.testing.assert_allclose(moved.atom_uncertainty, here.atom_uncertainty, rtol=1e-2)


def test_interpolation(scorer, mols):
    last = embed("CC(=O)OCC(N)=O", seed=5)
    near = interpolate(scorer.model, mols[0], last, n=3, steps=6)
    far = interpolate(scorer.model, away(mols[0], OFFSETS[1]), away(last, OFFSETS[2]), n=3, steps=6)
    for here, there in zip(near, far, strict=True):
        assert here.to_first == pytest.approx(there.to_first, abs=2e-3)
        assert here.to_last == pytest.approx(there.to_last, abs=2e-3)


def test_evaluation(mols):
    metrics = [
        molscore.evaluate([away(mol, offset) for mol in mols], reference="qm9", posebusters="mol_fast")
        for offset in ([0.0] * 3, *OFFSETS)
    ]
    for moved in metrics[1:]:
        assert moved.rates == metrics[0].rates and moved.posebusters == metrics[0].posebusters
        for name, distance in metrics[0].distances.items():
            assert moved.distances[name].value == pytest.approx(distance.value, rel=1e-3, abs=1e-6), name


def test_checks_energies_and_rmsd(mols):
    turn = Rotation.from_rotvec([0.3, 1.0, -0.5])
    for mol in mols:
        for offset in OFFSETS:
            far = away(mol, offset)
            assert check(far) == check(mol)
            assert relaxation_energy(far).energy == pytest.approx(relaxation_energy(mol).energy, abs=0.05)
            turned = Chem.Mol(mol)
            turned.GetConformer().SetPositions(turn.apply(mol.GetConformer().GetPositions()) + np.array(offset))
            both = np.concatenate([heavy_positions(mol), heavy_positions(turned)])
            assert rmsd_matrix(both, symmetries(mol))[0, 1] < 1e-3
