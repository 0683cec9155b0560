"""The text of an SDF record: a V2000 mol block, then properties, then ``$$$$``.

Mol block: Dalby et al., J. Chem. Inf. Comput. Sci. 32, 244 (1992), with explicit hydrogens and the 3-D flag.
"""

import re
from collections.abc import Container, Iterable, Mapping
from numbers import Integral, Real
from typing import NamedTuple

from rdkit import Chem, rdBase

from molscore.chem.arrays import MoleculeError, hydrogen_fault
from molscore.versions import version

_NAME = re.compile(r">[^<]*<(.*)>")  # from the first bracket to the last, as RDKit reads it
_LINE_START = re.compile(r"(?<=\n)")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_ROUND = str.maketrans("<>", "()")


class DataItem(NamedTuple):
    """One data item of an SDF record, or a column of a table.

    Attributes:
        name: what stands in angle brackets in the header, "" if nothing does.
        value: the lines that follow, joined by ``\\n``.
        text: the item as it stands in its record, header and empty lines included; "" for a column.
    """

    name: str
    value: str
    text: str = ""


def format_record(mol: Chem.Mol, title: str, properties: Mapping[str, object] | None = None) -> str:
    """The text of one SDF record, ``$$$$`` included. Arguments and errors as ``SDFWriter.write``."""
    return tagged(format_mol(mol, title), properties or {})


def format_mol(mol: Chem.Mol, title: str) -> str:
    """A record without properties and without ``$$$$``. The title loses line breaks, and may not begin with ``$$$$``.

    Raises:
        MoleculeError: ``no_3d`` or ``implicit_hydrogens``.
    """
    if mol.GetNumConformers() == 0:
        raise _no_3d()
    return format_conformers(Chem.Mol(mol, False, mol.GetConformer().GetId()), title)[0]


def format_conformers(mol: Chem.Mol, title: str) -> list[str]:
    """As `format_mol`, for each conformer of a molecule."""
    if not all(conformer.Is3D() for conformer in mol.GetConformers()):
        raise _no_3d()
    copy = Chem.Mol(mol)
    if fault := hydrogen_fault(copy):
        raise MoleculeError("implicit_hydrogens", fault)
    copy.SetProp("_Name", _unending(_LINE_BREAK.sub(" ", title)))
    stereo = any(atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in copy.GetAtoms())
    copy.SetIntProp("_MolFileChiralFlag", int(stereo))  # the configuration is meant absolutely
    aromatic = any(bond.GetIsAromatic() for bond in copy.GetBonds())
    ids = [conformer.GetId() for conformer in copy.GetConformers()]
    with rdBase.BlockLogs():
        return [Chem.MolToMolBlock(copy, confId=index, kekulize=aromatic) for index in ids]


def _no_3d() -> MoleculeError:
    return MoleculeError("no_3d", "only molecules with a 3-D conformer are written")


def format_property(name: str, value: object) -> str:
    """The text of a data item.

    What the format cannot hold is escaped: an empty line of a text becomes a blank, and a line that begins with
    ``$$$$`` gets a blank in front. Floats get six significant digits.

    Raises:
        ValueError: if the name is empty, or holds ``<``, ``>`` or a line break.
    """
    if not name or any(c in name for c in "<>\r\n"):
        raise ValueError(f"{name!r} cannot name an SDF property: it must not be empty nor hold <, > or line breaks")
    if isinstance(value, Real) and not isinstance(value, Integral):
        return _item(f">  <{name}>", f"{float(value):.6g}")
    return _item(f">  <{name}>", str(value))


def tagged(text: str, properties: Mapping[str, object]) -> str:
    """A record with further properties at its end, ``$$$$`` included. All else stays as it is, line ends too.

    Args:
        text: of the record, without ``$$$$``, whatever it holds.
        properties: values by name, None is left out; properties of these names that the record had are gone.
    """
    block, items = split_record(text)
    more = [format_property(name, value) for name, value in properties.items() if value is not None]
    end = "$$$$\n"
    if block.partition("\n")[0].endswith("\r"):
        more, end = [item.replace("\n", "\r\n") for item in more], "$$$$\r\n"
    kept = [_closed(item) for item in items if item.name not in properties]
    return "".join([block if block.endswith("\n") or not block else f"{block}\n", *kept, *more, end])


def carried(items: Iterable[DataItem], taken: Container[str]) -> str:
    """The data items or columns that came with an input molecule, as data items of a new record.

    Those of an SDF file stay as they are, but for line ends; the name of a column may not hold angle brackets.
    A name that is `taken` gets ``input_`` in front, once more for each item that has that name already.
    """
    items, texts = tuple(items), []
    names = {item.name for item in items}
    for item in items:
        name, text = item.name, _closed(item).replace("\r\n", "\n")
        if not item.text:
            name = _LINE_BREAK.sub(" ", name.translate(_ROUND)).strip() or "unnamed"
            text = format_property(name, item.value)
        free = name
        while free in taken or (free != name and free in names):
            free = f"input_{free}"
        texts.append(text.replace(f"<{name}>", f"<{free}>", 1))
    return "".join(texts)


def data_items(text: str) -> tuple[DataItem, ...]:
    """The data items of a record."""
    return tuple(split_record(text)[1])


def split_record(text: str) -> tuple[str, list[DataItem]]:
    """A record's mol block and what follows it up to the first data item; and the data items.

    The header of an item begins with ``>`` and follows the end of the mol block or an empty line; a line of a value
    may begin so too. A value ends with an empty line, blanks are not empty. Where more text follows that is no header,
    the empty line is part of the value, which is more than the format allows.
    """
    lines = _LINE_START.split(text)
    ends = (k + 1 for k, line in enumerate(lines) if k > 3 and line.startswith("M  END"))
    start = next(ends, 0)
    n = len(lines)
    start = next((k for k in range(start, n) if lines[k].startswith(">")), n)
    block, items = "".join(lines[:start]), []
    while start < n:
        end = start + 1
        while True:
            while end < n and lines[end].strip("\r\n"):
                end += 1
            following = end
            while following < n and not lines[following].strip("\r\n"):
                following += 1
            if following == n or lines[following].startswith(">"):
                break
            end = following
        name = _NAME.match(lines[start])
        value = "\n".join(line.rstrip("\r\n") for line in lines[start + 1 : end])
        items.append(DataItem(name[1] if name else "", value, "".join(lines[start:following])))
        start = following
    return block, items


def _item(header: str, value: str) -> str:
    lines = _LINE_BREAK.sub("\n", value).split("\n")
    if len(lines) > 1:
        lines = [line or " " for line in lines]
    return "\n".join([header, *map(_unending, lines)]) + "\n\n"


def _unending(line: str) -> str:
    """A line that does not end a record."""
    return f" {line}" if line.startswith("$$$$") else line


def _closed(item: DataItem) -> str:
    """The text of an item, ended by an empty line and with no other in its value."""
    newline = "\r\n" if item.text.partition("\n")[0].endswith("\r") else "\n"
    if "\n\n" in f"\n{item.value}":
        return _item(item.text.partition("\n")[0].rstrip("\r"), item.value).replace("\n", newline)
    text = item.text if item.text.endswith("\n") else f"{item.text}{newline}"
    return text if _LINE_START.split(text)[-2].strip("\r\n") == "" else f"{text}{newline}"


def record_properties(
    smiles: str, *, model: str, seed: int, index: int, extra: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The properties that every record carries.

    Args:
        smiles: the isomeric SMILES of the molecule (`molscore.chem.arrays.isomeric_smiles`).
        model: name or file of the model.
        seed: seed of the run.
        index: number of the attempt that gave the molecule; with model and seed it gives it again.
        extra: further properties, with the unit in the name (``strain_kcal_per_mol``).

    Returns:
        ``SMILES`` (isomeric), ``molscore_version``, ``molscore_model``, ``molscore_seed``, ``molscore_index``, `extra`.
    """
    return {
        "SMILES": smiles,
        "molscore_version": version(),
        "molscore_model": model,
        "molscore_seed": seed,
        "molscore_index": index,
        **(extra or {}),
    }
