"""Many molecules in one safetensors file: packing, writing and reading. `molscore.datasets.layout` has its arrays."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from molscore.datasets.layout import (
    FORMAT,
    FORMAT_VERSION,
    LAYOUT,
    SCALE,
    SPLITS,
    TensorFileError,
    check_arrays,
    check_file,
)
from molscore.files.output import written
from molscore.header import in_order
from molscore.limits import MOST_ATOMS, MOST_CHARGE

if TYPE_CHECKING:
    from molscore.chem.arrays import MoleculeArrays

UNSTORABLE = {
    "too_large": f"more than {MOST_ATOMS} atoms, bonds or stereo tags",
    "too_far_apart": f"an atom more than {np.iinfo(np.int16).max / SCALE:.3f} Å from the mean along an axis",
    "coordinates": "a coordinate that is not finite",
    "charge": f"a formal charge beyond {MOST_CHARGE} of either sign",
}
"""Why a molecule cannot be stored."""


@dataclass(frozen=True, eq=False)
class TensorFile:
    """The content of a tensor file.

    Attributes:
        arrays: the arrays of `molscore.datasets.layout`, by name.
        metadata: strings.
        atom_offsets: (M + 1,) int64; the atoms of molecule i are ``atom_offsets[i]`` to ``atom_offsets[i + 1]``.
        bond_offsets, stereo_offsets: (M + 1,) int64, the same for bonds and stereo tags.
    """

    arrays: dict[str, np.ndarray]
    metadata: dict[str, str]
    atom_offsets: np.ndarray
    bond_offsets: np.ndarray
    stereo_offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.arrays["n_atoms"])

    @property
    def implied_hydrogens(self) -> bool:
        """Whether the atoms are heavy atoms alone, and valence implies the hydrogens."""
        return not (self.arrays["atomic_numbers"] == 1).any()

    def molecule(self, i: int) -> "MoleculeArrays":
        """Molecule i, its positions in Å about their mean.

        Raises:
            IndexError: if i is not in 0 ... M - 1.
        """
        from molscore.chem.arrays import MoleculeArrays  # chem needs RDKit; a machine that only trains has none

        if not 0 <= i < len(self):
            raise IndexError(f"molecule {i} of a file with {len(self)}")
        atoms = slice(self.atom_offsets[i], self.atom_offsets[i + 1])
        bonds = slice(self.bond_offsets[i], self.bond_offsets[i + 1])
        stereo = slice(self.stereo_offsets[i], self.stereo_offsets[i + 1])
        return MoleculeArrays(
            atomic_numbers=self.arrays["atomic_numbers"][atoms],
            formal_charges=self.arrays["formal_charges"][atoms],
            positions=(self.arrays["positions"][atoms] / SCALE).astype(np.float32),
            bonds=self.arrays["bonds"][bonds].astype(np.int64),
            bond_orders=self.arrays["bond_orders"][bonds],
            stereo=self.arrays["stereo"][stereo].astype(np.int64),
        )

    def indices(self, split: str) -> np.ndarray:
        """Which molecules belong to a split.

        Args:
            split: one of `SPLITS`.

        Returns:
            (K,) int64, ascending.

        Raises:
            ValueError: for any other word.
        """
        if split not in SPLITS:
            raise ValueError(f"split {split!r} is not one of {', '.join(SPLITS)}")
        return np.flatnonzero(self.arrays["split"] == SPLITS.index(split))


def unfit(molecule: "MoleculeArrays") -> str | None:
    """Why a molecule cannot be stored, a key of `UNSTORABLE`; None if it can."""
    if max(len(molecule.atomic_numbers), len(molecule.bond_orders), len(molecule.stereo)) > MOST_ATOMS:
        return "too_large"
    if not np.isfinite(molecule.positions).all():
        return "coordinates"
    if np.abs(_centred(molecule)).max() > np.iinfo(np.int16).max:
        return "too_far_apart"
    if np.abs(np.asarray(molecule.formal_charges, dtype=int)).max() > MOST_CHARGE:
        return "charge"
    return None


def _centred(molecule: "MoleculeArrays") -> np.ndarray:
    """Positions about their mean, as they are stored, in whole thousandths of an Å."""
    positions = np.asarray(molecule.positions, dtype=np.float64)
    return np.rint((positions - positions.mean(axis=0)) * SCALE)


def pack(molecules: Iterable["MoleculeArrays"], split: np.ndarray, index: np.ndarray) -> dict[str, np.ndarray]:
    """Lays molecules end to end in the arrays that `write_tensorfile` takes.

    Args:
        molecules: M molecules, each of them fit to be stored.
        split: (M,) indices into `SPLITS`.
        index: (M,) numbers of the molecules in their source.

    Raises:
        ValueError: for a molecule that is `unfit`.
    """
    tails = {"positions": (0, 3), "bonds": (0, 2), "stereo": (0, 5)}
    parts = {name: [np.zeros(tails.get(name, 0), dtype)] for name, (dtype, _) in LAYOUT.items()}
    for k, molecule in enumerate(molecules):
        if (reason := unfit(molecule)) is not None:
            raise ValueError(f"molecule {k} is too large or odd for a tensor file: {UNSTORABLE[reason]}")
        n, m, s = len(molecule.atomic_numbers), len(molecule.bond_orders), len(molecule.stereo)
        centred = _centred(molecule)
        parts["n_atoms"].append(np.array([n]))
        parts["n_bonds"].append(np.array([m]))
        parts["atomic_numbers"].append(molecule.atomic_numbers)
        parts["formal_charges"].append(molecule.formal_charges)
        parts["positions"].append(centred)
        parts["bonds"].append(np.reshape(molecule.bonds, (m, 2)))
        parts["bond_orders"].append(molecule.bond_orders)
        parts["n_stereo"].append(np.array([s]))
        parts["stereo"].append(np.reshape(molecule.stereo, (s, 5)))
    parts["split"].append(np.asarray(split))
    parts["index"].append(np.asarray(index))
    return {name: np.concatenate(parts[name]).astype(dtype) for name, (dtype, _) in LAYOUT.items()}


def write_tensorfile(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Writes a tensor file, whole or not at all.

    The content goes to a temporary name in the same folder, which is renamed at the end.

    Args:
        path: where to. Missing folders are made, an existing file is replaced.
        arrays: the arrays of `molscore.datasets.layout`, by name.
        metadata: further strings. Format, version and units are added.

    Raises:
        TensorFileError: if the arrays do not fit together; nothing is written.
    """
    path = Path(path)
    metadata = {**metadata, "format": FORMAT, "format_version": FORMAT_VERSION, "units": "positions: 0.001 angstrom"}
    check_arrays(arrays, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = to_bytes({name: np.ascontiguousarray(arrays[name]) for name in LAYOUT}, metadata)
    with written(path) as file:
        file.writelines(in_order(data))


def read_tensorfile(path: str | os.PathLike[str]) -> TensorFile:
    """Reads and checks a tensor file.

    Raises:
        FileNotFoundError: if there is none; the message says how to make it.
        TensorFileError: if the file is cut short or corrupt, is something else, is of another version, or if its
            arrays contradict one another.
    """
    path = Path(path)
    header = check_file(path)
    metadata, old = header.metadata, "stereo" not in header.tensors
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in header.tensors}
    except (SafetensorError, OSError) as error:
        raise TensorFileError(f"{path} is cut short, damaged or no tensor file: {error}") from error
    if old:
        arrays["n_stereo"], arrays["stereo"] = np.zeros_like(arrays["n_atoms"]), np.zeros((0, 5), np.int16)
    check_arrays(arrays, path)
    counts = (arrays[name] for name in ("n_atoms", "n_bonds", "n_stereo"))
    offsets = [np.concatenate([[0], np.cumsum(count, dtype=np.int64)]) for count in counts]
    return TensorFile(arrays, metadata, *offsets)
