"""Stereo of cumulenes: read from SMILES and coordinates, and kept by what settles geometries."""

import pytest
from rdkit import Chem
from rdkit.Chem.rdMolTransforms import GetDihedralDeg

from molscore.chem.embedding.etkdg import etkdg_in_place
from molscore.chem.forcefield.settle import settle_in_place
from molscore.chem.forcefield.springs import settle_by_table_in_place
from molscore.chem.geometry import expected
from molscore.chem.io.smiles import parse_smiles
from molscore.chem.stereo.cumulenes import cumulenes
from molscore.chem.stereo.marks import not_held
from molscore.chem.whole import whole

# SMILES, four atoms and the sign of their dihedral angle: with the groups of higher rank at the two ends, minus is M,
# which is Ra. (R)-penta-2,3-diene is CC=[C@]=CC.
HANDS = {
    "CC=[C@]=CC": ((0, 1, 3, 4), -1),
    "CC=[C@@]=CC": ((0, 1, 3, 4), 1),
    "C(C)=[C@]=CC": ((1, 0, 2, 4), 1),  # the hydrogen of the first atom comes before what follows
    "C(=[C@@]=CC)C": ((4, 0, 2, 3), -1),  # H, C, H, C
    "[C@](=CC)=CC": ((2, 1, 3, 4), 1),  # H, C, H, C
    "NC(Br)=[C@]=C(O)C": ((0, 1, 4, 5), 1),
    "NC(Br)=[C@@]=C(O)C": ((0, 1, 4, 5), -1),
    "NC(Br)=[C@]=C(C)O": ((0, 1, 4, 6), -1),
    "BrC(N)=[C@]=C(O)C": ((2, 1, 4, 5), -1),
    "[H]C(C)=[C@]=C([H])C": ((2, 1, 4, 6), 1),
    "CC([H])=[C@]=C([H])C": ((0, 1, 4, 6), -1),
    "C1CCCC=[C@]=CCC1": ((3, 4, 6, 7), -1),
    "C1=[C@]=CCCCCCC1": ((8, 0, 2, 3), 1),  # H, the ring closure, H, C
    "CC=C=[C@]=C=CC": ((0, 1, 5, 6), -1),
    "C[C@H](O)C=[C@]=CC": ((1, 3, 5, 6), -1),
    "[Na+].CC=[C@]=CC(=O)[O-]": ((0, 1, 3, 4), -1),
}
SIDES = {
    "C/C=C=C=C/C": ((0, 1, 4, 5), 180),
    "C/C=C=C=C\\C": ((0, 1, 4, 5), 0),
    "C(\\C)=C=C=C/C": ((1, 0, 3, 5), 180),
    "FC(/C)=C=C=C(\\C)Br": ((2, 1, 5, 6), 180),
}


def angle(mol, atoms):
    return GetDihedralDeg(mol.GetConformer(), *atoms)


def prepared(smiles):
    mol, *_ = parse_smiles(smiles)
    assert not_held(mol) == ()
    return whole(mol).mol


@pytest.mark.parametrize("way", ["field", "table"])
@pytest.mark.parametrize("smiles", HANDS)
def test_the_hand_of_an_allene_is_that_of_its_mark(smiles, way):
    (a, b, c, d), sign = HANDS[smiles]
    mol = prepared(smiles)
    for seed in (1, 2, 3):
        assert etkdg_in_place(mol, seed)
        settle_in_place(mol, 400) if way == "field" else settle_by_table_in_place(mol, expected(mol))
        ring = mol.GetRingInfo().NumRings() > 0  # no ring turns itself inside out: in half of them the mark is missed
        missed = cumulenes(mol).opposite(mol.GetConformer().GetPositions()).any()
        assert ring or not missed
        assert (sign * angle(mol, (a, b, c, d)) > 55) != missed


@pytest.mark.parametrize("smiles", SIDES)
def test_the_side_of_an_odd_cumulene_is_that_of_its_slashes(smiles):
    atoms, degrees = SIDES[smiles]
    mol = prepared(smiles)
    for seed in (1, 2, 3):
        assert etkdg_in_place(mol, seed)
        settle_in_place(mol, 400)
        assert abs(angle(mol, atoms)) == pytest.approx(degrees, abs=8)


@pytest.mark.parametrize("smiles", ["CC=[C@]=CC", "CC=[C@@]=CC", "C/C=C=C=C/C", "C/C=C=C=C\\C", "C1CCCC=[C@]=CCC1"])
def test_coordinates_show_the_same(smiles):
    mol = prepared(smiles)
    assert etkdg_in_place(mol, 1)
    settle_in_place(mol, 400)
    if cumulenes(mol).opposite(mol.GetConformer().GetPositions()).any():
        mol.GetConformer().SetPositions(-mol.GetConformer().GetPositions())
    for read in (Chem.MolFromMolBlock(Chem.MolToMolBlock(mol), removeHs=remove) for remove in (True, False)):
        assert not_held(read) == ()
        again = cumulenes(whole(read).mol)
        assert again.degrees.tolist() == cumulenes(mol).degrees.tolist() and again.period.tolist() == [360]


@pytest.mark.parametrize("smiles", ["CC=C=CC", "CC=[C@]=C(C)C", "OCC=[C@]=C"])
def test_what_is_not_marked_or_alike_is_free(smiles):
    assert cumulenes(prepared(smiles)).period.tolist() == [180]
