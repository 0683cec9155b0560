"""MMFF94s types of a molecule that stays as it is.

RDKit types a molecule by changing it: where MMFF94s' aromaticity differs from its own (2-pyridones, fused tetrazoles,
isoselenazoles), aromatic bonds of the molecule are so no longer, or others become aromatic, even where typing fails.
"""

from typing import Any

from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers as forcefield

VARIANT = "MMFF94s"


def typed(mol: Chem.Mol) -> tuple[Chem.Mol, Any]:
    """A copy with MMFF94s' aromaticity, from which to make force fields, and RDKit's properties of it.

    Args:
        mol: sanitised, every hydrogen an atom; with its conformers. It is left as it is.

    Returns:
        The copy and the properties; a plain copy and None if MMFF94s has no parameters for an atom.
    """
    copy = Chem.Mol(mol)
    properties = forcefield.MMFFGetMoleculeProperties(copy, mmffVariant=VARIANT)
    return (Chem.Mol(mol) if properties is None else copy), properties
