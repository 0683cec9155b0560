"""Molecules of a wanted dipole moment, polarisability or gap: QM9's split-half protocol, with an independent judge.

    molscore data qm9 --out qm9.safetensors
    PYTHONPATH=scripts python -m judge.qm9_judge --data FOLDER
    python scripts/qm9_guide.py qm9.safetensors --data FOLDER --out runs/qm9_guide.safetensors
    python scripts/qm9_targets.py --data FOLDER

Targets are values of molecules of the test split, each with its number of atoms. The judge has learned from half A of
the training molecules, the guide from half B; the model has seen both. The figure is the mean absolute error between
targets and what the judge says of the molecules, as they left the model. Of several candidates for a target the guide
takes the one that it believes closest: it never asks the judge. (Hoogeboom et al., ICML 2022; Bao et al., ICLR 2023.)
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from judge.qm9_data import NAMES, QM9, UNITS, held_out, read
from judge.qm9_judge import Judge, errors, load
from property_guide import EARLIEST
from rdkit import RDLogger
from results import read_rows, table, write_rows

from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.estimates import estimates
from molscore.generate.guiding import guide as guidance
from molscore.generate.judge import Judge as Checks
from molscore.guidance.properties import Aim
from molscore.guidance.property_guide import PropertyGuide, load_guide
from molscore.model import MoleculeDiffusion, Sample, sample_molecules
from molscore.randomness import Purpose, stream

MODEL, BATCH = "qm9", 24
WIDTH = 0.05
"""Half the width of what meets a target, in standard deviations of the property."""

REPAIRED = 0.5
"""How much farther a repaired candidate counts, in standard deviations; chosen on validation molecules."""

PUBLISHED = {"EDM": (1.12, 2.78, 0.671), "goal": (0.51, 1.16, 0.297)}
"""mu, alpha, gap in the units of the table."""


@dataclass(frozen=True)
class Made:
    """Candidates of an arm, in order of targets.

    Attributes:
        samples: as they left the model.
        passed: molecules that passed all checks, else None.
        repaired: whether decoding had to depart from the most probable classes.
    """

    samples: list[Sample]
    passed: list[Any]
    repaired: list[bool]

    def __getitem__(self, rows: Any) -> "Made":
        """Those of some numbers, in their order."""
        return Made(*([part[row] for row in rows] for part in (self.samples, self.passed, self.repaired)))


def generated(
    generator: MoleculeGenerator,
    sizes: np.ndarray,
    seed: int,
    steps: int | None,
    wish: tuple[PropertyGuide, int, np.ndarray, float] | None = None,
) -> Made:
    """Samples of sizes ``(M,)``; a wish is a guide, the place of the property, targets ``(M,)`` and a strength."""
    model, samples = generator.model, dict[int, Sample]()
    order = np.argsort(-sizes, kind="stable")
    for at in range(0, len(order), BATCH):
        rows, guided = order[at : at + BATCH], None
        streams = [stream(seed, Purpose.MOLECULE, int(row)) for row in rows]
        if wish is not None:
            guide, place, targets, strength = wish
            half, own = WIDTH * float(guide.deviation[place]), torch.from_numpy(targets[rows])
            aim = Aim(place, own - half, own + half, 0)
            guided = guidance([guide.energy([aim])], strength)
        made = sample_molecules(model, sizes[rows].tolist(), streams, steps=steps, guide=guided)
        samples |= zip(rows.tolist(), made, strict=True)
    checks = Checks(model, GenerationOptions())
    judged = [checks(k, samples[k]) for k in range(len(sizes))]
    passed = [attempt.built if attempt.fault is None else None for attempt in judged]
    repaired = [attempt.repaired for attempt in judged]
    return Made([samples[k] for k in range(len(sizes))], passed, repaired)


def believed(guide: PropertyGuide, name: str, mols: list[Any]) -> np.ndarray:
    """``(M,)``: what the guide says of finished molecules, in the property's unit; infinite where there is none."""
    estimate = estimates(guide, [name], EARLIEST)
    return np.array([np.inf if mol is None else estimate(mol)[name] for mol in mols])


@torch.no_grad()
def judged(judge: Judge, numbers: list[np.ndarray], positions: list[np.ndarray]) -> np.ndarray:
    """``(M, 3)``: what the judge says of molecules."""
    values = [
        judge(torch.from_numpy(z.astype(np.int64))[None], torch.from_numpy(x.astype(np.float32))[None])[0]
        for z, x in zip(numbers, positions, strict=True)
    ]
    return torch.stack(values).numpy()


def of_samples(judge: Judge, model: MoleculeDiffusion, samples: list[Sample]) -> np.ndarray:
    """`judged`, of the most probable elements."""
    table = np.array([number for number, _ in model.vocabulary])
    return judged(judge, [table[s.atom_probabilities.argmax(-1)] for s in samples], [s.positions for s in samples])


def mean_of(off: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """The mean of errors ``(M,)``, with a 95 % bootstrap interval."""
    rng = np.random.default_rng(seed)
    draws = off[rng.integers(len(off), size=(2000, len(off)))].mean(1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return {
        "n": len(off),
        "value": round(float(off.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def arm(judge: Judge, model: MoleculeDiffusion, made: Made, place: int, targets: np.ndarray) -> dict[str, Any]:
    """Errors of all samples, and of those that passed all checks."""
    off = np.abs(of_samples(judge, model, made.samples)[:, place] - targets)
    sound = np.array([mol is not None for mol in made.passed])
    entry = {"all": mean_of(off), "passed": int(sound.sum())}
    if sound.any():
        mols = [mol for mol in made.passed if mol is not None]
        numbers = [np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()]) for mol in mols]
        positions = [mol.GetConformer().GetPositions() for mol in mols]
        entry["sound"] = mean_of(np.abs(judged(judge, numbers, positions)[:, place] - targets[sound]))
    return entry


def best(guide: PropertyGuide, name: str, made: Made, targets: np.ndarray, k: int) -> Made:
    """Of each k candidates in a row that which the guide believes closest to its target, among those that passed.

    Where a graph was repaired the positions may not suit it, and the guide is less to be believed.
    """
    far = np.abs(believed(guide, name, made.passed) - np.repeat(targets, k))
    far = far + REPAIRED * float(guide.deviation[guide.names.index(name)]) * np.array(made.repaired)
    return made[far.reshape(-1, k).argmin(1) + k * np.arange(len(targets))]


def shuffled(judge: Judge, model: MoleculeDiffusion, made: Made, place: int, targets: np.ndarray) -> dict[str, Any]:
    """Errors against the targets of others: the mean over all of them, for each sample."""
    off = np.abs(of_samples(judge, model, made.samples)[:, place, None] - targets[None])
    np.fill_diagonal(off, 0)
    return mean_of(off.sum(1) / (len(targets) - 1))


def markdown(header: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """The table of the page."""
    cells = []
    for row in rows:
        name, place = row["property"], NAMES.index(row["property"])
        shown = [row["shuffled"], row["unguided"]["all"], row["guided"]["all"]]
        shown += [row["best_unguided"]["sound"], row["best"]["sound"]]
        cells.append(
            [f"{name}, {UNITS[name]}", *("{value:.2f} ({low:.2f} to {high:.2f})".format(**one) for one in shown)]
            + [f"{row['guided']['passed'] / header['n']:.0%}; {row['best']['passed'] / header['n']:.0%}"]
            + [f"{header['judge'][name]:.2f}", *(f"{values[place]:.2f}" for values in PUBLISHED.values())]
        )
    many = f"best of {header['candidates']}"
    heads = ["property", "targets shuffled", "sizes alone", "guided", f"{many}, unguided", f"{many}, guided"]
    heads += ["pass checks: guided; best", "judge's own error", "EDM", "best published"]
    return table(heads, cells)


def measured(
    generator: MoleculeGenerator, guide: PropertyGuide, judge: Judge, data: QM9, rows: np.ndarray, words: Any
) -> Iterator[dict[str, Any]]:
    """The rows of the table, one for each of the properties."""
    sizes, k = (data.atomic_numbers[rows] > 0).sum(1), words.candidates
    model, plain = generator.model, generated(generator, np.repeat(sizes, k), words.seed, words.steps)
    first = range(0, len(plain.samples), k)
    for name in words.properties:
        place, began = NAMES.index(name), time.process_time()
        targets = data.values[rows, place]
        wish = guide, place, np.repeat(targets, k), words.strength
        made = generated(generator, np.repeat(sizes, k), words.seed + 1, words.steps, wish)
        seconds = time.process_time() - began
        arms = {"unguided": plain[first], "best_unguided": best(guide, name, plain, targets, k)}
        arms |= {"guided": made[first], "best": best(guide, name, made, targets, k)}
        row = {"property": name, "unit": UNITS[name], "shuffled": shuffled(judge, model, plain[first], place, targets)}
        row |= {title: arm(judge, model, each, place, targets) for title, each in arms.items()}
        yield row | {"cpu_seconds_for_each_sample": round(seconds / len(made.samples), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of qm9pack's CSV files")
    parser.add_argument("--kept", type=Path, default=Path("runs/qm9.npz"))
    parser.add_argument("--judge", type=Path, default=Path("runs/qm9_judge.safetensors"))
    parser.add_argument("--guide", type=Path, default=Path("runs/qm9_guide.safetensors"))
    parser.add_argument("--n", type=int, default=100, help="targets of each property")
    parser.add_argument("--candidates", type=int, default=10, help="for each target")
    parser.add_argument("--properties", nargs="+", default=list(NAMES), choices=NAMES)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tuning", action="store_true", help="targets of the validation split, nothing is written")
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks/qm9_targets.json"))
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    data, judge, guide = read(words.data, words.kept), load(words.judge), load_guide(words.guide)
    generator = MoleculeGenerator.from_pretrained(MODEL, device="cpu")
    validation, test = held_out()
    rows = (validation if words.tuning else test)[words.seed * words.n :][: words.n]
    header = {key: getattr(words, key) for key in ("n", "candidates", "strength", "steps", "seed")}
    header |= {"model": MODEL, "guide": guide.about["record"], "hardware": "CPU, 1 core (x86_64)"}
    if words.tuning:
        for row in measured(generator, guide, judge, data, rows, words):
            print(row, flush=True)
        return
    header["judge"] = {name: round(error, 4) for name, error in errors(judge, data, test).items()}
    known = read_rows(words.out, header)
    words.properties = [name for name in words.properties if name not in [row["property"] for row in known]]
    for row in measured(generator, guide, judge, data, rows, words) if words.properties else ():
        known.append(row)
        write_rows(words.out, header, known)
        print(row, flush=True)
    print(markdown(header, known))


if __name__ == "__main__":
    main()
