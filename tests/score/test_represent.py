"""What a model can be asked about, and the reason why not."""

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import MoleculeError
from molscore.model import load
from molscore.pretrained import find
from molscore.score.represent import UNREPRESENTABLE, batch_of, represent


def test_heavy_atoms_in_their_order_with_their_places(scorer, drugs):
    mol = drugs[1]
    order = np.random.default_rng(0).permutation(mol.GetNumAtoms()).tolist()
    shuffled = Chem.RenumberAtoms(mol, order)
    result = represent(shuffled, scorer.model)
    numbers = [shuffled.GetAtomWithIdx(int(i)).GetAtomicNum() for i in result.atoms]
    assert numbers == result.arrays.atomic_numbers.tolist()
    assert 1 not in result.arrays.atomic_numbers and len(result.atoms) == mol.GetNumHeavyAtoms()
    np.testing.assert_allclose(result.arrays.positions, shuffled.GetConformer().GetPositions()[result.atoms], atol=1e-5)


def test_hydrogens_may_be_left_out_but_all_of_them(scorer, drugs):
    whole, bare = represent(drugs[0], scorer.model), represent(Chem.RemoveHs(drugs[0]), scorer.model)
    np.testing.assert_array_equal(whole.arrays.positions, bare.arrays.positions)
    np.testing.assert_array_equal(whole.arrays.bond_orders, bare.arrays.bond_orders)
    hydrogen = next(a.GetIdx() for a in drugs[3].GetAtoms() if a.GetAtomicNum() == 1)
    with pytest.raises(MoleculeError) as caught:
        represent(_missing(drugs[3], hydrogen), scorer.model)
    assert caught.value.reason == "implicit_hydrogens"


def _missing(mol: Chem.Mol, hydrogen: int) -> Chem.Mol:
    """A hydrogen is gone, and valence implies it."""
    copy = Chem.RWMol(mol)
    neighbour = copy.GetAtomWithIdx(hydrogen).GetNeighbors()[0]
    neighbour.SetNoImplicit(False)
    copy.RemoveAtom(hydrogen)
    result = copy.GetMol()
    Chem.SanitizeMol(result)
    return result


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("C[Ge](C)(C)c1ccccc1CCO", "unknown_atom"),
        ("CCCCCCCC[Te]CCC", "unknown_atom"),
        ("CCCCCCCC(=O)[O-].[Na+]", "disconnected"),
        ("C[CH]CCCCCCCC", "implied_hydrogens"),
        ("C", "too_small"),
        ("C" * 60, "too_large"),
    ],
)
def test_what_it_cannot_represent_it_says(scorer, smiles, reason):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(np.random.default_rng(0).normal(size=(mol.GetNumAtoms(), 3)))
    conformer.Set3D(True)
    mol.AddConformer(conformer)
    with pytest.raises(MoleculeError) as caught:
        represent(mol, scorer.model)
    assert caught.value.reason == reason and reason in UNREPRESENTABLE
    assert scorer.fault(mol).startswith(f"{reason}: ")


def test_no_coordinates_no_molecule(scorer, drugs):
    flat = Chem.AddHs(Chem.MolFromSmiles("CCCCCCCCCC"))
    nowhere = Chem.Mol(drugs[0])
    positions = nowhere.GetConformer().GetPositions()
    positions[0] = np.nan
    nowhere.GetConformer().SetPositions(positions)
    for mol, reason in ((flat, "no_3d"), (nowhere, "no_3d"), (None, "unreadable")):
        with pytest.raises(MoleculeError) as caught:
            represent(mol, scorer.model)
        assert caught.value.reason == reason


def test_models_with_hydrogens_see_them(conformer):
    model, mol = load(find("qm9")), conformer("CCO")
    result = represent(mol, model)
    assert len(result.atoms) == 9
    with pytest.raises(MoleculeError, match="implicit"):
        represent(Chem.RemoveHs(mol), model)


def test_a_batch_holds_the_molecules(scorer, drugs):
    molecules = [represent(mol, scorer.model) for mol in drugs]
    batch = batch_of([molecule.arrays for molecule in molecules], scorer.model)
    for k, molecule in enumerate(molecules):
        n = len(molecule.atoms)
        assert batch.mask[k].sum() == n and batch.mask[k, :n].all()
        named = [scorer.model.vocabulary[c][0] for c in batch.atoms[k, :n].tolist()]
        assert named == molecule.arrays.atomic_numbers.tolist()
        np.testing.assert_array_equal(batch.positions[k, :n].numpy(), molecule.arrays.positions)
        bonds = batch.bonds[k, :n, :n]
        assert (bonds == bonds.T).all() and int(bonds.sum()) == 2 * int(molecule.arrays.bond_orders.sum())
        assert [int(bonds[i, j]) for i, j in molecule.arrays.bonds.tolist()] == molecule.arrays.bond_orders.tolist()
