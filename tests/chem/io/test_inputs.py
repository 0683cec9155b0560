"""Reading what users bring: every form of it, every record in its place, and no bad record ends the reading."""

import io
import os
import sys
from itertools import count, islice

import pytest
from chem.conftest import put, read, smiles
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from molscore.chem.io.inputs import FORMS, INPUT_REASONS, Entry, check_source, read_inputs
from molscore.chem.io.lines import printable
from molscore.chem.io.sdf_text import format_record

TABLES = {"csv": ",", "tsv": "\t"}
TEXTS = [form for form in FORMS if form != "parquet"]
LIST = "CCO ethanol\nc1ccccc1\tbenzene ring\n\nC[C@H](F)Cl\n"
TABLE = "id,SMILES,note\n7,CCO,a\n8,C/C=C\\C,\n"


@pytest.mark.parametrize("name", ["a.smi", "a.smiles", "a.txt", "a.smi.gz", "A.SMI", "A.SMI.GZ"])
def test_a_list_of_smiles(tmp_path, name):
    entries = list(read_inputs(put(tmp_path, name, LIST)))
    assert [(e.number, e.line, e.name, e.text) for e in entries] == [
        (1, 1, "ethanol", "CCO"),
        (2, 2, "benzene ring", "c1ccccc1"),
        (3, 4, "", "C[C@H](F)Cl"),
    ]
    assert smiles(entries) == ["CCO", "c1ccccc1", "C[C@H](F)Cl"]
    assert all((e.properties, e.reason, e.detail) == ({}, None, None) for e in entries)


@pytest.mark.parametrize("source", ["C/C=C/C", "C/C=C\\C", "CC.O", "C", "[NH3+]CC(=O)[O-]", "C#N"])
def test_a_smiles_is_no_path(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "C").mkdir()  # a folder of this name does not matter
    check_source(source, None)
    (entry,) = read_inputs(source)
    assert (entry.number, entry.line, entry.name, entry.text, entry.reason) == (1, 1, "", source, None)
    assert smiles([entry]) == [Chem.CanonSmiles(source)]


def test_a_smiles_may_bring_its_name():
    (entry,) = read_inputs("CCO  pure ethanol")
    assert (entry.text, entry.name) == ("CCO", "pure ethanol")


@pytest.mark.parametrize("source", ["mols", "data/mols", "CCO)", "caffeine"])
def test_what_is_neither_file_nor_smiles_is_refused(source):
    (entry,) = read_inputs(source)
    assert entry.mol is None and entry.reason == "smiles"
    assert entry.detail.endswith("nor is there a file of this name")


def test_sources_that_cannot_be_read_are_named_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.sdf").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "mols").write_text(LIST)
    for judge in (check_source, lambda source, form: read_inputs(source, form=form)):
        for source in ("no.smi", "no.sdf.gz", "data/no.csv", "no.mol"):
            with pytest.raises(FileNotFoundError, match=f"there is no file {source}$"):
                judge(source, None)
        with pytest.raises(FileNotFoundError, match="leave out --format if this is a SMILES"):
            judge("CCO", "smi")
        with pytest.raises(ValueError, match="mols does not tell what it holds; say it with --format smi|csv|sdf"):
            judge("mols", None)
        with pytest.raises(ValueError, match="is a folder"):
            judge("folder.sdf", None)
        with pytest.raises(ValueError, match="is a folder"):
            judge("./data", None)
        with pytest.raises(ValueError, match="unknown format 'xlsx'; choose one of smi, csv, tsv, sdf, mol2, parquet"):
            judge("mols", "xlsx")
        with pytest.raises(ValueError, match="there is no input"):
            judge(" ", None)
    assert smiles(read_inputs("mols", form="smi")) == ["CCO", "c1ccccc1", "C[C@H](F)Cl"]


def test_nothing_is_read_by_the_check(tmp_path):
    path = put(tmp_path, "a.csv", "no such column\n")
    check_source(path, None)
    check_source("-", "csv")
    with pytest.raises(ValueError, match="no column"):
        read_inputs(path)


def test_the_form_overrides_the_ending(tmp_path):
    path = put(tmp_path, "a.txt", TABLE)
    assert [e.name for e in read_inputs(path, form="csv")] == ["7", "8"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_a_file(tmp_path):
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    check_source(path, "smi")
    with pytest.raises(ValueError, match="--format"):
        check_source(path, None)


@pytest.mark.parametrize("header", ["SMILES", "smiles name", "Smiles\tID", "canonical_smiles"])
def test_headers_and_comments_of_a_list_are_no_records(header):
    entries = read(f"# made by hand\n\n{header}\nC one\n# two\n   \nCC three\n")
    assert [(e.number, e.line, e.name) for e in entries] == [(1, 4, "one"), (2, 7, "three")]


def test_a_header_further_down_is_a_bad_record():
    assert [e.reason for e in read("C\nsmiles\n")] == [None, "smiles"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: "\ufeff" + text,
        lambda text: text + "\n \n\t\n",
    ],
    ids=["CRLF", "no last newline", "BOM", "blank end"],
)
@pytest.mark.parametrize(("name", "text"), [("a.smi", LIST), ("a.csv", TABLE), ("a.csv.gz", TABLE)])
def test_odd_but_sound_files_are_read(tmp_path, change, name, text):
    plain, odd = (list(read_inputs(put(tmp_path, name, data))) for data in (text, change(text)))
    for a, b in zip(plain, odd, strict=True):
        assert (a.line, a.name, a.properties, a.text, a.reason) == (b.line, b.name, b.properties, b.text, b.reason)


def test_cxsmiles_extensions_are_honoured():
    plain, group, bad, cut = read("C[C@H](F)Cl one\nC[C@H](F)Cl |&1:1|  two  words \nCCO |bad| three\nCCO |$a;b\n")
    assert (plain.name, group.name, bad.name) == ("one", "two  words", "three")
    assert group.text == "C[C@H](F)Cl |&1:1|"
    assert not plain.mol.GetStereoGroups() and len(group.mol.GetStereoGroups()) == 1
    assert [e.reason for e in (bad, cut)] == ["smiles", "smiles"]
    assert bad.detail == "RDKit cannot parse 'CCO |bad|'"


def test_an_atropisomer_comes_by_cxsmiles():
    places = "0,1,;1,1,;2,1,;3,1,;3,0,;2,0,;2,-1,;1,0,;0,-1,;0,-2,;1,-2,;0,-3,;-1,-3,;-1,-2,;-1,-1,;-2,-1,"
    (entry,) = read(f"CC1=CC=CC(I)=C1C1=C(C)C=CC=C1I |({places}),wU:7.7|")
    assert Chem.BondStereo.STEREOATROPCCW in [bond.GetStereo() for bond in entry.mol.GetBonds()]


BAD = [
    ("C1CC", "smiles", "unclosed ring"),
    ("not_a_smiles", "smiles", "syntax error"),
    ("C\x00C", "smiles", "no character"),
    ("C\x01", "smiles", "no character"),
    ("CN(C)(C)(C)C", "valence", "Explicit valence for atom # 1 N, 5, is greater than permitted"),
    ("c1cccc1", "valence", "kekulize"),
    ("CC\ufffd", "smiles", "no character '\\ufffd'"),  # which stands in the file
    ("CC\u2212", "smiles", "no character '\\u2212'"),
    ("CC\u200b", "smiles", "no character '\\u200b'"),
    ("CC\udcb5", "encoding", "give the file's --encoding"),
]


@pytest.mark.parametrize(("text", "reason", "words"), BAD)
@pytest.mark.parametrize("form", ["smi", "csv"])
def test_bad_records_have_a_reason_and_the_rest_goes_on(capfd, form, text, reason, words):
    entries = read(f"smiles\nC\n{text}\nCC\n", form)
    assert [(e.number, e.line) for e in entries] == [(1, 2), (2, 3), (3, 4)]
    assert smiles(entries) == ["C", None, "CC"]
    bad = entries[1]
    assert bad.reason == reason and bad.reason in INPUT_REASONS and bad.text == printable(text)
    assert words in bad.detail and "\n" not in bad.detail and not bad.detail.startswith("[")
    assert capfd.readouterr() == ("", "")


def test_bytes_that_are_not_utf8_spoil_their_record_alone(tmp_path):
    latin = "C one\nCC zwei µ\nCCC three\n".encode("latin-1")
    entries = list(read_inputs(put(tmp_path, "a.smi", latin)))
    assert [e.reason for e in entries] == [None, "encoding", None]
    table = "smiles,note\nC,1\nCC,µ\nCCC,3\n".encode("latin-1")
    assert [e.reason for e in read_inputs(put(tmp_path, "a.csv", table))] == [None, "encoding", None]
    assert [e.name for e in read_inputs(put(tmp_path, "b.smi", "C µ-name".encode()))] == ["µ-name"]


def test_standard_input(monkeypatch):
    def pipe(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))

    pipe("\ufeffC µ\n".encode() + b"CC \xff\n")
    assert [(e.text, e.name, e.reason) for e in read_inputs("-")][0] == ("C", "µ", None)
    pipe(b"C\nCC \xff\nCCC")
    assert [e.reason for e in read_inputs("-")] == [None, "encoding", None]
    assert not sys.stdin.closed
    pipe(TABLE.encode())
    assert [e.name for e in read_inputs("-", form="csv")] == ["7", "8"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("C"))
    assert smiles(read_inputs("-")) == ["C"]


@pytest.mark.parametrize("form", TEXTS)
def test_a_given_stream_stays_open(form):
    stream = io.StringIO("smiles\n")
    assert list(read_inputs("-", form=form, stream=stream)) == [] or form == "sdf"
    assert not stream.closed


@pytest.mark.parametrize("form", TEXTS)
def test_records_come_as_they_are_read(embed, form):
    """From an endless stream, with no more than a record's lines read ahead."""
    record = {
        "smi": "CO name\n",
        "csv": "CO,name\n",
        "tsv": "CO\tname\n",
        "sdf": format_record(embed("CO"), "name"),
        "mol2": "@<TRIPOS>MOLECULE\nname\n1 0\nSMALL\nNO_CHARGES\n@<TRIPOS>ATOM\n1 C 0 0 0 C.3\n",
    }[form]
    begun = form == "mol2"  # the next record, whose first line ends this one
    taken = 0

    class Endless(io.TextIOBase):
        def __iter__(self):
            nonlocal taken
            if form in TABLES:
                yield f"smiles{TABLES[form]}name\n"
            for taken in count(1):  # noqa: B007
                yield from record.splitlines(keepends=True)

    entries = read_inputs("-", form=form, stream=Endless())
    assert taken == 0
    for number, entry in enumerate(islice(entries, 50), start=1):
        assert (entry.number, entry.name, taken) == (number, "name", number + begun)


@pytest.mark.parametrize("form", TEXTS)
def test_an_empty_input_has_no_records(form):
    if form in TABLES:
        with pytest.raises(ValueError, match="its first line must name the columns"):
            read("\n\n", form)
        assert read("smiles\n\n", form) == []
    else:
        assert read("", form) == read("\n \n", form) == []


def test_hydrogens_isotopes_radicals_and_charges_stay_as_written():
    texts = ["[H]C([H])([H])O", "[2H]C", "C[CH2]", "[13CH3][NH3+]", "[CH3:7]C", "[H][H]", "[H+].[Cl-]"]
    entries = read("\n".join(texts))
    assert [e.mol.GetNumAtoms() for e in entries] == [5, 2, 2, 2, 2, 2, 2]
    assert [a.GetAtomicNum() for a in entries[0].mol.GetAtoms()] == [1, 6, 1, 1, 8]
    assert smiles(entries)[1:5] == ["[2H]C", "[CH2]C", "[13CH3][NH3+]", "C[CH3:7]"]


def test_an_older_rdkit_has_fewer_words(monkeypatch):
    monkeypatch.delattr(rdBase, "CaptureErrorLog", raising=False)
    first, second = read("C1CC\nCN(C)(C)(C)C")
    assert (first.reason, first.detail) == ("smiles", "RDKit cannot parse 'C1CC'")
    assert (second.reason, second.detail) == ("valence", "RDKit cannot sanitise it")


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(blacklist_characters="\r\n"), max_size=12), max_size=6))
def test_no_line_ends_the_reading(lines):
    text = "C\n" + "\n".join(lines) + "\nCC"
    entries = read(text)
    assert smiles(entries)[0] == "C" and smiles(entries)[-1] == "CC"
    assert [e.number for e in entries] == list(range(1, len(entries) + 1))
    assert all(isinstance(e, Entry) and (e.mol is None) == (e.reason in INPUT_REASONS) for e in entries)


@settings(max_examples=50)
@given(st.text(max_size=40), st.sampled_from(TEXTS))
def test_no_text_ends_the_reading(text, form):
    for entry in read(f"smiles{TABLES[form]}name\n{text}" if form in TABLES else text, form):
        assert (entry.mol is None) == (entry.reason in INPUT_REASONS) == bool(entry.detail)
