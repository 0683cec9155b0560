"""Every command reads the same files in the same way, and what it copies stays as it was."""

import csv
import gzip
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdkit import Chem
from typer.testing import CliRunner

from molscore.chem.embedding.etkdg import embed
from molscore.chem.io.inputs import read_inputs
from molscore.chem.io.sdf_reader import read_sdf
from molscore.cli import app
from molscore.conformers import ConformerGenerator, ConformerOptions
from molscore.conformers.files import conformers_sdf
from molscore.datasets.sources import build_sdf, read_smiles
from molscore.evaluate.molecules.records import read_records
from molscore.report import report_file
from molscore.score import MoleculeScorer
from molscore.score.files import score_sdf

QUICK = ConformerOptions(method="etkdg", relax="none", oversampling=1)
BLOCK = Chem.MolToMolBlock(embed("CC(=O)NC"))
ITEMS = ">  <limit>\n>10000\n\n> 25 <note>  (7)\n< 3 µM >\n \n=second line\n\n>  <note>\n\n>  <method>\nNMR\n\n"


def record(title: str, data: str = ITEMS) -> str:
    return f"{title}\n{BLOCK.partition(chr(10))[2]}{data}"


TEXT = "".join(f"{record(title)}$$$$\n" for title in ("  a  b ", "µ 分子", "> <x>"))


@pytest.fixture(scope="module")
def scorer():
    return MoleculeScorer.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def generator():
    return ConformerGenerator.from_pretrained(device="cpu")


def read_with(job, source, folder, scorer, generator, encoding=None):
    """Which records a job could read."""
    out = folder / "out.sdf"
    if job == "score":
        score_sdf(scorer, source, out, encoding=encoding)
        return ["<not_scored>" not in item.text for item in read_sdf(out)]
    if job == "conformers":
        outcome = conformers_sdf(generator, str(source), out, 1, 0, QUICK, encoding=encoding)
        titles = [item.text.partition("\n")[0] for item in read_sdf(out)]
        assert outcome.records == 3 and outcome.molecules == len(titles)
        return [entry.name in titles for entry in read_inputs(str(source), encoding=encoding)]
    if job == "evaluate":
        return [item.mol is not None for item in read_records(source, encoding)]
    if job == "report":
        report_file(source, folder / "r.html", evaluate=False, encoding=encoding)
        page = (folder / "r.html").read_text(encoding="utf-8")
        readable = [item.mol is not None for item in read_records(source, encoding)]
        assert ("encoding" in page) == (not all(readable))
        return readable
    counts = build_sdf(source, folder / "d.safetensors", encoding=encoding, workers=1, conformers=3)
    return [True] * counts["molecules"] + [False] * counts["dropped"].get("unreadable", 0)


JOBS = ["score", "conformers", "evaluate", "report", "data"]


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize(
    ("name", "encoding"),
    [("a.sdf", "utf-16"), ("X.SDF.GZ", "utf-8-sig"), ("b.Sdf", "utf-8"), ("c.sdf.gz", "utf-16"), ("E.MOL", "utf-8")],
)
def test_every_command_reads_the_same_files(job, name, encoding, tmp_path, scorer, generator):
    data = TEXT.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(data) if "gz" in name.lower() else data)
    assert read_with(job, tmp_path / name, tmp_path, scorer, generator) == [True] * 3


@pytest.mark.parametrize("job", JOBS)
def test_every_command_refuses_bytes_that_do_not_decode_and_reads_them_when_told(job, tmp_path, scorer, generator):
    path = tmp_path / "a.sdf"
    plain = record("plain", ">  <a>\n1\n\n")
    path.write_bytes(f"{plain}$$$$\n{record('é µ', '')}$$$$\n{plain}$$$$\n".encode("cp1252"))
    assert sorted(read_with(job, path, tmp_path, scorer, generator)) == [False, True, True]
    assert read_with(job, path, tmp_path, scorer, generator, "cp1252") == [True] * 3
    if job in ("score", "conformers"):
        out = (tmp_path / "out.sdf").read_text(encoding="utf-8")
        assert "é µ\n" in out and "\ufffd" not in out


def test_a_record_that_does_not_decode_is_copied_byte_for_byte(tmp_path, scorer):
    path, out = tmp_path / "a.sdf", tmp_path / "out.sdf"
    records = [record("plain").encode(), record("gut µ", ">  <é>\n1\n\n").encode("latin-1"), record("µ").encode()]
    path.write_bytes(b"".join(text + b"$$$$\n" for text in records))
    outcome = score_sdf(scorer, path, out)
    assert outcome.reasons == {"encoding": 1} and outcome.unread == 1
    parts = out.read_bytes().split(b"$$$$\n")
    assert [part.startswith(text) for part, text in zip(parts, records, strict=False)] == [True] * 3
    assert b"<not_scored>\nencoding: bytes do not decode; give the file's --encoding" in parts[1]
    result = CliRunner().invoke(app, ["score", str(path), "--out", str(out), "--overwrite"])
    assert result.exit_code == 3 and "not scored: 1 encoding" in result.stderr
    result = CliRunner().invoke(
        app, ["score", str(path), "--out", str(out), "--encoding", "latin-1", "--quiet", "--overwrite"]
    )
    assert result.exit_code == 0 and "gut µ\n" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("job", ["score", "conformers"])
def test_what_is_copied_stays(job, tmp_path, scorer, generator):
    path, out = tmp_path / "a.sdf", tmp_path / "out.sdf"
    path.write_text(TEXT, encoding="utf-8", newline="\n")
    read_with(job, path, tmp_path, scorer, generator)
    before, after = (list(read_sdf(file)) for file in (path, out))
    kept = ITEMS if job == "score" else ITEMS.replace("<method>", "<input_method>")  # a name that is ours
    for old, new in zip(before, after, strict=True):
        assert new.text.partition("\n")[0] == old.text.partition("\n")[0]
        assert new.text.partition("M  END\n")[2].startswith(kept)
    for old, new in zip(Chem.SDMolSupplier(str(path)), Chem.SDMolSupplier(str(out)), strict=True):
        assert old.GetProp("_Name") == new.GetProp("_Name")
        assert (new.GetProp("limit"), new.GetProp("note")) == (">10000", "")


LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1, max_size=10)
VALUES = st.lists(LINES | st.sampled_from([">10000", "> <x>", " ", "\t"]), min_size=1, max_size=3).map("\n".join)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(LINES, st.lists(st.tuples(st.sampled_from(["old", "a b", "µ", "SMILES"]), VALUES), max_size=3)),
        min_size=3,
        max_size=6,
    )
)
def test_random_records_survive_every_command(tmp_path, scorer, generator, items):
    items = [(title, data) for title, data in items if not title.startswith("$$$$")]
    items = [(t, [(n, v) for n, v in data if "\n$$$$" not in f"\n{v}"]) for t, data in items] or [("x", [])]
    texts = [record(t, "".join(f">  <{name}>\n{value}\n\n" for name, value in data)) for t, data in items]
    path, scored, made, again = (tmp_path / f"{name}.sdf" for name in ("in", "scored", "made", "again"))
    path.write_bytes("".join(f"{text}$$$$\n" for text in texts).encode())
    score_sdf(scorer, path, scored)
    conformers_sdf(generator, str(path), made, 1, 0, QUICK)
    conformers_sdf(generator, str(scored), again, 1, 0, QUICK)
    for out in (scored, made, again):
        ours = {} if out == scored else {"SMILES": "input_SMILES"}  # a name that conformers take
        for result, (title, data) in zip(read_sdf(out), items, strict=True):
            written, _, rest = result.text.partition("\n")
            assert written == title or (out != scored and not title.strip())
            expected = "".join(f">  <{ours.get(name, name)}>\n{value}\n\n" for name, value in data)
            assert rest.partition("M  END\n")[2].startswith(expected)


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-O", "@x", "\t=1", "＝1"])
def test_no_cell_of_a_table_of_problems_is_a_formula(text, tmp_path, generator):
    path, problems = tmp_path / "a.csv", tmp_path / "p.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["name", "smiles"], [text, "nonsense("], ["good", "CCO"]])
    conformers_sdf(generator, str(path), tmp_path / "o.sdf", 1, 0, QUICK, problems=problems)
    with problems.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[1][2] == f"'{text.strip()}"


NO_COORDINATES = ["lib.smi", "lib.csv", "LIB.SMI.GZ", "lib.txt"]


@pytest.mark.parametrize("name", NO_COORDINATES)
@pytest.mark.parametrize("words", [["score", "--out", "o.sdf"], ["evaluate"], ["report", "--out", "o.html"]])
def test_commands_that_need_coordinates_say_so(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("smiles\nCCO\n")
    result = CliRunner().invoke(app, [words[0], name, *words[1:]])
    assert result.exit_code == 2 and "which have no coordinates; `molscore conformers` makes them" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "words", [["score", "--out", "o.sdf"], ["evaluate"], ["report", "--out", "o.html"], ["data", "sdf"]]
)
@pytest.mark.parametrize(
    ("name", "words_of_error"),
    [("mols.xyz", "must end in"), ("folder.sdf", "is a folder"), ("none.sdf", "there is no")],
)
def test_what_cannot_be_read_is_a_usage_error(name, words_of_error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mols.xyz").write_text("")
    (tmp_path / "folder.sdf").mkdir()
    at = 2 if words[0] == "data" else 1
    result = CliRunner().invoke(app, [*words[:at], name, *words[at:]])
    assert result.exit_code == 2 and words_of_error in result.stderr


@pytest.mark.parametrize(
    "words", [["score", "a.sdf", "--out", "o.sdf"], ["evaluate", "a.sdf"], ["conformers", "a.sdf", "--out", "o.sdf"]]
)
def test_an_unknown_encoding_is_a_usage_error(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sdf").write_text(TEXT, encoding="utf-8")
    result = CliRunner().invoke(app, [*words, "--encoding", "rot13"])
    assert result.exit_code == 2 and "unknown encoding 'rot13'" in result.stderr


def test_tables_for_data_are_read_like_all_others(tmp_path):
    path = tmp_path / "A.CSV"
    path.write_bytes(f"sep=;\nid;smiles;note\n1;CCO;{'x' * 200_000}\n2;CC;µ\n".encode("latin-1"))
    first, second = read_smiles(path)
    assert first == "CCO" and "do not decode" in second
    assert list(read_smiles(path, "latin-1")) == ["CCO", "CC"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
def test_a_pipe_can_be_scored(tmp_path, scorer):
    import os
    import threading

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(gzip.compress(TEXT.encode())))
    writer.start()
    outcome = score_sdf(scorer, pipe, tmp_path / "o.sdf")
    writer.join()
    assert len(outcome.scores) == 3
