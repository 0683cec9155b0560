"""Spoilt files through ``python -m molscore``. Imports nothing of molscore."""

import importlib
import os
import resource
import runpy
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from mutation.mutations import kind_of, write_case

LIMIT, WALL = 15.0, 60
"""Seconds that a case may take: of CPU time, and in all."""

MEMORY = 24 * 2**30
"""Bytes of address space of a case."""

COMMANDS = {
    ".sdf": [
        "score {} --out o.sdf",
        "conformers {} --n 1 --steps 2 --out o.sdf --problems p.csv",
        "data sdf {} --out o.safetensors --workers 1",
    ]
    + [
        "evaluate {} --reference none --posebusters none",
        "report {} --reference none --out o.html",
        "interpolate {} {} --n 2 --steps 2 --out o.sdf",
    ],
    ".smi": ["conformers {} --n 1 --steps 2 --out o.sdf", "data sdf {} --out o.safetensors --workers 1"],
    ".csv": [
        "conformers {} --n 1 --steps 2 --out o.sdf --problems p.csv",
        "data moses3d {} --out o.safetensors --workers 1",
    ],
    ".pdb": ["score sound.sdf --protein {} --out o.sdf"],
    ".cif": ["score sound.sdf --protein {} --out o.sdf"],
    ".yaml": ["train {} steps=1 data=none.safetensors out=o"],
    "set.safetensors": [
        "data merge {} --out o.safetensors",
        "evaluate sound.sdf --reference none --posebusters none --training {}",
    ],
    "model.safetensors": [
        "info {}",
        "generate --model {} --n 1 --steps 1 --out o.sdf",
        "score sound.sdf --model {} --out o.sdf",
    ],
}
COMMANDS[".mol"] = COMMANDS[".sdf"]


LIBRARIES = ("numpy", "scipy.spatial", "rdkit.Chem.AllChem", "torch", "e3nn.o3", "torch_geometric.utils", "posebusters")
LIBRARIES += (
    "Bio.PDB",
    "matplotlib.pyplot",
    "safetensors.torch",
    "accelerate",
    "typer",
    "rich.progress",
    "pydantic",
    "yaml",
)


def through_command_line(count: int, seed: int, folder: Path, data: dict[str, bytes]) -> list[dict]:
    """Runs cases as ``python -m molscore``; the numbers of these cases follow on a million."""
    for library in LIBRARIES:
        importlib.import_module(library)
    inputs, rows, names = folder / "inputs", [], list(data)
    for number in range(10**6, 10**6 + count):
        path, content = write_case(inputs, data, names, number, seed)
        commands = COMMANDS[kind_of(path.name)]
        words = commands[number // len(names) % len(commands)].replace("sound.sdf", str(inputs / "sound.sdf"))
        words = words.format(*[path] * words.count("{}")).split()
        outputs = Path(tempfile.mkdtemp(dir=folder / "outputs"))
        before = _tree(folder, outputs)
        row = {"case": number, "name": path.name, "command": words[0], "fresh": number % 10 == 0, "fault": None}
        row |= _command(words, outputs, row["fresh"])
        row["outside"] = sorted(_tree(folder, outputs) ^ before)
        row["outside"] += [f.name for f in outputs.iterdir() if f.name.lstrip(".")[:2] not in ("o", "o.", "p.", "er")]
        if row["code"] not in (0, 1, 2, 3) or "Traceback" in row["error"]:
            row["fault"] = row["error"][-2000:] or f"exit code {row['code']}"
        row["slow"] = row["seconds"] > LIMIT or row["code"] == -signal.SIGKILL
        if path.read_bytes() != content:
            row["fault"] = "the input was changed"
        rows.append(row)
        shutil.rmtree(outputs)
        path.unlink()
    return rows


def _tree(folder: Path, without: Path) -> set[tuple[str, int, int]]:
    files = (path for path in folder.rglob("*") if without not in (path, *path.parents) and path.is_file())
    return {(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def _command(words: list[str], outputs: Path, fresh: bool) -> dict:
    """Exit code, stderr and CPU seconds of a command, run in the folder of its outputs."""
    errors = outputs / "errors.txt"
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _child(words, outputs, errors, fresh)
    while not (done := os.wait4(pid, os.WNOHANG))[0]:
        if time.monotonic() - start > WALL:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    _, status, usage = done
    error = errors.read_text(encoding="utf-8", errors="replace")
    return {"code": os.waitstatus_to_exitcode(status), "error": error, "seconds": usage.ru_utime + usage.ru_stime}


def _child(words: list[str], outputs: Path, errors: Path, fresh: bool) -> None:
    """Becomes the command. Never returns."""
    root = str(Path(__file__).parents[2])
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        handle = os.open(errors, os.O_WRONLY | os.O_CREAT)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(handle, 2)
        os.chdir(outputs)
        os.environ |= {"PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}
        if fresh:
            os.execv(sys.executable, [sys.executable, "-m", "molscore", *words])
        sys.path[0], sys.argv = root, ["molscore", *words]
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
        runpy.run_module("molscore", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
