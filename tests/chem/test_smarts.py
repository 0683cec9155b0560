"""SMARTS that a molecule must, or must not, match."""

import pytest
from rdkit import Chem

from molscore.chem.checks.filters import MoleculeFilter
from molscore.chem.checks.smarts import SmartsError, SmartsList, smarts_text, smarts_texts

ACID, AMINE, BOTH, NEITHER = map(Chem.MolFromSmiles, ("CC(=O)O", "CCN", "NCC(=O)O", "CCC"))
LISTED = "# groups\n\n[CX3](=O)[OX2H1] carboxylic acid\n  [NX3;H2] primary amine \n"


def test_a_list_matches_where_one_of_its_patterns_does():
    patterns = SmartsList(LISTED)
    matches = [patterns.match(mol) for mol in (ACID, AMINE, BOTH, NEITHER)]
    assert matches == ["carboxylic acid", "primary amine", "carboxylic acid", None]
    assert str(SmartsList("[NX3]")) == "[NX3]" and str(SmartsList("# a\n[NX3] amine\n")) == "[NX3] amine"
    assert str(patterns).startswith("2 patterns (") and str(patterns) == str(SmartsList(LISTED.replace("groups", "x")))
    assert str(patterns) != str(SmartsList(LISTED.replace("H2", "H1")))


@pytest.mark.parametrize(
    ("must", "must_not", "kept"),
    [
        (LISTED, (), [True, True, True, False]),
        (("[NX3]", "C(=O)O"), (), [False, False, True, False]),
        ((), LISTED, [False, False, False, True]),
        ((), ("[NX3]", "Cl"), [True, False, False, True]),
        ("C(=O)O", "N", [True, False, False, False]),
    ],
)
def test_all_that_must_match_and_none_that_must_not(must, must_not, kept):
    chosen = MoleculeFilter(None, must, must_not)
    for mols in ((ACID, AMINE, BOTH, NEITHER), map(Chem.AddHs, (ACID, AMINE, BOTH, NEITHER))):
        assert [chosen.graph(mol) is None for mol in mols] == kept


def test_a_refusal_names_the_pattern():
    assert MoleculeFilter(must_not_match=LISTED).graph(AMINE) == "matches primary amine"
    assert MoleculeFilter(must_match="[NX3] amine").graph(ACID) == "does not match [NX3] amine"


def test_files_are_read_once(tmp_path):
    path = tmp_path / "list.smarts"
    path.write_text(LISTED, encoding="utf-8-sig")
    assert smarts_text(str(path)) == smarts_text(path) == LISTED
    assert smarts_texts("N") == ("N",) and smarts_texts([path, "N"]) == (LISTED, "N")
    assert smarts_texts(smarts_texts([path])) == (LISTED,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no SMARTS in an empty list"),
        ("# nothing\n", "no SMARTS in an empty list"),
        ("Q(", r"'Q\(' is no SMARTS that RDKit understands"),
        ("N\nC\n[NX3", r"line 3: '\[NX3' is no SMARTS"),
        ("\0", "is no SMARTS"),
    ],
)
def test_what_is_no_smarts(text, words, tmp_path):
    with pytest.raises(SmartsError, match=words):
        SmartsList(text)
    with pytest.raises(SmartsError, match=f"there is no file .*{words}"):
        smarts_text(text)
    path = tmp_path / "bad.smarts"
    path.write_text(text)
    with pytest.raises(SmartsError, match=f"bad.smarts: .*{words}"):
        smarts_text(path)


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "bad.smarts"
    path.write_bytes(b"N\xff\n")
    with pytest.raises(SmartsError, match="bad.smarts: .*utf-8"):
        smarts_text(path)
