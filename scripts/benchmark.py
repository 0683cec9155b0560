"""Measures a bundled model: raw samples, delivered molecules, and the time of the main job.

    python scripts/benchmark.py --n 1000 --xtb 100 --out data/benchmarks/druglike.json
    python scripts/benchmark.py --model qm9 --n 2000 --out data/benchmarks/qm9.json

Raw: the first N samples exactly as sampled. Delivered: the first N molecules that pass. Both are judged by
``molscore.evaluate`` against the model's reference (the Fréchet ChemNet distance needs the extra ``fcd``, ``--xtb`` the
extra ``xtb``). The time is that of ``molscore generate --n 100`` as a process of its own. With ``--ship``
the figures are also put beside the weights, where ``molscore info`` shows them.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import molscore
from molscore import pretrained


def main() -> None:
    """Runs the measurements and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=pretrained.DEFAULT)
    parser.add_argument("--reference", help="of the evaluation (default: that of the model's data)")
    parser.add_argument("--xtb", type=int, default=0, help="raw samples to relax with GFN2-xTB")
    parser.add_argument("--n", type=int, default=2000, help="raw samples, and delivered molecules")
    parser.add_argument("--delivered", type=int, help="delivered molecules, if not as many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="default: the model's")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ship", action="store_true", help="also write the figures beside the weights")
    words = parser.parse_args()

    record = pretrained.about(words.model)["record"]
    result = {"model": words.model, "hardware": hardware(), "seed": words.seed, "training": record}
    result["main_job"] = time_main_job(words)
    result |= {kind: measure(kind, words) for kind in ("raw", "delivered")}
    result["steps"] = result["raw"]["manifest"]["steps"]
    print(markdown(result))
    text = json.dumps(result, indent=1) + "\n"
    words.out.write_text(text)
    if words.ship:
        pretrained.find(words.model).with_suffix(".json").write_text(text)


def measure(kind: str, words: argparse.Namespace) -> dict:
    """Samples and judges, raw or delivered, on all cores there are to use."""
    raw, generator = kind == "raw", molscore.MoleculeGenerator.from_pretrained(words.model, words.device)
    reference = words.reference or ("druglike" if generator.model.implied_hydrogens else "qm9")
    n = words.n if raw else words.delivered or words.n
    made = generator.generate(n, raw=raw, seed=words.seed, steps=words.steps, workers="auto")
    print(f"{kind}: {made.manifest}", file=sys.stderr, flush=True)
    metrics = molscore.evaluate(made.mols, reference, fcd=True, xtb=words.xtb if raw else 0, workers="auto")
    print(f"== {kind} ==\n{metrics.format_text()}", flush=True)
    return {"manifest": made.manifest, "metrics": metrics.to_dict()}


ROWS = {
    "valid and connected": ("rates", "valid_connected"),
    "PoseBusters-valid (`mol_fast`), of all": ("rates", "posebusters_of_all"),
    "unique, of valid": ("rates", "unique"),
    "novel, of unique": ("rates", "novel"),
    "atoms stable, explicit bonds": ("rates", "atoms_stable_explicit"),
    "molecules stable, explicit bonds": ("rates", "molecules_stable_explicit"),
    "atoms stable, EDM's distance table": ("rates", "atoms_stable_distance"),
    "molecules stable, EDM's distance table": ("rates", "molecules_stable_distance"),
    "bond lengths, W1 to the reference, Å": ("distances", "bond_wasserstein"),
    "bond angles, W1, °": ("distances", "angle_wasserstein"),
    "dihedrals, W1, °": ("distances", "dihedral_wasserstein"),
    "elements, total variation": ("differences", "elements"),
    "ring sizes, mean difference": ("differences", "rings"),
    "functional groups, mean difference": ("differences", "groups"),
    "Fréchet ChemNet distance": ("fcd", None),
    "relaxation energy (MMFF94s), median, kcal/mol": ("relaxation", None),
    "relaxation energy (GFN2-xTB), median, kcal/mol": ("xtb_relaxation", None),
    "QED, mean": ("properties", "qed"),
    "synthetic accessibility, mean": ("properties", "sa"),
    "logP, mean": ("properties", "logp"),
    "molar mass, mean, g/mol": ("properties", "mw"),
    "rings, mean": ("properties", "rings"),
    "heavy atoms, mean": ("properties", "heavy"),
    "with an unusual pattern": ("unusual", "any"),
}


def markdown(result: dict) -> str:
    """The README's table of a result: percentages with 95 % intervals, distances with the floor of a perfect model."""
    kinds = ("raw", "delivered")
    heads = [f"{kind}, n = {result[kind]['manifest']['requested']:,}" for kind in kinds]
    lines = [f"| | {' | '.join(heads)} |", "|---|---|---|"]
    for label, (group, key) in ROWS.items():
        cells = [cell(result[kind]["metrics"], group, key) for kind in kinds]
        table_of_qm9 = "distance table" in label and result["raw"]["metrics"]["reference"] != "qm9"
        if set(cells) == {"–"} or table_of_qm9:  # its bond lengths are those of small molecules
            continue
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(metrics: dict, group: str, key: str | None) -> str:
    """One figure with its interval, its floor, or the reference's own figure."""
    if group == "properties":
        mine, theirs = (metrics[k].get(group) for k in ("composition", "reference_composition"))
        return f"{mine[key]:.3g}; reference {theirs[key]:.3g}" if mine and theirs else "–"
    if group == "unusual":
        mine, theirs = (metrics[k].get(group) for k in ("composition", "reference_composition"))
        return f"{mine[key]:.1%}; reference {theirs[key]:.1%}".replace("%", " %") if mine and theirs else "–"
    entry = metrics.get(group) if key is None else metrics[group].get(key)
    if entry is None or (group == "rates" and not entry["total"]):
        return "–"
    if group == "rates":
        return "{value:.1%} ({low:.1%} to {high:.1%})".format(**entry).replace("%", " %")
    if group.endswith("relaxation"):
        own = metrics[f"reference_{group}"]
        interval = (
            " ({low:.2f} to {high:.2f})".format(**entry) if entry["low"] is not None else ""
        )  # of few there is none
        return f"{entry['median']:.2f}{interval}" + (f"; reference {own['median']:.2f}" if own else "")
    if group == "differences":
        return f"{entry:.4f}"
    return f"{entry['value']:.3g} (floor {entry['floor']:.2g})"


def time_main_job(words: argparse.Namespace) -> dict[str, float | int]:
    """Wall time of ``molscore generate --n 100``, start of Python included."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "molscore", "generate", "--n", "100", "--out", f"{folder}/mols.sdf"]
        command += ["--model", words.model, "--seed", str(words.seed)]
        command += ["--steps", str(words.steps)] if words.steps else []
        began = time.perf_counter()
        subprocess.run([*command, "--device", words.device, "--quiet"], check=True)
        return {"n": 100, "seconds": round(time.perf_counter() - began, 1)}


def hardware() -> str:
    """The class of machine, without naming it."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {os.cpu_count()} cores ({platform.machine()})"


if __name__ == "__main__":
    main()
