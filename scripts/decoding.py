"""What decoding does: rates of the same samples raw and decoded, side by side, and what the repairs cost in time.

    python scripts/decoding.py --model qm9 --n 500 --out data/benchmarks/decoding.json

Raw is the most probable class of every atom and pair. Decoded is the most probable neutral molecule, see
`molscore.chem.decode`. Nothing is filtered: a sample that is no molecule stays in every denominator.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from results import percent, write_json

import molscore
from molscore import pretrained
from molscore.chem.decode import decode
from molscore.evaluate.rates import Rate
from molscore.generate import GenerationOptions, Judge
from molscore.train.record import sha256

RATES = {
    "valid_connected": "valid and connected",
    "molecules_stable_explicit": "molecules stable, explicit bonds",
    "molecules_stable_distance": "molecules stable, EDM's distance table",
    "posebusters_of_all": "PoseBusters-valid (`mol_fast`), of all",
    "unique": "unique, of valid",
}


def main() -> None:
    """Samples once, judges twice, writes the JSON file and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="qm9", help="a bundled model or a .safetensors file")
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="default: the model's")
    parser.add_argument("--posebusters", action="store_true", help="also run PoseBusters, some 50 ms a molecule")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()

    torch.set_num_threads(words.threads)
    generator = molscore.MoleculeGenerator.from_pretrained(words.model, words.device)
    steps = words.steps or generator.model.config.sampling.steps
    samples = generator.sample(range(words.n), words.seed, GenerationOptions(steps))
    result = {"model": words.model, "sha256": sha256(pretrained.find(words.model))}
    result |= {
        "n": words.n,
        "seed": words.seed,
        "steps": words.steps or generator.model.config.sampling.steps,
        "seconds": repair_times(generator, samples),
    }
    judged = {}
    for raw in (True, False):
        judge = Judge(generator.model, GenerationOptions(raw=raw))
        judged[raw] = [judge(k, sample) for k, sample in enumerate(samples)]
    for raw, name in ((True, "raw"), (False, "decoded")):
        mols = [attempt.mol for attempt in judged[raw]]
        metrics = molscore.evaluate(
            mols, reference=None, posebusters="mol_fast" if words.posebusters else None, relaxation=False
        ).to_dict()
        result[name] = {key: metrics["rates"][key] for key in RATES if key in metrics["rates"]}
    result["repaired"] = Rate(sum(attempt.repaired for attempt in judged[False]), words.n, "samples").to_dict()
    write_json(words.out, result)
    print(markdown(result))


def repair_times(generator, samples: list) -> dict[str, float]:
    """Seconds that decoding took for each sample: quantiles, the longest, and the share of samples over one second."""
    seconds = []
    for sample in samples:
        parts = sample.atom_probabilities, sample.bond_probabilities, sample.positions
        began = time.perf_counter()
        decode(*parts, generator.model.vocabulary, repair=True, charge=0)
        seconds.append(time.perf_counter() - began)
    times = {"mean": np.mean(seconds), "median": np.median(seconds), "quantile_99": np.quantile(seconds, 0.99)}
    times |= {"longest": max(seconds), "share_over_1_s": np.mean(np.array(seconds) > 1)}
    return {name: round(float(value), 5) for name, value in times.items()}


def markdown(result: dict) -> str:
    """Raw and decoded side by side, with 95 % Wilson intervals; then what it cost."""
    lines = [f"| n = {result['n']:,} | raw | decoded |", "|---|---|---|"]
    for key, label in RATES.items():
        if key in result["raw"]:
            lines.append(f"| {label} | {percent(result['raw'][key])} | {percent(result['decoded'][key])} |")
    lines.append(f"\nRepaired: {percent(result['repaired'])}. Decoding took, in seconds: ")
    return "\n".join(lines) + ", ".join(f"{name} {value:.4g}" for name, value in result["seconds"].items())


if __name__ == "__main__":
    main()
