"""Molecules laid out for RDKit's drawing classes. Loads Pillow: to be imported where something is drawn."""

from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D


def laid_out(mol: Chem.Mol, hydrogens: bool = False) -> Chem.Mol:
    """A copy with coordinates on paper and stereo bonds, prepared for drawing; sound or not.

    Args:
        mol: sanitised or not, stereo assigned. It is left as it is.
        hydrogens: keep every hydrogen as an atom. Where valences are wrong, leaving them out would hide it.
    """
    with rdBase.BlockLogs():
        flat = Chem.Mol(mol) if hydrogens else Chem.RemoveHs(mol, sanitize=False)
    flat.UpdatePropertyCache(strict=False)
    Chem.GetSymmSSSR(flat)
    flat.RemoveAllConformers()
    rdDepictor.Compute2DCoords(flat)
    aromatic = any(bond.GetIsAromatic() for bond in flat.GetBonds())
    try:
        return rdMolDraw2D.PrepareMolForDrawing(flat, kekulize=aromatic, addChiralHs=False)
    except (ValueError, RuntimeError):  # no Kekulé structure: drawn as it is
        return rdMolDraw2D.PrepareMolForDrawing(flat, kekulize=False, addChiralHs=False)
