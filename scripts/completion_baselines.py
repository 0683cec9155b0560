"""What else completes molecules: de novo molecules that happen to contain the part, and fragments put together.

    python scripts/completion_baselines.py linkers zinc.sdf.gz --library train.smi.gz --seconds 8 \
        --out data/benchmarks/linkers_zinc_baselines.json
    python scripts/completion_baselines.py scaffolds bioactive.sdf.gz --library train.smi.gz --seconds 8 \
        --out data/benchmarks/scaffolds_baselines.json

The cases and the verdict are those of ``completion.py``. *rejection* samples whole molecules with a model and keeps
those that contain the part, bonded where it is open and nowhere else, laid over the given positions. *enumeration* puts
substituents or linkers of known molecules on it, see ``enumeration.py``; ``--library`` is a file of SMILES, one a line,
of the molecules that the model was trained on. Each has so many seconds of one core for each case, in which it also
judges what it makes; neither loading models nor cutting the library counts. What is valid is also delivered if the
product's checks pass it. Rates have Wilson intervals at 95 %, over what was tried; means over cases have those of a
bootstrap over molecules. The same command goes on where it stopped.
"""

import argparse
import gzip
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import completion_verdict as verdict
import numpy as np
import torch
from completion_verdict import mean, rate
from enumeration import Enumerator
from fragments import Library
from judge.completion_cases import Case, linkers, scaffolds
from judge.likeness import sc_rdkit
from rdkit import Chem, RDLogger
from rejection import Rejection
from results import interval, number, percent, read_rows, table, write_json

from molscore.chem.arrays import MoleculeArrays
from molscore.evaluate.molecules.busters import bust
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.judge import Judge
from molscore.model import Sample
from molscore.train.record import sha256

METHODS = ("rejection", "enumeration")

TENTH, HALF = 0.1, 0.5
"""Å within which all kept atoms lie, before anything is done about it."""


def main() -> None:
    """Completes what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("job", choices=("linkers", "scaffolds"))
    parser.add_argument("data", type=Path, help="SDF file, may be gzipped")
    parser.add_argument("--library", type=Path, required=True, help="SMILES, one a line, may be gzipped")
    parser.add_argument("--molecules", type=int, default=5000, help="a random choice of so many are cut")
    parser.add_argument("--model", default="druglike", help="of rejection, and of the checks")
    parser.add_argument("--steps", type=int, help="steps from noise to molecule; by default the model's")
    parser.add_argument("--seconds", type=float, default=8.0, help="of one core, for each case and method")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--cases", type=int, help="a random choice of so many, the same as of completion.py")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    cases = list({"linkers": linkers, "scaffolds": scaffolds}[words.job](words.data))
    order = np.random.default_rng(0).permutation(len(cases))[: words.cases]
    generator = MoleculeGenerator.from_pretrained(words.model, device="cpu")
    header = {
        "job": words.job,
        "data": words.data.name,
        "data_sha256": sha256(words.data),
        "library": words.library.name,
        "library_sha256": sha256(words.library),
        "molecules": words.molecules,
        "model": Path(words.model).name,
        "weights": generator.weights,
        "steps": words.steps or generator.model.config.sampling.steps,
        "seconds": words.seconds,
    }
    rows = read_rows(words.out, header)
    known = {(row["method"], row["case"]) for row in rows}
    tasks = [(method, cases[k]) for k in sorted(order.tolist()) for method in words.methods]
    missing = [(method, case) for method, case in tasks if (method, case.name) not in known]
    if not missing:
        print(markdown(summary(rows)))
        return
    library = Library(chosen(words.library, words.molecules)) if "enumeration" in words.methods else None
    options = GenerationOptions(steps=words.steps)
    for done, (method, case) in enumerate(missing, 1):
        rows.append(completed(method, case, generator, options, library, words.seconds))
        write_json(words.out, {"header": header, "summary": summary(rows), "rows": rows})
        print(f"{done} of {len(missing)}", file=sys.stderr, flush=True)
    print(markdown(summary(rows)))


def chosen(path: Path, count: int) -> Iterator[str]:
    """A random choice of the SMILES of a file, the first word of each line."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        lines = [line.split()[0] for line in file if line.strip()]
    for k in sorted(np.random.default_rng(0).permutation(len(lines))[:count].tolist()):
        yield lines[k]


def completed(
    method: str,
    case: Case,
    generator: MoleculeGenerator,
    options: GenerationOptions,
    library: Library | None,
    seconds: float,
) -> dict[str, Any]:
    """A row: what was tried of a case in the time, what of it is valid and delivered, and how alike it is."""
    row: dict[str, Any] = {"method": method, "case": case.name, "molecule": case.molecule}
    began, seed, faults = time.process_time(), int(case.name.split()[0]), Counter[str]()
    tried = made = tenth = half = 0
    valid: list[str] = []
    delivered: list[Chem.Mol] = []
    try:
        wishes = GenerationOptions(**case.options)
        part = wishes.part
        assert part is not None
        if method == "rejection":
            maker: Rejection | Enumerator = Rejection(part, generator, seed, options)
        else:
            assert library is not None
            maker = Enumerator(part, library, seed)
    except ValueError as error:
        return row | {"refused": str(error)}
    judge, spent, last = Judge(generator.model, wishes), 0.0, 0.0
    while spent + last / 2 < seconds:
        results = maker.round()
        if not results:
            break
        for arrays, off in results:
            tried += 1
            if arrays is None:
                continue
            made, tenth, half = made + 1, tenth + (off <= TENTH), half + (off <= HALF)
            token, mol = verdict.fault(arrays, part)
            faults[token or "none"] += 1
            if mol is None or not verdict.valid(token):
                continue
            valid.append(verdict.plain(mol))
            judge.vocabulary, sample = certain(arrays)
            attempt = judge(tried, sample)
            if attempt.fault is None:
                delivered.append(attempt.built)
        now = time.process_time() - began
        spent, last = now, now - spent
    posed = part.posed and case.reference.GetNumConformers() > 0
    return row | {
        "tried": tried,
        "made": made,
        "within_tenth": tenth,
        "within_half": half,
        "faults": dict(faults),
        "valid": len(valid),
        "unique": len(set(valid)),
        "recovered": verdict.plain(case.reference) in valid,
        "delivered": len(delivered),
        "busters": sum(all(bust(mol).values()) for mol in delivered),
        "sc_rdkit": [round(sc_rdkit(mol, case.reference), 4) for mol in delivered] if posed else [],
        "moved": verdict.displacement(delivered, part),
        "posed": part.posed,
        "seconds": round(spent, 2),
    }


def certain(made: MoleculeArrays) -> tuple[list[tuple[int, int]], Sample]:
    """The kinds of its atoms, and the molecule as the sample of a model that knows these, with probabilities of 1."""
    pairs = list(zip(made.atomic_numbers.tolist(), made.formal_charges.tolist(), strict=True))
    kinds = sorted(set(pairs))
    orders = np.zeros((len(pairs), len(pairs)), dtype=int)
    i, j = made.bonds.T
    orders[i, j] = orders[j, i] = made.bond_orders
    return kinds, Sample(made.positions, np.eye(len(kinds))[[kinds.index(pair) for pair in pairs]], np.eye(4)[orders])


def summary(rows: Sequence[dict]) -> dict[str, dict]:
    """By method and kind of case, the second word of its name: rates, means and their intervals."""
    kinds: dict[str, list[dict]] = {}
    for row in rows:
        kind = row["case"].partition(" ")[2]
        kinds.setdefault(f"{row['method']}, {kind}" if kind else row["method"], []).append(row)
    return {kind: figures(kinds[kind]) for kind in sorted(kinds)}


def figures(rows: Sequence[dict]) -> dict[str, Any]:
    """Of one method and one kind of cases."""
    done = [row for row in rows if "refused" not in row]
    total: Counter[str] = Counter()
    for row in done:
        for name in ("tried", "made", "within_tenth", "within_half", "valid", "delivered", "busters", "seconds"):
            total[name] += row[name]
    shares = [row | {"share": row["unique"] / row["valid"]} for row in done if row["valid"]]
    alike = [row | {"sc": statistics.fmean(row["sc_rdkit"])} for row in done if row["sc_rdkit"]]
    seconds = float(total["seconds"])
    return {
        "cases": len(rows),
        "molecules": len({row["molecule"] for row in rows}),
        "refused": len(rows) - len(done),
        "tried": total["tried"],
        "tried_per_second": total["tried"] / seconds if seconds else None,
        "made": rate(total["made"], total["tried"]),
        "posed": any(row["posed"] for row in done),
        "within_tenth": rate(total["within_tenth"], total["tried"]),
        "within_half": rate(total["within_half"], total["tried"]),
        "valid": rate(total["valid"], total["tried"]),
        "faults": dict(sum((Counter(row["faults"]) for row in done), Counter()).most_common()),
        "unique_among_valid": mean(shares, "share"),
        "recovered": rate(sum(row["recovered"] for row in done), len(rows)),
        "cases_with_a_delivered": rate(sum(row["delivered"] > 0 for row in done), len(rows)),
        "delivered": rate(total["delivered"], total["tried"]),
        "posebusters": rate(total["busters"], total["delivered"]),
        "sc_rdkit": mean(alike, "sc"),
        "sc_rdkit_cases": len(alike),
        "moved_angstrom": max((row["moved"] for row in done if row["moved"] is not None), default=None),
        "seconds": round(seconds, 1),
        "seconds_per_delivered": round(seconds / total["delivered"], 2) if total["delivered"] else None,
    }


def markdown(kinds: dict[str, dict]) -> str:
    """The table of the documentation."""
    each = kinds.values()
    within = [
        ["–" if not kind["posed"] else percent(kind[f"within_{far}"]) for kind in each] for far in ("tenth", "half")
    ]
    rows = [
        ["contain the part, or embed", *(percent(kind["made"]) for kind in each)],
        [f"kept atoms within {TENTH} Å, as made", *within[0]],
        [f"kept atoms within {HALF} Å, as made", *within[1]],
        ["valid, of those tried", *(percent(kind["valid"]) for kind in each)],
        ["delivered, of those tried", *(percent(kind["delivered"]) for kind in each)],
        ["cases with one delivered", *(percent(kind["cases_with_a_delivered"]) for kind in each)],
        ["reference found", *(percent(kind["recovered"]) for kind in each)],
        ["PoseBusters-valid of delivered", *(percent(kind["posebusters"]) for kind in each)],
        ["unique among valid", *(interval(kind["unique_among_valid"]) for kind in each)],
        ["SC_RDKit of delivered", *(interval(kind["sc_rdkit"]) for kind in each)],
        ["largest displacement, Å", *(number(kind["moved_angstrom"]) for kind in each)],
        ["tried", *(f"{kind['tried']:,}" for kind in each)],
        ["seconds of a core per delivered", *(number(kind["seconds_per_delivered"], ".2f") for kind in each)],
        ["cases (molecules)", *(f"{kind['cases']} ({kind['molecules']})" for kind in each)],
    ]
    return table(["", *kinds], rows)


if __name__ == "__main__":
    main()
