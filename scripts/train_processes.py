"""How much faster several processes train than one: the same steps, in turns.

    python scripts/train_processes.py configs/druglike.yaml --init-from druglike --budgets 16000 32000 64000 \
        --out data/benchmarks/speed_of_training.json compile=true data=data/druglike.safetensors

Each run is ``molscore train`` in a folder of its own. Its rate is that of its log, molecules per second, after the
first steps, in which layers are compiled. One process and several take turns; each pair gives a ratio. Leave the
machine alone for that. Rows of the file ``--out`` are pair budgets; the same command goes on where it stopped.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from compare_speed import ratios
from results import read_rows, write_rows

from molscore.train.config import load_config
from molscore.train.record import hardware, sha256


def main() -> None:
    """Measures what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("overrides", nargs="*", help="key=value, as for molscore train")
    parser.add_argument("--init-from", help="weights to begin from")
    parser.add_argument("--workers", type=int, default=2, help="processes, against one")
    parser.add_argument("--budgets", type=int, nargs="+", default=[16_000, 32_000, 64_000], help="pairs in a step")
    parser.add_argument("--repeats", type=int, default=3, help="pairs of runs")
    parser.add_argument("--steps", type=int, default=120, help="of each run")
    parser.add_argument("--skip", type=int, default=40, help="steps that do not count")
    parser.add_argument("--out", type=Path, help="JSON file to write or to go on with")
    words = parser.parse_intermixed_args()
    config = load_config(words.config, words.overrides)
    header = {
        "config": words.config.name,
        "compile": config.compile,
        "data_sha256": sha256(config.data),
        "workers": words.workers,
        "steps": [words.skip, words.steps],
        "hardware": hardware(torch.device("cpu"), 1),
    }
    rows = read_rows(words.out, header) if words.out else []
    for budget in words.budgets:
        if all(row["pair_budget"] != budget for row in rows):
            one, several = zip(*(pair(words, budget) for _ in range(words.repeats)), strict=True)
            rows.append({"pair_budget": budget, "one": one, "several": several, "ratio": ratios(several, one)})
            if words.out:
                write_rows(words.out, header, rows)
    print(markdown(rows))


def pair(words: argparse.Namespace, budget: int) -> tuple[float, float]:
    """Molecules per second of one process, and of several."""
    return rate(words, budget, 1), rate(words, budget, words.workers)


def rate(words: argparse.Namespace, budget: int, workers: int) -> float:
    """Molecules per second of a run, from its log."""
    with tempfile.TemporaryDirectory(prefix="train_processes_") as folder:
        settings = {
            "out": f"{folder}/run",
            "steps": words.steps,
            "pair_budget": budget,
            "threads": 1,
            "log_every": words.skip,
            "checkpoint_every": words.steps,
            "valid_batches": 1,
        }
        command = [sys.executable, "-m", "molscore", "train", str(words.config), *words.overrides, "--quiet"]
        command += [f"{key}={value}" for key, value in settings.items()]
        command += ["--workers", str(workers), *(["--init-from", words.init_from] if words.init_from else [])]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"molscore train ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        lines = [json.loads(text) for text in Path(folder, "run", "log.jsonl").read_text().splitlines()]
    first, *_, last = [line for line in lines if "loss" in line]
    return round((last["molecules"] - first["molecules"]) / (last["seconds"] - first["seconds"]), 1)


def markdown(rows: Sequence[dict]) -> str:
    """The table: medians, and the ratio with its range."""
    lines = ["| pairs in a step | one process, molecules/s | several | times as fast |", "|---|---|---|---|"]
    for row in rows:
        one, several = (statistics.median(row[name]) for name in ("one", "several"))
        ratio = "{median:.2f} ({low:.2f} to {high:.2f})".format(**row["ratio"])
        lines.append(f"| {row['pair_budget']:,} | {one:.0f} | {several:.0f} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
