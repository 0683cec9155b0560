from collections import Counter

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolTransforms
from small_molecules import embed, judge_mol

from molscore.chem.arrays import MoleculeArrays
from molscore.evaluate.compare.internal_coordinates import measure, type_code, type_name


def arrays(smiles: str) -> MoleculeArrays:
    return judge_mol(embed(smiles)).arrays


def named(values) -> Counter:
    return Counter(type_name(int(code)) for code in values.code)


def test_every_path_of_ethane_is_counted_once():
    coordinates = measure([arrays("CC")])
    assert named(coordinates["bond"]) == {"H-C": 6, "C-C": 1}
    assert named(coordinates["angle"]) == {"H-C-H": 6, "H-C-C": 6}
    assert named(coordinates["dihedral"]) == {"H-C-C-H": 9}


def test_types_name_the_kekulised_bonds():
    coordinates = measure([arrays("C=CC#N")])
    assert named(coordinates["bond"]) == {"H-C": 3, "C=C": 1, "C-C": 1, "C#N": 1}
    assert named(coordinates["dihedral"])["C=C-C#N"] == 1


def test_a_three_ring_has_no_dihedral_within():
    coordinates = measure([arrays("C1CC1")])
    assert "C-C-C-C" not in named(coordinates["dihedral"])
    assert named(coordinates["angle"])["C-C-C"] == 3


def test_a_type_is_the_same_in_both_directions():
    assert type_code("C-C=O") == type_code("O=C-C")
    assert type_code("H-C-C-N") == type_code("N-C-C-H")
    assert type_code("C-C=O") != type_code("C=C-O")
    assert type_name(type_code("N-C-C-H")) == "H-C-C-N"
    for wrong in ("C-", "C-Qq", "", "CC"):
        with pytest.raises(ValueError, match="not a path"):
            type_code(wrong)


def test_values_agree_with_rdkit():
    mol = embed("CC(F)C=O")
    conformer = mol.GetConformer()
    coordinates = measure([judge_mol(mol).arrays])
    patterns = {"C-F": "CF", "C-C-F": "CCF", "F-C-C=O": "FCC=O"}
    functions = {"bond": rdMolTransforms.GetBondLength, "angle": rdMolTransforms.GetAngleDeg}
    functions["dihedral"] = rdMolTransforms.GetDihedralDeg
    for (name, smarts), kind in zip(patterns.items(), functions, strict=True):
        expected = [functions[kind](conformer, *match) for match in mol.GetSubstructMatches(Chem.MolFromSmarts(smarts))]
        values = coordinates[kind].value[coordinates[kind].code == type_code(name)]
        assert sorted(values) == pytest.approx(sorted(expected), abs=1e-3)


def test_a_mirror_image_changes_the_sign_of_dihedrals_only():
    original = arrays("CC(F)C=O")
    mirrored = MoleculeArrays(
        original.atomic_numbers,
        original.formal_charges,
        original.positions * np.array([-1, 1, 1], dtype=np.float32),
        original.bonds,
        original.bond_orders,
    )
    before, after = measure([original]), measure([mirrored])
    assert after["bond"].value == pytest.approx(before["bond"].value)
    assert after["angle"].value == pytest.approx(before["angle"].value)
    off = np.abs(np.abs(before["dihedral"].value) - 180) > 1e-3
    assert after["dihedral"].value[off] == pytest.approx(-before["dihedral"].value[off], abs=1e-3)


def test_values_know_their_molecule():
    coordinates = measure([arrays("C"), arrays("O")])
    assert coordinates["bond"].molecule.tolist() == [0, 0, 0, 0, 1, 1]
    assert len(measure([])["angle"].value) == 0
