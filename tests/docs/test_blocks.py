"""Every command and code block of the README and of the documentation is run, made small by one table."""

import gzip
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from blocks import Command, File, Program, blocks
from rdkit import Chem
from substitutions import COMMANDS, PROGRAMS, elsewhere, small
from typer.testing import CliRunner

from molscore.chem.embedding.etkdg import embed
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.cli import app

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        ROOT / "README.md",
        ROOT / ".github" / "CONTRIBUTING.md",
        ROOT / "data" / "benchmarks" / "README.md",
        *(ROOT / "data" / "docs" / "pages").rglob("*.md"),
    ]
    if any(True for _ in blocks(path))
)

MINUTES = (
    "data/benchmarks/README.md",
    "data/docs/pages/cluster.md",
    "data/docs/pages/quality/completion.md",
    "data/docs/pages/quality/druglike.md",
    "data/docs/pages/quality/qm9.md",
    "data/docs/pages/quality/scores.md",
    "data/docs/pages/quality/shapes.md",
    "data/docs/pages/quality/speed.md",
    "data/docs/pages/quality/targets.md",
    "data/docs/pages/tutorials/training.md",
)
"""Pages that take minutes, or a part of one: they train networks, start a cluster, or measure for experts alone."""

SMILES = [
    f"{end}{middle}c1ccc({other})cc1" for end in ("C", "N", "O") for middle in ("", "C", "CC") for other in "NOFCS"
]
"""Molecules of a few heavy atoms for what the pages take as given."""

PAIR = "Cc1ccc(CNC(=O)c2ccccc2)cc1"


def fragments() -> Chem.Mol:
    """A molecule without its linker, with what scripts/completion.py reads beside it."""
    whole = Chem.RemoveHs(embed(PAIR))
    linker = set(whole.GetSubstructMatch(Chem.MolFromSmarts("[CH2]NC=O")))
    ends = [atom.GetIdx() for atom in whole.GetAtoms() if atom.GetIdx() not in linker]
    anchors = [
        ends.index(k) for k in ends if linker & {other.GetIdx() for other in whole.GetAtomWithIdx(k).GetNeighbors()}
    ]
    pair = Chem.RWMol(whole)
    for k in sorted(linker, reverse=True):
        pair.RemoveAtom(k)
    Chem.SanitizeMol(pair)
    pair.SetProp("anchors", ",".join(map(str, anchors)))
    pair.SetProp("reference_smiles", PAIR)
    return pair.GetMol()


def hollow() -> str:
    """A protein of carbon about a cavity at the origin."""
    k = np.arange(300)
    z, angle = 1 - (2 * k + 1) / 300, np.pi * (3 - np.sqrt(5)) * k
    wall = 7.5 * np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)
    rows = [(name, "GLY", 1, (12 + 1.45 * n, 0, 0)) for n, name in enumerate(["N", "CA", "C"])]
    rows += [("CB", "ALA", number + 2, place) for number, place in enumerate(wall)]
    return "".join(
        f"ATOM  {n + 1:5}  {name:<3} {residue} A{number:4}    "
        + "".join(f"{x:8.3f}" for x in xyz)
        + f"  1.00  0.00           {name[0]}\n"
        for n, (name, residue, number, xyz) in enumerate(rows)
    )


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """A folder with the project's configurations and scripts, and the files that pages take as given."""
    folder = tmp_path_factory.mktemp("shelf")
    shutil.copytree(ROOT / "configs", folder / "configs")
    for name in ("data/benchmarks", "runs"):
        (folder / name).mkdir(parents=True)
    (folder / "data" / "benchmarks" / "odd_molecules.smi").write_text("C[Si](C)(C)C odd\nCCO other\n")
    mols = [embed(smiles) for smiles in SMILES]
    for name in (
        "my.sdf",
        "docked.sdf",
        "ccd.sdf.gz",
        "dft8k.sdf.gz",
        "dev_bioactive.sdf.gz",
        "gdb.sdf.gz",
        "natural.sdf.gz",
    ):
        with SDFWriter(folder / name) as writer:
            for number, mol in enumerate(mols[: 3 if name == "docked.sdf" else None]):
                writer.write(mol, f"{name[:4]}_{number}")
    shutil.copy(folder / "ccd.sdf.gz", folder / "ccd_druglike_experimental.sdf.gz")
    for name in ("zinc.sdf.gz", "casf.sdf.gz"):
        with gzip.open(folder / name, "wt") as file, Chem.SDWriter(file) as writer:
            writer.write(fragments())
    with SDFWriter(folder / "ligand.sdf") as writer:
        writer.write(mols[0], "ligand")
    (folder / "training.smi").write_text("".join(f"CC(=O)N{smiles}\n" for smiles in SMILES))
    (folder / "library.smi").write_text("CCCCO butanol\nCCCCN butylamine\n")
    (folder / "moses.csv").write_text("SMILES,SPLIT\n" + "".join(f"{smiles},train\n" for smiles in SMILES))
    (folder / "protein.pdb").write_text(
        "ATOM      1  N   GLY A   1       9.000   0.000   0.000  1.00  0.00           N\n"
        "ATOM      2  CA  GLY A   1      10.450   0.000   0.000  1.00  0.00           C\n"
        "ATOM      3  C   GLY A   1      11.000   1.420   0.000  1.00  0.00           C\nEND\n"
    )
    (folder / "receptor.pdb").write_text(hollow())
    for words in (
        ["data", "qm9", "--out", "data/qm9.safetensors", "--limit", "240"],
        ["data", "sdf", "ccd.sdf.gz", "--hydrogens", "--out", "data/ccd.safetensors"],
        ["data", "sdf", "dft8k.sdf.gz", "--hydrogens", "--out", "data/dft8k.safetensors"],
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def place(shelf, tmp_path, monkeypatch):
    """A copy of the shelf, where a page is run."""
    folder = tmp_path / "place"
    shutil.copytree(shelf, folder)
    (folder / "scripts").symlink_to(ROOT / "scripts")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    threads = torch.get_num_threads()
    yield folder
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)
    torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow) if page in MINUTES else page for page in PAGES]
)
def test_page(page, place, monkeypatch):
    if "molscore data " in (ROOT / page).read_text():  # it makes them itself
        for path in (place / "data").glob("*.safetensors"):
            path.unlink()
    for block in blocks(ROOT / page):
        if isinstance(block, File):
            Path(block.name).write_text(block.text)
        elif isinstance(block, Program):
            exec(compile(small(block.text, PROGRAMS), page, "exec"), {"__name__": "__main__"})
        elif elsewhere(block.text) is None:
            run(Command(small(block.text, COMMANDS)), monkeypatch)


def run(command: Command, monkeypatch) -> None:
    """Runs a command, here if it is of Python."""
    program, *words = command.words
    if program == "molscore":
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, f"{command.text}\n{done.output[-2000:]}\n{done.exception!r}"
    elif program == "python":
        monkeypatch.setattr(sys, "argv", words)
        runpy.run_path(str(ROOT / words[0]), run_name="__main__")
    else:
        done = subprocess.run(command.words, capture_output=True, text=True)
        assert done.returncode == 0, f"{command.text}\n{done.stderr[-2000:]}"


def test_the_table_has_no_row_that_nothing_needs():
    texts = [block.text for page in PAGES for block in blocks(ROOT / page) if not isinstance(block, File)]
    commands = [text for text in texts if elsewhere(text) is None]
    for table in (COMMANDS, PROGRAMS):
        for row, (pattern, _) in enumerate(table):
            assert any(re.search(pattern, small(text, table[:row])) for text in commands), pattern


def test_extras_that_pages_install_are_there():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = [
        name
        for page in PAGES
        for group in re.findall(r"pip install (?:-e )?'\.\[([^]]+)\]'", (ROOT / page).read_text())
        for name in group.split(",")
    ]
    assert named and set(named) <= set(extras)
