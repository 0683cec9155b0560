"""Kills runs at random moments, resumes them, and compares what they end with to the undisturbed run, byte by byte.

Each run is ``generate`` of 20 molecules or ``conformers`` of 20 molecules, three each, and a line that is no molecule.
It is hit one to three times by SIGKILL, SIGTERM or SIGINT: mostly while it works, at a moment that is drawn evenly over
the working time of the undisturbed run, sometimes while it starts. Then it may end. Compared are the SDF file, the
table of rejects or problems, the exit code and the summary; what stands at the output between is to be a beginning of
the whole file, and nothing may be left in the folder at the end, nor by a run that could put its things away. Seeds are
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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from results import read_rows, write_rows

import molscore
from molscore.files.part import journal_of, part_of
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

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STARTING = 0.15
"""Share of the hits that come while a run starts."""


@dataclass
class Job:
    """A command, and what its undisturbed run came to.

    Attributes:
        words: the command without its outputs.
        table: option for the second output.
        files: content of the outputs.
        code, summary: exit code, and what was said.
        starting, working: seconds until the first file was there, and from then to the end.
    """

    words: list[str]
    table: str
    files: tuple[bytes, bytes] = (b"", b"")
    code: int = 0
    summary: str = ""
    starting: float = 0.0
    working: float = 0.0

    def start(self, folder: Path, resume: bool) -> subprocess.Popen:
        """The process, with outputs in a folder. It has the signals of a shell, whatever this script was started by."""
        words = [sys.executable, "-m", "molscore", *self.words, "--out", "mols.sdf", self.table, "table.csv"]
        return subprocess.Popen(
            [*words, *(["--resume"] if resume else [])],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(molscore.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def measure(self, folder: Path) -> None:
        """The undisturbed run."""
        began = time.monotonic()
        process = self.start(folder, resume=False)
        self.starting = seconds_until_it_works(folder / "mols.sdf", process)
        self.summary, self.code = summary_of(process.communicate()[1]), process.returncode
        self.working = time.monotonic() - began - self.starting
        self.files = contents(folder)


def main() -> None:
    """Measures and writes."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it, and so would children
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=60, help="of both commands together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks/kills.json"))
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.smi"
        source.write_text(MOLECULES)
        jobs = {
            "generate": Job(["generate", "--model", "qm9", "--n", "20"], "--rejects"),
            "conformers": Job(["conformers", str(source), "--n", "3"], "--problems"),
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
    out, hits, sound, left = folder / "mols.sdf", [], True, set()
    for _ in range(chance.choice((1, 1, 2, 3))):
        kind, early, share = chance.choice(SIGNALS), chance.random() < STARTING, chance.random()
        process = job.start(folder, resume=journal_of(out).exists())
        if not early:
            seconds_until_it_works(out, process)
        time.sleep(share * (job.starting if early else job.working))
        process.send_signal(kind)
        process.communicate()
        hits.append({"signal": kind.name, "while": "starting" if early else "working", "exit": process.returncode})
        sound &= not out.exists() or job.files[0].startswith(out.read_bytes())
        if kind == signal.SIGKILL:  # its locks lie there until the next run takes them
            left = {beside(path, ".lock").name for path in (out, out.with_name("table.csv"))}
        known = {"mols.sdf", "table.csv", part_of(out).name, journal_of(out).name} | left
        sound &= kind == signal.SIGKILL or set(os.listdir(folder)) <= known
        if out.exists() and not journal_of(out).exists():  # it was done before it was hit
            break
    else:
        process = job.start(folder, resume=journal_of(out).exists())
        said = process.communicate()[1]
        sound &= process.returncode == job.code and summary_of(said) == job.summary
    identical = sound and contents(folder) == job.files and sorted(os.listdir(folder)) == ["mols.sdf", "table.csv"]
    return {"hits": hits, "identical": identical}


def seconds_until_it_works(out: Path, process: subprocess.Popen) -> float:
    """Waits until a run holds the lock of its output, which is when it begins to work, or has ended."""
    began, holder = time.monotonic(), f'"process": {process.pid},'
    while process.poll() is None:
        with suppress(FileNotFoundError):
            if holder in beside(out, ".lock").read_text():
                break
        time.sleep(0.005)
    return time.monotonic() - began


def contents(folder: Path) -> tuple[bytes, bytes]:
    """The two outputs; empty where one is not there."""
    paths = tuple(folder / name for name in ("mols.sdf", "table.csv"))
    return tuple(path.read_bytes() if path.exists() else b"" for path in paths)


def summary_of(said: str) -> str:
    """What a command says at its end, without the progress bar and the warnings of libraries."""
    lines = said.splitlines()
    first = next((k for k, line in enumerate(lines) if " in mols.sdf" in line), len(lines))
    return "\n".join(lines[first:])


if __name__ == "__main__":
    main()
