"""SDF files: written whole or not at all, read record by record whatever the records are like.

A record is a V2000 mol block (Dalby et al., J. Chem. Inf. Comput. Sci. 32, 244, 1992) with explicit hydrogens and the
3-D flag, then properties, then ``$$$$``. Files whose names end in ``.gz`` are compressed.
"""

import gzip
import os
import re
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import metadata
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple, Self, TextIO

from rdkit import Chem, rdBase

from molscore.chem.arrays import MoleculeError, assign_stereo_in_place, hydrogen_fault, isomeric_smiles
from molscore.chem.paths import check_writable

_NAME = re.compile(r">.*<([^<>]*)>")


class SDFWriter:
    """Writes an SDF file that appears under its name when it is complete, and not before.

    A context manager. Records go to a hidden temporary file in the same folder. On a clean exit it takes the place of
    `path`; on an exception it is removed and what was at `path` is untouched. An interrupted run that wants to keep
    what it has calls ``commit()`` before the exception leaves the block.

    Args:
        path: name of the file, ending in .sdf or .sdf.gz.
        keep: leave the temporary file, `part_of(path)`, where it is if anything goes wrong, for a run that resumes.

    Attributes:
        path: the same.
        count: records written so far.

    Raises:
        ValueError, OSError: as ``check_writable``, at once.
    """

    def __init__(self, path: str | os.PathLike, keep: bool = False):
        self.path = check_writable(path)
        self.count = 0
        self._keep = keep
        self._temporary = part_of(self.path) if keep else self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        opener = gzip.open if self.path.suffix == ".gz" else open
        self._file = opener(self._temporary, "wt", encoding="utf-8", newline="\n")
        return self

    def __exit__(self, exception_type, exception, traceback) -> None:
        if self._file is None:
            return
        if exception_type is None:
            self.commit()
        else:
            self._close(keep=False)

    def flush(self) -> None:
        """Hands what has been written to the operating system: a process that is killed does not lose it."""
        if self._file is not None:
            self._file.flush()

    def write(self, mol: Chem.Mol, title: str, properties: Mapping[str, object] | None = None) -> None:
        """Appends one record.

        Args:
            mol: molecule with explicit hydrogens and a 3-D conformer, sanitised or not; the first conformer is written.
            title: first line of the record.
            properties: values by name. None is left out; floats get six significant digits.

        Raises:
            ValueError: if the record would break the contract or the format. Nothing of it is written.
        """
        self._write(format_record(mol, title, properties))

    def copy(self, text: str, properties: Mapping[str, object]) -> None:
        """Appends a record as it stands in another file, whatever it holds, with further properties at its end.

        Args:
            text: its lines, without ``$$$$``.
            properties: as for `write`; properties of these names that the record had are gone.
        """
        fields = (_format_property(name, value) for name, value in properties.items() if value is not None)
        self._write(f"{_without(text, properties)}{''.join(fields)}$$$$\n")

    def _write(self, text: str) -> None:
        if self._file is None:
            raise ValueError(f"{self.path} is not open for writing; use SDFWriter in a with statement")
        self._file.write(text)
        self.count += 1

    def commit(self) -> None:
        """Puts what has been written so far at `path`, and ends the writing."""
        if self._file is None:
            raise ValueError(f"{self.path} is not open for writing; use SDFWriter in a with statement")
        self._close(keep=True)

    def _close(self, keep: bool) -> None:
        file, self._file = self._file, None
        try:
            file.close()
        except OSError:  # the disk is full
            keep = False
            raise
        finally:
            if keep:
                os.replace(self._temporary, self.path)
            elif not self._keep:
                self._temporary.unlink()


def part_of(path: Path) -> Path:
    """Where a file that is to be `path` lies while it is written, and after its writer was killed."""
    return path.with_name(f".{path.name}.part")


def format_record(mol: Chem.Mol, title: str, properties: Mapping[str, object] | None = None) -> str:
    """The text of one SDF record, ``$$$$`` included. Arguments and errors as ``SDFWriter.write``."""
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        raise MoleculeError("no_3d", "only molecules with a 3-D conformer are written")
    copy = Chem.Mol(mol)
    if fault := hydrogen_fault(copy):
        raise MoleculeError("implicit_hydrogens", fault)
    title = " ".join(title.split())
    if title.startswith("$$$$"):
        raise ValueError(f"the title {title!r} would end an SDF record")
    copy.SetProp("_Name", title)
    stereo = any(atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in copy.GetAtoms())
    copy.SetIntProp("_MolFileChiralFlag", int(stereo))  # the configuration is meant absolutely
    aromatic = any(bond.GetIsAromatic() for bond in copy.GetBonds())
    with rdBase.BlockLogs():
        block = Chem.MolToMolBlock(copy, kekulize=aromatic)
    fields = (_format_property(name, value) for name, value in (properties or {}).items() if value is not None)
    return f"{block}{''.join(fields)}$$$$\n"


def _format_property(name: str, value: object) -> str:
    if not name or any(c in name for c in "<>\r\n"):
        raise ValueError(f"{name!r} cannot name an SDF property: it must not be empty nor hold <, > or line breaks")
    if isinstance(value, Real) and not isinstance(value, Integral):
        text = f"{float(value):.6g}"
    else:
        text = str(value)
    lines = text.splitlines() or [""]
    if any(not line.strip() for line in lines[1:]) or any(line.startswith("$$$$") for line in lines):
        raise ValueError(f"property {name} holds an empty line or $$$$, which would end an SDF record")
    return "\n".join([f">  <{name}>", *lines]) + "\n\n"


def _without(text: str, names: Container[str]) -> str:
    """A record without the properties of these names; every property that is left ends with an empty line."""
    block, end, rest = text.partition("M  END") if "M  END" in text else ("", "", text)
    found = [field.rstrip() for field in re.split(r"^(?=>)", rest, flags=re.MULTILINE)]
    kept = (field for field in found[1:] if (name := _NAME.match(field)) is None or name[1] not in names)
    return "".join([(block + end + found[0]).rstrip("\r\n") + "\n", *(f"{field}\n\n" for field in kept)])


def record_properties(
    mol: Chem.Mol, *, model: str, seed: int, index: int, extra: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The properties that every record carries.

    Args:
        mol: the molecule of the record.
        model: name or file of the model.
        seed: seed of the run.
        index: number of the attempt that gave the molecule; with model and seed it gives it again.
        extra: further properties, with the unit in the name (``strain_kcal_per_mol``).

    Returns:
        ``SMILES`` (isomeric), ``molscore_version``, ``molscore_model``, ``molscore_seed``, ``molscore_index``, `extra`.
    """
    try:
        version = metadata.version("molscore")
    except metadata.PackageNotFoundError:
        version = "not installed"
    return {
        "SMILES": isomeric_smiles(mol),
        "molscore_version": version,
        "molscore_model": model,
        "molscore_seed": seed,
        "molscore_index": index,
        **(extra or {}),
    }


class Record(NamedTuple):
    """One record of an SDF file.

    Attributes:
        index: position in the file, from 0.
        line: number of its first line, from 1.
        mol: the molecule with its hydrogens, title (``_Name``) and properties; None if it cannot be read.
        reason: why it cannot; None if it can.
        text: its lines as they stand in the file, without ``$$$$``.
    """

    index: int
    line: int
    mol: Chem.Mol | None
    reason: str | None
    text: str = ""


def read_sdf(source: str | os.PathLike | Iterable[str], sanitize: bool = True) -> Iterator[Record]:
    """Reads the records of an SDF file one by one. A bad record is reported and does not end the reading.

    Args:
        source: .sdf or .sdf.gz file, or lines of one, such as a text stream, which is left open.
        sanitize: let RDKit sanitise the molecules; what it refuses is a bad record. Without it they come as written, to
            be judged by ``molscore.chem.validity.check``. Stereo is assigned in either case.

    Returns:
        An iterator over the records, none for an empty file. Any line ends will do; the last ``$$$$`` may be missing.

    Raises:
        OSError: at once, if the file cannot be opened.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _records(nullcontext(source), sanitize)
    opener = gzip.open if str(source).endswith(".gz") else open
    return _records(opener(source, "rt", encoding="utf-8-sig", errors="replace"), sanitize)


def _records(opened: AbstractContextManager[Iterable[str]], sanitize: bool) -> Iterator[Record]:
    index, start, lines = 0, 1, []
    with opened as file:
        try:
            for number, line in enumerate(file, start=1):
                if not line.startswith("$$$$"):
                    lines.append(line)
                    continue
                yield Record(index, start, *_parse(lines, sanitize), "".join(lines))
                index, start, lines = index + 1, number + 1, []
        except (EOFError, OSError, zlib.error) as error:  # a truncated or damaged .gz
            yield Record(index, start, None, f"unreadable: {error}", "".join(lines))
            return
        if any(line.strip() for line in lines):
            yield Record(index, start, *_parse(lines, sanitize), "".join(lines))


def _parse(lines: list[str], sanitize: bool) -> tuple[Chem.Mol | None, str | None]:
    text = "".join(lines) + "\n$$$$\n"
    with rdBase.BlockLogs():
        mol = _supply(text, sanitize)
        if mol is None:
            return None, _refusal(text, lines)
        if mol.GetNumAtoms() == 0:
            return None, "empty: there are no atoms"
        if not sanitize and mol.GetConformer().Is3D():
            assign_stereo_in_place(mol)
    return mol, None


def _supply(text: str, sanitize: bool) -> Chem.Mol | None:
    supplier = Chem.SDMolSupplier()
    supplier.SetData(text, sanitize=sanitize, removeHs=False)
    return next(iter(supplier), None)


def _refusal(text: str, lines: list[str]) -> str:
    """Why RDKit refuses a record."""
    mol = _supply(text, sanitize=False)
    if mol is None:
        counts = lines[3].rstrip("\n") if len(lines) > 3 else ""
        if not (counts[:3].strip().isdigit() and counts[3:6].strip().isdigit()):
            return f"unreadable: the fourth line of the record ought to count atoms and bonds, but reads {counts!r}"
        return "unreadable: the lines of atoms and bonds are malformed, or fewer than the fourth line says"
    try:
        Chem.SanitizeMol(mol)
    except (ValueError, RuntimeError) as error:
        return f"valence: {str(error).strip()}"
    return "unreadable: RDKit gives no reason"
