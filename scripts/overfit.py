"""Shows that the checks for memorisation and mode collapse fire where they should, and only there.

    python scripts/overfit.py data/qm9.safetensors --out data/benchmarks/overfit.json

The shipped model is trained on with nothing but 200 molecules of QM9's training split until it knows them by heart.
Then its samples, those of the shipped model itself, and molecules that no model has seen are compared as ``molscore
evaluate --training`` does it: with the 200 and the test split, or with all of QM9.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from rdkit import Chem
from results import write_json

import molscore
from molscore import pretrained
from molscore.chem.arrays import to_mol
from molscore.datasets.tensorfile import TensorFile, pack, read_tensorfile, write_tensorfile
from molscore.generate import MoleculeGenerator
from molscore.train.config import load_config
from molscore.train.loop import train
from molscore.train.record import sha256

MEMORISED = 3.0
"""z of the neighbours' test above which it fires."""

COLLAPSED = 0.5
"""Coverage, relative to that of a fair sample, below which it fires."""

CONFIG = Path(__file__).parents[1] / "configs" / "qm9.yaml"
OVERRIDES = (
    "learning_rate=5e-4",
    "matrix_rate=1e-3",
    "warmup_steps=100",
    "decay_steps=0",
    "ema_decay=0.99",
    "pair_budget=8000",
    "valid_batches=4",
    "checkpoint_every=500",
)


def write_subset(source: TensorFile, path: Path, n: int, seed: int) -> None:
    """Writes a tensor file of ``n`` training molecules; the validation split stays, the test split too.

    Args:
        source: QM9.
        path: where to.
        n: how many molecules to train on.
        seed: of the choice.
    """
    chosen = np.random.default_rng(seed).choice(source.indices("train"), n, replace=False)
    kept = np.sort(np.concatenate([chosen, source.indices("valid"), source.indices("test")]))
    arrays = pack((source.molecule(i) for i in kept), source.arrays["split"][kept], source.arrays["index"][kept])
    write_tensorfile(path, arrays, {"source": f"{n} training molecules of QM9, drawn with seed {seed}"})


def overfit(tensors: Path, folder: Path, n: int, seed: int, steps: int, model: str) -> Path:
    """Trains a finished model on ``n`` molecules, or goes on where it was interrupted. Returns the new weights."""
    subset = folder / "subset.safetensors"
    if not subset.exists():
        write_subset(read_tensorfile(tensors), subset, n, seed)
    run = folder / "run"
    config = load_config(CONFIG, [*OVERRIDES, f"data={subset}", f"out={run}", f"steps={steps}", f"seed={seed}"])
    resume = (run / "checkpoint.pt").exists()
    return train(config, resume=resume, init_from=None if resume else model)


def held_out(tensors: Path, n: int, seed: int) -> list[Chem.Mol]:
    """Molecules of QM9's validation split: no model was trained on them, and they are in no pool."""
    dataset = read_tensorfile(tensors)
    chosen = np.random.default_rng(seed + 1).choice(dataset.indices("valid"), n, replace=False)
    return [to_mol(dataset.molecule(i)) for i in chosen]


def judge(mols: list[Chem.Mol], training: Path) -> dict:
    """What the checks say, and whether they fire."""
    metrics = molscore.evaluate(mols, posebusters=False, relaxation=False, training=training)
    if not metrics.memorisation["samples"]:
        sys.exit("none of the samples is a molecule: train longer")
    found = {name: metrics.rates[name].to_dict() for name in ("valid", "unique", "novel")} | metrics.memorisation
    return found | {
        "effective_molecules": metrics.effective_molecules,
        "memorisation_fires": found["graph"]["z"] > MEMORISED,
        "collapse_fires": found["coverage"]["ratio"] < COLLAPSED,
    }


def main() -> None:
    """Trains, samples, judges and writes the file; ends with an error if a check does not do as it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tensors", type=Path, help="tensor file of QM9")
    parser.add_argument("--molecules", type=int, default=200, help="how many to train on")
    parser.add_argument("--steps", type=int, default=4000, help="of training")
    parser.add_argument("--n", type=int, default=1000, help="samples, and held-out molecules")
    parser.add_argument("--model", default="qm9", help="what is trained on, and must not make the checks fire")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("runs/overfit"), help="of the training run")
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks/overfit.json"))
    words = parser.parse_args()
    weights = overfit(words.tensors, words.folder, words.molecules, words.seed, words.steps, words.model)
    subset = words.folder / "subset.safetensors"

    def sampled(model: str) -> list[Chem.Mol]:
        return MoleculeGenerator.from_pretrained(model).generate(words.n, seed=words.seed, raw=True).mols

    unseen = held_out(words.tensors, words.n, words.seed)
    cases = {
        "overfitted model": (True, sampled(str(weights)), subset),
        "held-out molecules, against the same": (False, unseen, subset),
        "held-out molecules, against QM9": (False, unseen, words.tensors),
        f"{words.model}, against QM9": (False, sampled(words.model), words.tensors),
    }
    record = pretrained.about(str(weights))["record"]
    result = {
        "trained_on": words.molecules,
        "samples": words.n,
        "seed": words.seed,
        "model": words.model,
        "model_sha256": sha256(pretrained.find(words.model)),
        "training": {name: record[name] for name in ("step", "molecules", "seconds", "hardware", "valid")},
        "thresholds": {"memorisation_z_above": MEMORISED, "coverage_ratio_below": COLLAPSED},
        "cases": {},
    }
    wrong = []
    for name, (expected, mols, training) in cases.items():
        found = result["cases"][name] = judge(mols, training)
        fired = {check: found[f"{check}_fires"] for check in ("memorisation", "collapse")}
        print(f"{name}: z {found['graph']['z']:.1f}, coverage ratio {found['coverage']['ratio']:.3f}, fires {fired}")
        wrong += [f"{check} on {name}" for check, fires in fired.items() if fires != expected]
    write_json(words.out, result)
    if wrong:
        sys.exit(f"not as it should be: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
