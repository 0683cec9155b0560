"""Runs the product as a user would, chunk by chunk, so that a long run that is stopped goes on where it was."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rdkit import Chem

from judge.sets import Molecule

HOURS = 4
"""After so long a chunk is given up."""


class Delivery(NamedTuple):
    """What came of a chunk: records by title, refusals (reason, detail) by title, and the command's end."""

    records: dict[str, list[Chem.Mol]]
    refusals: dict[str, tuple[str, str]]
    code: int
    stderr: str


def state(product: Path) -> str:
    """Which product: the tree of its package in a working copy, and a hash of what was changed since the commit."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", product, *words], capture_output=True, text=True, check=False).stdout

    changed = git("diff", "HEAD", "--", "molscore")
    mark = f"+{hashlib.sha256(changed.encode()).hexdigest()[:8]}" if changed else ""
    return git("rev-parse", "--short", "HEAD:molscore").strip() + mark


def deliver(chunk: Sequence[Molecule], name: str, folder: Path, product: Path, words: Sequence[str]) -> Delivery:
    """The conformers of a chunk, made now or by an earlier run with the same input, options and product."""
    paths = {kind: folder / f"{name}.{kind}" for kind in ("smi", "sdf", "csv", "json")}
    text = "".join(f"{mol.smiles} {mol.key}\n" for mol in chunk)
    header = {"input": text, "words": list(words), "product": state(product)}
    done = json.loads(paths["json"].read_text()) if paths["json"].is_file() else {}
    if done.get("header") != header:
        for path in paths.values():
            path.unlink(missing_ok=True)
        paths["smi"].write_text(text)
        command = [sys.executable, "-m", "molscore", "conformers", paths["smi"].resolve(), "--quiet", *words]
        command += ["--out", paths["sdf"].resolve(), "--problems", paths["csv"].resolve()]
        environment = os.environ | {"PYTHONPATH": str(product.resolve())}
        run = subprocess.run(
            command, cwd=product, env=environment, capture_output=True, text=True, timeout=HOURS * 3600, check=False
        )
        done = {"header": header, "code": run.returncode, "stderr": run.stderr[-2000:]}
        paths["json"].write_text(json.dumps(done))
    return Delivery(records(paths["sdf"]), refusals(paths["csv"]), done["code"], done["stderr"])


def records(path: Path) -> dict[str, list[Chem.Mol]]:
    """By title; what RDKit cannot read has the title of none and is missed."""
    by_name: dict[str, list[Chem.Mol]] = {}
    if path.is_file() and path.stat().st_size:
        for mol in Chem.SDMolSupplier(str(path), removeHs=False):
            if mol is not None:
                by_name.setdefault(mol.GetProp("_Name"), []).append(mol)
    return by_name


def refusals(path: Path) -> dict[str, tuple[str, str]]:
    """Reason and detail by name."""
    if not path.is_file():
        return {}
    with open(path, newline="") as file:
        return {row["name"]: (row["reason"], row["detail"]) for row in csv.DictReader(file)}
