"""How fast two states of the project are: the same commands, in turns, each state in a git worktree of its own.

    python scripts/compare_speed.py v0.1.0 HEAD --out data/benchmarks/speed_of_states.json
    python scripts/compare_speed.py HEAD HEAD --cases start druglike --busy 0 1 --head-args "--workers 2"
    python scripts/compare_speed.py main HEAD --cases "generate --n 5 --steps 20 --out {out}" --repeats 7

Every run is a process, its start included. After one run of each state that does not count, they take turns: base,
head, base, head. Each pair gives the ratio, base over head, of the wall times; its median and range say how
much faster the head is: what else the machine does hits both. With ``--busy 1`` one other process keeps a core busy
meanwhile. Only what is committed is measured.

Cases are rows of the file ``--out``. The same command goes on where it stopped.
"""

import argparse
import hashlib
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from results import read_rows, write_rows

ROOT = Path(__file__).resolve().parents[1]

CASES = {
    "druglike": "generate --n 100 --out {out}",
    "qm9": "generate --n 100 --model qm9 --out {out}",
    "thirty": "generate --n 30 --out {out}",
    "conformers": f"conformers {ROOT / 'scripts' / 'compare_speed.smi'} --n 10 --out {{out}}",
    "score": "score {mols} --out {out}",
    "start": "generate --n 1 --model qm9 --out {out}",
    "help": "--help",
}
"""Commands by name. ``{out}`` is a file to write; ``{mols}`` 100 drug-like molecules, which the base state makes."""


class State(NamedTuple):
    """A commit in a worktree, and words that its commands get besides."""

    folder: Path
    extra: Sequence[str]


class Run(NamedTuple):
    """Seconds that a process took, its workers with it, and the SHA-256 of what it wrote."""

    wall: float
    digest: str


def main() -> None:
    """Measures what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", help="commit, branch or tag")
    parser.add_argument("head", help="another, or the same for two ways of running it")
    names = [name for name in CASES if name != "help"]
    parser.add_argument("--cases", nargs="+", default=names, help=f"of {', '.join(CASES)}; or a command")
    parser.add_argument("--busy", type=int, nargs="+", default=[0], help="other processes at work meanwhile")
    parser.add_argument("--repeats", type=int, default=5, help="pairs of runs")
    parser.add_argument("--base-args", default="", help="further words for commands of the base, such as '--workers 1'")
    parser.add_argument("--head-args", default="", help="and for those of the head")
    parser.add_argument("--cores", type=int, help="so many for all processes together; default: all there are")
    parser.add_argument("--out", type=Path, help="JSON file to write or to go on with")
    words = parser.parse_args()
    if words.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: words.cores])
    commits = {name: git("rev-parse", "--verify", f"{getattr(words, name)}^{{commit}}") for name in ("base", "head")}
    header = commits | {
        "base_args": words.base_args,
        "head_args": words.head_args,
        "pairs": words.repeats,
        "hardware": f"CPU, {len(os.sched_getaffinity(0))} cores ({platform.machine()})",
    }
    rows = read_rows(words.out, header) if words.out else []
    done = {(row["case"], row["busy"]) for row in rows}
    wanted = [(case, n) for case in words.cases for n in words.busy if (case, n) not in done]
    with ExitStack() as stack:
        if wanted:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="compare_speed_")))
            states = []
            for name, commit in commits.items():
                extra = shlex.split(getattr(words, f"{name}_args"))
                states.append(State(stack.enter_context(worktree(commit, folder / name)), extra))
        for case, n in wanted:
            rows.append(compare(case, n, states, words.repeats, folder))
            print(line(rows[-1]), file=sys.stderr)
            if words.out:
                write_rows(words.out, header, rows)
    print(markdown(rows))


def git(*words: str) -> str:
    """What git says of this repository."""
    done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextmanager
def worktree(commit: str, folder: Path) -> Iterator[Path]:
    """The files of a commit in a folder, as long as they are needed."""
    git("worktree", "add", "--detach", str(folder), commit)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", str(folder))


@contextmanager
def others(n: int) -> Iterator[None]:
    """Keeps ``n`` cores busy, as far as the machine has them."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def compare(case: str, busy: int, states: Sequence[State], repeats: int, folder: Path) -> dict:
    """A row: both states' runs of a case, in turns, and the ratios of the pairs."""
    text = CASES.get(case, case)
    mols = folder / "mols.sdf"
    if "{mols}" in text and not mols.exists():
        run(State(states[0].folder, ()), CASES["druglike"], mols, mols)
    out = folder / "out.sdf"
    load = os.getloadavg()[0]
    with others(busy):
        digests = {run(state, text, out, mols).digest for state in states}
        pairs = []
        for _ in range(repeats):
            pairs.append([run(state, text, out, mols) for state in states])
    digests |= {one.digest for pair in pairs for one in pair}
    row = {"case": case, "busy": busy, "load_before": round(load, 2), "same_output": len(digests) == 1}
    base, head = ([round(pair[k].wall, 3) for pair in pairs] for k in (0, 1))
    return row | {"base_wall_s": base, "head_wall_s": head, "wall_ratio": ratios(base, head)}


def run(state: State, text: str, out: Path, mols: Path) -> Run:
    """Runs a command of a state, from the shell as it were, into a new file."""
    out.unlink(missing_ok=True)
    words = [word.format(out=out, mols=mols) for word in shlex.split(text)]
    command = [sys.executable, "-m", "molscore", *words, *state.extra]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=state.folder, env=environment | {"PYTHONPATH": str(state.folder)}, stdout=said, stderr=errors
        )
        process.wait()
        wall = time.perf_counter() - began
        if process.returncode:
            errors.seek(0)
            why = f"ended with {process.returncode}: {errors.read().decode(errors='replace').strip()[-2000:]}"
            sys.exit(f"{state.folder.name}: '{shlex.join(command[2:])}' {why}")
        said.seek(0)
        digest = hashlib.sha256(out.read_bytes() if out.exists() else said.read()).hexdigest()
    return Run(wall, digest)


def ratios(base: Sequence[float], head: Sequence[float]) -> dict[str, float]:
    """Times as fast as the base: median, lowest and highest over the pairs."""
    each = [a / b for a, b in zip(base, head, strict=True)]
    return {name: round(of(each), 3) for name, of in (("median", statistics.median), ("low", min), ("high", max))}


HEAD = "| case | others at work | base, s | head, s | times as fast | same output |"


def line(row: dict) -> str:
    """A row of the table: medians, and the ratio with its range."""
    wall = [statistics.median(row[f"{name}_wall_s"]) for name in ("base", "head")]
    ratio = "{median:.2f} ({low:.2f} to {high:.2f})".format(**row["wall_ratio"])
    cells = [row["case"], row["busy"], *(f"{s:.2f}" for s in wall), ratio]
    return f"| {' | '.join(map(str, cells))} | {'yes' if row['same_output'] else 'no'} |"


def markdown(rows: Sequence[dict]) -> str:
    """The table."""
    return "\n".join([HEAD, "|" + "---|" * (HEAD.count("|") - 1), *map(line, rows)])


if __name__ == "__main__":
    main()
