"""What is to be judged, record by record, with nothing repaired and nothing lost.

A file made with ``generate --raw`` holds samples that are not molecules. They belong in every denominator, so records
are read without sanitisation, and one that cannot be read is a record all the same. No atom may take implied hydrogens:
a carbon with three bonds is a radical, not a methyl group that RDKit fills up.
"""

import gzip
import io
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.arrays import MoleculeArrays, MoleculeError, from_mol, sanitize_in_place, to_mol

INDEX_PROPERTY = "molscore_index"
"""SDF property: the number of the sampling attempt, from 0, that gave the record."""


@dataclass(frozen=True, eq=False)
class Record:
    """One record.

    Attributes:
        n_atoms: atoms, 0 if the record cannot be read.
        arrays: kekulised bonds, charges, positions; None if the record cannot be read as a 3-D molecule.
        mol: the sanitised molecule with stereo from the positions; None if RDKit refuses its valences.
        closed_shell: sanitised, no unpaired electron. A missing hydrogen leaves one.
        connected: sanitised, a single fragment.
        attempt: the number of the sampling attempt, if the record says.
    """

    n_atoms: int
    arrays: MoleculeArrays | None = None
    mol: Chem.Mol | None = None
    closed_shell: bool = False
    connected: bool = False
    attempt: int | None = None

    @property
    def valid(self) -> bool:
        """Sanitised, one fragment, no unpaired electrons."""
        return self.closed_shell and self.connected


def read_mols(source: str | os.PathLike[str] | Iterable[Chem.Mol | None]) -> list[Chem.Mol | None]:
    """All records of a source, unsanitised; None stands for one that cannot be read.

    Args:
        source: an SDF file (``.sdf``, ``.sd``, ``.mol``, each also with ``.gz``) or molecules.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for another kind of file, and if there is nothing to read.
    """
    if isinstance(source, Chem.Mol):
        raise ValueError("one molecule was given where several are expected; put it in a list: evaluate([mol])")
    if not isinstance(source, (str, os.PathLike)):
        mols = list(source)
        for mol in mols:
            if mol is not None and not isinstance(mol, Chem.Mol):
                raise ValueError(f"expected RDKit molecules or the path of an SDF file, got {type(mol).__name__}")
        if not mols:
            raise ValueError("no molecules were given; there is nothing to evaluate")
        return mols
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist or is not a file")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    zipped = suffixes[-1:] == [".gz"]
    if (suffixes[-2:-1] if zipped else suffixes[-1:]) not in ([".sdf"], [".sd"], [".mol"]):
        raise ValueError(f"{path} is not an SDF file; evaluate reads .sdf and .sdf.gz")
    mols = list(_read_sdf(path, zipped))
    if all(mol is None for mol in mols):
        raise ValueError(f"{path} holds no molecule that can be read ({len(mols)} records)")
    return mols


def _read_sdf(path: Path, zipped: bool) -> Iterator[Chem.Mol | None]:
    content = path.read_bytes()
    if zipped:
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} cannot be unpacked: it is cut short or corrupt ({error})") from error
    with rdBase.BlockLogs():
        yield from Chem.ForwardSDMolSupplier(io.BytesIO(content), sanitize=False, removeHs=False)


def judge(mol: Chem.Mol | None) -> Record:
    """Looks at one record. The given molecule is left as it is.

    Args:
        mol: a molecule with explicit hydrogens and positions, sanitised or not; None for one that could not be read.
    """
    if mol is None:
        return Record(n_atoms=0)
    n_atoms, attempt = mol.GetNumAtoms(), _attempt(mol)
    explicit = Chem.Mol(mol)
    for atom in explicit.GetAtoms():
        atom.SetNoImplicit(True)
    try:
        arrays = from_mol(explicit)
    except MoleculeError:
        return Record(n_atoms=n_atoms, attempt=attempt)
    if not n_atoms or not np.isfinite(arrays.positions).all():
        return Record(n_atoms=n_atoms, attempt=attempt)
    built = to_mol(arrays, sanitize=False)
    closed_shell = True
    try:
        sanitize_in_place(built)
    except MoleculeError as error:
        if error.reason != "radical":
            return Record(n_atoms=n_atoms, arrays=arrays, attempt=attempt)
        closed_shell = False
    Chem.AssignStereochemistryFrom3D(built)
    connected = len(Chem.GetMolFrags(built)) == 1
    return Record(n_atoms, arrays, built, closed_shell, connected, attempt)


def _attempt(mol: Chem.Mol) -> int | None:
    if not mol.HasProp(INDEX_PROPERTY):
        return None
    text = str(mol.GetProp(INDEX_PROPERTY)).strip()
    return int(text) if text.isdecimal() else None
