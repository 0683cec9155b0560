"""The text of SDF records: every byte of what a user wrote stays, whatever it looks like."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from sdf_records import items, record, records, seen_by_rdkit, values

from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_text import DataItem, carried, data_items, format_mol, format_property, split_record, tagged

BLOCK = Chem.MolToMolBlock(Chem.MolFromSmiles("CO"))


def pairs(text):
    return [(item.name, item.value) for item in data_items(text)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (">  <a>\n>10000\n\n>  <b>\n2\n\n", [("a", ">10000"), ("b", "2")]),
        (">  <a>\n1\n> <b>\n2\n\n", [("a", "1\n> <b>\n2")]),  # no empty line: all of it is one value
        (">  <a>\n\n>  <b>\n2\n\n", [("a", ""), ("b", "2")]),
        (">  <a>\n1\n \n\t\n2\n\n", [("a", "1\n \n\t\n2")]),  # blanks are not empty
        (">  <a>\n1\n\n\n\n>  <b>\n2\n", [("a", "1"), ("b", "2")]),
        ("> 25 <MP> DT12\n1\n\n> DT12\n7\n\n", [("MP", "1"), ("", "7")]),
        ("> <a> (x > y)\n1\n\n", [("a> (x ", "1")]),  # as RDKit reads it
        ("> <a>\n1\n\n> <a>\n2\n\n", [("a", "1"), ("a", "2")]),
        ("> <a>\none\n\ntwo\n\nthree\n\n> <b>\n4\n\n", [("a", "one\n\ntwo\n\nthree"), ("b", "4")]),
        ("\n\n> <a>\n1", [("a", "1")]),
        ("", []),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_data_items(data, expected, end):
    text = (BLOCK + data).replace("\n", end)
    assert pairs(text) == expected
    block, parts = split_record(text)
    assert block + "".join(part.text for part in parts) == text


@pytest.mark.parametrize("title", ["M  END", "> <a>", ">", "", "  a  b  "])
def test_a_title_is_no_end_and_no_header(title):
    text = record(BLOCK, title, ["> <b>\n1\n\n"])
    assert pairs(text) == [("b", "1")] and split_record(text)[0].startswith(f"{title}\n")


@given(records(BLOCK))
def test_tags_leave_the_record_as_it_is(text):
    assert tagged(text, {}) == f"{text}$$$$\n"
    more = tagged(text, {"new tag": "x", "empty": ""}).removesuffix("$$$$\n")
    assert more == f"{text}>  <new tag>\nx\n\n>  <empty>\n\n\n"
    title, before = seen_by_rdkit(text)
    assert seen_by_rdkit(more) == (title, before | {"new tag": "x", "empty": ""})
    assert list(seen_by_rdkit(more)[1]) == [*(name for name in before if name not in ("new tag", "empty"))] + [
        "new tag",
        "empty",
    ]


@given(records(BLOCK))
def test_our_reader_and_rdkits_agree(text):
    (ours,) = read_sdf(_lines(f"{text}$$$$\n"))
    title, properties = seen_by_rdkit(text)
    assert ours.text == text and ours.mol.GetProp("_Name") == title
    assert {name: ours.mol.GetProp(name) for name in ours.mol.GetPropNames()} == properties


def _lines(text):
    return [f"{line}\n" for line in text.split("\n")[:-1]]


@given(st.lists(st.tuples(st.sampled_from(["old", "kept", "SMILES"]), values), max_size=6))
def test_tags_replace_those_of_their_name_alone(properties):
    text = BLOCK + "".join(f">  <{name}>\n{value}\n\n" for name, value in properties)
    kept = [(name, value) for name, value in properties if name != "old"]
    assert pairs(tagged(text, {"old": "new"}).removesuffix("$$$$\n")) == [*kept, ("old", "new")]
    once = tagged(text, {"old": "new", "none": None})
    assert tagged(once.removesuffix("$$$$\n"), {"old": "new", "none": None}) == once


def test_line_ends_stay():
    text = (BLOCK + ">  <a>\n1\n2\n\n").replace("\n", "\r\n")
    assert tagged(text, {"b": "x\ny"}) == f"{text}>  <b>\r\nx\r\ny\r\n\r\n$$$$\r\n"


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\n\n"])
def test_a_last_item_without_its_empty_line_takes_no_tag_in(end):
    text = f"{BLOCK}>  <a>\n1{end}"
    assert seen_by_rdkit(tagged(text, {"b": "2"}).removesuffix("$$$$\n"))[1] == {"a": "1", "b": "2"}


@pytest.mark.parametrize("text", ["", "x", "no molecule\n\n\nat all", "a\n\n\n\n> <old>\n1\n\n", BLOCK.rstrip("\n")])
def test_what_is_no_molecule_is_copied_too(text):
    once = tagged(text, {"old": "2", "new": ""})
    assert once.startswith(text.partition("> <old>")[0]) and once.count("<old>") == once.count("<new>") == 1
    assert tagged(once.removesuffix("$$$$\n"), {"old": "2", "new": ""}) == once


def test_an_empty_line_in_a_value_is_escaped_so_that_readers_lose_nothing():
    """RDKit stops reading at such a line, and would see nothing of what follows."""
    text = f"{BLOCK}>  <a>  (7)\none\n\ntwo\n\n>  <b>\n3\n\n"
    assert seen_by_rdkit(text)[1] == {"a": "one"}
    again = tagged(text, {"c": 4}).removesuffix("$$$$\n")
    assert seen_by_rdkit(again)[1] == {"a": "one\n \ntwo", "b": "3", "c": "4"}
    assert again == f"{BLOCK}>  <a>  (7)\none\n \ntwo\n\n>  <b>\n3\n\n>  <c>\n4\n\n"


@given(st.lists(st.sampled_from(["", " ", "a", ">x", "$$$$", "$$$$ b", "\r"]), max_size=6).map("\n".join))
def test_any_value_can_be_written_and_no_word_of_it_is_lost(value):
    text = BLOCK + format_property("a", value) + format_property("b", "end")
    properties = seen_by_rdkit(text)[1]
    assert properties["b"] == "end"
    unescaped = value.replace("\r\n", "\n").replace("\r", "\n")
    assert [line.strip() for line in properties["a"].split("\n")] == [line.strip() for line in unescaped.split("\n")]
    assert "$$$$" not in [line[:4] for line in text.split("\n")]


@given(st.lists(items, max_size=4))
def test_items_of_a_record_are_carried_into_another(data):
    text = "".join(data)
    taken = {"SMILES": "C", "method": "x", "old": None}
    copies = data_items(BLOCK + carried(data_items(BLOCK + text), taken))
    expected = [(f"input_{name}" if name in taken else name, value) for name, value in pairs(BLOCK + text)]
    assert [(item.name, item.value) for item in copies] == expected
    if not taken.keys() & {name for name, _ in pairs(BLOCK + text)}:
        assert carried(data_items(BLOCK + text), taken) == text


def test_properties_of_an_earlier_run_are_kept_beside_those_of_this_one():
    text = BLOCK
    for run in "123":
        text = BLOCK + carried(data_items(text), {"rank"}) + f">  <rank>\n{run}\n\n"
    assert sorted(pairs(text)) == [("input_input_rank", "2"), ("input_rank", "1"), ("rank", "3")]


def test_columns_become_items():
    columns = [DataItem("IC50 <nM>", "1\n\n2"), DataItem("b", "$$$$"), DataItem("b", "\r\nx"), DataItem("method", "")]
    text = carried(columns, {"method"})
    assert pairs(BLOCK + text) == [("IC50 (nM)", "1\n \n2"), ("b", " $$$$"), ("b", " \nx"), ("input_method", "")]


@pytest.mark.parametrize("title", [" a  b ", "\ttab", "µ 分子", "> <x>", "$1", "M  END", "\xa0"])
def test_titles_stay(embed, title):
    assert format_mol(embed("CO"), title).split("\n")[0] == title


@pytest.mark.parametrize(("title", "written"), [("$$$$", " $$$$"), ("a\nb", "a b"), ("a\r\nb", "a b")])
def test_titles_that_cannot_be_written_are_escaped(embed, title, written):
    assert format_mol(embed("CO"), title).split("\n")[0] == written


@settings(max_examples=30)
@given(st.lists(records(BLOCK), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_files_are_read_back_as_they_are(tmp_path_factory, texts, end):
    path = tmp_path_factory.mktemp("sdf") / "a.sdf"
    if end == "\r\n":
        texts = [text.replace("\r", "").replace("\n", end) for text in texts]
    path.write_bytes("".join(f"{text}$$$${end}" for text in texts).encode())
    entries = list(read_sdf(path))
    assert [entry.text for entry in entries] == texts
    assert all(entry.mol is not None for entry in entries)
