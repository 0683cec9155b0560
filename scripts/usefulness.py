"""Do the scores of ``molscore score`` tell good geometries from bad ones? Areas under ROC curves on held-out molecules.

    molscore data sdf dft8k.sdf.gz --hydrogens --out data/dft.safetensors
    molscore data sdf ccd.sdf.gz --hydrogens --relax torsions --out data/crystal.safetensors
    molscore data qm9 --out data/qm9.safetensors
    python scripts/usefulness.py --dft data/dft.safetensors --crystal data/crystal.safetensors \
        --outside data/qm9.safetensors --n 100 --out data/benchmarks/conformers.json --ship

Molecules are those of the test splits. An area is the chance that the worse of a pair, one of each kind, is ranked as
worse: 0.5 is blind. Intervals are 95 %, from a bootstrap over molecules.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmark import hardware
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdMolAlign
from results import write_json
from scipy.stats import rankdata, spearmanr

import molscore
from molscore import pretrained
from molscore.chem.arrays import MoleculeError, to_mol
from molscore.chem.forcefield.minimise import minimise
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.datasets.tensorfile import TensorFile, read_tensorfile
from molscore.evaluate.molecules.busters import bust
from molscore.generate import GenerationOptions, Judge
from molscore.score import MoleculeScore, MoleculeScorer

DISTORTIONS = (0.1, 0.2, 0.5)
"""Å, root mean square displacement of an atom."""

SIGNS = {"log_likelihood": -1, "score_norm": 1, "score_uncertainty": 1, "position_uncertainty": 1}
"""Which way each score points for worse geometries."""

Scores = list[MoleculeScore]


def main() -> None:
    """Scores all sets, writes the JSON file and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="conformers")
    parser.add_argument("--generator", default="druglike", help="the model whose samples are judged")
    parser.add_argument("--dft", type=Path, required=True)
    parser.add_argument("--crystal", type=Path, required=True)
    parser.add_argument("--outside", type=Path, required=True, help="molecules unlike those of the training")
    parser.add_argument("--split", default="test", choices=("valid", "test"))
    parser.add_argument("--n", type=int, default=100, help="molecules of each set")
    parser.add_argument("--samples", type=int, default=100, help="raw samples, for PoseBusters and for errors of atoms")
    parser.add_argument("--steps", type=int, default=15, help="of PoseBusters' samples: few, so that some fail")
    parser.add_argument("--method", default="mmff", choices=("mmff", "xtb"), help="what atoms' errors are taken to")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ship", action="store_true", help="also write the figures beside the weights")
    words = parser.parse_args()
    rdBase.DisableLog("rdApp.*")
    scorer, rng = MoleculeScorer.from_pretrained(words.model), np.random.default_rng(words.seed)
    rows: list[dict] = []

    def tell(name: str, good: Scores, bad: Scores, paired: bool = False) -> None:
        row = {"task": name, "good": len(good), "bad": len(bad)}
        rows.append(row | {score: area(score, good, bad, paired, rng) for score in SIGNS})
        print(row["task"], {score: round(rows[-1][score]["area"], 3) for score in SIGNS}, file=sys.stderr, flush=True)

    known: list[Chem.Mol] = []
    for kind in ("dft", "crystal"):
        mols = representable(scorer, molecules(read_tensorfile(getattr(words, kind)), words, rng))
        good = scorer.score(mols)
        for distance in DISTORTIONS:
            tell(f"{kind}, or distorted by {distance} Å", good, scorer.score(distorted(mols, distance, rng)), True)
        known += mols
    inside = scorer.score(known)
    raw, relaxed = embedded(known, words.seed)
    tell("ETKDG relaxed with MMFF94s, or raw", scorer.score(relaxed), scorer.score(raw), True)
    outside = representable(scorer, molecules(read_tensorfile(words.outside), words, rng))
    tell("inside, or outside the training chemistry", inside, scorer.score(outside))
    judged, lost = scored(scorer, raw_samples(words, words.steps))
    passed = [all(bust(Chem.Mol(mol)).values()) for mol, _ in judged]
    sets = [[score for (_, score), ok in zip(judged, passed, strict=True) if ok is wanted] for wanted in (True, False)]
    tell("samples that pass PoseBusters, or fail", *sets)
    usual, _ = scored(scorer, raw_samples(words, None))
    result = {
        "model": words.model,
        "hardware": hardware(),
        "training": pretrained.about(words.model)["record"],
        "split": words.split,
        "seed": words.seed,
        "rows": rows,
        "generator": words.generator,
        "failing": {"steps": words.steps, "not_representable": lost},
        "errors": errors_of_atoms(usual, words.method, rng),
        "command": time_command([mol for mol, _ in usual][:100]),
    }
    write_json(words.out, result)
    if words.ship:
        write_json(pretrained.find(words.model).with_suffix(".json"), result)
    print(markdown(result))


def molecules(file: TensorFile, words: argparse.Namespace, rng: np.random.Generator) -> list[Chem.Mol]:
    """Random molecules of the split, some more than are asked for."""
    chosen = rng.permutation(file.indices(words.split))[: 2 * words.n]
    return [to_mol(file.molecule(int(i))) for i in chosen]


def representable(scorer: MoleculeScorer, mols: list[Chem.Mol]) -> list[Chem.Mol]:
    """The first half as many that the model can represent."""
    kept = []
    for mol in mols:
        if 2 * len(kept) < len(mols) and scorer.fault(mol) is None:
            kept.append(mol)
    return kept


def distorted(mols: Sequence[Chem.Mol], distance: float, rng: np.random.Generator) -> list[Chem.Mol]:
    """The molecules with every atom displaced by Gaussian noise."""
    copies = []
    for mol in mols:
        moved = Chem.Mol(mol)
        positions = moved.GetConformer().GetPositions()
        moved.GetConformer().SetPositions(positions + distance / 3**0.5 * rng.standard_normal(positions.shape))
        copies.append(moved)
    return copies


def embedded(mols: Sequence[Chem.Mol], seed: int) -> tuple[list[Chem.Mol], list[Chem.Mol]]:
    """Conformers of the same molecules by ETKDGv3, raw and then relaxed with MMFF94s, where both succeed."""
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed + 1
    raw, relaxed = [], []
    for mol in mols:
        copy = Chem.Mol(mol)
        if rdDistGeom.EmbedMolecule(copy, parameters) != 0:
            continue
        minimum = minimise(copy)
        if minimum.reason is None:
            after = Chem.Mol(copy)
            after.GetConformer().SetPositions(minimum.positions)
            raw.append(copy)
            relaxed.append(after)
    return raw, relaxed


def scored(scorer: MoleculeScorer, mols: list[Chem.Mol]) -> tuple[list[tuple[Chem.Mol, MoleculeScore]], int]:
    """Molecules with their scores, and how many have none."""
    pairs = [(mol, score) for mol, score in zip(mols, scorer.score(mols), strict=True) if score.reason is None]
    return pairs, len(mols) - len(pairs)


def raw_samples(words: argparse.Namespace, steps: int | None) -> list[Chem.Mol]:
    """Raw samples that are molecules of some sort; None takes the model's own steps."""
    generator = molscore.MoleculeGenerator.from_pretrained(words.generator)
    judge = Judge(generator.model, GenerationOptions(raw=True))
    samples = generator.sample(range(words.samples), words.seed + 2000, GenerationOptions(steps))
    return [attempt.mol for k, sample in enumerate(samples) if (attempt := judge(k, sample)).mol is not None]


def area(name: str, good: Scores, bad: Scores, paired: bool, rng: np.random.Generator) -> dict[str, float]:
    """Area under the ROC curve of one score, with its interval; paired sets are drawn together in the bootstrap."""
    a, b = (SIGNS[name] * np.array([getattr(score, name) for score in each]) for each in (good, bad))
    areas = []
    for _ in range(500):
        i = rng.integers(len(a), size=len(a))
        areas.append(_area(a[i], b[i if paired else rng.integers(len(b), size=len(b))]))
    low, high = np.quantile(areas, (0.025, 0.975))
    return {"area": _area(a, b), "low": float(low), "high": float(high)}


def _area(good: np.ndarray, bad: np.ndarray) -> float:
    ranks = rankdata(np.concatenate([good, bad]))[len(good) :]
    return float((ranks.sum() - len(bad) * (len(bad) + 1) / 2) / (len(good) * len(bad)))


def errors_of_atoms(
    judged: list[tuple[Chem.Mol, MoleculeScore]], method: str, rng: np.random.Generator
) -> dict[str, object]:
    """Rank correlation, heavy atoms, between an atom's uncertainty and how far it moves in relaxation.

    Heavy atoms of relaxed and raw molecule are laid on one another first. ``within`` is the mean over molecules of the
    correlation among their own atoms, ``pooled`` that of all atoms.
    """
    pairs = []
    for mol, score in judged:
        try:
            Chem.SanitizeMol(mol)
            minimum = minimise(mol, method)
        except (ValueError, MoleculeError):
            continue
        if minimum.reason is not None:
            continue
        moved, seen = Chem.Mol(mol), np.flatnonzero(~np.isnan(score.atom_uncertainty))
        moved.GetConformer().SetPositions(minimum.positions)
        rdMolAlign.AlignMol(moved, mol, atomMap=[(int(i), int(i)) for i in seen])
        shift = moved.GetConformer().GetPositions() - mol.GetConformer().GetPositions()
        pairs.append((score.atom_uncertainty[seen], np.linalg.norm(shift, axis=1)[seen]))
    within = np.array([spearmanr(*pair).statistic for pair in pairs])
    draws = [rng.integers(len(pairs), size=len(pairs)) for _ in range(500)]
    pooled = [_pooled([pairs[i] for i in draw]) for draw in draws]
    return {
        "method": method,
        "molecules": len(pairs),
        "median_error_angstrom": float(np.median(np.concatenate([error for _, error in pairs]))),
        "within": _interval(within.mean(), [within[draw].mean() for draw in draws]),
        "pooled": _interval(_pooled(pairs), pooled),
    }


def _pooled(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    return float(spearmanr(*map(np.concatenate, zip(*pairs, strict=True))).statistic)


def _interval(value: float, draws: list[float]) -> dict[str, float]:
    low, high = np.quantile(draws, (0.025, 0.975))
    return {"correlation": float(value), "low": float(low), "high": float(high)}


def time_command(mols: list[Chem.Mol]) -> dict[str, float | int]:
    """Wall time of ``molscore score`` on these molecules, start of Python included."""
    with tempfile.TemporaryDirectory() as folder:
        with SDFWriter(f"{folder}/mols.sdf") as writer:
            for mol in mols:
                writer.write(mol, "")
        command = [sys.executable, "-m", "molscore", "score", f"{folder}/mols.sdf", "--out", f"{folder}/out.sdf"]
        began = time.perf_counter()
        subprocess.run([*command, "--quiet"], check=True)
        return {"n": len(mols), "seconds": round(time.perf_counter() - began, 1)}


def markdown(result: dict) -> str:
    """Areas as a Markdown table, then the correlations."""
    heads = ("log-likelihood", "norm of the score", "uncertainty of the score", "of the positions")
    lines = ["| better, or worse | n | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(heads)]
    for row in result["rows"]:
        cells = ["{area:.3f} ({low:.3f} to {high:.3f})".format(**row[score]) for score in SIGNS]
        lines.append(f"| {row['task']} | {row['good']}, {row['bad']} | " + " | ".join(cells) + " |")
    errors = result["errors"]
    intervals = {
        key: "{correlation:.3f} ({low:.3f} to {high:.3f})".format(**errors[key]) for key in ("within", "pooled")
    }
    lines += ["", f"Rank correlation of atoms' uncertainty with their error, {errors['molecules']} samples: "]
    lines[-1] += f"{intervals['within']} within molecules, {intervals['pooled']} pooled"
    return "\n".join(lines)


if __name__ == "__main__":
    main()
