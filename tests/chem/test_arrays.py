"""Arrays to molecules and back: nothing lost, nothing invented."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import MoleculeError, from_mol, isomeric_smiles, to_mol

MOLECULES = {
    "alkane": "CCC",
    "zwitterion": "[NH3+]CC(=O)[O-]",
    "nitro": "C[N+](=O)[O-]",
    "N-oxide": "C[N+](C)(C)[O-]",
    "azide": "CN=[N+]=[N-]",
    "isonitrile": "C[N+]#[C-]",
    "nitrile": "CC#N",
    "alkyne": "C#CC",
    "allene": "CC=C=C",
    "benzene": "c1ccccc1",
    "pyrrole": "c1cc[nH]c1",
    "thiazole": "Cc1cscn1",
    "indole": "c1ccc2[nH]ccc2c1",
    "sulfone": "CS(C)(=O)=O",
    "phosphate": "COP(=O)(O)O",
    "halogens": "F[C@](Cl)(Br)I",
    "R": "C[C@H](O)F",
    "S": "C[C@@H](O)F",
    "two centres": "C[C@H](O)[C@@H](F)Cl",
    "E": "C/C=C/F",
    "Z": "C/C=C\\F",
    "E imine": "C/C=N/O",
    "centre and double bond": "C[C@H](F)/C=C\\Cl",
    "cage": "C1CN2CCC1CC2",
    "cubane": "C12C3C4C1C5C2C3C45",
}


@pytest.mark.parametrize("smiles", MOLECULES.values(), ids=MOLECULES.keys())
def test_round_trip_keeps_the_molecule(embed, smiles):
    mol = embed(smiles)
    arrays = from_mol(mol)
    back = to_mol(arrays)
    assert isomeric_smiles(back) == Chem.CanonSmiles(smiles)
    assert back.GetRingInfo().NumRings() == mol.GetRingInfo().NumRings()
    np.testing.assert_allclose(back.GetConformer().GetPositions(), mol.GetConformer().GetPositions(), atol=1e-5)
    again = from_mol(back)
    for name in ("atomic_numbers", "formal_charges", "positions", "bonds", "bond_orders"):
        assert np.array_equal(getattr(again, name), getattr(arrays, name)), name


@pytest.mark.parametrize("smiles", MOLECULES.values(), ids=MOLECULES.keys())
def test_arrays_are_kekulised_and_typed(embed, smiles):
    mol = embed(smiles)
    arrays = from_mol(mol)
    n, m = mol.GetNumAtoms(), mol.GetNumBonds()
    assert (arrays.atomic_numbers.dtype, arrays.formal_charges.dtype) == (np.uint8, np.int8)
    assert (arrays.positions.dtype, arrays.bond_orders.dtype) == (np.float32, np.uint8)
    assert arrays.positions.shape == (n, 3) and arrays.bonds.shape == (m, 2)
    assert (arrays.bonds[:, 0] < arrays.bonds[:, 1]).all()
    totals = np.zeros(n, int)
    for column in arrays.bonds.T:
        np.add.at(totals, column, arrays.bond_orders)
    assert totals.tolist() == [atom.GetTotalValence() for atom in mol.GetAtoms()]


def test_benzene_has_alternating_bonds_and_the_input_stays_aromatic(embed):
    mol = embed("c1ccccc1")
    assert np.bincount(from_mol(mol).bond_orders).tolist() == [0, 9, 3]
    assert all(mol.GetAtomWithIdx(i).GetIsAromatic() for i in range(6))


def test_a_mirror_image_gets_the_other_label(embed):
    arrays = from_mol(embed("C[C@H](O)F"))
    mirrored = replace(arrays, positions=arrays.positions * np.array([-1, 1, 1], np.float32))
    assert isomeric_smiles(to_mol(mirrored)) == Chem.CanonSmiles("C[C@@H](O)F")


def test_unsanitised_molecules_have_stereo_too(embed):
    mol = to_mol(from_mol(embed("C[C@H](F)/C=C\\Cl")), sanitize=False)
    assert isomeric_smiles(mol) == Chem.CanonSmiles("C[C@H](F)/C=C\\Cl")


def without_atom(arrays, index):
    keep = (arrays.bonds != index).all(axis=1)
    bonds = arrays.bonds[keep]
    return replace(
        arrays,
        atomic_numbers=np.delete(arrays.atomic_numbers, index),
        formal_charges=np.delete(arrays.formal_charges, index),
        positions=np.delete(arrays.positions, index, axis=0),
        bonds=bonds - (bonds > index),
        bond_orders=arrays.bond_orders[keep],
    )


def test_a_missing_hydrogen_is_an_error_not_an_implicit_hydrogen(embed):
    broken = without_atom(from_mol(embed("CO")), 5)
    with pytest.raises(MoleculeError, match="unpaired") as error:
        to_mol(broken)
    assert error.value.reason == "radical"
    mol = to_mol(broken, sanitize=False)
    assert mol.GetNumAtoms() == 5 and all(atom.GetTotalNumHs() == 0 for atom in mol.GetAtoms())


def test_too_many_bonds_is_an_error_with_the_words_of_rdkit(embed):
    arrays = from_mol(embed("CC"))
    broken = replace(arrays, bond_orders=np.where(np.arange(7) == 0, 2, arrays.bond_orders))
    with pytest.raises(ValueError, match="Explicit valence for atom # 0 C, 5") as error:
        to_mol(broken)
    assert error.value.reason == "valence"
    assert to_mol(broken, sanitize=False).GetBondWithIdx(0).GetBondType() == Chem.BondType.DOUBLE


def test_a_neutral_five_valent_nitrogen_is_not_quietly_repaired(embed):
    arrays = from_mol(embed("C[N+](=O)[O-]"))
    orders = np.where((arrays.bonds == (1, 3)).all(axis=1), 2, arrays.bond_orders)
    with pytest.raises(MoleculeError, match="valence"):
        to_mol(replace(arrays, formal_charges=np.zeros(7, np.int8), bond_orders=orders))


def test_an_empty_molecule_is_a_molecule_of_no_atoms():
    mol = Chem.Mol()
    mol.AddConformer(Chem.Conformer(0))
    assert to_mol(from_mol(mol)).GetNumAtoms() == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"atomic_numbers": np.array([0, 1, 1], np.uint8)}, "unknown_element"),
        ({"positions": np.zeros((2, 3), np.float32)}, "bad_arrays"),
        ({"bond_orders": np.array([1, 4], np.uint8)}, "bad_arrays"),
        ({"bonds": np.array([[0, 1], [0, 3]])}, "bad_arrays"),
        ({"bonds": np.array([[0, 1], [2, 0]])}, "bad_arrays"),
        ({"bonds": np.array([[0, 1], [0, 1]])}, "bad_arrays"),
    ],
)
def test_arrays_that_make_no_sense_are_errors(embed, change, reason):
    arrays = from_mol(embed("O"))
    with pytest.raises(MoleculeError) as error:
        to_mol(replace(arrays, **change), sanitize=False)
    assert error.value.reason == reason


def test_from_mol_says_what_to_do(embed):
    flat = Chem.AddHs(Chem.MolFromSmiles("CO"))
    with pytest.raises(MoleculeError, match="embed"):
        from_mol(flat)
    with pytest.raises(MoleculeError, match="AddHs"):
        from_mol(Chem.RemoveHs(embed("CO")))
    drawing = embed("CO")
    drawing.GetConformer().Set3D(False)
    with pytest.raises(MoleculeError, match="no_3d"):
        from_mol(drawing)
    dative = Chem.RWMol(to_mol(from_mol(embed("CO"))))
    dative.GetBondWithIdx(0).SetBondType(Chem.BondType.DATIVE)
    with pytest.raises(MoleculeError, match="DATIVE"):
        from_mol(dative)


@pytest.mark.parametrize("offset", [0, 5, 1e3, 1e6, -3e7], ids=str)
def test_molecules_far_from_the_origin_keep_their_geometry(embed, offset):
    """Moved in float64, before positions become float32, which at 10^6 Å are 0.06 Å apart."""
    mol = embed("CC(=O)Oc1ccccc1C(=O)O")
    far = Chem.Mol(mol)
    far.GetConformer().SetPositions(mol.GetConformer().GetPositions() + [offset, -offset, offset / 2])
    expected, positions = (from_mol(m).positions.astype(float) for m in (mol, far))
    np.testing.assert_allclose(positions - positions.mean(0), expected - expected.mean(0), atol=3e-6)
    assert np.abs(positions).max() < 30
    assert np.array_equal(from_mol(to_mol(from_mol(far))).positions, from_mol(far).positions)


def test_errors_go_through_pickle():
    error = pickle.loads(pickle.dumps(MoleculeError("valence", "too many bonds")))
    assert (error.reason, error.detail, str(error)) == ("valence", "too many bonds", "valence: too many bonds")
