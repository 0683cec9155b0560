"""Spoilt files through every reader: what is no clear error, what takes long, what is written where it should not be.

All cases follow from the seed. Most run in this process, reader by reader; some of them with the real network behind
(`MoleculeScorer`, `ConformerGenerator`); some through ``python -m molscore``: every tenth of these in an interpreter of
its own, the others in a process forked from one that has imported the libraries but nothing of molscore.

A case fails if an exception leaves that is not of the documented kinds, if it takes more than 15 s of CPU time or 60 s
by the clock, or if anything but the files that it was told to write is opened for writing, renamed, made or removed.

    python scripts/mutated_files.py --n 10000 --network 500 --cli 300 --out data/benchmarks/mutated_files.json
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections import Counter, defaultdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.dont_write_bytecode = True
sys.path.insert(1, str(Path(__file__).parents[1]))  # this process and the commands take the same molscore

from mutation.commands import LIMIT, through_command_line  # noqa: E402 (after the number of threads is set)


def summary(rows: list[dict], cli: list[dict], header: dict) -> dict:
    """What the result file holds: counts by kind of file, exit codes, faults in full, messages by number."""
    kinds = defaultdict(Counter)
    for row in rows:
        kind = kinds[row["name"]]
        kind["jobs"] += 1
        kind["clear errors"] += row["error"] is not None and row["fault"] is None
        kind["faults"] += row["fault"] is not None
        kind["slowest"] = max(kind["slowest"], round(row["seconds"], 2))
    every = rows + cli
    return {
        **header,
        "cases": {
            "in one process": len({row["case"] for row in rows}),
            "with the network": len({row["case"] for row in rows if row["network"]}),
            "through the command line": len(cli),
            "of them in a fresh interpreter": sum(row["fresh"] for row in cli),
        },
        "kinds": {name: dict(count) for name, count in kinds.items()},
        "exit codes": {str(code): count for code, count in sorted(Counter(row["code"] for row in cli).items())},
        "slowest seconds": {
            "in one process": round(max((row["seconds"] for row in rows), default=0.0), 2),
            "through the command line": round(max((row["seconds"] for row in cli), default=0.0), 2),
        },
        "faults": sum(row["fault"] is not None for row in every),
        "too slow": sum(row["slow"] for row in every),
        "written outside": sum(bool(row["outside"]) for row in every),
        "each": [
            {key: row.get(key) for key in ("case", "name", "job", "command", "fault", "slow", "seconds", "outside")}
            for row in every
            if row["fault"] is not None or row["slow"] or row["outside"]
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="cases in this process")
    parser.add_argument("--network", type=int, default=500, help="of them with the real network")
    parser.add_argument("--cli", type=int, default=300, help="cases through the command line")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="*", default=[], help="numbers of cases to run again")
    parser.add_argument("--kinds", nargs="*", default=[], help="names of files, of all kinds by default")
    parser.add_argument("--out", type=Path, help="JSON file")
    words = parser.parse_args()
    outcome = run(words.n, words.network, words.cli, words.seed, words.only, words.kinds)
    for name, count in outcome["kinds"].items():
        print(f"{name:20}", *(f"{key} {value:<7}" for key, value in count.items()))
    for key in ("cases", "exit codes", "slowest seconds", "faults", "too slow", "written outside"):
        print(f"{key}: {outcome[key]}")
    for fault in outcome["each"][:20]:
        print(json.dumps(fault, indent=1).replace("\\n", "\n"))
    if words.out is not None:
        from results import write_json

        write_json(words.out, outcome)
    if outcome["each"]:
        sys.exit(1)


def run(n: int, network: int, cli: int, seed: int = 0, only: list[int] = (), kinds: list[str] = ()) -> dict:
    """All cases, see `summary`. The command line comes first, before anything of molscore is imported here."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("sources", "inputs", "outputs"):
            (folder / name).mkdir()
        pid = os.fork()
        if pid == 0:
            _make_sources(folder / "sources")
        if os.waitpid(pid, 0)[1]:
            raise RuntimeError("the sound files could not be made")
        data = {path.name: path.read_bytes() for path in sorted((folder / "sources").iterdir())}
        shutil.copy(folder / "sources" / "old.sdf", folder / "inputs" / "sound.sdf")
        data = {name: content for name, content in data.items() if not kinds or name in kinds}
        called = through_command_line(cli, seed, folder, data) if cli else []
        rows = []
        if n or only:
            from mutation.readers import in_process

            rows = in_process(n, network, seed, folder, data, list(only))
    return summary(rows, called, {"seed": seed, "limit_s": LIMIT})


def _make_sources(folder: Path) -> None:
    """In a process of its own, so that this one imports nothing of molscore. Never returns."""
    code = 1
    try:
        from mutation.sources import sources

        for name, content in sources().items():
            (folder / name).write_bytes(content)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
