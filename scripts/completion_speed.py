"""Seconds for each delivered molecule: new molecules, and completed ones, in turns.

    python scripts/completion_speed.py --linkers zinc.sdf.gz --scaffolds bioactive.sdf.gz --n 20 --repeats 5 \
        --out data/benchmarks/completion_speed.json

One process of one thread; the model is loaded before. Each repeat makes new molecules and completes a pair of
fragments, a scaffold with its pose and one without, others in each repeat; its ratio is that of the seconds.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from judge.completion_cases import linkers, scaffolds
from rdkit import RDLogger
from results import write_json

from molscore.generate import MoleculeGenerator

NEW = "new molecules"


def main() -> None:
    """Measures, writes, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--linkers", type=Path, required=True, help="SDF file of fragments, may be gzipped")
    parser.add_argument("--scaffolds", type=Path, required=True, help="SDF file of molecules, may be gzipped")
    parser.add_argument("--model", default="druglike")
    parser.add_argument("--steps", type=int, help="steps from noise to molecule; by default the model's")
    parser.add_argument("--n", type=int, default=20, help="molecules of each")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    generator = MoleculeGenerator.from_pretrained(words.model, device="cpu")
    steps = words.steps or generator.model.config.sampling.steps  # all by the same model
    generator.generate(1, steps=2, raw=True)
    seconds: dict[str, list[float]] = {}
    jobs = islice(zip(*cases(words), strict=False), words.repeats)
    for repeat, job in enumerate(jobs):
        for name, options in job:
            began = time.process_time()
            made = generator.generate(words.n, seed=repeat, steps=steps, **options)
            seconds.setdefault(name, []).append(round((time.process_time() - began) / max(len(made.mols), 1), 4))
    header = {"weights": generator.weights, "n": words.n}
    rows = [{"job": name, "seconds": spent, "ratio": ratio(spent, seconds[NEW])} for name, spent in seconds.items()]
    write_json(words.out, {"header": header | {"steps": words.steps}, "rows": rows})
    print(markdown(rows))


def cases(words: argparse.Namespace) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """For each job its cases, one after the other, as they come in the files; of a molecule the first."""
    yield iter([(NEW, {})] * words.repeats)
    seen: set[str] = set()
    pairs = [case for case in linkers(words.linkers) if not (case.molecule in seen or seen.add(case.molecule))]
    yield iter([("fragments joined", case.options) for case in pairs])
    every = list(scaffolds(words.scaffolds))
    for kind in ("posed", "free"):
        yield iter([(f"scaffolds grown, {kind}", case.options) for case in every if case.name.endswith(kind)])


def ratio(spent: list[float], new: list[float]) -> dict[str, float]:
    """Seconds over those of new molecules in the same repeat: median, lowest, highest."""
    each = [a / b for a, b in zip(spent, new, strict=True)]
    return {
        "median": round(statistics.median(each), 3),
        "low": round(min(each), 3),
        "high": round(max(each), 3),
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table of the documentation."""
    lines = ["| | seconds of a core for each, median | times those of a new molecule |", "|---|---|---|"]
    for row in rows:
        times = "{median:.2f} ({low:.2f} to {high:.2f})".format(**row["ratio"]) if row["job"] != NEW else "1"
        lines.append(f"| {row['job']} | {statistics.median(row['seconds']):.2f} | {times} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
