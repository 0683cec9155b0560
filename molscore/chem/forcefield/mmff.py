"""MMFF94s types of a molecule that stays as it is, and the force field that serves it.

RDKit types a molecule by changing it: where MMFF94s' aromaticity differs from its own (2-pyridones, fused tetrazoles,
isoselenazoles), aromatic bonds of the molecule are so no longer, or others become aromatic, even where typing fails.
"""

from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers as forcefield
from rdkit.ForceField import ForceField, MMFFMolProperties

VARIANT = "MMFF94s"

NO_CUTOFF = 1e6
"""For pairs of atoms: in Å for MMFF94s, a multiple of their well's distance for UFF."""


def typed(mol: Chem.Mol) -> tuple[Chem.Mol, MMFFMolProperties | None]:
    """A copy with MMFF94s' aromaticity, from which to make force fields, and RDKit's properties of it.

    Args:
        mol: sanitised, every hydrogen an atom; with its conformers. It is left as it is.

    Returns:
        The copy and the properties; a plain copy and None if MMFF94s has no parameters for an atom.
    """
    copy = Chem.Mol(mol)
    properties = forcefield.MMFFGetMoleculeProperties(copy, mmffVariant=VARIANT)
    return (Chem.Mol(mol) if properties is None else copy), properties


def force_field(mol: Chem.Mol, properties: MMFFMolProperties | None, conformer: int = -1) -> ForceField | None:
    """MMFF94s with its `properties` of the molecule, or UFF if there are none; None if UFF has no parameters either."""
    if properties is not None:
        field = forcefield.MMFFGetMoleculeForceField(mol, properties, NO_CUTOFF, conformer)
    elif forcefield.UFFHasAllMoleculeParams(mol):
        field = forcefield.UFFGetMoleculeForceField(mol, NO_CUTOFF, conformer)
    else:
        return None
    field.Initialize()
    return field
