"""Do two states of the project make the same of the same seeds? New molecules by SMILES, conformers by coordinates.

    python scripts/same_results.py 9f2d75b HEAD

Both states run from the same weights, each in a git worktree of its own. Of conformers the heavy atoms are compared as
the model put them (``--relax none``), each with the nearest conformer of the other state, nothing superimposed. Which
proposals are kept also depends on hydrogens and energies: of a rigid molecule it may be another copy, turned.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from compare_speed import ROOT, git, worktree
from rdkit import Chem

SEED = 7
MOLECULES = ROOT / "scripts" / "compare_speed.smi"
CLOSE = 1e-3
"""Å."""


def main() -> None:
    """Prints how many molecules, and how many conformers, are the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", help="commit, branch or tag")
    parser.add_argument("head", help="another")
    parser.add_argument("--n", type=int, default=50, help="molecules of each model")
    parser.add_argument("--conformers", type=int, default=3, help="of each of 32 drugs")
    words = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        states = [
            stack.enter_context(worktree(git("rev-parse", commit), folder / name))
            for name, commit in (("base", words.base), ("head", words.head))
        ]
        for model in ("druglike", "qm9"):
            made = [run(state, "generate", "--n", words.n, "--seed", SEED, "--model", model) for state in states]
            before, after = ([mol.GetProp("SMILES") for mol in mols] for mols in made)
            same = sum(a == b for a, b in zip(before, after, strict=True))
            print(f"{model}: {same} of {words.n} molecules have the same SMILES")
        asked = ["conformers", MOLECULES, "--n", words.conformers, "--seed", SEED, "--relax", "none"]
        before, after = (heavy(run(state, *asked)) for state in states)
    nearest = [
        (min(float(np.abs(x - y).max()) for y in after[name]), name) for name, own in before.items() for x in own
    ]
    others = [f"{name} ({distance:.2g} Å)" for distance, name in nearest if distance >= CLOSE]
    print(f"conformers: {len(nearest) - len(others)} of {len(nearest)} within {CLOSE:g} Å; others: {', '.join(others)}")


def run(state: Path, *words: object) -> list[Chem.Mol]:
    """The molecules that a command of a state writes."""
    out = state.parent / "out.sdf"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "molscore", *map(str, words), "--out", str(out), "--quiet"]
    environment = os.environ | {"PYTHONPATH": str(state)}
    subprocess.run(command, cwd=state, env=environment, check=True, stderr=subprocess.DEVNULL)
    return list(Chem.SDMolSupplier(str(out), removeHs=False))


def heavy(mols: list[Chem.Mol]) -> dict[str, list[np.ndarray]]:
    """Positions of heavy atoms, conformer by conformer, by the title of the molecule."""
    positions: dict[str, list[np.ndarray]] = {}
    for mol in mols:
        atoms = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
        positions.setdefault(mol.GetProp("_Name"), []).append(mol.GetConformer().GetPositions()[atoms])
    return positions


if __name__ == "__main__":
    main()
