"""Many molecules in one safetensors file.

Molecules lie end to end. With M molecules of N atoms, B bonds and S stereo tags each:

==================  ==========  ========  ===================================================
array               shape       dtype     what
==================  ==========  ========  ===================================================
``n_atoms``         (M,)        uint8     atoms of each molecule, hydrogens included
``n_bonds``         (M,)        uint8     bonds of each molecule
``atomic_numbers``  (ΣN,)       uint8
``formal_charges``  (ΣN,)       int8
``positions``       (ΣN, 3)     int16     thousandths of an Å, each molecule centred on its mean
``bonds``           (ΣB, 2)     uint8     atom indices inside the molecule, i < j
``bond_orders``     (ΣB,)       uint8     1 to 3, kekulised
``n_stereo``        (M,)        uint8     stereo tags of each molecule
``stereo``          (ΣS, 5)     int16     see `molscore.chem.stereo.tags`; atom indices inside the molecule, and a code
``split``           (M,)        uint8     an index into `SPLITS`
``index``           (M,)        int32     number of the molecule in its source
==================  ==========  ========  ===================================================

Files of version 1 have no stereo: they read as if no molecule had any.

A rounded coordinate is off by at most 0.0005 Å. The metadata are strings: ``format``, ``format_version``, ``units``,
``source`` and further ones of the builder.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from molscore.files.output import write_bytes
from molscore.header import Header, HeaderError, read_header
from molscore.limits import ELEMENTS, MOST_ATOMS, MOST_CHARGE, shown

if TYPE_CHECKING:
    from molscore.chem.arrays import MoleculeArrays

FORMAT = "molscore-molecules"
FORMAT_VERSION = "2"
SPLITS = ("train", "valid", "test")
SCALE = 1000.0
"""Stored units per Å."""

_LAYOUT = {
    "n_atoms": (np.uint8, 1),
    "n_bonds": (np.uint8, 1),
    "atomic_numbers": (np.uint8, 1),
    "formal_charges": (np.int8, 1),
    "positions": (np.int16, 2),
    "bonds": (np.uint8, 2),
    "bond_orders": (np.uint8, 1),
    "n_stereo": (np.uint8, 1),
    "stereo": (np.int16, 2),
    "split": (np.uint8, 1),
    "index": (np.int32, 1),
}


_HEADER_TYPES = {np.uint8: "U8", np.int8: "I8", np.int16: "I16", np.int32: "I32"}

UNSTORABLE = {
    "too_large": f"more than {MOST_ATOMS} atoms, bonds or stereo tags",
    "too_far_apart": f"an atom more than {np.iinfo(np.int16).max / SCALE:.3f} Å from the mean along an axis",
    "coordinates": "a coordinate that is not finite",
    "charge": f"a formal charge beyond {MOST_CHARGE} of either sign",
}
"""Why a molecule cannot be stored."""


class TensorFileError(ValueError):
    """Not a tensor file, or one whose parts do not fit together."""


@dataclass(frozen=True, eq=False)
class TensorFile:
    """The content of a tensor file.

    Attributes:
        arrays: the arrays of the table above, by name.
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
    parts = {name: [np.zeros(tails.get(name, 0), dtype)] for name, (dtype, _) in _LAYOUT.items()}
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
    return {name: np.concatenate(parts[name]).astype(dtype) for name, (dtype, _) in _LAYOUT.items()}


def write_tensorfile(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Writes a tensor file, whole or not at all.

    The content goes to a temporary name in the same folder, which is renamed at the end.

    Args:
        path: where to. Missing folders are made, an existing file is replaced.
        arrays: the arrays of the table above, by name.
        metadata: further strings. Format, version and units are added.

    Raises:
        TensorFileError: if the arrays do not fit together; nothing is written.
    """
    path = Path(path)
    metadata = {**metadata, "format": FORMAT, "format_version": FORMAT_VERSION, "units": "positions: 0.001 angstrom"}
    _check(arrays, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, to_bytes({name: np.ascontiguousarray(arrays[name]) for name in _LAYOUT}, metadata))


def read_tensorfile(path: str | os.PathLike[str]) -> TensorFile:
    """Reads and checks a tensor file.

    Raises:
        FileNotFoundError: if there is none; the message says how to make it.
        TensorFileError: if the file is cut short or corrupt, is something else, is of another version, or if its
            arrays contradict one another.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. `molscore data --help` says how to make a tensor file.")
    try:
        header = read_header(path)
        metadata = header.metadata
        old = _checked_version(header, path)
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in header.tensors}
    except (HeaderError, SafetensorError, OSError) as error:
        raise TensorFileError(f"{path} is cut short, damaged or no tensor file: {error}") from error
    if old:
        arrays["n_stereo"], arrays["stereo"] = np.zeros_like(arrays["n_atoms"]), np.zeros((0, 5), np.int16)
    _check(arrays, path)
    counts = (arrays[name] for name in ("n_atoms", "n_bonds", "n_stereo"))
    offsets = [np.concatenate([[0], np.cumsum(count, dtype=np.int64)]) for count in counts]
    return TensorFile(arrays, metadata, *offsets)


def _checked_version(header: Header, path: Path) -> bool:
    """Whether it is a file of version 1, which has no stereo. TensorFileError unless its arrays are those of the table.

    Asked of the header alone, before the arrays are read.
    """
    metadata = header.metadata
    if metadata.get("format") != FORMAT:
        raise TensorFileError(
            f"{path} is a safetensors file of format {shown(metadata.get('format'))}, not {FORMAT!r}."
        )
    if (version := metadata.get("format_version")) not in ("1", FORMAT_VERSION):
        raise TensorFileError(
            f"{path} has format version {shown(version)}; this molscore reads {FORMAT_VERSION!r}. "
            "Make the file anew with `molscore data`."
        )
    wanted = {name: row for name, row in _LAYOUT.items() if version != "1" or name not in ("n_stereo", "stereo")}
    if other := sorted(set(header.tensors) ^ set(wanted)):
        raise TensorFileError(f"{path}: arrays missing or not known: {', '.join(other)[:200]}")
    for name, (kind, dimensions) in wanted.items():
        entry = header.tensors[name]
        if entry.dtype != _HEADER_TYPES[kind]:
            raise TensorFileError(f"{path}: {name} is {entry.dtype}, not {_HEADER_TYPES[kind]}")
        if len(entry.shape) != dimensions:
            raise TensorFileError(f"{path}: {name} has shape {entry.shape}, not {dimensions} dimensions")
    return version == "1"


def _check(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Raises TensorFileError unless the arrays are those of the table and fit together."""

    def need(condition: bool, complaint: str) -> None:
        if not condition:
            raise TensorFileError(f"{path}: {complaint}")

    need(set(arrays) == set(_LAYOUT), f"arrays missing or not known: {sorted(set(arrays) ^ set(_LAYOUT))}")
    for name, (dtype, dimensions) in _LAYOUT.items():
        array = arrays[name]
        need(array.dtype == dtype, f"{name} is {array.dtype}, not {np.dtype(dtype)}")
        need(array.ndim == dimensions, f"{name} has shape {array.shape}, not {dimensions} dimensions")
    n_atoms, n_bonds = arrays["n_atoms"].astype(np.int64), arrays["n_bonds"].astype(np.int64)
    atoms, bonds = int(n_atoms.sum()), int(n_bonds.sum())
    shapes = {"n_bonds": n_atoms.shape, "split": n_atoms.shape, "index": n_atoms.shape, "atomic_numbers": (atoms,)}
    shapes |= {"n_stereo": n_atoms.shape, "stereo": (int(arrays["n_stereo"].sum()), 5)}
    shapes |= {"formal_charges": (atoms,), "positions": (atoms, 3), "bonds": (bonds, 2), "bond_orders": (bonds,)}
    for name, shape in shapes.items():
        need(
            arrays[name].shape == shape,
            f"{name} has shape {arrays[name].shape}, but {len(n_atoms)} molecules of {atoms} atoms and {bonds} bonds "
            f"in all need {shape}",
        )
    need(bool((n_atoms > 0).all()), "n_atoms has a molecule without atoms")
    numbers, charges = arrays["atomic_numbers"], arrays["formal_charges"].astype(np.int16)
    need(bool(((numbers >= 1) & (numbers <= ELEMENTS)).all()), f"atomic_numbers beyond 1 to {ELEMENTS}")
    need(bool((np.abs(charges) <= MOST_CHARGE).all()), f"formal_charges beyond {MOST_CHARGE} of either sign")
    need(not bonds or 1 <= arrays["bond_orders"].min() <= arrays["bond_orders"].max() <= 3, "bond_orders beyond 1 to 3")
    i, j = arrays["bonds"].T
    need(bool((i < j).all() and (j < np.repeat(n_atoms, n_bonds)).all()), "bonds that are not i < j < n_atoms")
    pairs = np.repeat(np.arange(len(n_atoms)), n_bonds) << 16 | i.astype(np.int64) << 8 | j
    pairs.sort()
    need(bool((pairs[1:] != pairs[:-1]).all()), "bonds of which a molecule has one twice")
    tags, sizes = arrays["stereo"][:, :4].astype(np.int64), np.repeat(n_atoms, arrays["n_stereo"])[:, None]
    need(bool(((tags >= 0) & (tags < sizes)).all()), "stereo with atoms that are not there")
    need(bool(np.isin(arrays["stereo"][:, 4], (-2, -1, 1, 2)).all()), "stereo with codes beyond 1 and 2 of either sign")
    need(bool((arrays["split"] < len(SPLITS)).all()), "split beyond 0 train, 1 valid, 2 test")
