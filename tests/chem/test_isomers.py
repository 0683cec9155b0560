"""Stereo that is left open is decided: every isomer that exists, or one chosen at random by a seed."""

import pytest
from chem.conftest import elements, parse, prepare
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.prepare import isomers, open_stereo, whole
from molscore.chem.stereo.tags import tags


def names(mols):
    return [isomeric_smiles(mol) for mol in mols]


def enumerated(text, **options):
    """SMILES of the isomers, and how many are possible."""
    result = isomers(prepare(text), "enumerate", **options)
    return names(result.mols), result.possible


CLOSED = [
    "CCO",
    "C[C@H](O)F",
    "C/C=C/C",
    "C[C@H]1CC[C@@H](O)CC1",
    "C1CCCCC=C1",  # seven-membered: only Z
    "C1=CCCCC1",
    "CCN(C)F",  # inverts
    "CC(=N)N",  # the hydrogen of an imine
    "N=C(N)c1ccccc1",
    "CC=C=CC",
    "CC(C)=NO",
    "OC(=O)C12CC(C1)(C2)c1ccccc1",
    "C1CN2CCN1CC2",
    "C1CN2CCC1CC2",
    "C12C3C4C1C5C2C3C45",
]


@pytest.mark.parametrize("text", CLOSED)
@pytest.mark.parametrize("how", ["sample", "enumerate"])
def test_without_open_stereo_the_molecule_comes_back_alone(text, how):
    mol = prepare(text)
    assert open_stereo(mol) == 0
    result = isomers(mol, how)
    assert result.possible == 1 and names(result.mols) == [isomeric_smiles(mol)]
    assert result.mols[0] is not mol and elements(result.mols[0]) == elements(mol)


def test_coordinates_stay_where_nothing_is_open(embed):
    assert isomers(embed("C[C@H](O)F")).mols[0].GetNumConformers() == 1
    assert isomers(whole(Chem.MolFromMolBlock(Chem.MolToMolBlock(parse("CC(O)F")))).mol).mols[0].GetNumConformers() == 0


OPEN = {
    "CC(O)F": (1, ["C[C@@H](O)F", "C[C@H](O)F"]),
    "CC=CF": (1, ["C/C=C/F", "C/C=C\\F"]),
    "C[C@H](O)C(F)Cl": (1, ["C[C@H](O)[C@@H](F)Cl", "C[C@H](O)[C@H](F)Cl"]),
    "C/C=C/C=CC": (1, ["C/C=C/C=C/C", "C/C=C\\C=C\\C"]),
    "OC(=O)C(O)C(O)C(=O)O": (
        2,
        ["O=C(O)[C@@H](O)[C@@H](O)C(=O)O", "O=C(O)[C@@H](O)[C@H](O)C(=O)O", "O=C(O)[C@H](O)[C@@H](O)C(=O)O"],
    ),
    "CS(=O)CC": (1, ["CC[S@](C)=O", "CC[S@@](C)=O"]),
    "[2H]C(C)O": (1, ["[2H][C@@H](C)O", "[2H][C@H](C)O"]),
    "CC1CCC(O)CC1": (2, ["C[C@H]1CC[C@@H](O)CC1", "C[C@H]1CC[C@H](O)CC1"]),
    "C1CCCCCC=C1": (1, ["C1=C/CCCCCC/1", "C1=C\\CCCCCC/1"]),
    "CC1CN1C": (2, ["C[C@@H]1C[N@@]1C", "C[C@@H]1C[N@]1C", "C[C@H]1C[N@@]1C", "C[C@H]1C[N@]1C"]),
    "C[C@H](O)F |&1:1|": (1, ["C[C@@H](O)F", "C[C@H](O)F"]),
    "C[C@H](O)[C@@H](F)Cl |o1:1,3|": (1, ["C[C@@H](O)[C@H](F)Cl", "C[C@H](O)[C@@H](F)Cl"]),
    "OC(C(O)C(=O)O)C(O)C(=O)O": (
        3,
        [
            "O=C(O)[C@@H](O)C(O)[C@H](O)C(=O)O",
            "O=C(O)[C@H](O)C(O)[C@@H](O)C(=O)O",
            "O=C(O)[C@@H](O)[C@@H](O)[C@@H](O)C(=O)O",
            "O=C(O)[C@@H](O)[C@H](O)[C@@H](O)C(=O)O",
        ],
    ),
}


@pytest.mark.parametrize("text", OPEN)
def test_every_isomer_is_enumerated_once(text):
    count, expected = OPEN[text]
    mol = prepare(text)
    before = Chem.MolToCXSmiles(mol)
    assert open_stereo(mol) == count
    smiles, possible = enumerated(text)
    assert sorted(smiles) == sorted(expected) == sorted({Chem.CanonSmiles(text) for text in expected})
    assert possible == len(expected)
    assert enumerated(text, seed=5)[0] == smiles  # in the same order
    assert Chem.MolToCXSmiles(mol) == before
    for isomer in isomers(mol, "enumerate").mols:
        assert elements(isomer) == elements(mol) and not isomer.GetStereoGroups()
        assert open_stereo(isomer) == 0 and len(tags(isomer)) >= 1


def test_map_numbers_make_no_isomers():
    assert len(enumerated("OC(=O)[CH:1](O)[CH:2](O)C(=O)O")[0]) == 3


@pytest.mark.parametrize("text", OPEN)
def test_a_sample_is_one_of_them_and_its_seed_gives_it_again(text):
    mol = prepare(text)
    samples = [isomers(mol, "sample", seed=seed) for seed in range(12)]
    assert all(len(sample.mols) == 1 and sample.possible == len(OPEN[text][1]) for sample in samples)
    smiles = [isomeric_smiles(sample.mols[0]) for sample in samples]
    assert set(smiles) <= set(OPEN[text][1])
    assert len(set(smiles)) > 1 or text == "C1CCCCCC=C1"  # E-cyclooctene is too strained to be found by chance
    assert [isomeric_smiles(isomers(mol, seed=seed).mols[0]) for seed in range(12)] == smiles


def test_wedges_that_leave_it_open_are_open():
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CC(F)Cl |(0,0,;1,0,;1.5,1,;1.5,-1,)|"))
    wiggly = Chem.MolFromMolBlock(block.replace("  2  3  1  0", "  2  3  1  4"))
    assert names(isomers(whole(wiggly).mol, "enumerate").mols) == ["C[C@@H](F)Cl", "C[C@H](F)Cl"]
    block = Chem.MolToMolBlock(parse("CC=CC |(0,0,;1,0,;2,1,;3,1,)|"))
    crossed = Chem.MolFromMolBlock(block.replace("  2  3  2  0", "  2  3  2  3"))
    assert names(isomers(whole(crossed).mol, "enumerate").mols) == ["C/C=C/C", "C/C=C\\C"]


IMPOSSIBLE = [
    ("C1CC2CCC1C2", 1),  # norbornane: no bridge from above to below
    ("CC1(C)C2CCC1(C)C(=O)C2", 2),  # camphor
    ("CC12CC3CC(C1)CC(O)(C3)C2", 1),  # adamantane
    ("CN1C2CCC1CC(O)C2", 2),  # tropine and pseudotropine
    ("C1CCC2CCCCC2C1", 2),  # both decalins
]


@pytest.mark.parametrize(("text", "count"), IMPOSSIBLE)
def test_isomers_that_cannot_exist_are_left_out(text, count):
    smiles, possible = enumerated(text)
    assert len(smiles) == possible == count
    mol = prepare(text)
    for seed in range(4):
        assert isomeric_smiles(isomers(mol, seed=seed).mols[0]) in smiles


@pytest.mark.parametrize("text", ["CC1CC2CC12", "OC(=O)C12C3C4C1C5C2C3C45C(=O)O"])
@pytest.mark.parametrize("how", ["sample", "enumerate"])
def test_strained_cages_have_an_isomer(text, how):
    """Of housane's and cubane's, few of the combinations exist and distance geometry finds hardly any."""
    mols = isomers(prepare(text), how, most=8).mols
    assert mols and all(tags(mol).size for mol in mols)


def test_time_that_is_up_leaves_an_isomer():
    """No combination of cubane's is looked at; one that distance geometry finds, or the first, is what there is."""
    mol = prepare("OC(=O)C12C3C4C1C5C2C3C45C(=O)O")
    result = isomers(mol, "enumerate", seconds=0)
    assert len(result.mols) == 1 and result.possible > 1
    assert {tuple(row[:1]) for row in tags(result.mols[0]).tolist()} >= {tuple(row[:1]) for row in tags(mol).tolist()}
    assert len(isomers(prepare("CC(N)C(O)F"), "enumerate", seconds=60).mols) == 4


def test_many_isomers_are_sampled_not_listed():
    text = "BrC(Cl)" + "C(Cl)" * 18 + "F"
    smiles, possible = enumerated(text, most=5)
    assert len(set(smiles)) == 5 and possible == 2**19
    assert enumerated(text, most=5)[0] == smiles != enumerated(text, most=5, seed=1)[0]
    assert isomers(prepare(text)).possible == 2**19
    smiles, possible = enumerated("BrC(Cl)C(Cl)C(Cl)F", most=3)
    assert len(smiles) == 3 and possible == 8


def test_rdkit_is_silent(capfd):
    prepare("[H+].[Cl-]")
    enumerated("C1CC2CCC1C2")
    assert capfd.readouterr() == ("", "")


PIECES = ["C", "[C@H](F)", "C(Cl)", "C(O)", "/C=C/", "C=C", "N", "C1CC1", "[13CH2]", "[C@@H](C)", "[NH2+]"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5), st.integers(0, 2**40))
def test_what_is_specified_never_changes(pieces, seed):
    mol = Chem.MolFromSmiles("C" + "".join(pieces) + "C")
    if mol is None:
        return
    prepared = whole(mol).mol
    before = {tuple(row) for row in tags(prepared).tolist()}
    for how in ("sample", "enumerate"):
        result = isomers(prepared, how, most=4, seed=seed)
        assert 1 <= len(result.mols) <= (4 if how == "enumerate" else 1) and len(result.mols) <= result.possible
        for isomer in result.mols:
            assert before <= {tuple(row) for row in tags(isomer).tolist()}
            assert elements(isomer) == elements(prepared)
