"""Several tensor files in one.

Of the same molecule, stereo included, the first is kept, or the first few, as conformers: name the better geometries
first. Each keeps its split, which `build` makes a matter of the molecule alone. Molecules with an element (and charge)
that hardly ever occurs teach a model little, which would sample it all the same: they can be left out.
"""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from molscore.chem.arrays import MoleculeError, with_stereo
from molscore.chem.hydrogens import without_hydrogens
from molscore.datasets.build import Counts, check_conformers, check_out, finish, first_of_each, key_of
from molscore.datasets.tensorfile import UNSTORABLE, pack, read_tensorfile, unfit


def merge(
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    rare: int = 1,
    max_heavy: int | None = None,
    implied: bool = False,
    conformers: int = 1,
) -> Counts:
    """Joins tensor files.

    Args:
        paths: the files.
        out: the file to write.
        rare: leave out molecules with an element (and charge) that fewer than so many different molecules have.
        max_heavy: leave out molecules of more heavy atoms.
        implied: store heavy atoms alone, also of files with hydrogens; see `molscore.chem.hydrogens`.
        conformers: of the same molecule so many are kept at most, the first.

    Raises:
        ValueError: if `out` is one of the files, if only some files have hydrogens as atoms and `implied` is not set,
            if no molecule is left, or if `conformers` is out of bounds.
        TensorFileError: if one of the files is damaged.
    """
    check_conformers(conformers)
    check_out(out, *paths)
    files = [read_tensorfile(path) for path in paths]
    bare = [file.implied_hydrogens for file in files]
    implied = implied or all(bare)
    if any(bare) and not implied:
        raise ValueError("some of the files have hydrogens as atoms and some imply them; add --implied to imply all")
    dropped: Counter[str] = Counter()
    molecules, split = [], []
    for file, without in zip(files, bare, strict=True):
        for i in range(len(file)):
            try:
                whole = file.molecule(i)
                molecule = without_hydrogens(whole) if implied and not without else whole
                tagged = with_stereo(molecule, implied)
                if (reason := unfit(tagged)) is not None:  # without hydrogens its mean may be elsewhere
                    raise MoleculeError(reason, UNSTORABLE[reason])
                molecules.append(tagged)
                split.append(file.arrays["split"][i])
            except MoleculeError as error:
                dropped[error.reason] += 1
    classes = [set(zip(m.atomic_numbers.tolist(), m.formal_charges.tolist(), strict=True)) for m in molecules]
    kept = np.ones(len(molecules), dtype=bool)

    def drop(reason: str, which: np.ndarray) -> None:
        dropped[reason] += int((kept & which).sum())
        kept[which] = False

    keys = np.array([key_of(molecule, implied) for molecule in molecules], dtype=np.int64)
    first = first_of_each(keys, 1)
    drop("duplicate", ~first_of_each(keys, conformers))
    drop("too_large", np.array([(m.atomic_numbers > 1).sum() for m in molecules]) > (max_heavy or np.inf))
    drop("rare_element", _with_rare(classes, kept & first, rare))
    if not kept.any():
        raise ValueError(f"no molecule is left, dropped: {dict(dropped)}")
    chosen = [molecule for molecule, keep in zip(molecules, kept, strict=True) if keep]
    arrays = pack(chosen, np.array(split)[kept], np.flatnonzero(kept))
    metadata = {
        "source": " and ".join(f"{len(file):,} {file.metadata.get('source', 'molecules')}" for file in files),
        "hydrogens": "implied by valence" if implied else "atoms",
        "split_rule": "; ".join(sorted({file.metadata.get("split_rule", "unknown") for file in files})),
    }
    return finish(Path(out), arrays, metadata, +dropped, int((kept & first).sum()))


def _with_rare(classes: list[set[tuple[int, int]]], counted: np.ndarray, rare: int) -> np.ndarray:
    """(M,) bool: molecules with a class that fewer than `rare` of those counted have, they themselves left out."""
    odd = np.zeros(len(classes), dtype=bool)
    while True:
        counts = Counter(pair for own, keep in zip(classes, counted & ~odd, strict=True) if keep for pair in own)
        now = np.array([any(counts[pair] < rare for pair in own) for own in classes])
        if (now == odd).all():
            return odd
        odd = now | odd
