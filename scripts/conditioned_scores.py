r"""Whether likelihood and uncertainty tell good samples from bad ones, where a pocket or a shape guided them.

    python scripts/conditioned_scores.py --pockets pockets_dev --shapes natural.sdf.gz gdb.sdf.gz \
        --out data/benchmarks/conditioned_scores.json

Samples of ``generate --pocket`` and ``generate --like``, those that are rejected too, are scored as ``--uncertainty``
scores what passes: by the graph-conditioned model, which knows nothing of pocket or query. Areas under ROC curves with
intervals at 95 % (bootstrap over samples), of samples of all pockets, or queries, together:

    pocket: delivered, or rejected    by the checks of ``generate``, for whatever reason
    pocket: sound and in place, or misplaced    among those whose geometry is sound
    pocket: PoseBusters' ``dock`` passed, or failed    among those delivered
    shape: valid, or rejected
    shape: alike, or less    above or below the median likeness of its query, among the valid ones
"""

import argparse
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pocket_judges as judge
from rdkit import RDLogger
from results import write_json
from usefulness import SIGNS, area

from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.pocket.receptor import read_pocket
from molscore.generate import Attempt, GenerationOptions, Judge, MoleculeGenerator
from molscore.score import MoleculeScore, MoleculeScorer

MISPLACED = ("pocket_clash", "outside_pocket")

FEWEST = 5
"""Samples on either side of a comparison, at least."""


def main() -> None:
    """Samples, scores, writes the file and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pockets", type=Path, help="folder of pockets, see pocket.py")
    parser.add_argument("--shapes", type=Path, nargs="*", default=[], help="SDF files of queries")
    parser.add_argument("--each", type=int, default=12, help="samples of a pocket, or of a query")
    parser.add_argument("--most", type=int, default=8, help="pockets, and queries of a file, by a random choice")
    parser.add_argument("--steps", type=int, help="steps from noise to molecule; by default the model's")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    generator, scorer = MoleculeGenerator.from_pretrained(device="cpu"), MoleculeScorer.from_pretrained(device="cpu")
    samples = [] if words.pockets is None else list(of_pockets(generator, scorer, words))
    samples += [one for path in words.shapes for one in of_shapes(generator, scorer, path, words)]
    header = {"weights": generator.weights, "scorer": scorer.weights, "each": words.each, "most": words.most}
    rows = compared(samples)
    write_json(words.out, {"header": header, "rows": rows, "samples": samples})
    print(markdown(rows))


def of_pockets(
    generator: MoleculeGenerator, scorer: MoleculeScorer, words: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Samples of pockets: reason of rejection, PoseBusters' verdict, scores."""
    names = sorted(path.name for path in words.pockets.iterdir() if path.is_dir())
    for k in np.random.default_rng(1).permutation(len(names))[: words.most].tolist():
        folder = words.pockets / names[k]
        ligand, protein = (folder / f"{names[k]}_{part}.gz" for part in ("ligand.sdf", "protein.pdb"))
        options = GenerationOptions(steps=words.steps, pocket=read_pocket(protein, ligand))
        attempts = made(generator, options, words.each, k)
        passed = [attempt for attempt in attempts if attempt.fault is None]
        with TemporaryDirectory() as temporary:
            (plain := Path(temporary, "protein.pdb")).write_text(gzip.open(protein, "rt").read())
            verdicts = judge.busted([attempt.built for attempt in passed], plain) if passed else []
        sound = {id(a): all(checks.values()) for a, checks in zip(passed, verdicts, strict=True)}
        for attempt, values in scored(scorer, attempts):
            yield {"kind": "pocket", "of": names[k], "reason": attempt.reason, "sound": sound.get(id(attempt))} | values
        print(names[k], flush=True)


def of_shapes(
    generator: MoleculeGenerator, scorer: MoleculeScorer, path: Path, words: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Samples of queries: reason of rejection, likeness, scores."""
    queries = [record.mol for record in read_sdf(path) if record.mol is not None]
    for k in np.random.default_rng(1).permutation(len(queries))[: words.most].tolist():
        attempts = made(generator, GenerationOptions(steps=words.steps, like=queries[k]), words.each, k)
        for attempt, values in scored(scorer, attempts):
            like = attempt.properties.get("like_shape")
            yield {"kind": "shape", "of": f"{path.name} {k}", "reason": attempt.reason, "like": like} | values
        print(path.name, k, flush=True)


def made(generator: MoleculeGenerator, options: GenerationOptions, n: int, seed: int) -> list[Attempt]:
    """Attempts of which there is a molecule."""
    verdict = Judge(generator.model, options)
    attempts = [verdict(k, sample) for k, sample in enumerate(generator.sample(range(n), seed, options))]
    return [attempt for attempt in attempts if attempt.mol is not None]


def scored(scorer: MoleculeScorer, attempts: Sequence[Attempt]) -> Iterator[tuple[Attempt, dict[str, float]]]:
    """Attempts that have scores, with them."""
    scores = scorer.score([attempt.built for attempt in attempts])
    for attempt, score in zip(attempts, scores, strict=True):
        if score.reason is None:
            yield attempt, {name: round(float(getattr(score, name)), 5) for name in SIGNS}


def compared(samples: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each comparison of which there are samples; areas where there are enough on both sides."""
    pocket, shape = ([one for one in samples if one["kind"] == kind] for kind in ("pocket", "shape"))
    delivered, valid = ([one for one in group if one["reason"] is None] for group in (pocket, shape))
    middle = {of: float(np.median([v["like"] for v in valid if v["of"] == of])) for of in {one["of"] for one in valid}}
    alike = [one["like"] > middle[one["of"]] for one in valid]
    tasks = {
        "pocket: delivered, or rejected": (delivered, [one for one in pocket if one["reason"]]),
        "pocket: in place, or misplaced": (delivered, [one for one in pocket if one["reason"] in MISPLACED]),
        "pocket: passes PoseBusters `dock`, or fails": (
            [one for one in delivered if one["sound"]],
            [one for one in delivered if not one["sound"]],
        ),
        "shape: valid, or rejected": (valid, [one for one in shape if one["reason"]]),
        "shape: more alike than the median of its query, or less": (
            [one for one, near in zip(valid, alike, strict=True) if near],
            [one for one, near in zip(valid, alike, strict=True) if not near],
        ),
    }
    rng, rows = np.random.default_rng(0), []
    for task, groups in tasks.items():
        if not any(groups):
            continue
        row: dict[str, Any] = {"task": task, "good": len(groups[0]), "bad": len(groups[1])}
        if min(map(len, groups)) >= FEWEST:
            good, bad = ([MoleculeScore(**{name: one[name] for name in SIGNS}) for one in group] for group in groups)
            row |= {name: area(name, good, bad, False, rng) for name in SIGNS}
        rows.append(row)
    return rows


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The table of the documentation."""
    heads = ("log-likelihood", "norm of the score", "uncertainty of the score", "of the positions")
    lines = ["| better, or worse | n | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(heads)]
    for row in rows:
        cells = [
            "{area:.2f} ({low:.2f} to {high:.2f})".format(**row[name]) if name in row else "too few" for name in SIGNS
        ]
        lines.append(f"| {row['task']} | {row['good']}, {row['bad']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
