"""From one conformer to another: the ends are the conformers, the path is made of molecules."""

import numpy as np
import pytest
import torch
from rdkit import Chem

from molscore.chem.arrays import MoleculeError, isomeric_smiles
from molscore.score.interpolate import great_circle, interpolate

SMILES = "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O"


@pytest.fixture(scope="module")
def ends(conformer):
    """Two conformers; the second in another order of atoms, elsewhere."""
    first, last = conformer(SMILES, seed=1), conformer(SMILES, seed=4)
    order = np.random.default_rng(0).permutation(last.GetNumAtoms()).tolist()
    last = Chem.RenumberAtoms(last, order)
    last.GetConformer().SetPositions(last.GetConformer().GetPositions() @ np.diag([-1.0, -1.0, 1.0]) + 7)
    return first, last


@pytest.fixture(scope="module")
def path(scorer, ends):
    return interpolate(scorer.model, *ends, n=5)


def test_the_ends_are_the_conformers(path, ends):
    assert [step.fraction for step in path] == [0, 0.25, 0.5, 0.75, 1]
    assert path[0].to_first < 0.02 and path[-1].to_last < 0.02
    apart = path[0].to_last
    assert apart > 0.5 and path[-1].to_first == pytest.approx(apart, abs=0.02)
    heavy = Chem.RemoveHs(ends[0]).GetConformer().GetPositions()
    np.testing.assert_allclose(
        (x := path[0].mol.GetConformer().GetPositions()[: len(heavy)]) - x.mean(0), heavy - heavy.mean(0), atol=0.05
    )


def test_the_path_is_made_of_the_same_molecule(path, ends):
    assert {isomeric_smiles(step.mol) for step in path} == {isomeric_smiles(ends[0])}
    distances = [step.to_first for step in path]
    assert distances == sorted(distances)
    for step in path:
        lengths = [
            (
                step.mol.GetConformer().GetAtomPosition(b.GetBeginAtomIdx())
                - step.mol.GetConformer().GetAtomPosition(b.GetEndAtomIdx())
            ).Length()
            for b in step.mol.GetBonds()
        ]
        assert 0.8 < min(lengths) and max(lengths) < 1.8
        assert set(step.properties()) >= {"fraction", "strain_kcal_per_mol"}


def test_other_molecules_and_too_few_steps_are_refused(scorer, ends, conformer):
    for other in (conformer("CC(C)Cc1ccc(cc1)[C@H](C)C(=O)O"), conformer("CC(C)Cc1ccc(cc1)CCC(=O)O")):
        with pytest.raises(MoleculeError, match="no conformers of one molecule"):
            interpolate(scorer.model, ends[0], other)
    with pytest.raises(ValueError, match="from 2 to"):
        interpolate(scorer.model, *ends, n=1)


def test_great_circle():
    a, b = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0])
    points = great_circle(a, b, torch.linspace(0, 1, 3))
    torch.testing.assert_close(points, torch.tensor([[2, 0], [3 / 2**0.5, 3 / 2**0.5], [0, 4]]), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(great_circle(a, 2 * a, torch.tensor([0.5])), 1.5 * a[None])
