"""Is the bioactive conformation among k conformers? Our generator beside ETKDGv3, MMFF94s and CONFORGE.

    python scripts/bench_conformers.py BENCHMARK.sdf.gz --n-molecules 300 --counts 1 10 50 --fifty 100 --cores 2 \
        --out data/benchmarks/conformer_ensembles.json
    python scripts/bench_conformers.py BENCHMARK.sdf.gz --methods score --label "20 steps" --settings steps=20 \
        --out data/benchmarks/conformer_ensembles.json

Each record of the benchmark is one known conformation; its property ``smiles``, or else its own isomeric SMILES, is all
that a method is given. The methods are those of `conformer_methods.py`; *conforge* has to be named, and needs
``pip install cdpkit==1.3.0``. Every count is a run of its own. A method that fails on a molecule, whatever the reason,
has missed it.

Each cell is written when it is done. The same command goes on where it stopped; another label is added to the file, and
compared with what it holds. With ``--timed 64`` all methods are timed once everything is measured, on the first so many
molecules: one by each method in turn, so that whatever else the machine does hits all of them; on one core each, our
model loaded before. Leave the machine alone for that.
"""

import argparse
import gzip
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rdkit
import yaml
from benchmark import hardware
from conformer_methods import BASELINES, METHODS, Method, score
from rdkit import Chem, rdBase
from results import interval, number, percent, read_rows, write_json
from rich.console import Console
from rich.progress import track

from molscore import pretrained
from molscore.chem.arrays import isomeric_smiles
from molscore.chem.ensemble import correspondences, heavy_atoms, heavy_positions
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.thresholds import THRESHOLDS
from molscore.evaluate.ensembles import difference, recall, stereo_kept, summary
from molscore.evaluate.molecules import relaxation
from molscore.evaluate.molecules.busters import bust
from molscore.evaluate.rates import Rate
from molscore.train.record import sha256

DEFAULT = tuple(name for name in BASELINES if name != "conforge")
"""Peers that need no other package."""

MANY = 50
"""From this count on, ``--fifty`` says how many molecules there are."""


AVERAGES = {"median": np.median, "mean": np.mean}


class Task(NamedTuple):
    """One molecule: its reference's heavy atoms (1, n, 3) in Å, and how the atoms of `smiles` lie on them (A, n)."""

    name: str
    smiles: str
    reference: np.ndarray
    correspondences: np.ndarray


def main() -> None:
    """Fills the cells that are missing, writes the JSON file, prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", type=Path, help="SDF of known conformations, may be gzipped")
    parser.add_argument("--n-molecules", type=int, default=300, help="drawn at random from the benchmark")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 10, 50], help="conformers for each molecule")
    parser.add_argument("--fifty", type=int, default=100, help=f"molecules, where the count is {MANY} or more")
    parser.add_argument("--methods", nargs="+", choices=("score", *BASELINES), default=["score", *DEFAULT])
    parser.add_argument(
        "--model", default=pretrained.GRAPH_CONDITIONED, help="of our method: a name or a .safetensors file"
    )
    parser.add_argument("--sampler", help="a model whose sampling settings ours takes, in place of its own")
    parser.add_argument("--settings", nargs="+", default=[], metavar="KEY=VALUE", help="for our generator")
    parser.add_argument("--label", default="score", help="name of our method in the tables")
    parser.add_argument("--cores", type=int, default=2, help="CPU cores for a call of a method, not where it is timed")
    parser.add_argument("--busters", type=int, default=2, help="conformers of each molecule for PoseBusters, the first")
    parser.add_argument("--strain", type=int, default=10, help="count at which strain is measured; 0: never")
    parser.add_argument("--timed", type=int, default=0, help="molecules to time all methods on; 0: do not")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    if words.label in BASELINES or any("=" not in setting for setting in words.settings):
        parser.error(f"settings are key=value, and a label is none of {', '.join(BASELINES)}")
    words.settings = {
        key: yaml.safe_load(value) for key, _, value in (setting.partition("=") for setting in words.settings)
    }

    rdBase.DisableLog("rdApp.*")
    tasks, left_out = read(words.benchmark, words.n_molecules, words.seed)
    header = {"benchmark": words.benchmark.name, "sha256": sha256(words.benchmark), "hardware": hardware()}
    header |= {key: getattr(words, key) for key in ("n_molecules", "fifty", "cores", "busters", "strain", "seed")}
    header |= {"left_out": left_out, "rdkit": rdkit.__version__, "names": [task.name for task in tasks]}
    rows = read_rows(words.out, header)
    for name in words.methods:
        key, method = {"method": name}, None
        if name == "score":
            key = {"method": words.label, "model": words.model, "weights": sha256(pretrained.find(words.model))}
            key["settings"] = words.settings | ({"sampler": words.sampler} if words.sampler else {})
        for count in words.counts:
            if any(row.items() >= (key | {"count": count}).items() for row in rows):
                continue
            method = method or METHODS[name](words)
            some = tasks[: words.fifty] if count >= MANY else tasks
            row = key | {"count": count} | measure(some, method, count, words, key["method"])
            rows = [old for old in rows if (old["method"], old["count"]) != (row["method"], count)] + [row]
            write_json(words.out, {"header": header, "rows": rows, "differences": differences(rows)})
    if words.timed:
        time_all(tasks[: words.timed], rows, words)
        write_json(words.out, {"header": header, "rows": rows, "differences": differences(rows)})
    print(markdown(rows, differences(rows)))


def read(path: Path, n: int, seed: int) -> tuple[list[Task], dict[str, int]]:
    """Random records of the benchmark, and how many of them are left out for which reason."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        mols = list(Chem.ForwardSDMolSupplier(file, removeHs=False))
    tasks, left_out = [], Counter(unreadable=0, unmatched=0, matched_without_bond_orders=0)
    for i in np.random.default_rng(seed).permutation(len(mols))[:n]:
        mol = mols[i]
        if mol is None or mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
            left_out["unreadable"] += 1
            continue
        smiles = mol.GetProp("smiles") if mol.HasProp("smiles") else isomeric_smiles(mol)
        asked = Chem.MolFromSmiles(smiles)
        matches = correspondences(asked, mol) if asked else ()
        if asked and not len(matches):
            matches = correspondences(asked, mol, bonds=False)
            left_out["matched_without_bond_orders"] += len(matches) > 0
        if len(matches):
            tasks.append(Task(mol.GetProp("_Name") or f"record {i + 1}", smiles, heavy_positions(mol), matches))
        else:
            left_out["unmatched"] += 1
    return tasks, dict(left_out)


def measure(tasks: Sequence[Task], method: Method, count: int, words: argparse.Namespace, name: str) -> dict:
    """One cell: a method at a count, on all molecules."""
    best, strains = [], []
    failures, labels, stereo, busted = Counter(), Counter(), [], []
    for task in track(tasks, f"{name}, {count}", console=Console(stderr=True)):
        try:
            (mol,) = method([task.smiles], count)
            fault = unusable(mol, task)
        except Exception as error:  # a molecule that one method cannot do must not end the others
            fault = type(error).__name__
        if fault:
            failures[fault] += 1
            best.append(None)
            continue
        best.append(round(float(recall(heavy_positions(mol), task.reference, task.correspondences).best[0]), 4))
        stereo += stereo_kept(mol, task.smiles)
        conformers = list(mol.GetConformers())
        labels.update(conformer.GetProp("method") if conformer.HasProp("method") else name for conformer in conformers)
        singles = [Chem.Mol(mol, confId=conformer.GetId()) for conformer in conformers[: max(words.busters, 1)]]
        busted += [all(bust(single).values()) for single in singles[: words.busters]]
        if count == words.strain:
            strains.append(relaxation_energy(singles[0]))
    return {
        "molecules": len(tasks),
        "recall": summary(distances(best), seed=words.seed),
        "failures": dict(failures),
        "asked": count * len(tasks),
        "delivered": len(stereo),
        "labels": dict(labels),
        "wrong_stereo": Rate(len(stereo) - sum(stereo), len(stereo), "conformers").to_dict(),
        "posebusters": Rate(sum(busted), len(busted), "conformers").to_dict(),
        "strain": relaxation.summary(strains) if strains else None,
        "seconds_per_conformer": None,
        "best": best,
    }


def time_all(tasks: Sequence[Task], rows: Sequence[dict], words: argparse.Namespace) -> None:
    """Fills in the seconds of every row that these words name: all methods on some molecules, then on the next."""
    named = [row for row in rows if row["method"] in BASELINES or row["method"] == words.label]
    alone = argparse.Namespace(**vars(words) | {"cores": 1})
    methods = {row["method"]: METHODS.get(row["method"], score)(alone) for row in named}
    for count in sorted({row["count"] for row in named}):
        some = [row for row in named if row["count"] == count]
        seconds: dict[str, list[float]] = {row["method"]: [] for row in some}
        made = Counter()
        for task in track(tasks, f"timing, {count}", console=Console(stderr=True)):
            for row in some:
                began = time.perf_counter()
                ensembles = methods[row["method"]]([task.smiles], count)
                seconds[row["method"]].append(time.perf_counter() - began)
                made[row["method"]] += sum(mol.GetNumConformers() for mol in ensembles)
        for row in some:
            spent = seconds[row["method"]]
            row["seconds_per_conformer"] = round(sum(spent) / max(made[row["method"]], 1), 5)
            row["seconds_per_molecule"] = {
                "median": round(float(np.median(spent)), 4),
                "mean": round(np.mean(spent), 4),
            }
            row["timed"] = len(tasks)


def unusable(mol: Chem.Mol, task: Task) -> str | None:
    """Why a molecule cannot be judged: no conformers, other atoms than were asked for, no numbers."""
    if mol.GetNumConformers() == 0:
        return mol.GetProp("_reason") if mol.HasProp("_reason") else "no_conformer"
    asked = Chem.MolFromSmiles(task.smiles)
    numbers = [
        [molecule.GetAtomWithIdx(int(i)).GetAtomicNum() for i in heavy_atoms(molecule)] for molecule in (asked, mol)
    ]
    if numbers[0] != numbers[1]:
        return "other_atoms"
    return (
        None if all(np.isfinite(conformer.GetPositions()).all() for conformer in mol.GetConformers()) else "not_finite"
    )


def distances(best: Sequence[float | None]) -> list[np.ndarray | None]:
    """As `molscore.evaluate.ensembles` takes them: one reference each."""
    return [None if rmsd is None else np.array([rmsd]) for rmsd in best]


def differences(rows: Sequence[dict]) -> list[dict]:
    """Ours less each baseline at the same count, in pairs."""
    pairs = []
    for ours in rows:
        for theirs in rows:
            same = ours["count"] == theirs["count"]
            if same and ours["method"] not in BASELINES and theirs["method"] in BASELINES:
                pair = [distances(row["best"]) for row in (ours, theirs)]
                names = {"method": ours["method"], "less": theirs["method"], "count": ours["count"]}
                pairs.append(names | difference(*pair))
    return pairs


def markdown(rows: Sequence[dict], pairs: Sequence[dict] = ()) -> str:
    """The cells as a table, then the differences, if any, as another."""
    limits = [str(limit) for limit in THRESHOLDS.coverage.rmsd]
    covers = [f"< {limit} Å" for limit in limits]
    heads = ["method", "k", "molecules", "mean best RMSD, Å", "median", *covers, "without conformers", "delivered"]
    heads += [
        "wrong stereo",
        "PoseBusters-valid",
        "strain, kcal/mol",
        "s per conformer",
        "s per molecule, median",
        "made by",
    ]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in sorted(rows, key=lambda row: row["count"]):
        seen, strain, wrong = row["recall"], row["strain"], row["wrong_stereo"]
        cells = [row["method"], str(row["count"]), str(row["molecules"]), interval(seen["mean"])]
        cells += [
            number(seen["median"]["value"]),
            *(number(seen["coverage"][limit]["value"], ".1%") for limit in limits),
        ]
        cells += [str(seen["failures"]), f"{row['delivered']:,} of {row['asked']:,}"]
        cells += [f"{wrong['count']} of {wrong['total']:,}", percent(row["posebusters"])]
        cells += [number(strain and strain["median"], ".1f"), number(row["seconds_per_conformer"], ".3g")]
        spent = row.get("seconds_per_molecule")
        cells.append(number(spent and spent["median"], ".2g"))
        cells.append(", ".join(f"{made} {label}" for label, made in row["labels"].items()) or "–")
        lines.append("| " + " | ".join(cells) + " |")
    if pairs:
        heads = ["difference", "k", "pairs", "mean best RMSD, Å", *covers]
        lines += ["", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for pair in pairs:
        cells = [f"{pair['method']} − {pair['less']}", str(pair["count"]), str(pair["pairs"]), interval(pair["mean"])]
        lines.append("| " + " | ".join(cells + [interval(pair["coverage"][limit], ".1%") for limit in limits]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
