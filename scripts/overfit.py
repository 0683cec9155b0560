"""Shows that the checks for memorisation and mode collapse fire where they should, and only there.

    python scripts/overfit.py data/qm9.safetensors --out data/benchmarks/overfit.json

The shipped model is trained on with nothing but 200 small molecules of QM9's training split until it knows them by
heart. Then samples and molecules that no model has seen are judged as ``molscore evaluate --training`` does it:

* the overfitted model's samples against a file of small molecules alone, its 200 and those of the test split:
  memorisation must be found. They are compared with molecules of their own size, as the check demands;
* its samples against all of QM9: a collapse onto few modes must be found;
* small molecules of the validation split against the former, the shipped model's samples against the latter: nothing
  must be found.
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
    "matrix_rate=6e-4",
    "warmup_steps=50",
    "ema_decay=0.99",
    "pair_budget=7200",
    "valid_batches=4",
    "checkpoint_every=500",
)
"""Small steps: what is learned by heart is fine detail, and large ones drown it in noise."""


def write_subset(source: TensorFile, path: Path, n: int, atoms: int, seed: int) -> None:
    """Writes a tensor file of small molecules: ``n`` of the training split, all of the other splits.

    Args:
        source: QM9.
        path: where to.
        n: how many molecules to train on.
        atoms: the most atoms of a molecule.
        seed: of the choice.
    """
    sizes = source.arrays["n_atoms"]
    train, valid, test = (i[sizes[i] <= atoms] for i in map(source.indices, ("train", "valid", "test")))
    chosen = np.random.default_rng(seed).choice(train, n, replace=False)
    kept = np.sort(np.concatenate([chosen, valid, test]))
    arrays = pack((source.molecule(i) for i in kept), source.arrays["split"][kept], source.arrays["index"][kept])
    about = f"{n} training molecules of QM9 of at most {atoms} atoms, drawn with seed {seed}; all such others"
    write_tensorfile(path, arrays, {"source": about})


def overfit(words: argparse.Namespace, subset: Path) -> Path:
    """Trains a finished model on the subset, or goes on where it was interrupted. Returns the new weights."""
    if not subset.exists():
        write_subset(read_tensorfile(words.tensors), subset, words.molecules, words.atoms, words.seed)
    run = words.folder / "run"
    own = [f"data={subset}", f"out={run}", f"steps={words.steps}", f"decay_steps={words.steps // 2}"]
    config = load_config(CONFIG, [*OVERRIDES, *own, f"seed={words.seed}", *words.set])
    resume = (run / "checkpoint.pt").exists()
    return train(config, resume=resume, init_from=None if resume else words.model)


def judge(mols: list[Chem.Mol], training: Path) -> dict:
    """What the checks say, and whether they fire."""
    metrics = molscore.evaluate(mols, posebusters=None, relaxation=False, training=training)
    if not metrics.memorisation["samples"]:
        sys.exit("none of the samples is a molecule: train longer")
    measures = {name: metrics.rates[name].to_dict() for name in ("valid", "unique", "novel")} | metrics.memorisation
    return measures | {
        "effective_molecules": metrics.effective_molecules,
        "memorisation_fires": measures["graph"]["z"] > MEMORISED,
        "collapse_fires": measures["coverage"]["ratio"] < COLLAPSED,
    }


def markdown(result: dict) -> str:
    """What the checks said, as a table."""
    lines = ["| molecules, against which | z, graphs | z, conformers | coverage, of a fair sample's | found |"]
    lines.append("|---|---|---|---|---|")
    for name, measures in result["cases"].items():
        conformers = measures["conformer"]["z"]
        cells = [name, f"{measures['graph']['z']:.1f}", "–" if conformers is None else f"{conformers:.1f}"]
        cells.append(f"{measures['coverage']['ratio']:.2f}")
        cells.append(", ".join(c for c in ("memorisation", "collapse") if measures[f"{c}_fires"]) or "nothing")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Trains, samples, judges and writes the file; ends with an error if a check does not do as it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tensors", type=Path, help="tensor file of QM9")
    parser.add_argument("--molecules", type=int, default=200, help="how many to train on")
    parser.add_argument("--atoms", type=int, default=12, help="the most atoms of these")
    parser.add_argument("--steps", type=int, default=12000, help="of training")
    parser.add_argument("--n", type=int, default=1000, help="samples")
    parser.add_argument("--model", default="qm9", help="what is trained on, and must not make the checks fire")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("runs/overfit"), help="of the training run")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="changes to the training run")
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks/overfit.json"))
    words = parser.parse_args()
    subset = words.folder / "subset.safetensors"
    weights = overfit(words, subset)

    def sampled(model: str) -> list[Chem.Mol]:
        return MoleculeGenerator.from_pretrained(model).generate(words.n, seed=words.seed, raw=True).mols

    small, copies = read_tensorfile(subset), sampled(str(weights))
    unseen = [to_mol(small.molecule(i)) for i in small.indices("valid")[: words.n]]
    # Name -> (molecules, what they are compared with, must memorisation fire?, must collapse? None: not judged).
    cases = {
        "overfitted model, against small molecules": (copies, subset, True, None),
        "overfitted model, against QM9": (copies, words.tensors, None, True),
        "unseen small molecules, against small molecules": (unseen, subset, False, False),
        f"{words.model}, against QM9": (sampled(words.model), words.tensors, False, False),
    }
    record = pretrained.about(str(weights))["record"]
    result = {
        "trained_on": words.molecules,
        "of_at_most_atoms": words.atoms,
        "samples": words.n,
        "seed": words.seed,
        "model": words.model,
        "model_sha256": sha256(pretrained.find(words.model)),
        "training": {name: record[name] for name in ("step", "molecules", "seconds", "hardware", "init_from", "valid")},
        "thresholds": {"memorisation_z_above": MEMORISED, "coverage_ratio_below": COLLAPSED},
        "cases": {},
    }
    wrong = []
    for name, (mols, training, *expected) in cases.items():
        measures = result["cases"][name] = judge(mols, training)
        fired = {check: measures[f"{check}_fires"] for check in ("memorisation", "collapse")}
        print(
            f"{name}: z {measures['graph']['z']:.1f}, coverage ratio {measures['coverage']['ratio']:.3f}, fires {fired}"
        )
        pairs = zip(fired.items(), expected, strict=True)
        wrong += [f"{check} on {name}" for (check, fires), must in pairs if must not in (None, fires)]
    write_json(words.out, result)
    print(markdown(result))
    if wrong:
        sys.exit(f"not as it should be: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
