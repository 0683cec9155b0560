"""Linkers and R-groups: what a model completes, judged against molecules that it has not seen.

    python scripts/completion.py linkers zinc.sdf.gz --out data/benchmarks/linkers_zinc.json [--model druglike]
    python scripts/completion.py scaffolds bioactive.sdf.gz --out data/benchmarks/scaffolds.json

``linkers`` reads pairs of fragments in 3-D, with the properties ``anchors``, ``reference_smiles`` and ``linker_smiles``
(DeLinker's test sets: Imrie et al., J. Chem. Inf. Model. 60, 1983, 2020); 20 samples of each, anchors given, sizes
drawn by the product. ``scaffolds`` cuts Murcko scaffolds out of molecules, with their poses and without, and marks
where the rest was.

A sample is valid if, as sampled, it sanitises, is one molecule, keeps the part with its bonds, charges and stereo
within 0.1 Å, and its hydrogens are placed without clash. Rates have Wilson intervals at 95 %, over samples; means over
cases have those of a bootstrap over molecules. The same command goes on where it stopped.
"""

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from completion_verdict import judged, mean, rate
from judge.completion_cases import Case, linkers, scaffolds
from rdkit import RDLogger
from results import interval, percent, read_rows, table, write_json

from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.train.record import sha256
from molscore.workers import Workers, count


def main() -> None:
    """Completes what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("job", choices=("linkers", "scaffolds"))
    parser.add_argument("data", type=Path, help="SDF file, may be gzipped")
    parser.add_argument("--model", default="druglike")
    parser.add_argument("--steps", type=int, help="steps from noise to molecule; by default the model's")
    parser.add_argument("--samples", type=int, default=20, help="of each case")
    parser.add_argument("--cases", type=int, help="a random choice of so many")
    parser.add_argument("--workers", default="auto")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    cases = list({"linkers": linkers, "scaffolds": scaffolds}[words.job](words.data))
    order = np.random.default_rng(0).permutation(len(cases))[: words.cases]
    cases = [cases[k] for k in sorted(order.tolist())]
    generator = MoleculeGenerator.from_pretrained(words.model, device="cpu")
    header = {
        "job": words.job,
        "data": words.data.name,
        "data_sha256": sha256(words.data),
        "model": Path(words.model).name,
        "weights": generator.weights,
        "steps": words.steps or generator.model.config.sampling.steps,
        "samples": words.samples,
    }
    rows = read_rows(words.out, header)
    known = {row["case"] for row in rows}
    missing = [case for case in cases if case.name not in known]
    workers = words.workers if words.workers == "auto" else int(words.workers)
    with Workers(partial(Completer, generator, words.samples, words.steps), count(workers, "cpu")) as pool:
        for case in missing:
            pool.submit(case)
        for done, _ in enumerate(missing, 1):
            rows.append(pool.result())
            if done % 10 == 0 or done == len(missing):
                write_json(words.out, {"header": header, "summary": summary(rows), "rows": rows})
                print(f"{len(rows)} of {len(cases)}", file=sys.stderr, flush=True)
    print(markdown(summary(rows)))


class Completer:
    """Completes a case and has it judged."""

    def __init__(self, generator: MoleculeGenerator, samples: int, steps: int | None):
        self.generator, self.samples, self.steps = generator, samples, steps

    def __call__(self, case: Case) -> dict:
        """A row: how many samples are valid and why others are not, what was delivered, and how alike it is."""
        began = time.monotonic()
        row: dict[str, Any] = {"case": case.name, "molecule": case.molecule, "samples": self.samples}
        try:
            options = GenerationOptions(steps=self.steps, **case.options)
            seed = int(case.name.split()[0])
            sampled = self.generator.sample(range(self.samples), seed, options)
        except ValueError as error:
            return row | {"refused": str(error)}
        row |= judged(sampled, case, options, self.generator.model)
        return row | {"seconds": round(time.monotonic() - began, 2)}


def summary(rows: Sequence[dict]) -> dict[str, dict]:
    """By kind of case, the second word of its name: rates, means and their intervals."""
    kinds: dict[str, list[dict]] = {}
    for row in rows:
        kinds.setdefault(row["case"].partition(" ")[2] or "all", []).append(row)
    return {kind: figures(chosen) for kind, chosen in kinds.items()}


def figures(rows: Sequence[dict]) -> dict[str, Any]:
    """Of one kind of cases; what was refused counts as samples that are not valid."""
    made = [row for row in rows if "refused" not in row]
    samples = sum(row["samples"] for row in rows)
    delivered = sum(row["delivered"] for row in made)
    faults = sum((Counter(row["faults"]) for row in made), Counter())
    moved = [row["moved"] for row in made if row["moved"] is not None]
    alike = [row | {"sc": statistics.fmean(row["sc_rdkit"])} for row in made if row["sc_rdkit"]]
    unique = [row | {"share": row["unique"] / row["valid"]} for row in made if row["valid"]]
    return {
        "cases": len(rows),
        "molecules": len({row["molecule"] for row in rows}),
        "refused": len(rows) - len(made),
        "valid": rate(sum(row["valid"] for row in made), samples),
        "no_fault": rate(faults["none"], samples),
        "faults": dict(faults.most_common()),
        "unique_among_valid": mean(unique, "share"),
        "recovered": rate(sum(row["recovered"] for row in made), len(rows)),
        "delivered": rate(delivered, samples),
        "posebusters": rate(sum(row["busters"] for row in made), delivered),
        "sc_rdkit": mean(alike, "sc"),
        "sc_rdkit_cases": len(alike),
        "moved_angstrom": max(moved, default=None),
        "seconds_per_delivered": round(sum(row["seconds"] for row in made) / max(delivered, 1), 2),
    }


def markdown(kinds: dict[str, dict]) -> str:
    """The table of the documentation."""
    each = kinds.values()
    rows = [
        ["valid, as sampled", *(percent(kind["valid"]) for kind in each)],
        ["unique among valid", *(interval(kind["unique_among_valid"]) for kind in each)],
        ["reference found", *(percent(kind["recovered"]) for kind in each)],
        ["SC_RDKit of delivered", *(interval(kind["sc_rdkit"]) for kind in each)],
        ["PoseBusters-valid of delivered", *(percent(kind["posebusters"]) for kind in each)],
        ["largest displacement, Å", *(str(kind["moved_angstrom"]) for kind in each)],
        ["cases (molecules)", *(f"{kind['cases']} ({kind['molecules']})" for kind in each)],
    ]
    return table(["", *kinds], rows)


if __name__ == "__main__":
    main()
