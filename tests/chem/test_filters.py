"""Filters and the descriptors that they ask for."""

import gzip
import pickle
from pathlib import Path

import pytest
from rdkit import Chem, RDConfig

from molscore.chem.checks.descriptors import DESCRIPTORS, Contributions, describe
from molscore.chem.checks.filters import FilterError, MoleculeFilter

ASPIRIN = Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")


def test_descriptors_of_aspirin():
    """Against published figures: molar mass 180.16 g/mol, TPSA 63.6 Å², QED 0.55, SA 1.58, one donor, one ring."""
    descriptors = describe(ASPIRIN)
    assert descriptors.keys() == DESCRIPTORS.keys()
    assert descriptors["mw"] == pytest.approx(180.16, abs=0.01) and descriptors["tpsa"] == pytest.approx(63.6, abs=0.01)
    assert descriptors["qed"] == pytest.approx(0.55, abs=0.005) and descriptors["sa"] == pytest.approx(1.58, abs=0.01)
    assert (
        descriptors["hbd"],
        descriptors["hba"],
        descriptors["rings"],
        descriptors["heavy"],
        descriptors["charge"],
    ) == (1, 3, 1, 13, 0)
    assert describe(Chem.AddHs(ASPIRIN)) == descriptors


def test_contributions_to_the_sa_score_are_those_of_rdkit():
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "fpscores.pkl.gz"
    rows, own = pickle.loads(gzip.decompress(path.read_bytes())), Contributions(path)
    expected = {number: row[0] for row in rows for number in row[1:]}
    assert len(own.hashes) == len(expected) and (own.hashes[1:] > own.hashes[:-1]).all()
    for number in (*rows[0][1:50], *rows[-1][1:50], *(row[-1] for row in rows), min(expected), max(expected)):
        assert own.get(number, -4) == expected[number]
    for number in {-1, 0, min(expected) - 1, max(expected) + 1, 2**40} - set(expected):
        assert own.get(number, -4) == -4


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("qed > 0.5", True),
        ("qed > 0.5 and mw < 180", False),
        ("qed > 0.5 and (mw < 180 or rings == 1)", True),
        ("not mw < 180", True),
        ("10 <= heavy <= 13", True),
        ("10 <= heavy < 13", False),
        ("mw / heavy > 13.8 and -logp < 0", True),
        ("tpsa / (rings - 1) > 0", False),  # infinite is no number
        ("charge != 0", False),
        ("sa * 2 + 1 <= 4.2", True),
    ],
)
def test_filters(text, passes):
    verdict = MoleculeFilter(text).graph(ASPIRIN)
    assert (verdict is None) == passes
    if not passes:
        assert verdict.startswith(f"not {text}: ")


def test_a_refusal_says_why():
    assert MoleculeFilter("mw < 100 and rings > 2").graph(ASPIRIN) == "not mw < 100 and rings > 2: mw 180.2, rings 1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not understood"),
        ("qed >", "not understood"),
        ("beauty > 1", "no property beauty; it has qed, sa"),
        ("qed", "a number, not a condition"),
        ("qed + 1", "a number, not a condition"),
        ("qed and mw", "a number where a condition is needed"),
        ("(qed > 1) + 1 > 2", "a condition where a number is needed"),
        ("__import__('os').system('true')", "no property __import__"),
        ("qed.real > 1", "neither a property"),
        ("'a' < 'b'", "neither a property"),
        ("qed ** 2 > 1", "neither a property"),
        ("qed is mw", "neither a property"),
        ("True", "neither a property"),
        ("[qed for qed in (1, 2)]", "neither a property"),
    ],
)
def test_what_is_no_filter(text, words):
    with pytest.raises(FilterError, match=words.replace("(", r"\(")):
        MoleculeFilter(text)
