"""How much faster two workers of a Ray cluster are than one, of one CPU each on this machine.

    python scripts/ray_workers.py --n 300 --repeats 3 --out data/benchmarks/ray_workers.json

The same command with ``--workers 1`` and ``--workers 2``, in turns, each a process with its start and its end: on a
cluster that runs already, and on one that the command starts for itself and ends again. Each pair gives the ratio of
the wall times. The same command goes on where it stopped.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from compare_speed import ROOT, State, ratios, run
from results import read_rows, write_rows

CLUSTERS = {"running": "that runs already", "own": "that the command starts and ends"}


def main() -> None:
    """Measures what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=300, help="molecules")
    parser.add_argument("--model", default="druglike")
    parser.add_argument("--clusters", nargs="+", choices=CLUSTERS, default=list(CLUSTERS))
    parser.add_argument("--repeats", type=int, default=3, help="pairs of runs")
    parser.add_argument("--steps", type=int, help="of the sampler; default: the model's")
    parser.add_argument("--out", type=Path, help="JSON file to write or to go on with")
    words = parser.parse_args()
    case = f"generate --n {words.n} --model {words.model}" + (f" --steps {words.steps}" if words.steps else "")
    header = {"case": case, "pairs": words.repeats, "ray": version("ray"), "cores": os.cpu_count()}
    rows = read_rows(words.out, header) if words.out else []
    for name in words.clusters:
        if name in [row["cluster"] for row in rows]:
            continue
        with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as folder:  # Ray's sockets want a short name
            os.environ["RAY_TMPDIR"] = folder
            with cluster(Path(folder), 2 if name == "running" else None):
                rows.append({"cluster": name} | compare(case, words.repeats, Path(folder)))
        print(line(rows[-1]), file=sys.stderr)
        if words.out:
            write_rows(words.out, header, rows)
    print(markdown(rows))


@contextmanager
def cluster(folder: Path, cpus: int | None) -> Iterator[None]:
    """Lets a cluster of so many CPUs run meanwhile, or none."""
    if cpus is None:
        yield
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["start", "--head", "--block", f"--port={port}", f"--num-cpus={cpus}", "--include-dashboard=false"]
    command = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", *words, "--disable-usage-stats"]
    head = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (folder / "ray" / "ray_current_cluster").exists():
            if head.poll() is not None:
                sys.exit(f"`ray start` ended with {head.returncode}")
            time.sleep(0.1)
        time.sleep(5)  # its processes start
        yield
    finally:
        head.terminate()
        head.wait()


def compare(case: str, repeats: int, folder: Path) -> dict:
    """Seconds of one worker and of two, in turns, and the ratios of the pairs."""
    out = folder / "out.sdf"
    states = [State(ROOT, ("--ray", "auto", "--workers", str(workers))) for workers in (1, 2)]
    pairs = [[run(state, f"{case} --out {{out}}", out, out) for state in states] for _ in range(repeats)]
    one, two = ([round(pair[k].wall, 2) for pair in pairs] for k in (0, 1))
    same = len({each.digest for pair in pairs for each in pair}) == 1
    return {"one_s": one, "two_s": two, "wall_ratio": ratios(one, two), "same_output": same}


HEAD = "| on a cluster | one worker, s | two, s | times as fast |"


def line(row: dict) -> str:
    """A row of the table: medians, and the ratio, with its range if there are several pairs."""
    seconds = [f"{statistics.median(row[name]):.1f}" for name in ("one_s", "two_s")]
    form = "{median:.2f} ({low:.2f} to {high:.2f})" if len(row["one_s"]) > 1 else "{median:.2f}"
    ratio = form.format(**row["wall_ratio"])
    return f"| {' | '.join([CLUSTERS[row['cluster']], *seconds, ratio])} |"


def markdown(rows: Sequence[dict]) -> str:
    """The table."""
    return "\n".join([HEAD, "|" + "---|" * (HEAD.count("|") - 1), *map(line, rows)])


if __name__ == "__main__":
    main()
