"""From SMILES to one conformer: ETKDGv3, then a minimum of MMFF94s.

Sources: Wang, Witek, Landrum and Riniker, J. Chem. Inf. Model. 60, 2044 (2020), for ETKDGv3; Halgren, J. Comput. Chem.
20, 720 (1999), for MMFF94s.
"""

from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom

from molscore.chem.arrays import MoleculeError, assign_stereo_in_place
from molscore.chem.minimise import REASONS, minimise

ATTEMPTS = 20
"""Tries at an embedding: first from distances, then from random coordinates."""


def embed(smiles: str, seed: int = 0) -> Chem.Mol:
    """One relaxed conformer.

    Args:
        smiles: one molecule, one fragment.
        seed: of the embedding, 0 or more; the same seed gives the same conformer.

    Returns:
        The molecule with explicit hydrogens and a conformer. What SMILES leaves open of its stereo is drawn at random.

    Raises:
        MoleculeError: ``smiles``, ``disconnected``, ``embedding``, or a reason of `minimise`.
    """
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        if mol is None or mol.GetNumAtoms() == 0:
            raise MoleculeError("smiles", f"RDKit cannot read {smiles!r}")
        return embed_mol(mol, seed)


def embed_mol(mol: Chem.Mol, seed: int = 0) -> Chem.Mol:
    """`embed` for a molecule that has been read; coordinates it may have are not looked at."""
    if len(Chem.GetMolFrags(mol)) > 1:
        raise MoleculeError("disconnected", "more than one fragment; separate salts and solvents first")
    mol = Chem.AddHs(mol)
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed % 2**31
    parameters.maxIterations = ATTEMPTS
    with rdBase.BlockLogs():
        if rdDistGeom.EmbedMolecule(mol, parameters) != 0:
            parameters.useRandomCoords = True
            if rdDistGeom.EmbedMolecule(mol, parameters) != 0:
                raise MoleculeError("embedding", "ETKDGv3 finds no conformer")
    found = minimise(mol, "mmff")
    if found.reason is not None:
        raise MoleculeError(found.reason, f"MMFF94s: {REASONS[found.reason]}")
    mol.GetConformer().SetPositions(found.positions)
    assign_stereo_in_place(mol)
    return mol
