"""Where should the way back begin? Ways to propose conformers, at equal time, on known conformations.

    python scripts/conformer_starts.py BENCHMARK.sdf.gz --n-molecules 50 --threads 2 \
        --out data/benchmarks/conformer_starts.json

A variant samples proposals of heavy atoms: from noise, from the harmonic prior at an earlier time, or from an ETKDGv3
conformer noised to an earlier time. Each gets ``--seconds`` for a molecule, by its own measured seconds a
proposal, those of ETKDGv3 included where it is the start, and then as many proposals as fit count: the mean RMSD of the
best of them, as in ``bench_conformers.py``. The same is reported for 10 proposals each. Wrong stereo is counted before
anything is reflected or rejected. Nothing is relaxed.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from bench_conformers import Task, read
from benchmark import hardware
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom
from results import interval, number, percent, read_rows, write_rows
from rich.console import Console
from rich.progress import track

from molscore import pretrained
from molscore.chem.ensemble import heavy_positions
from molscore.chem.prepare import whole
from molscore.chem.stereo.tags import wrong
from molscore.conformers.propose import CPU_PAIRS
from molscore.conformers.target import Target, target_of
from molscore.evaluate.ensembles import mean_interval, recall
from molscore.evaluate.rates import Rate
from molscore.model import load
from molscore.model.conformers import sample_positions
from molscore.randomness import Purpose, stream
from molscore.score.represent import batch_of
from molscore.train.record import sha256

VARIANTS = tuple(
    {"begin": begin, "steps": steps, "eta_x": eta, "t_start": t_start, "t_end": t_end}
    for begin, steps, eta, t_start, t_end in (
        ("noise", 3, 0.5, 0.95, 0.2),
        ("noise", 4, 0.5, 0.95, 0.2),
        ("noise", 4, 0.0, 0.95, 0.2),
        ("noise", 4, 1.0, 0.95, 0.2),
        ("noise", 6, 0.5, 0.95, 0.2),
        ("noise", 4, 0.5, 0.98, 0.02),
        ("noise", 8, 0.5, 0.98, 0.02),
        ("noise", 20, 0.5, 0.98, 0.02),
        ("harmonic", 4, 0.5, 0.8, 0.2),
        ("harmonic", 4, 0.5, 0.9, 0.2),
        ("given", 3, 0.5, 0.4, 0.2),
        ("given", 4, 0.5, 0.6, 0.2),
        ("given", 4, 0.5, 0.8, 0.2),
    )
)

MOST = 40
"""Proposals drawn of each molecule."""


def main() -> None:
    """Fills the rows that are missing, writes the JSON file, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("--n-molecules", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.4, help="of a molecule")
    parser.add_argument("--model", default=pretrained.GRAPH_CONDITIONED)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1000, help="another than that of the benchmark")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    rdBase.DisableLog("rdApp.*")
    torch.set_num_threads(words.threads)
    model = load(pretrained.find(words.model))
    tasks, _ = read(words.benchmark, words.n_molecules, words.seed)
    pairs = [(task, target_of(whole(Chem.MolFromSmiles(task.smiles)).mol, model)) for task in tasks]
    pairs = [(task, target) for task, target in pairs if target.arrays is not None]
    header = {"benchmark": words.benchmark.name, "model": words.model, "weights": sha256(pretrained.find(words.model))}
    header |= {"molecules": len(pairs), "hardware": hardware()}
    header |= {name: getattr(words, name) for name in ("n_molecules", "seconds", "threads", "seed")}
    rows = read_rows(words.out, header)
    starts, embedding = embedded([target for _, target in pairs], words.threads)
    if not any(row["variant"] == {"begin": "etkdg"} for row in rows):
        rows.insert(0, measured(pairs, starts, embedding, {"begin": "etkdg"}, words.seconds))
    for variant in VARIANTS:
        if not any(row["variant"] == variant for row in rows):
            positions, seconds = proposals(model, [target for _, target in pairs], starts, variant)
            seconds += embedding * (variant["begin"] == "given")
            rows.append(measured(pairs, positions, seconds, variant, words.seconds))
            write_rows(words.out, header, rows)
    print(markdown(rows))


def embedded(targets: list[Target], threads: int) -> tuple[list[np.ndarray], float]:
    """ETKDGv3 conformers of each molecule, ``(MOST or fewer, n, 3)``, and seconds for one."""
    began, conformers = time.perf_counter(), []
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = 1
    parameters.numThreads = threads
    for target in track(targets, "etkdg", console=Console(stderr=True)):
        mol = Chem.Mol(target.mol)
        rdDistGeom.EmbedMultipleConfs(mol, MOST, parameters)
        conformers.append(heavy_positions(mol))
    return conformers, (time.perf_counter() - began) / sum(map(len, conformers))


def proposals(model, targets: list[Target], starts: list[np.ndarray], variant: dict) -> tuple[list[np.ndarray], float]:
    """``MOST`` proposals of each molecule in one variant, and seconds for one."""
    began, ensembles = time.perf_counter(), []
    for target, known in track(list(zip(targets, starts, strict=True)), str(variant), console=Console(stderr=True)):
        own, at_once = [], max(1, CPU_PAIRS // len(target.heavy) ** 2)
        for first in range(0, MOST, at_once):
            numbers = range(first, min(first + at_once, MOST))
            arrays = [target.arrays] * len(numbers)
            if variant["begin"] == "given":
                arrays = [
                    replace(molecule, positions=known[k % len(known)])
                    for molecule, k in zip(arrays, numbers, strict=True)
                ]
            noise = [stream(0, Purpose.PROPOSAL, k) for k in numbers]
            own.append(sample_positions(model, batch_of(arrays, model), noise, **variant).numpy())
        ensembles.append(np.concatenate(own))
    return ensembles, (time.perf_counter() - began) / (MOST * len(targets))


def measured(
    pairs: list[tuple[Task, Target]], positions: list[np.ndarray], seconds: float, variant: dict, limit: float
) -> dict:
    """What a variant's proposals are worth."""
    fit = min(MOST, max(1, int(limit / seconds)))
    best = {}
    for name, count in (("in_time", fit), ("of_10", 10)):
        nearest = [
            recall(x[:count], task.reference, task.correspondences).best[0]
            for (task, _), x in zip(pairs, positions, strict=True)
        ]
        best[name] = mean_interval(np.array(nearest))
    tags = [wrong(x, target.arrays.stereo) for (_, target), x in zip(pairs, positions, strict=True)]
    faults = Rate(sum(int(faulty.sum()) for faulty in tags), sum(faulty.size for faulty in tags), "tags").to_dict()
    counts = {"seconds": round(seconds, 5), "in_time_count": fit, "capped": fit == MOST}
    return {"variant": variant, **counts, **best, "wrong_stereo": faults}


def markdown(rows: list[dict]) -> str:
    """The rows as a table."""
    heads = ["begin at", "times", "steps", "noise", "s per proposal", "proposals in time", "mean best RMSD of them, Å"]
    heads += ["of 10, Å", "wrong stereo tags"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        own = row["variant"]
        times = f"{own['t_start']} to {own['t_end']}" if "t_start" in own else "–"
        cells = [own["begin"], times, str(own.get("steps", "–")), str(own.get("eta_x", "–"))]
        cells += [number(row["seconds"], ".3g"), f"{row['in_time_count']}{' (all)' if row['capped'] else ''}"]
        cells += [interval(row["in_time"]), interval(row["of_10"]), percent(row["wrong_stereo"])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
