"""Wishes of what is kept: which go together, and which part they name."""

import gzip

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Geometry import Point3D

from molscore.chem.wishes import check_wishes, keep, molecule, neighboured, symbols


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=7) == 0
    return mol


def beside(first: str, second: str, apart: float = 8.0) -> Chem.Mol:
    return Chem.CombineMols(embedded(first), embedded(second), Point3D(apart, 0, 0))


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
        (("near", "atoms"), "as many atoms as the lead has"),
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
    pair = beside("Cc1ccccc1", "NC1CC1")
    part = keep(link=pair, anchors=(0, 15))
    assert part.open.sum() == 2 and part.least.sum() == 2 and len(set(part.pieces)) == 2
    assert not keep(link=pair).least.any()
    with pytest.raises(ValueError, match="fragment 2 of 2 has no anchor"):
        keep(link=pair, anchors=(0, 3))
    with pytest.raises(ValueError, match="fragment 2 of 2 has no anchor"):
        keep(link=beside("[*]c1ccccc1", "NC1CC1"))
    with pytest.raises(ValueError, match="fragment 2 of 2 has no anchor"):
        keep(scaffold="c1ccccc1.C1CC1", lead=embedded("Cc1ccccc1CCC1CC1"), attach=(2,))
    with pytest.raises(ValueError, match="there is one; to grow it use scaffold"):
        keep(link=embedded("CCO"))


@pytest.mark.parametrize(("apart", "near"), [(0.0, True), (1.5, True), (1.7, True), (1.9, False), (2.5, False)])
def test_fragments_that_overlap_or_are_as_near_as_bonded_are_refused(apart, near):
    pair = beside("Cc1ccccc1", "NC1CC1", 0.0)
    x, n = pair.GetConformer().GetPositions(), 15
    out = [x[0] - x[1:7].mean(0), x[n + 1 : n + 4].mean(0) - x[n]]  # from the rings to the anchors, and back
    first, second = (y / np.linalg.norm(y) for y in out)
    middle = first + second
    turn = 2 * np.outer(middle, middle) / (middle @ middle) - np.eye(3)  # half a turn: the second onto the first
    x[n:] = (x[n:] - x[n]) @ turn.T + x[0] + apart * first
    pair.GetConformer().SetPositions(x)
    if near:
        with pytest.raises(ValueError, match="of different fragments, are .* as near as bonded"):
            keep(link=pair, anchors=(0, n))
    else:
        keep(link=pair, anchors=(0, n))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scaffold": "C1CC"}, "neither an SDF file nor a SMILES"),
        ({"scaffold": "CC.CC"}, "is one fragment"),
        ({"scaffold": "CCO", "attach": (0,)}, r"mark the atoms .* with \[\*:1\]"),
        ({"scaffold": "missing.sdf"}, "there is no file"),
        ({"replace": "c1ccccc", "lead": Chem.MolFromSmiles("CCO")}, "is no SMARTS"),
        ({"link": "two.smi"}, "there is no file"),
        ({"scaffold": 3}, "must be a molecule or the name of a file"),
        ({"scaffold": embedded("CCO"), "attach": ()}, "names no atom"),
        ({"scaffold": embedded("CCO"), "attach": 0}, "must be numbers of atoms"),
        ({"scaffold": embedded("CCO"), "attach": "0"}, "must be numbers of atoms"),
        ({"scaffold": embedded("CCO"), "attach": (True,)}, "must be numbers of atoms"),
        ({"scaffold": "c1ccc([*:1])cc1", "lead": embedded("Cc1ccccc1")}, "has a mark, .* leave marks out"),
        ({"replace": "[*:1]c1ccccc1", "lead": embedded("Cc1ccccc1")}, "has a mark"),
        ({"link": Chem.MolFromSmiles("CC.CC")}, r"no 3-D positions: give an SDF file .*; a scaffold alone"),
        ({"scaffold": embedded("CCO"), "lead": embedded("CCO")}, "scaffold is the SMARTS"),
        ({"scaffold": beside("CCO", "O")}, "the scaffold is of 2 molecules"),
        ({"replace": "CC", "lead": beside("CC(=O)[O-]", "C[NH3+]")}, "the lead is of 2 molecules"),
        ({"scaffold": "C1CCCCC1=[*:1]"}, "one single bond"),
        ({"scaffold": "c1cc*cc1"}, "one single bond"),
        ({"scaffold": "[CH3:1]c1ccccc1"}, r"marks nothing: write \[\*:1\]"),
        ({"scaffold": "C[C@H]([*:1])C(=O)O"}, "stereo at a mark"),
        ({"scaffold": "C/C=C/[*:1]"}, "stereo at a mark"),
        ({"scaffold": "[13CH3]c1ccccc1"}, "atom 0 is the isotope 13C"),
        ({"scaffold": "[2H]Cc1ccccc1"}, "atom 0 is the isotope 2H"),
    ],
)
def test_what_is_not_understood_is_said(arguments, words):
    with pytest.raises(ValueError, match=words):
        keep(**arguments)


def test_atoms_may_be_numpys_numbers_hydrogens_or_dummies():
    core = embedded("[*]c1ccccc1")
    for atom in (np.int64(1), 0):
        assert np.flatnonzero(keep(scaffold=core, attach=np.array([atom])).open).tolist() == [0]
    hydrogen = next(a.GetIdx() for a in core.GetAtomWithIdx(3).GetNeighbors() if a.GetAtomicNum() == 1)
    assert np.flatnonzero(keep(scaffold=core, attach=[hydrogen]).open).tolist() == [2]


def test_every_mark_wants_its_bond():
    assert keep(scaffold="[*:1]N([*:2])c1ccc([*:3])cc1").least.tolist() == [2, 0, 0, 0, 1, 0, 0]
    assert keep(scaffold="[1*]c1ccccc1").least.sum() == 1, "isotopes of dummy atoms are names"


def test_every_atom_named_wants_its_bond(lead):
    assert keep(scaffold=embedded("NC(=O)c1ccccc1"), attach=(5, 6)).least.tolist() == [0] * 5 + [1, 1] + [0] * 2
    assert not keep(scaffold=embedded("NC(=O)c1ccccc1")).least.any(), "any may grow"


def test_the_ends_of_what_is_replaced_want_bonds_and_those_of_a_core_may_have_them(lead):
    rest = keep(replace="c1ccccc1", lead=lead)
    assert rest.open.sum() == 2 and np.array_equal(rest.least, rest.open)
    core = keep(scaffold="c1ccccc1", lead=lead)
    assert core.open.sum() == 2 and not core.least.any()


def test_stereo_that_does_not_need_the_mark_is_kept():
    for smiles in ("[*:1][C@](C)(N)O", "C[C@](N)(O)[*:1]", "C[C@H](N)C[*:1]"):
        assert len(keep(scaffold=smiles).arrays.stereo) == 1


def test_neighbours_are_of_one_whole_molecule():
    assert len(neighboured(embedded("CCO"))) == 3
    with pytest.raises(ValueError, match="no 3-D positions: give an SDF file .* as `molscore conformers`"):
        neighboured(Chem.MolFromSmiles("CCO"))
    for mol, words in ((embedded("CC[*]"), "has a dummy atom"), (beside("CC(=O)[O-]", "C[NH3+]"), "of 2 molecules")):
        with pytest.raises(ValueError, match=words):
            neighboured(mol)


def test_a_file_holds_one_sound_molecule(tmp_path, lead):
    text = lead.read_text()
    (tmp_path / "two.sdf").write_text(text * 2)
    (tmp_path / "none.sdf").write_text("")
    (tmp_path / "bad.sdf").write_text(text.replace(" C  ", " Xx ", 1))
    (tmp_path / "lead.smi").write_text("CCO\n")
    for name, words in (
        ("two.sdf", "several molecules: name one, two.sdf:1 is the first$"),
        ("two.sdf:3", "two.sdf has no record 3"),
        ("two.sdf:0", "has no record 0: records are numbered from 1"),
        ("two.sdf:", "there is no file"),
        ("missing.sdf:1", "there is no file '"),
        ("none.sdf", "no molecule"),
        ("bad.sdf", "bad.sdf: "),
        ("lead.smi", "no SDF or MOL file"),
    ):
        with pytest.raises(ValueError, match=words):
            molecule(tmp_path / name, "scaffold")
    (tmp_path / "packed.sdf.gz").write_bytes(gzip.compress(text.encode()))
    assert molecule(str(tmp_path / "packed.sdf.gz"), "scaffold").GetNumHeavyAtoms() == 18


@pytest.mark.parametrize("elements", ["C,N", "C, N", ("C", "N"), ["C", "N"], np.array(["C", "N"])])
def test_elements_are_symbols_or_a_text_of_them(elements):
    assert symbols(elements) == ("C", "N")


@pytest.mark.parametrize("elements", [6, (6, 7), (None,)])
def test_elements_are_no_numbers(elements):
    with pytest.raises(ValueError, match="elements must be symbols such as 'C,N'"):
        symbols(elements)


def test_a_record_of_a_file_is_named_by_its_number(tmp_path):
    path = tmp_path / "three.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for smiles in ("CCO", "CCCO", "CCCCO"):
            writer.write(embedded(smiles))
    for number in (1, 2, 3):
        assert molecule(f"{path}:{number}", "near").GetNumHeavyAtoms() == number + 2
    assert len(neighboured(f"{path}:2")) == 4 and len(keep(scaffold="CO", lead=f"{path}:3")) == 2
    path.write_text(path.read_text().replace(" C  ", " Xx ", 1))  # the first cannot be read, and is not looked at
    assert keep(scaffold=f"{path}:2").posed and len(keep(replace="O", lead=f"{path}:2")) == 3
    with pytest.raises(ValueError, match="three.sdf: unreadable"):
        molecule(f"{path}:1", "near")
    with pytest.raises(ValueError, match="belong in one record"):
        keep(link=path)
