"""What targets of properties are worth: hits of guided molecules against rejection sampling, by attempts and CPU time.

    python scripts/targets.py --attempts 100 --unguided 200

Both arms are the same model, steps and checks. A hit is a different molecule that passes all checks and whose
properties, by RDKit, lie within the bounds. Unguided molecules are made once and judged by every target. The result
grows target by target in ``--out``.
"""

import argparse
import time
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch
from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import rdFingerprintGenerator
from results import number, read_rows, table, write_rows

from molscore.chem.checks.descriptors import describe
from molscore.chem.targets import Target, read_targets
from molscore.evaluate.rates import wilson
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.attempts import BatchJudge
from molscore.generate.judge import Attempt
from molscore.pretrained import DEFAULT

TARGETS = (
    "logp=2.5+-0.25",
    "logp=5+-0.5",
    "tpsa=60..90",
    "tpsa=120..140",
    "qed=0.9..1",
    "logp=0+-0.25 tpsa=90..110",
    "logp=4+-0.25 hbd=2",
)
"""Common and rare ones; those of one text hold together."""


def attempts(
    generator: MoleculeGenerator, count: int, seed: int, options: GenerationOptions
) -> tuple[list[Attempt], float]:
    """The first attempts of a run, and the seconds of CPU time they took."""
    options, began = generator.resolved(options), time.process_time()
    judge = BatchJudge(generator, seed, options)
    made = [attempt for batch in generator.batches(range(count), seed, options) for attempt in judge(batch)]
    return sorted(made, key=lambda attempt: attempt.index), time.process_time() - began


def sound(made: list[Attempt]) -> list[Attempt]:
    """Those that pass all checks, whether or not they meet a target."""
    return [attempt for attempt in made if attempt.fault is None or attempt.fault.token == "target"]


def row(made: list[Attempt], seconds: float, targets: tuple[Target, ...]) -> dict[str, Any]:
    """Counts and diversity of an arm."""
    passed, smiles, hits = sound(made), set[str](), []
    for attempt in passed:
        values = describe(attempt.built, tuple(target.name for target in targets))
        own = Chem.MolToSmiles(Chem.RemoveHs(attempt.built))
        if own not in smiles and all(target.miss(values[target.name]) is None for target in targets):
            hits.append(attempt)
        smiles.add(own)
    mols = [attempt.built for attempt in hits]
    strains = [strain for attempt in hits if (strain := attempt.properties.get("strain_kcal_per_mol")) is not None]
    low, high = wilson(len(hits), len(made))
    return {
        "attempts": len(made),
        "sound": len(passed),
        "unrepaired": sum(not attempt.repaired for attempt in made),
        "unique": len(smiles),
        "hits": len(hits),
        "hits_per_1000": {"value": 1000 * len(hits) / len(made), "low": 1000 * low, "high": 1000 * high},
        "cpu_seconds": round(seconds, 2),
        "hits_per_cpu_minute": round(60 * len(hits) / seconds, 3),
        "tanimoto_of_hits": similarity(mols),
        "sa_of_hits": round(fmean(describe(mol, ("sa",))["sa"] for mol in mols), 2) if mols else None,
        "strain_of_hits_kcal_per_mol": round(median(map(float, strains)), 2) if strains else None,
    }


def similarity(mols: list[Chem.Mol]) -> float | None:
    """Mean Tanimoto similarity of pairs: Morgan fingerprints, radius 2, 2048 bits."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(Chem.RemoveHs(mol)) for mol in mols]
    pairs = [x for k in range(1, len(prints)) for x in DataStructs.BulkTanimotoSimilarity(prints[k], prints[:k])]
    return round(fmean(pairs), 3) if pairs else None


def gain(guided: dict[str, Any], unguided: dict[str, Any]) -> float:
    """How many times the hits at equal CPU time; where rejection has none, as if it had had one."""
    rate = max(unguided["hits"], 1) / unguided["cpu_seconds"]
    return round(guided["hits"] / guided["cpu_seconds"] / rate, 2)


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table of the page."""
    heads = ("target", "hits of 1,000 attempts", "by rejection", "times the hits", "passes checks", "Tanimoto", "SA")
    cells = []
    for one in rows:
        guided, rejection = one["guided"], one["rejection"]
        supposed = "" if rejection["hits"] else ", had there been one"
        cells.append(
            [
                f"`{one['target']}`",
                "{value:.0f} ({low:.0f} to {high:.0f})".format(**guided["hits_per_1000"]),
                "{value:.0f} ({low:.0f} to {high:.0f})".format(**rejection["hits_per_1000"]),
                f"{one['times']:.1f}{supposed}",
                f"{guided['sound'] / guided['attempts']:.0%}; {rejection['sound'] / rejection['attempts']:.0%}",
                f"{number(guided['tanimoto_of_hits'])}; {number(rejection['tanimoto_of_hits'])}",
                f"{number(guided['sa_of_hits'], '.2f')}; {number(rejection['sa_of_hits'], '.2f')}",
            ]
        )
    return table(heads, cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--attempts", type=int, default=100, help="guided, for each target")
    parser.add_argument("--unguided", type=int, default=200, help="attempts that all targets judge")
    parser.add_argument("--targets", nargs="+", default=list(TARGETS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks/targets.json"))
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    generator = MoleculeGenerator.from_pretrained(words.model, device="cpu")
    header = {"model": words.model, "weights": generator.weights, "seed": words.seed, "steps": words.steps}
    header |= {"attempts": words.attempts, "unguided": words.unguided, "hardware": "CPU, 1 core (x86_64)"}
    rows = read_rows(words.out, header)
    missing = [text for text in words.targets if text not in [one["target"] for one in rows]]
    if not missing:
        print(markdown(rows))
        return
    plain, seconds = attempts(generator, words.unguided, words.seed, GenerationOptions(words.steps))
    for text in missing:
        targets = read_targets(text.split())
        options = GenerationOptions(words.steps, targets=text.split())
        guided = row(*attempts(generator, words.attempts, words.seed, options), targets)
        unguided = row(plain, seconds, targets)
        times = gain(guided, unguided)
        rows.append({"target": text, "guided": guided, "rejection": unguided, "times": times})
        write_rows(words.out, header, rows)
        least = "at least " if not unguided["hits"] else ""
        print(
            f"{text}: {guided['hits']} of {guided['attempts']} guided, {unguided['hits']} of {unguided['attempts']} "
            f"unguided: {least}{times} times the hits at equal CPU time",
            flush=True,
        )


if __name__ == "__main__":
    main()
