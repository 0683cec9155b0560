"""Stereo tags: what a molecule says of itself holds for its embeddings and fails in a mirror, however numbered."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molscore.chem.arrays import from_mol, with_stereo
from molscore.chem.hydrogens import with_hydrogens, without_hydrogens
from molscore.chem.stereo.tags import CIS, TRANS, misread, tags, wrong

HANDED = {
    "amino acid": "C[C@H](N)C(=O)O",
    "quaternary": "N[C@@](F)(Cl)C",
    "first atom": "[C@](F)(Cl)(Br)I",
    "sulfoxide": "CC[S@](C)=O",
    "phosphine oxide": "CC[P@](C)(=O)O",
    "phosphine": "C[P@](CC)c1ccccc1",
    "sugar": "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "bridged": "C[C@]12CC[C@H](CC1=O)C2(C)C",
    "fused": "C1CC[C@H]2CCCC[C@@H]2C1",
    "epoxide": "C[C@@H]1O[C@H]1CC",
}
SIDES = {"C/C=C/C(=O)N": TRANS, "C/C=C\\C#N": CIS, "CC(=N\\O)/CC": TRANS, "C/C(Cl)=C(F)/CC": TRANS}


def conformers(mol: Chem.Mol, n: int = 3) -> np.ndarray:
    assert len(rdDistGeom.EmbedMultipleConfs(mol, n, randomSeed=7)) == n
    return np.array([conformer.GetPositions() for conformer in mol.GetConformers()])


@pytest.mark.parametrize("hydrogens", [True, False])
@pytest.mark.parametrize("name", HANDED)
def test_tags_of_handedness_hold_and_fail_in_a_mirror(name, hydrogens):
    mol = Chem.MolFromSmiles(HANDED[name])
    whole = Chem.AddHs(mol)
    x, rows = conformers(whole), tags(whole if hydrogens else mol)
    centres = Chem.FindMolChiralCenters(mol, useLegacyImplementation=False)
    assert sorted(rows[:, 0]) == sorted(index for index, _ in centres)
    assert not wrong(x, rows).any() and wrong(-x, rows).all()


@pytest.mark.parametrize("name", HANDED)
def test_redundant_tags_hold_where_the_others_do(name):
    mol = Chem.AddHs(Chem.MolFromSmiles(HANDED[name]))
    x, some, every = conformers(mol), tags(mol), tags(mol, redundant=True)
    assert {tuple(row) for row in some.tolist()} <= {tuple(row) for row in every.tolist()}
    counts = {atom.GetIdx(): 1 if atom.GetDegree() == 3 else 4 for atom in mol.GetAtoms()}
    assert len(every) == sum(counts[row[0]] for row in some)
    assert not wrong(x, every).any() and wrong(-x, every).all()


def test_a_centre_turned_inside_out_is_wrong():
    """Its hydrogen among the other three: their volume is as it was, that with the hydrogen is not."""
    mol = Chem.AddHs(Chem.MolFromSmiles("F[C@H](Cl)Br"))
    (x,) = conformers(mol, 1)
    x[4] = 2 * x[1] - x[4]
    assert not wrong(x[None], tags(mol)).any()
    assert wrong(x[None], tags(mol, redundant=True)).any()


@pytest.mark.parametrize("smiles", [*HANDED.values(), *SIDES])
def test_rdkit_reads_what_was_asked_for_and_something_else_in_a_mirror(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    # From positions RDKit reads no phosphine.
    handed = (np.abs(tags(mol)[:, 4]) == 1).any() and smiles != HANDED["phosphine"]
    for x in conformers(mol):
        mol.GetConformer(0).SetPositions(x)
        assert not misread(mol, 0, tags(mol))
        mol.GetConformer(0).SetPositions(-x)
        assert misread(mol, 0, tags(mol)) == handed


def test_rdkit_reads_another_side_or_no_centre():
    other, mol = (Chem.AddHs(Chem.MolFromSmiles(text)) for text in ("C/C=C/F", "C/C=C\\F"))
    assert conformers(other) is not None and other.GetNumAtoms() == mol.GetNumAtoms()
    mol.AddConformer(other.GetConformer(0))
    assert misread(mol, 0, tags(mol))
    flat = Chem.AddHs(Chem.MolFromSmiles("F[C@H](Cl)Br"))
    x = conformers(flat, 1)[0]
    for positions in (x * [1, 1, 0], np.zeros_like(x)):
        flat.GetConformer(0).SetPositions(positions)
        assert misread(flat, 0, tags(flat))


@pytest.mark.parametrize("smiles", SIDES)
def test_tags_of_sides_hold_in_a_mirror_too(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    x, rows = conformers(mol), tags(mol)
    assert rows[:, 4].tolist() == [SIDES[smiles]]
    assert not wrong(x, rows).any() and not wrong(-x, rows).any()
    rows[:, 4] *= -1
    assert wrong(x, rows).all()


@pytest.mark.parametrize("name", HANDED)
def test_numbering_does_not_matter(name):
    mol = Chem.AddHs(Chem.MolFromSmiles(HANDED[name]))
    x = conformers(mol, 1)
    order = np.random.default_rng(3).permutation(mol.GetNumAtoms())
    other = Chem.RenumberAtoms(mol, order.tolist())
    assert not wrong(x[:, order], tags(other)).any() and len(tags(other)) == len(tags(mol))


def test_the_sense_of_a_hindered_axis():
    for smiles in ("Cc1cccc(I)c1-c1c(C)cccc1F |wU:7.6|", "Cc1cccc(I)c1-c1c(C)cccc1F |wD:7.6|"):
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        x, rows = conformers(mol), tags(mol)
        assert len(rows) == 1 and not wrong(x, rows).any() and wrong(-x, rows).all()


def test_what_is_not_specified_has_no_tag():
    for smiles in ("CC(N)C(=O)O", "CC=CC", "CCO", "C1CC1"):
        assert tags(Chem.MolFromSmiles(smiles)).shape == (0, 5)


def test_flat_twisted_and_coinciding_atoms_are_wrong():
    centre, bond = np.array([[0, 1, 2, 3, 1]]), np.array([[0, 1, 2, 3, CIS]])
    flat = np.array([[0, 0, 0], [1, 0, 0], [-0.5, 0.8, 0], [-0.5, -0.8, 0.01]])
    twisted = np.array([[0, 1, 0], [0, 0, 0], [1.3, 0, 0], [1.3, 0.3, 0.95]])
    for x, tag in ((flat, centre), (twisted, bond), (np.zeros((4, 3)), centre), (np.zeros((4, 3)), bond)):
        assert wrong(x[None], tag).all() and wrong(-x[None], tag * [1, 1, 1, 1, -1]).all()


@pytest.mark.parametrize("name", [name for name in HANDED if name != "phosphine"])  # RDKit reads none off positions
def test_arrays_carry_tags_of_their_heavy_atoms(name):
    mol = Chem.AddHs(Chem.MolFromSmiles(HANDED[name]))
    x = conformers(mol, 1)
    heavy = without_hydrogens(from_mol(mol))
    again = with_stereo(heavy, implied=True)  # read off the positions
    assert sorted(map(tuple, heavy.stereo[:, [0, 4]])) == sorted(map(tuple, again.stereo[:, [0, 4]]))
    assert not wrong(heavy.positions[None], heavy.stereo).any()
    assert not wrong(x, from_mol(mol).stereo).any()


@pytest.mark.parametrize(
    "smiles", [*HANDED.values(), *SIDES, "CC(=O)[O-]", "C[NH3+]", "c1ccccc1", "[2H]C([2H])([2H])O"]
)
def test_hydrogens_find_their_places_in_any_order(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    order = np.random.default_rng(1).permutation(mol.GetNumAtoms()).tolist()
    mol = Chem.RenumberAtoms(mol, order)
    x = conformers(mol, 2)
    heavy = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    placed = with_hydrogens(mol, x[:, heavy])
    y = np.array([conformer.GetPositions() for conformer in placed.GetConformers()])
    np.testing.assert_allclose(y[:, heavy], x[:, heavy], atol=1e-9)
    assert not wrong(y, tags(mol)).any()
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if {mol.GetAtomWithIdx(i).GetAtomicNum(), mol.GetAtomWithIdx(j).GetAtomicNum()} & {1}:
            assert (np.abs(np.linalg.norm(y[:, i] - y[:, j], axis=-1) - 1.05) < 0.1).all()
    gaps = np.linalg.norm(y[:, :, None] - y[:, None], axis=-1) + 9 * np.eye(len(order))
    assert gaps.min() > 0.9
