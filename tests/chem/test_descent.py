"""Many conformers at once, down the energy of a force field: to RDKit's minima, in far fewer steps."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMultipleConfs

from molscore.chem.ensemble import positions
from molscore.chem.forcefield.descent import descend, energies
from molscore.chem.forcefield.mmff import force_field, typed
from molscore.chem.forcefield.model_hessian import InverseHessian, model_hessian

DRUG = "C[C@H](N)C(=O)Nc1ccc(OCC#N)cc1CC1CCNCC1"
PEPTIDE = "CC(C)C[C@H](N)C(=O)N[C@@H](C)C(=O)NCC(=O)N[C@@H](CO)C(=O)NCC(=O)N[C@@H](C)C(=O)O"


class Counted:
    """A force field that counts how often its energy is asked for."""

    def __init__(self, field):
        self.field, self.count = field, 0

    def CalcEnergy(self, x):  # noqa: N802 (RDKit's name)
        self.count += 1
        return self.field.CalcEnergy(x)

    def CalcGrad(self, x):  # noqa: N802
        return self.field.CalcGrad(x)


def start(smiles: str, count: int = 3, noise: float = 0.05):
    """Embedded conformers with noise, and one field for all."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert len(EmbedMultipleConfs(mol, count, randomSeed=5)) == count
    x = positions(mol)
    x += np.random.default_rng(0).normal(scale=noise, size=x.shape)
    return mol, x, force_field(*typed(mol))


def largest_force(field, x: np.ndarray) -> float:
    field.CalcEnergy(x.ravel().tolist())
    return float(np.abs(field.CalcGrad(x.ravel().tolist())).max())


@pytest.mark.parametrize("smiles", [DRUG, PEPTIDE, "OB(O)c1ccccc1C[Si](C)(C)C", "CC", "[H][H]"])
def test_energies_fall_as_far_as_with_rdkit(smiles):
    """RDKit's minimiser may make twice as many steps."""
    mol, x, field = start(smiles)
    moved = descend([field] * 3, x, model_hessian(mol).inverse(x), 250, 0.3)
    theirs = []
    for each in x:
        trial, properties = typed(mol)
        trial.GetConformer().SetPositions(each)
        own = force_field(trial, properties)
        own.Minimize(maxIts=500)
        theirs.append(own.CalcEnergy())
    ours, before = energies(field, moved), energies(field, x)
    assert (ours < before).all() and np.mean(ours - theirs) < 0.05 * np.mean(before - theirs)
    settled = [largest_force(field, each) <= 0.3 for each in moved]
    assert all(settled) or smiles == PEPTIDE


def test_the_model_spares_steps():
    """Without it, more energies lead less far."""
    mol, x, field = start(DRUG, 1)
    inverse = model_hessian(mol).inverse(x)
    plain = InverseHessian(inverse.walk, np.eye(inverse.blocks.shape[-1], dtype=np.float32)[None, None] / 700)
    best = energies(field, descend([field], x, inverse, 500, 0.05))[0]
    with_model, without = Counted(field), Counted(field)
    left = [
        energies(field, descend([counted], x, each, steps, 0.0))[0] - best
        for counted, each, steps in ((with_model, inverse, 30), (without, plain, 60))
    ]
    assert with_model.count < 0.6 * without.count and left[0] < left[1]


def test_conformers_do_not_feel_one_another():
    """Bit for bit, whether they share a field or a batch; what is no number stays."""
    mol, x, field = start(DRUG, 4, 0.2)
    x[1] = np.nan
    hessian = model_hessian(mol)
    together = descend([field] * 4, x, hessian.inverse(x), 60, 0.5)
    for k in (0, 2, 3):
        alone = descend([force_field(*typed(mol))], x[k : k + 1], hessian.inverse(x[k : k + 1]), 60, 0.5)
        np.testing.assert_array_equal(together[k], alone[0])
    assert np.isnan(together[1]).all()
    assert descend([], x[:0], hessian.inverse(x[:0]), 60, 0.5).shape == (0, *x.shape[1:])


def test_some_atoms_move_and_others_stay():
    mol, x, field = start(DRUG)
    free = np.array([atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 1])
    held = np.setdiff1d(np.arange(mol.GetNumAtoms()), free)
    moved = descend([field] * 3, x, model_hessian(mol).inverse(x, free), 100, 0.5, free)
    np.testing.assert_array_equal(moved[:, held], x[:, held])
    assert (energies(field, moved) < energies(field, x) - 5).all()
    field.CalcEnergy(moved[0].ravel().tolist())
    gradient = np.reshape(field.CalcGrad(moved[0].ravel().tolist()), (-1, 3))
    assert np.abs(gradient[free]).max() <= 0.5 < np.abs(gradient[held]).max()
