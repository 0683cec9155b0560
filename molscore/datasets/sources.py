"""Where molecules come from: lists of SMILES, SDF files, and shards of arrays; each as items for `build`.

MOSES: 1.9 million drug-like SMILES of ZINC (Polykovskiy et al., Front. Pharmacol. 11, 565644, 2020).
"""

import os
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Unpack

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.arrays import MoleculeArrays, MoleculeError, assign_stereo_in_place, from_mol, isomeric_smiles
from molscore.chem.embedding.etkdg import distinct, embed_ensemble, parse
from molscore.chem.forcefield.minimise import MINIMISE_REASONS, check_method, minimise
from molscore.chem.forcefield.settle import RELAXATIONS, settle_in_place
from molscore.chem.io.mol2 import read_structures
from molscore.chem.io.rows import read_rows
from molscore.chem.io.source import check_file
from molscore.datasets.build import BuildOptions, Counts, build, check_out
from molscore.limits import ELEMENTS, MOST_ATOMS, MOST_CHARGE

SHARD = ("n_atoms", "n_bonds", "z", "charge", "pos_mA", "bonds", "order")
"""Arrays of a shard: molecules end to end, positions in thousandths of an Å."""


LARGEST = 100_000
"""Atoms, or bonds, of a molecule in a shard, at most."""

SHARD_BYTES = 2**31
"""Of the arrays of a shard, unpacked, at most."""

DAMAGE = (
    *(OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What reading a damaged shard raises."""


class SourceError(ValueError):
    """A source that cannot be read; the message names it and says why."""


class Unreadable(str):
    """In place of a molecule: why it cannot be read."""


def build_smiles(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    n: int | None = None,
    relax: str = "none",
    conformers: int = 1,
    encoding: str | None = None,
    **options: Unpack[BuildOptions],
) -> Counts:
    """A tensor file from SMILES: each gets conformers of ETKDGv3, relaxed with MMFF94s.

    Args:
        path: table or list of SMILES, see `molscore.chem.io.inputs.read_inputs`.
        out: the file to write.
        n: only the first n records.
        relax: one of `RELAXATIONS`, beyond the minimum of MMFF94s that they come from.
        conformers: how many to make of each; those that differ are kept, see
            `molscore.chem.embedding.etkdg.embed_ensemble`.
        encoding: of the file, by default UTF-8.
        options: as for `molscore.datasets.build.build`.

    Raises:
        SourceError: if the file has no SMILES.
        ValueError: for an unknown relaxation, one that is not installed, or `conformers` below 1.
    """
    check_relaxation(relax)
    check_out(out, path)
    items = list(islice(read_smiles(path, encoding), n))
    if not items:
        raise SourceError(f"{path} holds no SMILES")
    source = f"SMILES of {Path(path).name}; ETKDGv3, MMFF94s" + _then(relax, conformers)
    make = partial(_from_smiles, relax=relax, conformers=conformers)
    return build(items, make, out, source, conformers=conformers, **options)


def build_sdf(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    n: int | None = None,
    relax: str = "none",
    conformers: int = 1,
    encoding: str | None = None,
    **options: Unpack[BuildOptions],
) -> Counts:
    """A tensor file from an SDF file: 3-D records as they are, missing hydrogens added; 2-D records are embedded.

    Args:
        path: SDF file.
        out: the file to write.
        n: only the first n records.
        relax: one of `RELAXATIONS`: ``torsions`` for experimental conformations, ``none`` for geometries to trust.
        conformers: of 3-D records of the same molecule so many are kept, the first; of a 2-D record so many are made.
        encoding: of the file, by default UTF-8.
        options: as for `molscore.datasets.build.build`.

    Raises:
        SourceError: if the file has no records.
        ValueError: for an unknown relaxation, one that is not installed, or `conformers` below 1.
    """
    check_relaxation(relax)
    check_out(out, path)
    items: list[Chem.Mol | Unreadable] = []
    for record in read_structures(path, encoding=encoding):
        if n is not None and len(items) == n:
            break
        items.append(record.mol if record.mol is not None else Unreadable(record.reason))
    if not items:
        raise SourceError(f"{path} has no records")
    source = f"records of {Path(path).name}" + _then(relax, conformers)
    make = partial(_from_record, relax=relax, conformers=conformers)
    return build(items, make, out, source, conformers=conformers, **options)


def build_shards(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    n: int | None = None,
    conformers: int = 1,
    **options: Unpack[BuildOptions],
) -> Counts:
    """A tensor file from a folder of .npz shards with the arrays of `SHARD`.

    Args:
        folder: where they are; they are taken in the order of their names.
        out: the file to write.
        n: only the first n molecules.
        conformers: of the same molecule so many are kept, the first.
        options: as for `molscore.datasets.build.build`.

    Raises:
        SourceError: if there are none, or one is damaged.
    """
    paths = sorted(Path(folder).glob("*.npz"))
    check_out(out, *paths)
    if not paths:
        raise SourceError(f"{folder} has no .npz files")
    items: list[tuple[np.ndarray, ...]] = []
    for path in paths:
        items += _shard(path)
        if n is not None and len(items) >= n:
            break
    source = f"{len(paths)} shards of {Path(folder).name}"
    return build(items[:n], _from_shard, out, source, conformers=conformers, **options)


def read_smiles(path: str | os.PathLike[str], encoding: str | None = None) -> Iterator[str]:
    """The SMILES of a table or a list, in their order; an `Unreadable` where there is none.

    Raises:
        SourceError: at once, if the name does not tell what the file holds, or it is a table without a column SMILES.
        OSError: at once, if it cannot be opened.
    """
    try:
        form = check_file(path)
        rows = read_rows(os.fspath(path), "smi" if form is None else form, encoding=encoding)
    except ValueError as error:
        raise SourceError(f"{path}: {error}".partition("; say which")[0]) from error
    return (row.text if row.reason is None else Unreadable(row.detail) for row in rows)


def _shard(path: Path) -> list[tuple[np.ndarray, ...]]:
    """The molecules of a shard, each the arrays of `SHARD` from the third on."""
    try:
        with zipfile.ZipFile(path) as archive:  # which yields no more bytes of a member than it says
            if (size := sum(archive.getinfo(f"{name}.npy").file_size for name in SHARD)) > SHARD_BYTES:
                raise SourceError(f"{path} unpacks to {size:,} bytes; a shard has at most {SHARD_BYTES:,}: split it")
        with np.load(path, allow_pickle=False) as file:
            shard = {name: file[name] for name in SHARD}
    except SourceError:
        raise
    except DAMAGE as error:
        raise SourceError(f"{path} is no shard, or damaged: {error or 'it is empty'}") from error
    counts = {name: shard[name] for name in ("n_atoms", "n_bonds")}
    for name, array in counts.items():
        if array.ndim != 1 or array.dtype.kind not in "iu" or (array < 0).any() or (array > LARGEST).any():
            raise SourceError(f"{path} is damaged: {name} is no list of counts up to {LARGEST:,}")
    totals = {name: int(array.sum(dtype=np.int64)) for name, array in counts.items()}
    wanted = {name: (totals["n_atoms"],) for name in ("z", "charge")} | {"pos_mA": (totals["n_atoms"], 3)}
    wanted |= {"bonds": (totals["n_bonds"], 2), "order": (totals["n_bonds"],), "n_bonds": counts["n_atoms"].shape}
    for name, shape in wanted.items():
        if shard[name].shape != shape or shard[name].dtype.kind not in "iuf":
            raise SourceError(f"{path} is damaged: {name} has shape {shard[name].shape}, not {shape}")
    n_atoms, n_bonds, *arrays = (shard[name] for name in SHARD)
    atoms, bonds = (np.cumsum(n.astype(int))[:-1] for n in (n_atoms, n_bonds))
    cuts = (atoms, atoms, atoms, bonds, bonds)
    return list(zip(*(np.split(array, cut) for array, cut in zip(arrays, cuts, strict=True)), strict=True))


def check_relaxation(relax: str) -> None:
    """Raises ValueError unless it is one of `RELAXATIONS`, and installed."""
    if relax not in RELAXATIONS:
        raise ValueError(f"unknown relaxation '{relax}'; choose one of {', '.join(RELAXATIONS)}")
    if relax in ("mmff", "xtb"):
        check_method(relax)


def _then(relax: str, conformers: int) -> str:
    """The end of a sentence on where molecules come from."""
    how = {"torsions": "settled with torsions kept", "mmff": "relaxed with MMFF94s", "xtb": "relaxed with GFN2-xTB"}
    many = f", up to {conformers} conformers of a molecule" if conformers > 1 else ""
    return (f", {how[relax]}" if relax in how else "") + many


def _from_smiles(number: int, smiles: str, relax: str, conformers: int) -> list[MoleculeArrays]:
    if isinstance(smiles, Unreadable):
        raise MoleculeError("unreadable", smiles)
    return _relaxed(embed_ensemble(_storable(parse(smiles)), conformers, seed=number), relax)


def _from_record(number: int, record: Chem.Mol | Unreadable, relax: str, conformers: int) -> list[MoleculeArrays]:
    if isinstance(record, Unreadable):
        raise MoleculeError("unreadable", record)
    if len(Chem.GetMolFrags(record)) > 1:
        raise MoleculeError("disconnected", "more than one fragment")
    _storable(record)
    with rdBase.BlockLogs():
        if record.GetNumConformers() == 0 or not record.GetConformer().Is3D():
            mol = embed_ensemble(Chem.RemoveHs(record), conformers, seed=number)
        else:
            mol = Chem.AddHs(record, addCoords=True)
        return _relaxed(mol, relax)


def _storable(mol: Chem.Mol) -> Chem.Mol:
    """The molecule, unless it is too large to be stored."""
    if mol.GetNumHeavyAtoms() > MOST_ATOMS:
        raise MoleculeError("too_large", f"{mol.GetNumHeavyAtoms()} heavy atoms; at most {MOST_ATOMS} can be stored")
    return mol


def _relaxed(ensemble: Chem.Mol, relax: str) -> list[MoleculeArrays]:
    """Each conformer with its geometry relaxed. Some may be lost to errors or become the same, not all to errors."""
    mols, energies, errors = [], [], []
    for mol in _apart(ensemble):
        try:
            energies.append(_relax_in_place(mol, relax))
            mols.append(mol)
        except MoleculeError as error:
            errors.append(error)
    if not mols:
        raise errors[0]
    return [from_mol(mol) for mol in (mols if relax == "none" else _apart(distinct(mols, energies)))]


def _apart(ensemble: Chem.Mol) -> list[Chem.Mol]:
    """A molecule of its own for each conformer."""
    return [Chem.Mol(ensemble, False, conformer.GetId()) for conformer in ensemble.GetConformers()]


def _relax_in_place(mol: Chem.Mol, relax: str) -> float:
    """Relaxes the geometry; returns its energy if that is minimised, else 0. Stereo that would be lost is an error."""
    if relax == "none":
        return 0.0
    before, energy = isomeric_smiles(mol), 0.0
    if relax == "torsions":
        settle_in_place(mol)
    else:
        minimum = minimise(mol, relax)
        if minimum.reason is not None:
            raise MoleculeError(minimum.reason, f"{relax}: {MINIMISE_REASONS[minimum.reason]}")
        assert minimum.after is not None
        mol.GetConformer().SetPositions(minimum.positions)
        energy = minimum.after
    assign_stereo_in_place(mol)
    if isomeric_smiles(mol) != before:
        raise MoleculeError("changed", "the relaxed molecule is another stereoisomer")
    return energy


def _from_shard(number: int, arrays: tuple[np.ndarray, ...]) -> list[MoleculeArrays]:
    numbers, charges, positions, bonds, orders = arrays
    if not len(numbers) or not ((bonds >= 0) & (bonds < len(numbers))).all() or not np.isin(orders, (1, 2, 3)).all():
        raise MoleculeError("valence", "no atoms, or bonds of atoms that are not there, or not single to triple")
    if not ((numbers >= 1) & (numbers <= ELEMENTS)).all() or not (np.abs(charges.astype(int)) <= MOST_CHARGE).all():
        raise MoleculeError("unknown_element", "an atomic number or a charge that no atom has")
    positions, bonds = (positions / 1000).astype(np.float32), np.sort(bonds.astype(int), axis=1)
    return [MoleculeArrays(numbers, charges, positions, bonds, orders)]
