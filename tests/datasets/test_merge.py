"""Several tensor files in one."""

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import from_mol, to_mol
from molscore.chem.embedding.etkdg import embed
from molscore.datasets.build import build
from molscore.datasets.merge import merge
from molscore.datasets.tensorfile import read_tensorfile


def write(path, smiles, hydrogens=True, conformers=1):
    def make(number, text):
        return [from_mol(embed(text, seed=number))]

    build(smiles, make, path, path.stem, hydrogens, workers=1, conformers=conformers)
    return path


@pytest.fixture
def two(tmp_path):
    good = write(tmp_path / "good.safetensors", ["CCO", "c1ccccc1", "CCBr", "C[C@H](F)Cl"])
    many = write(tmp_path / "many.safetensors", ["CCCCCCO", "OCC", "CCN", "C[C@@H](F)Cl", "CCF", "CN=[N+]=[N-]"])
    return good, many


def smiles_of(file):
    mols = [to_mol(file.molecule(i), implied=file.implied_hydrogens) for i in range(len(file))]
    return [Chem.MolToSmiles(Chem.RemoveHs(mol)) for mol in mols]


def test_the_first_of_the_same_is_kept_and_all_keep_their_split(two, tmp_path):
    counts = merge(two, tmp_path / "both.safetensors")
    both = read_tensorfile(tmp_path / "both.safetensors")
    parts = [read_tensorfile(path) for path in two]
    assert counts["molecules"] == len(both) == 9 and counts["dropped"] == {"duplicate": 1}
    assert smiles_of(both) == [s for part in parts for s in smiles_of(part) if s != "CCO" or part is parts[0]]
    np.testing.assert_array_equal(both.molecule(0).positions, parts[0].molecule(0).positions)
    splits = {s: k for part in parts for s, k in zip(smiles_of(part), part.arrays["split"], strict=True)}
    assert [splits[s] for s in smiles_of(both)] == both.arrays["split"].tolist()
    assert "4 good and 6 many" in both.metadata["source"]


def test_several_of_the_same_are_kept_in_order(tmp_path):
    """Files may hold several of a molecule; a class is as rare as there are few different molecules that have it."""
    good = write(tmp_path / "good.safetensors", ["CCCO", "CCN", "OCCC"], conformers=2)
    many = write(tmp_path / "many.safetensors", ["CCC", "CCCO", "CCN", "C(CC)O", "CCBr", "BrCC", "CC"], conformers=9)
    parts = [read_tensorfile(path) for path in (good, many)]
    counts = merge((good, many), tmp_path / "both.safetensors", conformers=3)
    both = read_tensorfile(tmp_path / "both.safetensors")
    assert counts["dropped"] == {"duplicate": 1} and counts["distinct"] == 5 and counts["molecules"] == len(both) == 9
    assert smiles_of(both) == ["CCCO", "CCN", "CCCO", "CCC", "CCCO", "CCN", "CCBr", "CCBr", "CC"]
    for i, (part, k) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (1, 4), (1, 5), (1, 6)]):
        np.testing.assert_array_equal(both.molecule(i).positions, parts[part].molecule(k).positions)
        assert both.arrays["split"][i] == parts[part].arrays["split"][k]
    for name in ("CCCO", "CCN", "CCBr"):
        assert len({int(s) for s, own in zip(both.arrays["split"], smiles_of(both), strict=True) if own == name}) == 1
    counts = merge((good, many), tmp_path / "both.safetensors", conformers=3, rare=2)
    assert counts["dropped"] == {"duplicate": 1, "rare_element": 7} and counts["molecules"] == 2
    with pytest.raises(ValueError, match="from 1 to 255"):
        merge((good, many), tmp_path / "x.safetensors", conformers=0)


def test_large_and_odd_molecules_are_left_out(two, tmp_path):
    """Bromine is in one molecule, as are both ions; fluorine is in one as soon as its enantiomers are two molecules."""
    counts = merge(two, tmp_path / "x.safetensors", rare=2, max_heavy=4)
    file = read_tensorfile(tmp_path / "x.safetensors")
    assert counts["dropped"] == {"duplicate": 1, "too_large": 2, "rare_element": 4}
    assert sorted(smiles_of(file)) == sorted(["C[C@H](F)Cl", "C[C@@H](F)Cl", "CCF"])
    assert counts["vocabulary"] == [[1, 0, 13], [6, 0, 6], [9, 0, 3], [17, 0, 2]]


def test_what_is_rare_once_the_rare_are_gone_goes_too(tmp_path):
    """Without the one bromide there is one fluoride left."""
    path = write(tmp_path / "a.safetensors", ["CC", "CCC", "FCBr", "CCF", "CCCC"])
    assert merge([path], tmp_path / "x.safetensors", rare=2)["dropped"] == {"rare_element": 2}
    assert smiles_of(read_tensorfile(tmp_path / "x.safetensors")) == ["CC", "CCC", "CCCC"]


def test_hydrogens_may_be_implied(two, tmp_path):
    bare = write(tmp_path / "bare.safetensors", ["CCS", "CCO"], hydrogens=False)
    with pytest.raises(ValueError, match="--implied"):
        merge([*two, bare], tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()
    merge([*two, bare], tmp_path / "x.safetensors", implied=True)
    file = read_tensorfile(tmp_path / "x.safetensors")
    assert file.implied_hydrogens and len(file) == 10
    assert smiles_of(file)[-1] == "CCS"


def test_nothing_left(two, tmp_path):
    with pytest.raises(ValueError, match="no molecule is left"):
        merge(two, tmp_path / "x.safetensors", rare=100)
    assert not (tmp_path / "x.safetensors").exists()
