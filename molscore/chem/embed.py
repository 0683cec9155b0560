"""From SMILES to one conformer: ETKDGv3, then a minimum of MMFF94s.

Sources: Wang, Witek, Landrum and Riniker, J. Chem. Inf. Model. 60, 2044 (2020), for ETKDGv3; Halgren, J. Comput. Chem.
20, 720 (1999), for MMFF94s.
"""

from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom
from rdkit.Chem import rdForceFieldHelpers as forcefield

from molscore.chem.arrays import MoleculeError, assign_stereo_in_place

ATTEMPTS = 20
"""Tries at an embedding: first from distances, then from random coordinates."""

ITERATIONS, ROUNDS = 1000, 10
"""Steps of a minimisation, and how often it may go on from where it stopped."""


def embed(smiles: str, seed: int = 0) -> Chem.Mol:
    """One relaxed conformer.

    Args:
        smiles: one molecule, one fragment.
        seed: of the embedding, 0 or more; the same seed gives the same conformer.

    Returns:
        The molecule with explicit hydrogens and a conformer. What SMILES leaves open of its stereo is drawn at random.

    Raises:
        MoleculeError: ``smiles``, ``disconnected``, ``embedding``, ``no_parameters``, ``not_converged``.
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
        properties = forcefield.MMFFGetMoleculeProperties(mol, mmffVariant="MMFF94s")
        if properties is None:
            raise MoleculeError("no_parameters", "MMFF94s has no parameters for an atom")
        field = forcefield.MMFFGetMoleculeForceField(mol, properties)
        field.Initialize()
        if all(field.Minimize(maxIts=ITERATIONS) for _ in range(ROUNDS)):
            raise MoleculeError("not_converged", f"no minimum after {ITERATIONS * ROUNDS:,} steps of MMFF94s")
    assign_stereo_in_place(mol)
    return mol
