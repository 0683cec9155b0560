"""One relaxed conformer from SMILES."""

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import MoleculeError
from molscore.chem.embed import embed
from molscore.chem.strain import relaxation_energy
from molscore.chem.validity import check


@pytest.mark.parametrize("smiles", ["CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "F/C=C\\Cl", "C1CC1c1ncc[nH]1"])
def test_a_relaxed_conformer_of_the_molecule_asked_for(smiles):
    mol = embed(smiles, seed=3)
    assert Chem.MolToSmiles(Chem.RemoveHs(mol)) == Chem.CanonSmiles(smiles)
    assert check(mol).ok and relaxation_energy(mol).energy < 0.1
    again, other = embed(smiles, seed=3), embed(smiles, seed=4)
    np.testing.assert_array_equal(mol.GetConformer().GetPositions(), again.GetConformer().GetPositions())
    assert np.abs(mol.GetConformer().GetPositions() - other.GetConformer().GetPositions()).max() > 1e-2


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [("c1ccccc", "smiles"), ("", "smiles"), ("C.C", "disconnected"), ("[Na+].[Cl-]", "disconnected"),
     ("C[Se]C", "no_parameters"), ("C1#CC1", "embedding")],
)  # fmt: skip
def test_reasons_for_which_there_is_none(smiles, reason):
    with pytest.raises(MoleculeError) as caught:
        embed(smiles)
    assert caught.value.reason == reason
