"""Kills runs at random moments, resumes them, and compares what they end with to the undisturbed run, byte by byte.

Each run is ``generate`` of 20 molecules or ``conformers`` of 20 molecules, and a line that is no molecule, into a
single file or into shards. It is hit one to three times by SIGKILL, SIGTERM or SIGINT: mostly while it works, at a
random moment of the working time of the undisturbed run, sometimes while it starts; a run into shards
also while it makes a part of them (``--chunk``), which the whole run then takes. In the end it may finish. Compared are
the SDF files, the tables of rejects or problems, the manifest, the exit code and the summary; what stands at the output
between is to be a beginning of the whole, and nothing hidden but locks may be left in the folder at the end. Seeds are
fixed; how fast the machine is, is not.

    python scripts/kill_runs.py
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from results import read_rows, write_rows

import molscore
from molscore.files.part import journal_of
from molscore.files.paths import beside

MOLECULES = """\
CCO ethanol
CC(=O)Oc1ccccc1C(=O)O aspirin
CN1C=NC2=C1C(=O)N(C(=O)N2C)C caffeine
C[C@H](N)C(=O)O alanine
OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O glucose
c1ccc2ccccc2c1 naphthalene
nonsense( not a molecule
CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O ibuprofen
C/C=C/C(=O)N crotonamide
CC(=O)Nc1ccc(O)cc1 paracetamol
O=C(O)CCc1ccccc1 hydrocinnamic acid
CN(C)CCc1c[nH]c2ccccc12 dimethyltryptamine
C1CCCCC1N cyclohexylamine
CS(=O)(=O)c1ccccc1 methyl phenyl sulfone
FC(F)(F)c1ccncc1 trifluoromethylpyridine
CC(=O)[O-].[Na+] sodium acetate
COc1cc(C=O)ccc1O vanillin
NCCc1ccc(O)c(O)c1 dopamine
O=c1cc(-c2ccccc2)oc2ccccc12 flavone
ClCCCBr 1-bromo-3-chloropropane
CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O penicillin G
"""

SMALL = ["generate", "--model", "qm9", "--n", "20", "--atoms", "5-7", "--steps", "20"]
"""Molecules so small that shards have some in common."""

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STARTING = 0.15
"""Share of the hits that come while a run starts."""


@dataclass
class Job:
    """A command, and what its undisturbed run came to.

    Attributes:
        words: the command without its outputs.
        table: option for the second output.
        shards: how large its shards are; None for a single file.
        files: content of the outputs, by name.
        code, summary: exit code, and what was said.
        starting, working: seconds until the first file was there, and from then to the end.
    """

    words: list[str]
    table: str
    shards: int | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    code: int = 0
    summary: str = ""
    starting: float = 0.0
    working: float = 0.0

    def start(self, folder: Path, part: str | None = None) -> subprocess.Popen:
        """The process, with outputs in a folder; it resumes what is there. It has the signals of a shell, whatever this
        script was started by."""
        many = "" if self.shards is None else "-{shard}"
        words = [sys.executable, "-m", "molscore", *self.words]
        words += ["--out", f"mols{many}.sdf", self.table, f"table{many}.csv"]
        words += [] if self.shards is None else ["--shard-size", str(self.shards), "--workers", "1"]
        words += [] if part is None else ["--chunk", part]
        words += ["--resume"] if self.begun(folder, part) else []
        return subprocess.Popen(
            words,
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(molscore.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def begun(self, folder: Path, part: str | None = None) -> bool:
        """Whether there is something to resume."""
        if self.shards is None:
            return journal_of(folder / "mols.sdf").exists()
        of_any = part is None and any(folder.glob("mols.chunk-*.manifest.json"))
        return of_any or self.output(folder, part).exists()

    def output(self, folder: Path, part: str | None = None) -> Path:
        """The file whose lock a run holds while it works."""
        if self.shards is None:
            return folder / "mols.sdf"
        return folder / f"mols{'.chunk-' + part.replace('/', '-of-') if part else ''}.manifest.json"

    def done(self, folder: Path) -> bool:
        """Whether all outputs are in place, and nothing is left to resume."""
        out = self.output(folder)
        return out.exists() and not self.begun(folder) if self.shards is None else contents(folder) == self.files

    def sound(self, folder: Path) -> bool:
        """Whether what stands in the folder is a beginning of the whole. Shards of a part may hold what comes twice."""
        if self.shards is None:
            out = folder / "mols.sdf"
            return not out.exists() or self.files[out.name].startswith(out.read_bytes())
        if any(folder.glob("*.chunk-*")):
            return True
        return all(path.read_bytes() == self.files[path.name] for path in folder.glob("mols-*.sdf"))

    def measure(self, folder: Path) -> None:
        """The undisturbed run."""
        began = time.monotonic()
        process = self.start(folder)
        self.starting = seconds_until_it_works(self.output(folder), process)
        self.summary, self.code = summary_of(process.communicate()[1]), process.returncode
        self.working = time.monotonic() - began - self.starting
        self.files = contents(folder)


def main() -> None:
    """Measures and writes."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it, and so would children
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=60, help="of all jobs together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks/kills.json"))
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.smi"
        source.write_text(MOLECULES)
        jobs = {
            "generate": Job(["generate", "--model", "qm9", "--n", "20"], "--rejects"),
            "conformers": Job(["conformers", str(source), "--n", "3"], "--problems"),
            "generate, shards": Job(SMALL, "--rejects", shards=6),
            "conformers, shards": Job(["conformers", str(source), "--n", "2"], "--problems", shards=4),
        }
        for name, job in jobs.items():
            (Path(folder) / name).mkdir()
            job.measure(Path(folder) / name)
        header = {
            "molscore": molscore.__version__,
            "seed": words.seed,
            "jobs": {k: v.words[0] for k, v in jobs.items()},
        }
        rows = read_rows(words.out, header)[: words.runs]
        for number in range(len(rows), words.runs):
            name = list(jobs)[number % len(jobs)]
            with tempfile.TemporaryDirectory() as place:
                rows.append({"run": number, "job": name} | disturbed(jobs[name], Path(place), words.seed, number))
            write_rows(words.out, header, rows)
            print(rows[-1], flush=True)
    good = sum(row["identical"] for row in rows)
    hits = [hit["signal"] for row in rows for hit in row["hits"]]
    counts = ", ".join(f"{hits.count(kind.name)} {kind.name}" for kind in SIGNALS)
    print(f"{good} of {len(rows)} byte-identical after {len(hits)} signals ({counts})")
    sys.exit(0 if good == len(rows) else 1)


def disturbed(job: Job, folder: Path, seed: int, number: int) -> dict:
    """One run: hit, resumed, hit again, and in the end let be."""
    chance = random.Random(int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
    hits, sound = [], True
    for _ in range(chance.choice((1, 1, 2, 3))):
        kind, early, share = chance.choice(SIGNALS), chance.random() < STARTING, chance.random()
        part = None if job.shards is None else chance.choice((None, "1/2", "2/2"))
        process = job.start(folder, part)
        if not early:
            seconds_until_it_works(job.output(folder, part), process)
        time.sleep(share * (job.starting if early else job.working / (1 if part is None else 2)))
        process.send_signal(kind)
        process.communicate()
        hit = {"signal": kind.name, "while": "starting" if early else "working", "exit": process.returncode}
        hits.append(hit | ({} if part is None else {"part": part}))
        sound &= job.sound(folder)
        if kind != signal.SIGKILL:  # a run that could put its things away leaves no lock, and nothing half-written
            sound &= not [name for name in os.listdir(folder) if name.endswith(".tmp")]
        if part is None and job.done(folder):  # before it was hit, or all but the last moment of it
            break
    else:
        process = job.start(folder)
        said = process.communicate()[1]
        sound &= process.returncode == job.code and summary_of(said) == job.summary
    left = {name for name in os.listdir(folder) if name.startswith(".") and not name.endswith(".lock")}
    return {"hits": hits, "identical": sound and not left and contents(folder) == job.files}


def seconds_until_it_works(out: Path, process: subprocess.Popen) -> float:
    """Waits until a run holds the lock of its output, which is when it begins to work, or has ended."""
    began, holder = time.monotonic(), f'"process": {process.pid},'
    while process.poll() is None:
        with suppress(FileNotFoundError):
            if holder in beside(out, ".lock").read_text():
                break
        time.sleep(0.005)
    return time.monotonic() - began


def contents(folder: Path) -> dict[str, bytes]:
    """The outputs by name, hidden files left out."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def summary_of(said: str) -> str:
    """What a command says at its end, without the progress bar and the warnings of libraries."""
    lines = said.splitlines()
    first = next((k for k, line in enumerate(lines) if " molecules in " in line), len(lines))
    return "\n".join(lines[first:])


if __name__ == "__main__":
    main()
