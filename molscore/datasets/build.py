"""Tensor files from any list of molecules: in several processes, part by part, resumed after a crash.

Items are cut into parts of `PART`. A finished part lies in a hidden folder beside the output; the same command uses
it again if the items are still the same. At the end the parts become one file and the folder goes.

Which split a molecule belongs to follows from its isomeric SMILES alone, so that it is the same in every file that it
turns up in: 90 % train, 5 % valid, 5 % test. Of the same molecule the first is kept, or the first few, as conformers.
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.arrays import MoleculeArrays, MoleculeError, isomeric_smiles, to_mol, with_stereo
from molscore.chem.hydrogens import without_hydrogens
from molscore.chem.properties import packed, unpacked
from molscore.datasets.layout import SPLITS, TensorFileError
from molscore.datasets.tensorfile import TensorFile, pack, read_tensorfile, unfit, write_tensorfile
from molscore.files.lock import locked
from molscore.files.paths import check_apart
from molscore.limits import check
from molscore.workers import Workers, ready
from molscore.workers import count as count_workers

PART = 1000
"""Items in a part."""

TRAIN, VALID = 0.90, 0.05
"""Shares of the splits; the rest is for tests."""

Item = TypeVar("Item", bound=Chem.Mol | str | tuple[np.ndarray, ...])
Make = Callable[[int, Item], Sequence[MoleculeArrays]]
"""From an item's number and the item to the conformers of a molecule, one or more, with explicit hydrogens; raises
MoleculeError. Must be picklable."""


class BuildOptions(TypedDict, total=False):
    """Arguments of `build` that every source of molecules takes."""

    hydrogens: bool
    workers: int | Literal["auto"]
    on_progress: Callable[[str, int, int], None] | None


class Counts(TypedDict):
    """What a tensor file holds and what was left out, ready for JSON.

    Attributes:
        molecules: each conformer is one.
        distinct: each molecule once.
        dropped: reason to count.
        splits: split to count.
        n_atoms: smallest and largest number.
        vocabulary: atomic number, formal charge, count.
    """

    molecules: int
    distinct: int
    dropped: dict[str, int]
    splits: dict[str, int]
    n_atoms: list[int]
    vocabulary: list[list[int]]


def build(
    items: Sequence[Item],
    make: Make[Item],
    out: str | os.PathLike[str],
    source: str,
    hydrogens: bool = False,
    workers: int | Literal["auto"] = "auto",
    on_progress: Callable[[str, int, int], None] | None = None,
    conformers: int = 1,
) -> Counts:
    """Makes a tensor file.

    Args:
        items: what `make` turns into molecules; their places in the list are the molecules' numbers.
        make: does so.
        out: the file to write.
        source: sentence on where the items come from, for the file's metadata.
        hydrogens: keep hydrogens as atoms; else heavy atoms alone are stored, see `molscore.chem.hydrogens`.
        workers: processes; ``auto`` for as many as there are cores to use.
        on_progress: called with the stage, the number of finished items, and their total.
        conformers: of the same molecule so many are kept at most, the first.

    Raises:
        IsADirectoryError: `out` is a folder.
        ValueError: no molecule is left, or `conformers` is below 1.
    """
    check_conformers(conformers)
    check_out(out)
    out = Path(out)
    report = on_progress or (lambda stage, completed, total: None)
    folder = out.with_name(f".{out.name}.parts")
    number, starts = count_workers(workers), list(range(0, len(items), PART))
    work = partial(_part, make, folder, hydrogens)
    completed = 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        with Workers(ready(work), min(number, len(starts)) or 1) as pool:
            for count in pool.map((start, list(map(packed, items[start : start + PART]))) for start in starts):
                completed += count
                report("molecules", completed, len(items))
        return _joined(out, folder, starts, source, hydrogens, conformers)


def _joined(out: Path, folder: Path, starts: list[int], source: str, hydrogens: bool, conformers: int) -> Counts:
    """Puts the parts together as one file, removes them, and returns the counts of `build`."""
    parts = [read_tensorfile(folder / f"{start}.safetensors") for start in starts]
    dropped = sum((Counter(json.loads(part.metadata["dropped"])) for part in parts), Counter())
    arrays, distinct = _merge(parts, conformers, dropped)
    if not len(arrays["n_atoms"]):
        raise ValueError(f"no molecule is left, dropped: {dict(dropped)}")
    metadata = {
        "source": source,
        "hydrogens": "atoms" if hydrogens else "implied by valence",
        "split_rule": f"by hash of the isomeric SMILES: {TRAIN:.0%} train, {VALID:.0%} valid, rest test",
    }
    counts = finish(out, arrays, metadata, dropped, distinct)
    shutil.rmtree(folder)
    return counts


def check_out(out: str | os.PathLike[str], *sources: str | os.PathLike[str]) -> None:
    """Checks before the work begins that the file can be written.

    Raises:
        IsADirectoryError: `out` is a folder.
        ValueError: `out` is one of the sources, by whatever name: it would be overwritten.
    """
    out = Path(out)
    if out.is_dir():
        raise IsADirectoryError(f"{out} is a folder; name the file to write, such as {out / 'molecules.safetensors'}.")
    check_apart({"out": out}, {f"source {k}": source for k, source in enumerate(sources, start=1)})


def check_conformers(conformers: int) -> None:
    """Raises ValueError if so many conformers of a molecule cannot be kept."""
    check("kept_conformers", conformers, "conformers")


def finish(
    out: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str], dropped: Counter[str], distinct: int
) -> Counts:
    """Writes a tensor file with its counts in the metadata, and returns the counts of `build`."""
    splits = {name: int((arrays["split"] == k).sum()) for k, name in enumerate(SPLITS)}
    counted = {"rdkit": rdBase.rdkitVersion, "dropped": json.dumps(dropped), "splits": json.dumps(splits)}
    write_tensorfile(out, arrays, {**metadata, **counted})
    atoms = Counter(zip(arrays["atomic_numbers"].tolist(), arrays["formal_charges"].tolist(), strict=True))
    return {
        "molecules": len(arrays["n_atoms"]),
        "distinct": distinct,
        "dropped": dict(dropped.most_common()),
        "splits": splits,
        "n_atoms": [int(arrays["n_atoms"].min()), int(arrays["n_atoms"].max())],
        "vocabulary": [[number, charge, count] for (number, charge), count in sorted(atoms.items())],
    }


def key_of(arrays: MoleculeArrays, implied: bool) -> int:
    """63 bits of a hash of the isomeric SMILES, which decide on identity and split."""
    smiles = isomeric_smiles(to_mol(arrays, implied=implied))
    return int.from_bytes(hashlib.blake2b(smiles.encode(), digest_size=8).digest(), "big") >> 1


def split_of(keys: np.ndarray) -> np.ndarray:
    """(M,) uint8 indices into `SPLITS`, from (M,) keys."""
    share = keys / 2.0**63
    return ((share >= TRAIN).astype(np.uint8) + (share >= TRAIN + VALID)).astype(np.uint8)


def first_of_each(keys: np.ndarray, most: int) -> np.ndarray:
    """(M,) bool: True at the first `most` places of every key in (M,) keys."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    kept = np.ones(len(keys), dtype=bool)
    kept[order[most:]] = ordered[most:] != ordered[:-most]
    return kept


def _part(make: Make[Item], folder: Path, hydrogens: bool, part: tuple[int, list[Any]]) -> int:
    """Makes one part, unless it is there: a tensor file whose metadata hold keys and counts of dropped items.

    Args:
        part: the number of its first item, and the items as `molscore.chem.properties.packed` makes them.
    """
    start, items = part[0], [unpacked(item) for item in part[1]]
    path = folder / f"{start}.safetensors"
    function = getattr(make, "func", make)  # of a partial
    settings = sorted(getattr(make, "keywords", {}).items())
    about = f"{function.__module__}.{function.__qualname__} {settings} {rdBase.rdkitVersion} {hydrogens} "
    fingerprint = hashlib.sha256(about.encode() + b"\0".join(_bytes(item) for item in items)).hexdigest()
    try:
        if read_tensorfile(path).metadata.get("items") == fingerprint:
            return len(items)
    except (FileNotFoundError, TensorFileError):
        pass
    molecules: list[MoleculeArrays] = []
    numbers: list[int] = []
    keys: list[int] = []
    dropped: Counter[str] = Counter()
    for number, item in enumerate(items, start):
        try:
            made = [arrays if hydrogens else without_hydrogens(arrays) for arrays in make(number, item)]
            made = [with_stereo(arrays, implied=not hydrogens) for arrays in _fit(made, dropped)]
            made = _fit(made, dropped)
            keys += [key_of(arrays, implied=not hydrogens) for arrays in made]
        except MoleculeError as error:
            dropped[error.reason] += 1
            continue
        molecules += made
        numbers += [number] * len(made)
    arrays = pack(molecules, np.zeros(len(molecules)), np.array(numbers, dtype=int))
    metadata = {"items": fingerprint, "keys": json.dumps(keys), "dropped": json.dumps(dropped)}
    write_tensorfile(path, arrays, metadata)
    return len(items)


def _fit(molecules: Sequence[MoleculeArrays], dropped: Counter[str]) -> list[MoleculeArrays]:
    """Those that a tensor file can hold; the reasons of the others are counted."""
    reasons = [unfit(molecule) for molecule in molecules]
    dropped.update(reason for reason in reasons if reason is not None)
    return [molecule for molecule, reason in zip(molecules, reasons, strict=True) if reason is None]


def _bytes(item: Chem.Mol | str | tuple[np.ndarray, ...]) -> bytes:
    """Bytes that distinguish an item from others."""
    if isinstance(item, Chem.Mol):
        return item.ToBinary()
    return item.encode() if isinstance(item, str) else b"".join(np.ascontiguousarray(x).tobytes() for x in item)


def _merge(parts: list[TensorFile], conformers: int, dropped: Counter[str]) -> tuple[dict[str, np.ndarray], int]:
    """All parts in a row, and how many different molecules these are.

    Molecules that already have `conformers` conformers are left out and counted under ``duplicate``.
    """
    keys = np.concatenate([np.array(json.loads(part.metadata["keys"]), dtype=np.int64) for part in parts])
    first = first_of_each(keys, conformers)
    if not first.all():
        dropped["duplicate"] += int((~first).sum())
    index = np.concatenate([part.arrays["index"] for part in parts])
    whole = (part.molecule(i) for part in parts for i in range(len(part)))
    kept = (molecule for molecule, keep in zip(whole, first, strict=True) if keep)
    return pack(kept, split_of(keys[first]), index[first]), len(np.unique(keys))
