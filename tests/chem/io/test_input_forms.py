"""Tables and SDF files: columns, quotes, wedges, positions, damage."""

import gzip

import pytest
from chem.conftest import put, read, smiles
from rdkit import Chem
from rdkit.Chem.rdDepictor import Compute2DCoords

from molscore.chem.io.inputs import INPUT_REASONS, read_inputs
from molscore.chem.io.sdf_text import format_record


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("column", ["smiles", "SMILES", " Smiles "])
def test_tables(delimiter, column):
    rows = [["Score", column, "Name", "", "comment"], ["1.50", "CCO", " an  alcohol ", "x", "good"]]
    rows += [["", "", "none", "", ""], ["2", "C/C=C/C", "", "", "bad"]]
    entries = read("\n".join(delimiter.join(row) for row in rows), "csv")
    assert [(e.number, e.line, e.name, e.reason) for e in entries] == [
        (1, 2, "an  alcohol", None),
        (2, 3, "none", "empty"),
        (3, 4, "", None),
    ]
    assert entries[0].properties == {"Score": "1.50", "comment": "good"}
    assert list(entries[0].properties) == ["Score", "comment"]
    assert smiles(entries) == ["CCO", None, "C/C=C/C"]


def test_columns_of_a_table_can_be_chosen():
    text = "structure;code;ID;title\nCC;a1;7;ethane\n"
    (entry,) = read(text, "csv", smiles_column="Structure")
    assert (entry.name, entry.properties) == ("ethane", {"code": "a1", "ID": "7"})
    (entry,) = read(text, "csv", smiles_column="structure", name_column="CODE")
    assert (entry.name, entry.properties) == ("a1", {"ID": "7", "title": "ethane"})
    with pytest.raises(ValueError, match="no column 'smiles', only structure, code, ID, title; say"):
        read(text, "csv")
    with pytest.raises(ValueError, match="no column 'x', only .*; say which with --name-column"):
        read(text, "csv", smiles_column="structure", name_column="x")
    assert read("smiles,SMILES\nC,CC\n", "csv", smiles_column="SMILES")[0].text == "CC"


def test_a_table_read_as_a_list_is_told_to_be_one():
    first, second, third = read("smiles,name\nCC,ethane\nC(\n", "smi")
    assert all("--format csv" in entry.detail for entry in (first, second)) and "--format" not in third.detail


def test_rows_that_do_not_fit_the_header_are_bad_records():
    entries = read("smiles,name\nC\nCC,one\nCCC,two,three\nCCCC,four,\n", "csv")
    assert [e.reason for e in entries] == ["unreadable", None, "unreadable", None]
    assert entries[0].detail.startswith("there are 1 fields, but 2 columns")
    assert (entries[0].text, entries[2].text, entries[3].name) == ("C", "CCC", "four")


def test_quoted_fields_may_hold_anything():
    text = '\nname,smiles,note\n\n"a, ""b""",C,"two\nlines"\n"c",CC,\n'
    first, second = read(text, "csv")
    assert (first.line, first.name, first.properties) == (4, 'a, "b"', {"note": "two\nlines"})
    assert (second.line, second.number) == (6, 2)


def test_a_lost_quotation_mark_does_not_swallow_the_file():
    lines = [f"C,{k:0500}\n" for k in range(400)]
    lines[10] = 'CC,"lost\n'
    entries = read("smiles,name\n" + "".join(lines), "csv")
    bad = [e for e in entries if e.mol is None]
    assert [e.number for e in bad] == [11] and bad[0].line == 12 and bad[0].reason == "unreadable"
    assert "it does not end; is a quotation mark left open?" in bad[0].detail
    assert bad[0].detail.count("quotation mark") == 1
    assert int(entries[-1].name) == 399 and entries[-1].line == 401 and len(entries) > 100


def flat(text):
    """A 2-D record, with wedges."""
    mol = Chem.MolFromSmiles(text)
    Compute2DCoords(mol)
    return Chem.MolToMolBlock(mol)


@pytest.mark.parametrize("text", ["C[C@H](O)F", "C[C@@H](O)F", "C/C=C\\C", "C/C=C/C", "CC=CC", "C[C@H]1CC[C@@H](O)CC1"])
@pytest.mark.parametrize("name", ["a.sdf", "a.sdf.gz", "a.mol"])
def test_flat_records_get_their_stereo_from_wedges(tmp_path, name, text):
    block = flat(text) if "=" not in text or "/" in text else flat(text).replace("  2  3  2  0", "  2  3  2  3")
    (entry,) = read_inputs(put(tmp_path, name, "title\n" + block.partition("\n")[2]))
    assert smiles([entry]) == [Chem.CanonSmiles(text)]
    assert (entry.name, entry.text, entry.properties) == ("title", "", {})
    assert not entry.mol.GetConformer().Is3D()


def test_records_in_space_get_their_stereo_from_positions(embed):
    texts = ["C[C@H](O)F", "C[C@@H](O)F", "C/C=C\\F", "C/C=C/F"]
    records = [format_record(embed(text), text, {"b": 1.5, "a": "x\ny"}) for text in texts]
    entries = read("".join(records), "sdf")
    for text, entry in zip(texts, entries, strict=True):
        assert entry.name == text and entry.properties == {"b": "1.5", "a": "x\ny"}
        assert list(entry.properties) == ["b", "a"]
        assert Chem.MolToSmiles(Chem.RemoveHs(entry.mol)) == Chem.CanonSmiles(text)
        numbers = [[atom.GetAtomicNum() for atom in mol.GetAtoms()] for mol in (entry.mol, embed(text))]
        assert numbers[0] == numbers[1]  # hydrogens too, where they are
        assert entry.mol.GetConformer().Is3D()
    starts = [1 + "".join(records[:k]).count("\n") for k in range(4)]
    assert [(e.number, e.line) for e in entries] == [(k + 1, line) for k, line in enumerate(starts)]


def test_bad_sdf_records(embed, tmp_path):
    good = format_record(embed("CO"), "good")
    nothing = "none\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n$$$$\n"
    overfull = good.replace("  1  2  1  0", "  1  2  3  0").replace("good", "overfull")
    latin = good.replace("good", "gut µ").encode("latin-1")
    data = (good + "junk\nis\nthis\nhere\n$$$$\n" + nothing + overfull).encode() + latin + good.encode()
    entries = list(read_inputs(put(tmp_path, "a.sdf", data)))
    assert [e.reason for e in entries] == [None, "unreadable", "empty", "valence", "encoding", None]
    assert [e.name for e in entries[:4]] == ["good", "junk", "none", "overfull"]
    assert [e.number for e in entries] == [1, 2, 3, 4, 5, 6]
    assert entries[3].detail.startswith("Explicit valence")
    assert all(e.reason in INPUT_REASONS and e.detail and e.mol is None for e in entries[1:5])


@pytest.mark.parametrize("name", ["a.smi.gz", "a.csv.gz", "a.sdf.gz"])
def test_a_damaged_gz_ends_with_a_reason(embed, tmp_path, name):
    record = {"a.smi.gz": "C {0}\n", "a.csv.gz": "C,{0}\n", "a.sdf.gz": format_record(embed("CO"), "{0}")}[name]
    text = ("smiles,name\n" if "csv" in name else "") + "".join(
        record.format(k * 2654435761 % 2**32) for k in range(3000)
    )
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode())[:-3000])
    entries = list(read_inputs(str(path)))
    assert len(entries) > 10 and [e.number for e in entries] == list(range(1, len(entries) + 1))
    assert entries[-1].reason == "unreadable" and "end-of-stream" in entries[-1].detail
    path.write_bytes(gzip.compress(text.encode())[:8])
    if "csv" in name:
        with pytest.raises(ValueError, match="header of .* cannot be read"):
            read_inputs(str(path))
    else:
        assert [e.reason for e in read_inputs(str(path))] == ["unreadable"]
