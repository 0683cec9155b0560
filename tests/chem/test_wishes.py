"""Wishes of what is kept: which go together, and which part they name."""

import gzip

import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.wishes import check_wishes, keep, molecule


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=7) == 0
    return mol


@pytest.fixture
def lead(tmp_path):
    """A file of one molecule."""
    with Chem.SDWriter(str(tmp_path / "lead.sdf")) as writer:
        writer.write(embedded("CC(C)Cc1ccc(cc1)C(C)C(=O)NC1CC1"))
    return tmp_path / "lead.sdf"


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (("scaffold", "link"), "scaffold and link do not go together"),
        (("replace", "near", "lead"), "replace and near do not go together"),
        (("attach",), "attach goes with scaffold"),
        (("attach", "link"), "attach goes with scaffold"),
        (("anchors", "scaffold"), "anchors goes with link"),
        (("noise", "scaffold"), "noise goes with near"),
        (("lead",), "goes with scaffold or replace"),
        (("lead", "near"), "goes with scaffold or replace"),
        (("replace",), "give the lead as well"),
        (("near", "elements"), "leave one of them out"),
    ],
)
def test_wishes_that_do_not_go_together_are_refused(wishes, words):
    with pytest.raises(ValueError, match=words):
        check_wishes(dict.fromkeys(wishes, "x"))


@pytest.mark.parametrize(
    "wishes", [(), ("scaffold",), ("scaffold", "attach"), ("link", "anchors"), ("replace", "lead"), ("near", "noise")]
)
def test_wishes_that_go_together(wishes):
    check_wishes(dict.fromkeys(wishes, "x"))


def test_scaffolds_as_file_smiles_and_pattern(lead):
    assert keep() is None
    whole = keep(scaffold=str(lead), attach=(0,))
    assert whole.posed and len(whole) == 18 and whole.open.sum() == 1
    free = keep(scaffold="c1ccc([*:1])cc1[*:2]")
    assert not free.posed and len(free) == 6 and free.open.sum() == 2
    part = keep(scaffold="C(=O)N", lead=lead)
    assert part.posed and len(part) == 3
    rest = keep(replace="c1ccccc1", lead=str(lead))
    assert rest.posed and len(rest) == 12 and rest.removed == 6
    assert keep(scaffold=embedded("c1ccccc1")).posed


def test_fragments_are_joined_at_their_anchors():
    pair = Chem.CombineMols(embedded("Cc1ccccc1"), embedded("NC1CC1"))
    part = keep(link=pair, anchors=(0, 15))
    assert part.open.sum() == 2 and part.all_open and len(set(part.pieces)) == 2
    assert not keep(link=pair).all_open
    with pytest.raises(ValueError, match="fragment 2 of 2 has no anchor"):
        keep(link=pair, anchors=(0, 3))
    with pytest.raises(ValueError, match="there is one; to grow it use scaffold"):
        keep(link=embedded("CCO"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scaffold": "C1CC"}, "neither an SDF file nor a SMILES"),
        ({"scaffold": "CC.CC"}, "is one fragment"),
        ({"scaffold": "CCO", "attach": (0,)}, r"mark the atoms .* with \[\*:1\]"),
        ({"scaffold": "missing.sdf"}, "there is no file"),
        ({"replace": "c1ccccc", "lead": Chem.MolFromSmiles("CCO")}, "is no SMARTS"),
        ({"link": "two.smi"}, "there is no file"),
    ],
)
def test_what_is_not_understood_is_said(arguments, words):
    with pytest.raises(ValueError, match=words):
        keep(**arguments)


def test_a_file_holds_one_sound_molecule(tmp_path, lead):
    text = lead.read_text()
    (tmp_path / "two.sdf").write_text(text * 2)
    (tmp_path / "none.sdf").write_text("")
    (tmp_path / "bad.sdf").write_text(text.replace(" C  ", " Xx ", 1))
    (tmp_path / "lead.smi").write_text("CCO\n")
    for name, words in (
        ("two.sdf", "several molecules"),
        ("none.sdf", "no molecule"),
        ("bad.sdf", "bad.sdf: "),
        ("lead.smi", "no SDF or MOL file"),
    ):
        with pytest.raises(ValueError, match=words):
            molecule(tmp_path / name, "scaffold")
    (tmp_path / "packed.sdf.gz").write_bytes(gzip.compress(text.encode()))
    assert molecule(str(tmp_path / "packed.sdf.gz"), "scaffold").GetNumHeavyAtoms() == 18
