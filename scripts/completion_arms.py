"""Completion without training for it, beside the network that was trained: one table, of equally many evaluations.

    python scripts/completion_arms.py zinc.sdf.gz --untrained earlier.safetensors \
        --out data/benchmarks/completion_arms.json

Cases are pairs of fragments to be joined, as for ``scripts/completion.py linkers``, and so is the verdict on samples;
the ways to complete are those of ``scripts/completion_methods.py``. Evaluations of the network are counted, for a batch
of samples as one; seconds are those of the CPU for sampling. Each row is written when it is done; the same command goes
on where it stopped.
"""

import argparse
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from completion_methods import Arm
from completion_verdict import NEAR, judged, mean, rate, raw_displacement
from judge.completion_cases import Case, linkers
from rdkit import RDLogger
from results import interval, number, percent, read_rows, write_rows

from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.train.record import sha256
from molscore.workers import Workers, count

ARMS: dict[str, Arm] = {
    "given": Arm(given=True),
    "replaced": Arm(release=0),
    "replaced, released at 0.05": Arm(release=0.05),
    "replaced, released at 0.2": Arm(release=0.2),
    "replaced, RePaint 2 times": Arm(release=0, times=2),
    "replaced, RePaint 3 times": Arm(release=0, times=3),
    "guided": Arm(scale=0.6),
    "guided and replaced": Arm(scale=0.3, release=0),
    "particles": Arm(particles=4),
    "particles, replaced": Arm(particles=4, release=0, weight=0.1),
    "trained, replaced": Arm(trained=True, release=0),
    "trained": Arm(trained=True, given=True),
    "trained, RePaint 2 times": Arm(trained=True, given=True, times=2),
    "trained, particles": Arm(trained=True, given=True, particles=4),
}
"""Ways to complete; those of ``--arms`` are measured."""


def main() -> None:
    """Completes what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="SDF file of pairs of fragments, may be gzipped")
    parser.add_argument("--untrained", required=True, help="a network that was not trained to complete: a file")
    parser.add_argument("--trained", default="druglike", help="one that was: a bundled model or a .safetensors file")
    parser.add_argument("--evaluations", type=int, default=50, help="of the network, for each sample, at most")
    parser.add_argument("--samples", type=int, default=4, help="of each case")
    parser.add_argument("--cases", type=int, default=20, help="a random choice of so many")
    parser.add_argument("--seed", type=int, default=0, help="of the choice and of the samples")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="ARM")
    parser.add_argument("--workers", default="auto")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    cases = list(linkers(words.data))
    order = np.random.default_rng(words.seed).permutation(len(cases))[: words.cases]
    cases = [cases[k] for k in sorted(order.tolist())]
    networks = {
        name: MoleculeGenerator.from_pretrained(getattr(words, name), device="cpu") for name in ("untrained", "trained")
    }
    header = {
        "data": words.data.name,
        "data_sha256": sha256(words.data),
        "weights": {name: generator.weights for name, generator in networks.items()},
        "evaluations": words.evaluations,
        "cases": len(cases),
        "samples": words.samples,
        "seed": words.seed,
    }
    rows = read_rows(words.out, header)
    done = [{name: row[name] for name in ("arm", "settings", "case")} for row in rows]
    missing = [(name, case) for name in words.arms for case in cases if key(name, case) not in done]
    workers = words.workers if words.workers == "auto" else int(words.workers)
    start = partial(Completer, networks, words.samples, words.evaluations, words.seed)
    with Workers(start, count(workers, "cpu")) as pool:
        for task in missing:
            pool.submit(task)
        for number_done, _ in enumerate(missing, 1):
            rows.append(pool.result())
            if number_done % 10 == 0 or number_done == len(missing):
                write_rows(words.out, header, rows)
                print(f"{number_done} of {len(missing)}", file=sys.stderr, flush=True)
    print(markdown(rows))


def key(name: str, case: Case) -> dict[str, Any]:
    """What a row is known by."""
    return {"arm": name, "settings": asdict(ARMS[name]), "case": case.name}


class Completer:
    """Completes a case in one way and has it judged."""

    def __init__(self, networks: dict[str, MoleculeGenerator], samples: int, evaluations: int, seed: int):
        self.networks, self.samples, self.evaluations, self.seed = networks, samples, evaluations, seed

    def __call__(self, task: tuple[str, Case]) -> dict[str, Any]:
        """A row."""
        name, case = task
        arm = ARMS[name]
        generator, calls = self.networks["trained" if arm.trained else "untrained"], list[int]()
        row = key(name, case) | {"molecule": case.molecule, "samples": self.samples}
        options = GenerationOptions(**case.options)
        part, seed = options.part, self.seed + int(case.name)
        assert part is not None
        handle = generator.model.network.register_forward_hook(lambda *_: calls.append(1))
        began = time.process_time()
        try:
            samples = arm.samples(generator, options, self.samples, seed, self.evaluations)
        except ValueError as error:
            return row | {"refused": str(error)}
        finally:
            handle.remove()
        row |= {"evaluations": len(calls), "seconds": round((time.process_time() - began) / self.samples, 3)}
        row |= judged(samples, case, options, generator.model)
        return row | {"near": sum(raw_displacement(sample, part) <= NEAR for sample in samples)}


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table of the documentation; what was refused counts as samples that are not valid."""
    heads = [
        "",
        "valid, as sampled",
        f"kept within {NEAR} Å",
        "unique among valid",
        "delivered",
        "SC_RDKit of delivered",
    ]
    heads += ["evaluations", "seconds a sample"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name in sorted({row["arm"] for row in rows}, key=list(ARMS).index):
        mine = [row for row in rows if row["arm"] == name]
        made, samples = [row for row in mine if "refused" not in row], sum(row["samples"] for row in mine)
        rates = (percent(rate(sum(row[count] for row in made), samples)) for count in ("valid", "near", "delivered"))
        valid, near, delivered = rates
        unique = [row | {"share": row["unique"] / row["valid"]} for row in made if row["valid"]]
        alike = [row | {"sc": float(np.mean(row["sc_rdkit"]))} for row in made if row["sc_rdkit"]]
        most = max((row["evaluations"] for row in made), default=None)
        seconds = float(np.mean([row["seconds"] for row in made])) if made else None
        cells = [name, valid, near, interval(mean(unique, "share"), ".2f"), delivered, interval(mean(alike, "sc"))]
        lines.append("| " + " | ".join([*cells, "–" if most is None else str(most), number(seconds, ".2f")]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
