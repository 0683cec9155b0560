"""What a user gives in place of a molecule, as a molecule: an RDKit molecule, a SMILES, or the row of a table."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from rdkit import Chem

from molscore.chem.arrays import MoleculeError
from molscore.chem.io.rows import split_smiles
from molscore.chem.io.smiles import parse_smiles
from molscore.chem.properties import packed, set_properties, title_of, unpacked
from molscore.limits import shown
from molscore.results import Items
from molscore.results.items import READ_FILES, Cells


class Row(NamedTuple):
    """An item of a table, and the other cells of its row."""

    item: object
    cells: Cells


def packed_items(items: Items) -> Iterator[object]:
    """The items one by one, fit to be sent to another process: molecules packed, those of tables as `Row`."""
    if items.cells is None:
        return map(packed, items.values)
    return (Row(packed(item), cells) for item, cells in zip(items.values, items.cells, strict=False))


def unpacked_item(item: object) -> object:
    """The inverse of `packed`, for items of tables too."""
    return item._replace(item=unpacked(item.item)) if isinstance(item, Row) else unpacked(item)


def molecule_of(given: object) -> Chem.Mol:
    """The molecule that was given, or that of a SMILES; with the name and the properties of its row.

    Raises:
        MoleculeError: if there is none.
    """
    if isinstance(given, Row):
        named = Chem.Mol(molecule_of(given.item))
        set_properties(named, {name: x for name, x in given.cells.properties.items() if not name.startswith("_")})
        named.SetProp("_Name", _name(given))
        return named
    if given is None:
        raise MoleculeError("unreadable", "there is None in place of a molecule; RDKit could not read it")
    if isinstance(given, Chem.Mol):
        return given
    if not isinstance(given, str):
        raise MoleculeError("unreadable", f"an RDKit molecule or a SMILES is wanted, not {shown(given)}")
    smiles, name = split_smiles(given)
    mol, reason, detail = parse_smiles(smiles)
    if mol is None:
        hint = f"; it is the name of a file: {READ_FILES}" if os.path.isfile(given) else ""
        raise MoleculeError(reason or "smiles", f"{detail or ''}{hint}")
    mol.SetProp("_Name", name)
    return mol


def item_title(given: object, number: int) -> str:
    """The name that came with an item; where there is none, its place in the stream."""
    return _name(given) or f"molecule_{number}"


def properties_of(mol: Chem.Mol, number: int) -> dict[str, Any]:
    """The properties of a molecule and its title."""
    return mol.GetPropsAsDict(autoConvertStrings=False) | {"_Name": item_title(mol, number)}


def _name(given: object) -> str:
    if isinstance(given, Row):
        return _name(given.item) or given.cells.name
    if isinstance(given, Chem.Mol):
        return title_of(given).strip()
    return split_smiles(given)[1] if isinstance(given, str) else ""
