"""Tables as spreadsheets and scripts write them: separators, long fields, marks left open."""

import gzip

import pytest
from chem.conftest import put, read, smiles

from molscore.chem.io import rows
from molscore.chem.io.inputs import read_inputs


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|", ":"])
@pytest.mark.parametrize("line", ["sep={}", "SEP={}", '"sep={}"'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_that_names_the_separator(delimiter, line, end):
    text = [line.format(delimiter), "", delimiter.join(["name", "smiles", "x"]), delimiter.join(["a", "CCO", "1"])]
    (entry,) = read(end.join(text), "csv")
    assert (entry.name, entry.text, entry.properties, entry.line, entry.number) == ("a", "CCO", {"x": "1"}, 4, 1)


def test_a_column_may_be_called_sep():
    (entry,) = read("sep=,smiles\nx,CC\n", "csv")
    assert entry.text == "CC" and entry.properties == {"sep=": "x"}


@pytest.mark.parametrize("size", [131_072, 131_073, 400_000, 2**20 + 5])
@pytest.mark.parametrize("quote", ["", '"'])
def test_fields_of_any_length(size, quote):
    long = "x" * size
    first, second = read(f"smiles,note\nC,{quote}{long}{quote}\nCC,short\n", "csv")
    assert first.properties == {"note": long} and second.properties == {"note": "short"}
    first, second = read(f"name,smiles\na,{quote}{'C' * 50}{quote}\n{long},CC\n", "csv")
    assert (first.text, second.name) == ("C" * 50, long)


def test_a_header_may_be_long():
    (entry,) = read("smiles," + "x" * 200_000 + "\nC,1\n", "csv")
    assert entry.properties == {"x" * 200_000: "1"}


@pytest.mark.parametrize("n", [3, 30, 3000])
@pytest.mark.parametrize("lost", ['CC,"lost', '"CC,lost', 'CC,lost,"'])
def test_a_quotation_mark_left_open_costs_one_record(n, lost):
    """Also at the end of the file, and where another one follows that would close it."""
    table = [f"C,{k}" for k in range(n)]
    for at in {0, 1, n - 1}:
        text = [*table[:at], lost, *table[at + 1 :]]
        entries = read("smiles,note\n" + "\n".join(text) + "\n", "csv")
        assert [entry.number for entry in entries if entry.mol is None] == [at + 1]
        assert entries[at].reason == "unreadable" and "quotation mark" in entries[at].detail
        assert [entry.properties["note"] for entry in entries if entry.mol] == [str(k) for k in range(n) if k != at]
        assert [entry.line for entry in entries] == list(range(2, n + 2))
    twice = [*table[:1], 'CC,"lost', *table[1:], 'CCC,"lost too', "CCCC,end"]
    entries = read("smiles,note\n" + "\n".join(twice) + "\n", "csv")
    assert [entry.number for entry in entries if entry.mol is None] == [2, n + 2]
    assert entries[-1].properties == {"note": "end"}


def test_values_of_several_lines_stay_as_they_are():
    value = 'a\n\n"b", é\n' + "x\n" * 1000
    quoted = value.replace('"', '""')
    (entry,) = read(f'smiles,note\nC,"{quoted}"\n', "csv")
    assert entry.properties == {"note": value}


def test_a_row_over_many_lines_ends_somewhere(monkeypatch):
    monkeypatch.setattr(rows, "LONGEST_ROW", 100)
    entries = read('smiles,note\nC,"lost\n' + "CC,1\n" * 50 + 'CCC,"\n', "csv")
    assert len(entries) == 52 and [entry.number for entry in entries if entry.mol is None] == [1, 52]


def test_columns_of_one_name_are_all_there():
    (entry,) = read("smiles,note,note\nC,1,2\n", "csv")
    assert [(item.name, item.value) for item in entry.items] == [("note", "1"), ("note", "2")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("form", ["smi", "csv"])
def test_any_line_ends(tmp_path, end, form):
    text = {"smi": ["C a", "CC b", "CCC c"], "csv": ["smiles,name", "C,a", "CC,b", "CCC,c"]}[form]
    entries = list(read_inputs(put(tmp_path, f"a.{form}", end.join(text))))
    assert smiles(entries) == ["C", "CC", "CCC"] and [entry.name for entry in entries] == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["A.CSV", "a.Csv.Gz", "b.csv"])
def test_endings_in_any_case_and_compression_by_content(tmp_path, name):
    for data in (b"smiles\nC\n", gzip.compress(b"smiles\nC\n")):
        (tmp_path / name).write_bytes(data)
        assert smiles(read_inputs(str(tmp_path / name))) == ["C"]
