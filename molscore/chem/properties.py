"""Properties of RDKit molecules and conformers, each of its type."""

from collections.abc import Mapping

from rdkit import Chem

MOST = 2**31
"""Whole numbers from here on, which RDKit's properties do not hold, are kept as texts."""


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
