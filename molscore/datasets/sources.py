"""Where molecules come from: lists of SMILES, SDF files, and shards of arrays; each as items for `build`.

MOSES: 1.9 million drug-like SMILES of ZINC (Polykovskiy et al., Front. Pharmacol. 11, 565644, 2020).
"""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.arrays import MoleculeArrays, MoleculeError, from_mol
from molscore.chem.embed import embed, embed_mol
from molscore.chem.sdf import read_sdf
from molscore.datasets.build import build

SHARD = ("n_atoms", "n_bonds", "z", "charge", "pos_mA", "bonds", "order")
"""Arrays of a shard: molecules end to end, positions in thousandths of an Å."""


class SourceError(ValueError):
    """A source that cannot be read; the message names it and says why."""


def build_smiles(
    path: str | os.PathLike[str], out: str | os.PathLike[str], n: int | None = None, **options: Any
) -> dict[str, Any]:
    """A tensor file from SMILES: each gets a conformer of ETKDGv3, relaxed with MMFF94s.

    Args:
        path: .csv with a column named SMILES, or .smi or .txt with a SMILES at the beginning of each line.
        out: the file to write.
        n: only the first n lines.
        options: as for `molscore.datasets.build.build`.

    Raises:
        SourceError: if the file has no SMILES.
    """
    items = read_smiles(path)[:n]
    return build(items, _from_smiles, out, f"SMILES of {Path(path).name}; ETKDGv3, MMFF94s", **options)


def build_sdf(
    path: str | os.PathLike[str], out: str | os.PathLike[str], n: int | None = None, **options: Any
) -> dict[str, Any]:
    """A tensor file from an SDF file: 3-D records as they are, missing hydrogens added; 2-D records are embedded.

    Args:
        path: .sdf or .sdf.gz.
        out: the file to write.
        n: only the first n records.
        options: as for `molscore.datasets.build.build`.

    Raises:
        SourceError: if the file has no records.
    """
    items: list[Any] = []
    for record in read_sdf(path):
        if n is not None and len(items) == n:
            break
        items.append(record.mol if record.mol is not None else str(record.reason))
    if not items:
        raise SourceError(f"{path} has no records")
    return build(items, _from_record, out, f"records of {Path(path).name}", **options)


def build_shards(
    folder: str | os.PathLike[str], out: str | os.PathLike[str], n: int | None = None, **options: Any
) -> dict[str, Any]:
    """A tensor file from a folder of .npz shards with the arrays of `SHARD`.

    Args:
        folder: where they are; they are taken in the order of their names.
        out: the file to write.
        n: only the first n molecules.
        options: as for `molscore.datasets.build.build`.

    Raises:
        SourceError: if there are none, or one is damaged.
    """
    paths = sorted(Path(folder).glob("*.npz"))
    if not paths:
        raise SourceError(f"{folder} has no .npz files")
    items: list[tuple[np.ndarray, ...]] = []
    for path in paths:
        items += _shard(path)
        if n is not None and len(items) >= n:
            break
    return build(items[:n], _from_shard, out, f"{len(paths)} shards of {Path(folder).name}", **options)


def read_smiles(path: str | os.PathLike[str]) -> list[str]:
    """The SMILES of a file.

    Raises:
        SourceError: if it has none, or is a .csv without a column named SMILES.
    """
    path = Path(path)
    with path.open(newline="", encoding="utf-8") as stream:
        if path.suffix == ".csv":
            reader = csv.DictReader(stream)
            names = [name for name in reader.fieldnames or () if name.strip().lower() == "smiles"]
            if not names:
                raise SourceError(f"{path} has no column SMILES, only {', '.join(reader.fieldnames or ())}")
            found = [(row[names[0]] or "").strip() for row in reader]
        else:
            found = [line.split()[0] for line in stream if line.strip()]
    if not found:
        raise SourceError(f"{path} holds no SMILES")
    return found


def _shard(path: Path) -> list[tuple[np.ndarray, ...]]:
    """The molecules of a shard, each the arrays of `SHARD` from the third on."""
    try:
        with np.load(path, allow_pickle=False) as file:
            n_atoms, n_bonds, *arrays = (file[name] for name in SHARD)
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"{path} is no shard, or damaged: {error}") from error
    atoms, bonds = (np.cumsum(n.astype(int))[:-1] for n in (n_atoms, n_bonds))
    cuts = (atoms, atoms, atoms, bonds, bonds)
    return list(zip(*(np.split(array, cut) for array, cut in zip(arrays, cuts, strict=True)), strict=True))


def _from_smiles(number: int, smiles: str) -> MoleculeArrays:
    return from_mol(embed(smiles, seed=number))


def _from_record(number: int, record: Chem.Mol | str) -> MoleculeArrays:
    if isinstance(record, str):
        raise MoleculeError("unreadable", record)
    if len(Chem.GetMolFrags(record)) > 1:
        raise MoleculeError("disconnected", "more than one fragment")
    with rdBase.BlockLogs():
        if record.GetNumConformers() == 0 or not record.GetConformer().Is3D():
            return from_mol(embed_mol(Chem.RemoveHs(record), seed=number))
        return from_mol(Chem.AddHs(record, addCoords=True))


def _from_shard(number: int, arrays: tuple[np.ndarray, ...]) -> MoleculeArrays:
    numbers, charges, positions, bonds, orders = arrays
    positions, bonds = (positions / 1000).astype(np.float32), np.sort(bonds.astype(int), axis=1)
    return MoleculeArrays(numbers, charges, positions, bonds, orders)


BUILDERS: dict[str, Callable[..., dict[str, Any]]] = {"smiles": build_smiles, "sdf": build_sdf, "shards": build_shards}
