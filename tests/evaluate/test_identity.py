import numpy as np
from small_molecules import embed

from molscore.evaluate.molecules.identity import canonical_smiles, count_novel, hash_smiles


def test_smiles_do_not_depend_on_the_order_of_atoms_or_on_hydrogens():
    from rdkit import Chem

    mol = embed("CC(=O)Nc1ccccc1")
    shuffled = Chem.RenumberAtoms(mol, np.random.default_rng(0).permutation(mol.GetNumAtoms()).tolist())
    assert canonical_smiles(mol) == canonical_smiles(shuffled) == canonical_smiles(Chem.RemoveHs(mol))


def test_an_imine_is_one_molecule_whether_its_stereo_is_known_or_not():
    from rdkit import Chem

    mol = embed("CC(C=O)=N")
    Chem.AssignStereochemistryFrom3D(mol)
    assert canonical_smiles(mol) == Chem.CanonSmiles("CC(C=O)=N")


def test_stereo_tells_enantiomers_apart_only_where_asked():
    left, right = embed("C[C@H](N)O"), embed("C[C@@H](N)O")
    assert canonical_smiles(left) == canonical_smiles(right)
    assert canonical_smiles(left, stereo=True) != canonical_smiles(right, stereo=True)


def test_hashes_are_stable_and_distinct():
    # a bundled reference would be void if the hash ever changed
    assert hash_smiles(["CCO"]).tolist() == [0xC353956C6F0B206D]
    assert len(np.unique(hash_smiles(f"C{k}" for k in range(10_000)))) == 10_000


def test_novelty_counts_what_is_not_known():
    known = np.sort(hash_smiles(["CCO", "CC", "C1CC1"]))
    assert count_novel(["CCO", "CC", "C1CC1"], known) == 0
    assert count_novel(["CCO", "CCN", "CCCC"], known) == 2
    assert count_novel([], known) == 0
    assert count_novel(["CCO"], np.zeros(0, dtype=np.uint64)) == 1
