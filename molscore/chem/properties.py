"""Properties of RDKit molecules and conformers: each of its type, and none lost on the way to another process."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar, overload

from rdkit import Chem

MOST = 2**31
"""Whole numbers from here on, which RDKit's properties do not hold, are kept as texts."""

Other = TypeVar("Other")

_ALL = int(Chem.PropertyPickleOptions.AllProps) | int(Chem.PropertyPickleOptions.CoordsAsDouble)


class Packed(NamedTuple):
    """A molecule as bytes, with all its properties and every digit of its coordinates.

    RDKit's own pickles lose the properties of molecules, atoms and conformers unless a setting of the whole process
    says otherwise.
    """

    binary: bytes


@overload
def packed(value: Chem.Mol) -> Packed: ...
@overload
def packed(value: Other) -> Other: ...
def packed(value: object) -> object:
    """A molecule as `Packed`; anything else as it is."""
    return Packed(value.ToBinary(_ALL)) if isinstance(value, Chem.Mol) else value


@overload
def unpacked(value: Packed) -> Chem.Mol: ...
@overload
def unpacked(value: Other) -> Other: ...
def unpacked(value: object) -> object:
    """The inverse of `packed`."""
    return Chem.Mol(value.binary) if isinstance(value, Packed) else value  # type: ignore[call-overload]


def set_properties(owner: Chem.Mol | Chem.Conformer, values: Mapping[str, object]) -> None:
    """Sets properties: numbers as numbers, everything else as text; None is left out."""
    for name, value in values.items():
        if isinstance(value, bool):
            owner.SetBoolProp(name, value)
        elif isinstance(value, int) and abs(value) < MOST:
            owner.SetIntProp(name, value)
        elif isinstance(value, float):
            owner.SetDoubleProp(name, value)
        elif value is not None:
            owner.SetProp(name, str(value))


def singles(mol: Chem.Mol) -> list[Chem.Mol]:
    """Each conformer as a molecule of its own, with the properties of both."""
    molecules = []
    for conformer in mol.GetConformers():
        single = Chem.Mol(mol, False, conformer.GetId())
        set_properties(single, conformer.GetPropsAsDict(autoConvertStrings=False))
        molecules.append(single)
    return molecules


def title_of(mol: Chem.Mol) -> str:
    """The title of a molecule, "" if it has none."""
    return mol.GetProp("_Name") if mol.HasProp("_Name") else ""
