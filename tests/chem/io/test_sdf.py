"""SDF files: what is written can be read, nothing half-written, and no bad record ends a batch."""

import gzip
import os
from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import MoleculeError, from_mol, isomeric_smiles, to_mol
from molscore.chem.checks.validity import check
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_text import format_record, record_properties, tagged
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.files.paths import check_writable


def write(path, *mols):
    with SDFWriter(path) as writer:
        for i, mol in enumerate(mols):
            writer.write(mol, f"mol-{i}")


def labels(mol):
    """Stereo labels of atoms and double bonds."""
    return [a.GetChiralTag() for a in mol.GetAtoms()], [b.GetStereo() for b in mol.GetBonds()]


@pytest.mark.parametrize("name", ["a.sdf", "a.sdf.gz"])
@pytest.mark.parametrize("sanitize", [True, False])
@pytest.mark.parametrize(
    "smiles",
    ["C[C@H](O)F", "C[C@@H](O)F", "C/C=C/F", "C/C=C\\F", "C[C@H](F)/C=C\\[C@H](O)Cl", "C/C=N/O", "c1cc[nH]c1"]
    + ["[NH3+]CC(=O)[O-]", "C[N+](=O)[O-]", "CN=[N+]=[N-]", "CC#N", "CS(C)(=O)=O"],
)
def test_write_and_read_keep_everything(embed, tmp_path, name, sanitize, smiles):
    arrays = from_mol(embed(smiles))
    write(tmp_path / name, to_mol(arrays))
    (record,) = read_sdf(tmp_path / name, sanitize=sanitize)
    assert (record.index, record.line, record.reason) == (0, 1, None)
    assert isomeric_smiles(record.mol) == Chem.CanonSmiles(smiles)
    assert labels(record.mol) == labels(to_mol(arrays))
    assert record.mol.GetProp("_Name") == "mol-0"
    again = from_mol(record.mol)
    assert np.array_equal(again.atomic_numbers, arrays.atomic_numbers)
    assert np.array_equal(again.formal_charges, arrays.formal_charges)
    assert np.array_equal(again.bonds, arrays.bonds)
    np.testing.assert_allclose(again.positions, arrays.positions, atol=6e-5)  # four decimals
    assert isomeric_smiles(to_mol(again)) == Chem.CanonSmiles(smiles)  # from the coordinates alone
    assert check(record.mol) is None


def test_the_file_is_v2000_with_the_3d_flag_and_no_doubtful_bonds(embed, tmp_path):
    write(tmp_path / "a.sdf", to_mol(from_mol(embed("C[C@H](F)C=CC")), sanitize=False))
    lines = (tmp_path / "a.sdf").read_text().splitlines()
    assert lines[0] == "mol-0"
    assert lines[1][20:22] == "3D"
    assert lines[3].endswith("V2000") and lines[3].split()[4] == "1"  # the configuration is absolute
    n, m = int(lines[3][:3]), int(lines[3][3:6])
    assert {int(line[9:12]) for line in lines[4 + n : 4 + n + m]} <= {0, 1, 6}  # none marked "either", 3 or 4
    assert lines[-1] == "$$$$"


def test_a_planar_molecule_stays_three_dimensional(embed, tmp_path):
    mol = embed("c1ccccc1")
    positions = mol.GetConformer().GetPositions()
    axes = np.linalg.svd(positions - positions.mean(axis=0))[2]
    mol.GetConformer().SetPositions((positions - positions.mean(axis=0)) @ axes.T * (1, 1, 0))
    write(tmp_path / "a.sdf", mol)
    assert next(read_sdf(tmp_path / "a.sdf")).mol.GetConformer().Is3D()


def test_unsound_molecules_come_back_as_they_were(embed, tmp_path):
    """As ``--raw`` needs it: a radical gets no hydrogen, and too many bonds are a reason, not a crash."""
    ethane = from_mol(embed("CC"))
    double = replace(ethane, bond_orders=np.where((ethane.bonds == (0, 1)).all(axis=1), 2, 1).astype(np.uint8))
    radical = Chem.RWMol(to_mol(ethane))
    radical.RemoveAtom(7)
    write(tmp_path / "a.sdf", to_mol(double, sanitize=False), radical.GetMol())
    raw = [record.mol for record in read_sdf(tmp_path / "a.sdf", sanitize=False)]
    assert [mol.GetNumAtoms() for mol in raw] == [8, 7]
    assert from_mol(raw[0]).bond_orders.tolist() == double.bond_orders.tolist()
    assert [check(mol).token for mol in raw] == ["valence", "radical"]
    first, second = read_sdf(tmp_path / "a.sdf")
    assert first.mol is None and first.reason.startswith("valence: Explicit valence for atom # 0 C, 5")
    assert [atom.GetTotalNumHs() for atom in second.mol.GetAtoms()] == [0] * 7


def test_record_properties_hold_the_contract(embed, tmp_path):
    mol = embed("C[C@H](O)F")
    properties = record_properties(
        isomeric_smiles(mol),
        model="qm9",
        seed=3,
        index=17,
        extra={"strain_kcal_per_mol": 1.23456789, "note": None, "two": "a\nb"},
    )
    with SDFWriter(tmp_path / "a.sdf") as writer:
        writer.write(mol, "a  title\nin two lines", properties)
        odd = {"zero": 0, "tiny": np.float32(1e-9), "nan": np.nan, "text": "", "many": np.int64(1234567)}
        writer.write(mol, "", odd)
    first, second = (record.mol.GetPropsAsDict() for record in read_sdf(tmp_path / "a.sdf"))
    assert first.pop("molscore_version")
    assert first == {
        "SMILES": "C[C@H](O)F",
        "molscore_model": "qm9",
        "molscore_seed": 3,
        "molscore_index": 17,
        "strain_kcal_per_mol": 1.23457,
        "two": "a\nb",
    }
    text = (tmp_path / "a.sdf").read_text()
    assert text.splitlines()[0] == "a  title in two lines"
    written = {"zero": "0", "tiny": "1e-09", "nan": "nan", "text": "", "many": "1234567"}
    assert all(f">  <{name}>\n{value}\n\n" in text for name, value in written.items())
    assert set(second) == set(written)


def test_what_would_break_the_format_is_refused_and_nothing_of_it_written(embed, tmp_path):
    mol = embed("CO")
    flat = Chem.Mol(mol)
    flat.GetConformer().Set3D(False)
    with SDFWriter(tmp_path / "a.sdf") as writer:
        writer.write(mol, "good")
        for bad_name in ("", "a>b", "a\nb"):
            with pytest.raises(ValueError, match="property"):
                writer.write(mol, "bad", {bad_name: 1})
        with pytest.raises(MoleculeError, match="AddHs"):
            writer.write(Chem.RemoveHs(mol), "bad")
        with pytest.raises(MoleculeError, match="3-D"):
            writer.write(flat, "bad")
    assert writer.count == 1
    assert [record.mol.GetProp("_Name") for record in read_sdf(tmp_path / "a.sdf")] == ["good"]


def test_an_exception_leaves_the_old_file_and_nothing_else(embed, tmp_path):
    path = tmp_path / "a.sdf"
    path.write_text("precious")
    with pytest.raises(KeyboardInterrupt), SDFWriter(path) as writer:
        writer.write(embed("CO"), "half")
        raise KeyboardInterrupt
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["a.sdf"]


def test_the_file_appears_only_when_complete(embed, tmp_path):
    path = tmp_path / "a.sdf"
    path.write_text("old")
    with SDFWriter(path) as writer:
        writer.write(embed("CO"), "new")
        assert path.read_text() == "old"
    assert next(read_sdf(path)).mol.GetProp("_Name") == "new"
    assert os.listdir(tmp_path) == ["a.sdf"]


def test_a_writer_is_used_in_a_with_statement(embed, tmp_path):
    with SDFWriter(tmp_path / "a.sdf") as writer:
        writer.write(embed("CO"), "kept")
    with pytest.raises(ValueError, match="not open"):
        writer.write(embed("CO"), "late")


def test_places_that_cannot_be_written_are_named_at_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.sdf").mkdir()
    with pytest.raises(FileNotFoundError, match="nowhere; make it first"):
        SDFWriter(tmp_path / "nowhere" / "a.sdf")
    with pytest.raises(OSError, match="no folder"):
        SDFWriter(tmp_path / "file" / "a.sdf")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        SDFWriter(tmp_path / "folder.sdf")
    with pytest.raises(ValueError, match="must end in .sdf"):
        check_writable(tmp_path / "a.mol2")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the superuser may write anywhere
    with pytest.raises(PermissionError, match="cannot be written to"):
        SDFWriter(tmp_path / "a.sdf")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.sdf"]


GARBAGE = "bad\nnot a\nmol block\nat all\nM  END\n$$$$\n"


@pytest.fixture
def three(embed, tmp_path):
    """Text of a file of three records."""
    write(tmp_path / "three.sdf", embed("CO"), embed("CN"), embed("CF"))
    return (tmp_path / "three.sdf").read_text()


def test_bad_records_are_reported_with_line_and_reason_and_the_rest_goes_on(three, tmp_path):
    first, second, third = (part + "$$$$\n" for part in three.split("$$$$\n")[:3])
    short = "\n".join(second.splitlines()[:6]) + "\nM  END\n$$$$\n"
    nothing = "none\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n$$$$\n"
    overfull = second.replace("  1  2  1  0", "  1  2  3  0")
    (tmp_path / "a.sdf").write_text(first + GARBAGE + short + nothing + overfull + second + third)
    records = list(read_sdf(tmp_path / "a.sdf"))
    assert [record.index for record in records] == list(range(7))
    assert [record.mol is None for record in records] == [False, True, True, True, True, False, False]
    lines = (tmp_path / "a.sdf").read_text().splitlines()
    starts = [1] + [i + 2 for i, line in enumerate(lines) if line == "$$$$"][:-1]
    assert [record.line for record in records] == starts
    assert "'at all'" in records[1].reason
    assert records[2].reason.startswith("unreadable: atom or bond lines")
    assert records[3].reason.startswith("empty")
    assert records[4].reason.startswith("valence: Explicit valence")
    assert [record.reason for record in records if record.mol] == [None] * 3


@pytest.mark.parametrize(
    ("change", "count"),
    [
        (lambda text: "", 0),
        (lambda text: "\n \n", 0),
        (lambda text: text.replace("\n", "\r\n"), 3),
        (lambda text: text.replace("\n", "\r"), 3),
        (lambda text: text[: text.rindex("$$$$")], 3),
        (lambda text: text.rstrip("\n"), 3),
        (lambda text: text + "\n\n\n", 3),
        (lambda text: "\ufeff" + text, 3),
    ],
    ids=["empty", "blank", "CRLF", "CR", "no last $$$$", "no last newline", "blank end", "BOM"],
)
@pytest.mark.parametrize("name", ["a.sdf", "a.sdf.gz"])
def test_odd_but_sound_files_are_read(three, tmp_path, change, count, name):
    data = change(three).encode("utf-8")
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    records = list(read_sdf(tmp_path / name))
    assert [record.mol.GetProp("_Name") for record in records] == [f"mol-{i}" for i in range(count)]


def test_properties_of_several_lines_are_read(three, tmp_path):
    (tmp_path / "a.sdf").write_text(three.replace("M  END\n", "M  END\n> <x> (1)\none\ntwo\n\n>  <y>\n3\n\n", 1))
    first = next(read_sdf(tmp_path / "a.sdf")).mol
    assert (first.GetProp("x"), first.GetProp("y")) == ("one\ntwo", "3")


DAMAGE = [lambda data: data[:-40], lambda data: b"plain text", lambda data: data[:20] + b"\xff" * 60]


@pytest.mark.parametrize("damage", DAMAGE, ids=["cut", "not gz", "spoilt"])
def test_a_damaged_gz_ends_with_a_reason(three, tmp_path, damage):
    (tmp_path / "a.sdf.gz").write_bytes(damage(gzip.compress(three.encode())))
    *_, last = read_sdf(tmp_path / "a.sdf.gz")
    assert last.mol is None and last.reason.startswith("unreadable")


def test_a_missing_file_is_an_error_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_sdf(tmp_path / "nowhere.sdf")


def test_copies_keep_the_text_and_replace_properties(embed, tmp_path):
    """What a record holds stays as it is, whatever it is; of the new names only the new values are left."""
    text = format_record(embed("CCO"), "one", {"kept": "a\nb", "old": 1, "older": "x > y"}).removesuffix("$$$$\n")
    texts = [
        tagged(text, {"old": 2, "new": ""}),
        tagged("no molecule\n\n\nat all\n", {"old": 3}),
        tagged("no molecule\n\n\nat all\n>  <old>\n4\n\n", {"old": 3}),
    ]
    (tmp_path / "a.sdf").write_text("".join(texts))
    first, *others = read_sdf(tmp_path / "a.sdf")
    assert first.text.startswith(text.partition(">  <")[0])
    properties = {name: first.mol.GetProp(name) for name in first.mol.GetPropNames()}
    assert properties == {"kept": "a\nb", "old": "2", "older": "x > y", "new": ""}
    assert [other.text for other in others] == ["no molecule\n\n\nat all\n>  <old>\n3\n\n"] * 2
