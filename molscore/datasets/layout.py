"""The layout of tensor files: the arrays of a safetensors file of molecules, and the checks that a file has them.

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

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from molscore.header import Header, HeaderError, read_header
from molscore.limits import ELEMENTS, MOST_CHARGE, shown

FORMAT = "molscore-molecules"
FORMAT_VERSION = "2"
SPLITS = ("train", "valid", "test")
SCALE = 1000.0
"""Stored units per Å."""

LAYOUT = {
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
"""Type and number of dimensions of each array."""

_HEADER_TYPES = {np.uint8: "U8", np.int8: "I8", np.int16: "I16", np.int32: "I32"}


class TensorFileError(ValueError):
    """Not a tensor file, or one whose parts do not fit together."""


def check_header(header: Header, path: Path) -> None:
    """TensorFileError unless the arrays are those of the table; a file of version 1 has no stereo.

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
    wanted = {name: row for name, row in LAYOUT.items() if version != "1" or name not in ("n_stereo", "stereo")}
    if other := sorted(set(header.tensors) ^ set(wanted)):
        raise TensorFileError(f"{path}: arrays missing or not known: {', '.join(other)[:200]}")
    for name, (kind, dimensions) in wanted.items():
        entry = header.tensors[name]
        if entry.dtype != _HEADER_TYPES[kind]:
            raise TensorFileError(f"{path}: {name} is {entry.dtype}, not {_HEADER_TYPES[kind]}")
        if len(entry.shape) != dimensions:
            raise TensorFileError(f"{path}: {name} has shape {entry.shape}, not {dimensions} dimensions")


def check_file(path: Path) -> Header:
    """The header of a tensor file, the arrays of which are not read.

    Raises:
        FileNotFoundError: if there is none; the message says how to make it.
        TensorFileError: if the file is cut short or corrupt, is something else or of another version.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. `molscore data --help` says how to make a tensor file.")
    try:
        header = read_header(path)
    except (HeaderError, OSError) as error:
        raise TensorFileError(f"{path} is cut short, damaged or no tensor file: {error}") from error
    check_header(header, path)
    return header


def check_arrays(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Raises TensorFileError unless the arrays are those of the table and fit together."""

    def need(condition: bool, complaint: str) -> None:
        if not condition:
            raise TensorFileError(f"{path}: {complaint}")

    need(set(arrays) == set(LAYOUT), f"arrays missing or not known: {sorted(set(arrays) ^ set(LAYOUT))}")
    for name, (dtype, dimensions) in LAYOUT.items():
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
