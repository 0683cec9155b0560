"""The molecules: a diverse pick of experimental ones, and the list of odd ones."""

import hashlib
import json
import random
from pathlib import Path
from typing import NamedTuple

from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.SimDivFilters import MaxMinPicker

from judge.reference import molecules


class Molecule(NamedTuple):
    """A molecule to make conformers of. Its title in files is `key`."""

    key: str
    smiles: str
    name: str
    kind: str


def odd_molecules(path: Path) -> list[Molecule]:
    """Of a tab-separated list of SMILES, name and class."""
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return [Molecule(f"odd{i:04d}", smiles, name, kind) for i, (smiles, name, kind) in enumerate(rows)]


def diverse_molecules(path: Path, count: int, seed: int, cache: Path) -> list[Molecule]:
    """A MaxMin pick of the molecules of an SDF file, by Morgan fingerprints (radius 2, 2,048 bits), in random order.

    Molecules whose coordinates have other stereo than their SMILES are left out first, and duplicates. The order is
    random so that the first of them are a sample of all. A pick is kept in the file `cache`.
    """
    header = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "count": count, "seed": seed}
    if cache.is_file() and (kept := json.loads(cache.read_text()))["header"] == header:
        return [Molecule(*row) for row in kept["rows"]]
    names = {}
    for mol in molecules(path):
        smiles = Chem.MolToSmiles(Chem.RemoveHs(mol))
        same = not mol.HasProp("SMILES") or Chem.CanonSmiles(mol.GetProp("SMILES")) == smiles
        if same and "." not in smiles:
            names.setdefault(smiles, mol.GetProp("CCD") if mol.HasProp("CCD") else mol.GetProp("_Name"))
    pool = list(names)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = generator.GetFingerprints([Chem.MolFromSmiles(smiles) for smiles in pool])
    picks = list(MaxMinPicker().LazyBitVectorPick(prints, len(prints), min(count, len(prints)), seed=seed))
    random.Random(seed).shuffle(picks)
    rows = [Molecule(f"ccd{names[pool[i]]}", pool[i], names[pool[i]], "ccd") for i in picks]
    cache.write_text(json.dumps({"header": header, "rows": rows}))
    return rows
