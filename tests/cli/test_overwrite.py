"""What exists is not overwritten unasked; shards and parts of runs are checked before anything heavy loads."""

import sys
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from typer.testing import CliRunner

from molscore.cli import app

COMMANDS = [
    ("generate --n 1", "--out", "m.sdf"),
    ("generate --n 1 --out new.sdf", "--rejects", "r.csv"),
    ("generate --n 1 --out new.sdf", "--report", "r.html"),
    ("generate --n 1 --out new.sdf", "--trajectory", "t.html"),
    ("generate --n 1", "--out", "m-{shard}.sdf"),
    ("conformers CCO", "--out", "m.parquet"),
    ("conformers CCO --out new.sdf", "--problems", "p.csv"),
    ("conformers CCO --out m-{shard}.sdf", "--problems", "p-{shard}.csv"),
    ("conformers CCO --chunk 2/2", "--out", "m-{shard:03d}.sdf.gz"),
    ("score in.sdf", "--out", "m.sdf"),
    ("interpolate in.sdf in.sdf", "--out", "m.sdf"),
    ("interpolate in.sdf in.sdf", "--plot", "p.png"),
    ("evaluate in.sdf", "--json", "m.json"),
    ("report in.sdf", "--out", "m.html"),
    ("data sdf in.sdf", "--out", "m.safetensors"),
    ("data qm9", "--out", "m.safetensors"),
    ("data moses3d in.smi", "--out", "m.safetensors"),
    ("data merge a.safetensors", "--out", "m.safetensors"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with inputs."""
    monkeypatch.chdir(tmp_path)
    mol = Chem.AddHs(Chem.MolFromSmiles("CCCO"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=1)
    Path("in.sdf").write_text(Chem.MolToMolBlock(mol) + "$$$$\n")
    Path("in.smi").write_text("CCO\n")
    Path("a.safetensors").write_bytes(b"tensors")
    return tmp_path


def invoke(line, *words, **options):
    return CliRunner().invoke(app, [*line.split(), *words], **options)


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize(("line", "option", "name"), COMMANDS, ids=" ".join)
def test_an_output_that_exists_is_a_usage_error(folder, monkeypatch, line, option, name, link):
    """Before torch, or whatever else is heavy, is loaded; a link to nothing is something too."""
    monkeypatch.setitem(sys.modules, "torch", None)
    there = Path(name.format(shard=1))
    there.symlink_to("nowhere") if link else there.write_text("precious")
    result = invoke(line, option, name)
    assert result.exit_code == 2 and f"{option} {there} exists; --overwrite replaces it" in result.stderr
    assert there.is_symlink() if link else there.read_text() == "precious"


def test_overwrite_replaces_what_is_there(folder):
    Path("e.json").write_text("old")
    words = "evaluate in.sdf --reference none --posebusters none --no-relaxation -q --json e.json --workers 1"
    assert invoke(words).exit_code == 2 and Path("e.json").read_text() == "old"
    assert invoke(words, "--overwrite").exit_code == 0 and Path("e.json").read_text().startswith("{")


def test_shards_that_exist_are_replaced_all_together(folder):
    """Those that the new run does not write go too: what is left is what its manifest lists."""
    words = "conformers in.smi --n 1 --method etkdg --shard-size 1 -q --workers 1 --out c-{shard}.sdf"
    for line, *more in (("CCO\nCCN\n",), ("CCC\n", "--overwrite")):
        Path("in.smi").write_text(line)
        assert invoke(words, *more).exit_code == 0
    assert sorted(path.name for path in Path().glob("c*")) == ["c-0.sdf", "c.manifest.json"]
    assert invoke(words).exit_code == 2 and "--resume goes on" in invoke(words).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--out m.sdf --chunk 1/2", "write {shard} into the name"),
        ("--out m.sdf --shard-size 3", "write {shard} into the name"),
        ("--out m-{Shard:05d}.sdf", "{Shard:05d} is not filled in"),
        ("--out m.sdf --problems p-{shard}.csv", "{shard} is not filled in"),
        ("--out m-{shard}.sdf --chunk 3/2", "1/8 to 8/8"),
        ("--out m-{shard}.sdf --chunk 0/2", "1/8 to 8/8"),
        ("--out m-{shard}.sdf --chunk one", "1/8 to 8/8"),
        ("--out m-{shard}.sdf --shard-size 0", "shard-size"),
        ("--out m-{shard:5x}.sdf", "must hold {shard}"),
        ("--out m-{shard}.sdf --problems p.csv", "must hold {shard}"),
        ("--out - --resume", "nothing to resume"),
        ("--out m-{shard}.doc", "must end in"),
    ],
)
def test_shards_that_cannot_be_are_a_usage_error(folder, monkeypatch, words, said):
    monkeypatch.setitem(sys.modules, "torch", None)
    result = invoke("conformers in.smi", *words.split())
    assert result.exit_code == 2 and said in " ".join(result.stderr.split()), result.stderr


@pytest.mark.parametrize("name", ["m-3.sdf", "link.sdf", "./m-3.sdf"])
def test_no_shard_may_be_the_input(folder, name):
    Path("m-3.sdf").write_text(Path("in.sdf").read_text())
    Path("link.sdf").symlink_to("m-3.sdf")
    result = invoke(f"conformers {name} --out m-{{shard}}.sdf --overwrite")
    assert result.exit_code == 2 and "the same file" in " ".join(result.stderr.split())
    assert Path("m-3.sdf").read_text() == Path("in.sdf").read_text()
