"""A core kept at its pose, in a pocket, towards a property, all at once: how many attempts meet all of it?

    python scripts/composed.py pockets_dev --out data/benchmarks/composed.json

The folder is that of ``pocket.py``. Of each crystal ligand the largest ring system stays where it lies; the rest is
made anew, inside the pocket, with the property asked for. Two arms: guided by pocket and property, and by neither
(``guidance=0``), the core given and the same checks in both. An attempt is a hit if it passes all checks: sound, the
core where it was, inside without a clash, and the property within its bounds. Each pocket is written when it is done;
the same command goes on where it stopped.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
from completion_verdict import rate
from rdkit import Chem, RDLogger
from results import number, percent, read_rows, table, write_rows

from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.pocket.receptor import read_pocket
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.attempts import BatchJudge

ARMS = {"guided": 1.0, "not guided": 0.0}
"""Strength of the guidance."""

SMALLEST = 5
"""Heavy atoms of a core; a ligand without such a ring system is left out."""


def main() -> None:
    """Measures what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of pockets")
    parser.add_argument("--model", default="druglike")
    parser.add_argument("--target", default="logp=2..4")
    parser.add_argument("--pockets", type=int, default=10, help="the first so many of a fixed random order")
    parser.add_argument("--attempts", type=int, default=16, help="in each, by each arm")
    parser.add_argument("--steps", type=int, help="from noise to molecule; by default the model's")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    generator = MoleculeGenerator.from_pretrained(words.model, device="cpu")
    header = {"data": words.data.name, "weights": generator.weights, "target": words.target, "steps": words.steps}
    header |= {"attempts": words.attempts}
    rows = read_rows(words.out, header)
    known = {row["pocket"] for row in rows}
    names = sorted(path.name for path in words.data.iterdir() if path.is_dir())
    order = np.random.default_rng(0).permutation(len(names))[: words.pockets]
    for name in (names[k] for k in order if names[k] not in known):
        ligand, protein = (words.data / name / f"{name}_{file}" for file in ("ligand.sdf.gz", "protein.pdb.gz"))
        part, pocket = core(next(read_sdf(ligand)).mol), read_pocket(protein, ligand)
        row = {"pocket": name, "core": Chem.MolToSmiles(part) if part else None}
        if part:
            for arm, guidance in ARMS.items():
                options = GenerationOptions(
                    scaffold=part, pocket=pocket, targets=(words.target,), guidance=guidance, steps=words.steps
                )
                row[arm] = measured(generator, options, words.attempts)
        rows.append(row)
        write_rows(words.out, header, rows)
    print(markdown(rows))


def core(ligand: Chem.Mol) -> Chem.Mol | None:
    """The largest ring system of a molecule, where it lies; None if it has none."""
    mol = Chem.RemoveHs(ligand)
    systems: list[set[int]] = []
    for ring in mol.GetRingInfo().AtomRings():
        joined = [system for system in systems if system & set(ring)]
        systems = [system for system in systems if system not in joined] + [set(ring).union(*joined)]
    largest = max(systems, key=len, default=set())
    if len(largest) < SMALLEST:
        return None
    Chem.Kekulize(mol, clearAromaticFlags=True)
    part = Chem.RWMol(mol)
    for index in reversed(range(mol.GetNumAtoms())):
        if index not in largest:
            part.RemoveAtom(index)
    for atom in part.GetAtoms():
        atom.SetNoImplicit(False)
        atom.SetNumExplicitHs(0)
    Chem.SanitizeMol(part)
    return part.GetMol()


def measured(generator: MoleculeGenerator, options: GenerationOptions, count: int) -> dict:
    """Attempts, hits, and why others are none."""
    options, began = generator.resolved(options), time.process_time()
    judge = BatchJudge(generator, 0, options)
    made = [attempt for batch in generator.batches(range(count), 0, options) for attempt in judge(batch)]
    faults = Counter(attempt.fault.token for attempt in made if attempt.fault)
    seconds = round(time.process_time() - began, 2)
    return {"attempts": count, "hits": count - faults.total(), "faults": dict(faults), "cpu_seconds": seconds}


def markdown(rows: list[dict]) -> str:
    """Both arms, all pockets."""
    rows = [row for row in rows if row["core"]]
    arms = {arm: [row[arm] for row in rows] for arm in ARMS}
    hits = {arm: sum(x["hits"] for x in some) for arm, some in arms.items()}
    tried = {arm: sum(x["attempts"] for x in some) for arm, some in arms.items()}
    seconds = {arm: sum(x["cpu_seconds"] for x in some) for arm, some in arms.items()}
    faults = {arm: sum((Counter(x["faults"]) for x in some), Counter()) for arm, some in arms.items()}
    lines = [
        ["hits", *(percent(rate(hits[arm], tried[arm])) for arm in ARMS)],
        ["pockets with one", *(f"{sum(x['hits'] > 0 for x in arms[arm])} of {len(rows)}" for arm in ARMS)],
        ["CPU seconds for each", *(number(seconds[arm] / max(hits[arm], 1), ".1f") for arm in ARMS)],
        ["others, most often", *(", ".join(f"{k} {t}" for t, k in faults[arm].most_common(3)) for arm in ARMS)],
    ]
    heads = [f"{arm}, n = {np.sum(tried[arm])}" for arm in ARMS]
    return table(["", *heads], lines)


if __name__ == "__main__":
    main()
