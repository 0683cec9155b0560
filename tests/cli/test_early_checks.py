"""Whatever option of whatever command is misused: code 2 and a sentence, before torch is imported or a file written."""

import inspect
import json
import os
import subprocess
import sys

import pytest
from typer.main import get_command

from molscore.cli import app

PROGRAM = get_command(app)
COMMANDS = {name: command for name, command in PROGRAM.commands.items() if name != "data"}
COMMANDS |= {f"data {name}": command for name, command in PROGRAM.commands["data"].commands.items()}

SOUND = {
    "generate": {"n": "1", "out": "m.sdf"},
    "conformers": {"source": "in.csv", "out": "m.sdf"},
    "rank": {"source": "in.csv", "like": "query.sdf", "out": "m.sdf"},
    "score": {"mols": "a.sdf", "out": "m.sdf"},
    "interpolate": {"first": "a.sdf", "last": "a.sdf", "out": "m.sdf"},
    "evaluate": {"mols": "a.sdf"},
    "report": {"mols": "a.sdf", "out": "m.html"},
    "train": {"config": "run.yaml"},
    "data moses3d": {"source": "in.csv"},
    "data sdf": {"source": "a.sdf"},
    "data merge": {"sources": "a.safetensors"},
}
"""Command: what it needs."""

WRONG = {
    "out": ("no/such/m.sdf", "."),
    "rejects": ("no/such/m.csv", ".", "m.txt", "-"),
    "problems": ("no/such/m.csv", ".", "m.txt", "-"),
    "json_file": ("no/such/m.json", ".", "m.txt", "-"),
    "report": ("no/such/m.html", ".", "m.txt", "-"),
    "trajectory": ("no/such/m.html", ".", "m.txt", "-"),
    "plot": ("no/such/m.png", ".", "m.txt", "-"),
    "source": ("none.smi",),
    "pocket": ("none.pdb", "in.csv", "a.sdf"),
    "site": ("A:1", "1,2", "none.sdf"),
    "target": ("logp", "nothing=3", "logp=high", "tpsa=90..60", "logp=1000"),
    "sources": ("none.safetensors",),
    "mols": ("none.sdf", "in.csv", "."),
    "first": ("none.sdf", "in.csv", "."),
    "last": ("none.sdf", "in.csv", "."),
    "config": ("none.yaml", ".", "unknown.yaml"),
    "overrides": ("zzz=1", "seed=x", "model.network.heads=7", "nonsense"),
    "init_from": ("nothing", "none.safetensors", "a.safetensors"),
    "training": ("none.safetensors", "a.safetensors", "-"),
    "structure": ("none.pdb", "-"),
    "reference": ("nothing", "none.npz", "none.sdf", "in.csv", ".", "-"),
    "model": ("nothing", "none.safetensors", "a.safetensors"),
    "atoms": ("400", "90-99", "30-20"),
    "batch_size": ("many",),
    "keep": ("Q(", "CC"),
    "scaffold": ("none.sdf", "C1CC", "C[Si](C)(C)[*]", "C" * 90),
    "attach": ("a", "3"),
    "link": ("none.sdf", "a.sdf"),
    "anchors": ("1-2", "3"),
    "replace": ("Q(", "CC"),
    "lead": ("none.sdf", "a.sdf"),
    "near": ("none.sdf", "in.csv"),
    "like": ("none.sdf", "in.csv", "a.sdf"),
    "elements": ("Q", "C,,N", "C;N"),
    "sampler": ("magic",),
    "relax": ("dft",),
    "energy": ("dft",),
    "stereo": ("all",),
    "fragments": ("all",),
    "method": ("magic",),
    "posebusters": ("all",),
    "filter_": ("beauty > 1", "qed >"),
    "must_match": ("Q(", "none.smarts"),
    "must_not_match": ("Q(", "."),
    "form": ("doc", "parquet"),
    "smiles_column": ("none",),
    "name_column": ("none",),
    "encoding": ("klingon",),
    "chunk": ("3/2", "1/2", "half"),
    "device": ("abacus", "cpu:x"),
    "workers": ("0", "many"),
    "ray": ("nowhere", "127.0.0.1:1"),
    "log_file": ("no/such/run.log", "."),
    "config_file": ("none.yaml", "unknown.yaml"),
}
"""Words and files by the parameter that takes them; numbers are those of test_bounds.py."""

TOGETHER = [
    ("generate --n 1 --out m.sdf --raw --filter qed>0.5", "leave out raw"),
    ("generate --n 1 --out m.sdf --raw --must-match CO", "leave out raw"),
    ("generate --n 1 --out m.sdf --raw --relax mmff", "leave out raw"),
    ("generate --n 1 --out m.sdf --resume --overwrite", "give one of them"),
    ("generate --n 1 --out m.sdf --resume", "nothing to resume"),
    ("generate --n 1 --out m-{shard}.sdf --resume", "nothing to resume"),
    ("generate --n 1 --out m-{shard}.sdf --resume --chunk 1/2", "nothing to resume"),
    ("generate --n 1 --out m-{shard}.xyz", "which hold their SMILES"),
    ("generate --n 1000000 --out m-{shard}.sdf --shard-size 1", "make the shards larger"),
    ("generate --n 1 --out - --rejects r.csv", "--rejects is not written"),
    ("generate --n 1 --out - --report r.html", "a single SDF file"),
    ("generate --n 1 --out m.sdf --ray auto --device cuda", "compute on CPUs"),
    ("generate --n 1 --out m.sdf --workers 2 --device cuda", "served by one process"),
    ("generate --n 1 --out m.sdf --like query.sdf --near query.sdf", "give one of them"),
    ("generate --n 1 --out m.sdf --features", "features goes with like"),
    ("generate --n 1 --out m.sdf --particles 4", "particles goes with like"),
    ("generate --n 1 --out m.sdf --like query.sdf", "the model makes molecules of"),
    ("generate --n 1 --out m.sdf --model qm9 --like query.sdf --atoms 5-9", "hydrogens as atoms"),
    ("conformers in.csv --out m.sdf --resume --overwrite", "give one of them"),
    ("conformers in.csv --out m.sdf --resume", "nothing to resume"),
    ("conformers in.csv --out m-{shard}.sdf --resume", "nothing to resume"),
    ("conformers in.csv --out - --problems p.csv", "--problems is not written"),
    ("conformers CCO --out m.sdf --name-column id", "--name-column is of a table"),
    ("conformers a.sdf --out m.sdf --name-column id", "--name-column is of a table"),
    ("conformers CCO --out m.sdf --pocket none.pdb", "needs a site"),
    ("conformers CCO --out m.sdf --site 1,2,3", "give the protein with pocket"),
    ("conformers CCO --out m.sdf --pocket none.pdb --site 1,2,3 --energy mmff", "leave out energy"),
    ("conformers CCO --out m.sdf --pocket none.pdb --site 1,2,3 --relax mmff", "leave out relax"),
    ("conformers - --out m.sdf --smiles-column id", "--smiles-column is of a table"),
    ("conformers in.csv --out m.sdf --workers 2 --device cuda:0", "served by one process"),
    ("rank in.csv --like a.sdf --out m.sdf --given", "leave out --given"),
    ("rank a.sdf --like a.sdf --out a.sdf", "are the same file"),
    ("rank a.sdf --like a.sdf --out m.sdf --name-column id", "--name-column is of a table"),
    ("rank - --like - --out m.sdf", "both standard input"),
    ("score a.sdf --out m.sdf --workers 2 --device cuda", "served by one process"),
    ("score - --out m.sdf --protein -", "MOLS and --protein are both standard input"),
    ("interpolate - - --out m.sdf", "FIRST and LAST are both standard input"),
    ("evaluate - --reference -", "MOLS and --reference are both standard input"),
    ("evaluate - --training -", "MOLS and --training are both standard input"),
    ("report - --reference - --out m.html", "MOLS and --reference are both standard input"),
    ("evaluate a.sdf --fcd --reference none", "no ChemNet statistics"),
    ("evaluate a.sdf --fcd --reference a.sdf", "no ChemNet statistics"),
    ("train run.yaml --resume", "nothing to resume"),
    ("train run.yaml --resume --init-from qm9", "give one of them"),
    ("train run.yaml data=none.safetensors", "molscore data"),
    ("train run.yaml out=a.sdf", "is no folder"),
    ("train run.yaml model.network.energy=true compile=true", "leave one of them"),
]
"""Each could be, but not beside the other."""

QUERY = "\n     RDKit          3D\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n" + (
    "    1.0000    0.0000    0.0000 O   0  0\nM  END\n"
)
"""Water: a shape."""

SCRIPT = """
import json, os, sys
from typer.testing import CliRunner
from molscore.cli import app

if __name__ == "__main__":
    before, results = sorted(os.listdir()), []
    for words in json.load(sys.stdin):
        result = CliRunner().invoke(app, words)
        results.append([result.exit_code, " ".join(result.stderr.split())])
        assert sorted(os.listdir()) == before, words
        assert os.environ.get("MAY_LOAD_TORCH") or "torch" not in sys.modules, words
    assert not {"e3nn", "molscore.network.network", "safetensors.torch"} & set(sys.modules)
    print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one file of each kind."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("a.sdf", "a.safetensors"):
        (folder / name).write_text("no molecule\n")
    (folder / "query.sdf").write_text(QUERY)
    (folder / "in.csv").write_text("smiles,id\nCCO,1\n")
    (folder / "run.yaml").write_text("data: a.sdf\nout: run\n")
    (folder / "unknown.yaml").write_text("zzz: 1\n")
    (folder / "script.py").write_text(SCRIPT)
    return folder


def ended(folder, commands, **environment):
    """Exit codes and messages of commands, all of one process."""
    process = subprocess.run(
        [sys.executable, "script.py"],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | environment,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return json.loads(process.stdout)


def words_of(name, wrong, value):
    """A sound command but for one parameter."""
    values = SOUND.get(name, {}) | {wrong: value}
    arguments, options = [], []
    for parameter in COMMANDS[name].params:
        if parameter.name in values:
            word = values[parameter.name]
            is_option = parameter.param_type_name == "option"
            options += [max(parameter.opts, key=len), word] if is_option else []
            arguments += [] if is_option else [word]
    return [*name.split(), *options, "--", *arguments]


def texts(command):
    """Parameters that take words or files."""
    kinds = {name: str(p.annotation) for name, p in inspect.signature(command.callback).parameters.items()}
    for parameter in command.params:
        kind = kinds.get(parameter.name, "")
        if ("str" in kind or "Path" in kind) and parameter.name not in ("ph", "help"):
            yield parameter.name


def test_every_word_and_file_of_every_command(folder):
    """So is one that comes later."""
    cases = [
        words_of(name, parameter, value)
        for name, command in COMMANDS.items()
        for parameter in texts(command)
        for value in WRONG[parameter]
        if not (name.startswith("data") and value == "no/such/m.sdf")  # that folder is made
    ]
    assert len(cases) > 150
    for words, (code, said) in zip(cases, ended(folder, cases), strict=True):
        assert code == 2 and "Traceback" not in said and len(said) > 20, (words, code, said)


def test_choices_that_contradict_one_another(folder):
    cases = [words.split() for words, _ in TOGETHER]
    for words, (_, complaint), (code, said) in zip(cases, TOGETHER, ended(folder, cases), strict=True):
        assert code == 2 and complaint in said, (words, code, said)


def test_a_gpu_that_is_not_there_is_missed_before_a_network_is_imported(folder):
    cases = [
        words_of(name, "device", "cuda:99")
        for name, command in COMMANDS.items()
        if any(parameter.name == "device" for parameter in command.params)
    ]
    assert len(cases) == 5
    for words, (code, said) in zip(cases, ended(folder, cases, MAY_LOAD_TORCH="1"), strict=True):
        assert code == 2 and "device 'cuda:99' is not there" in said, (words, code, said)
