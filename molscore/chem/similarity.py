"""How alike the graphs of two molecules are."""

from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator


def graph_similarity(mol: Chem.Mol, other: Chem.Mol) -> float:
    """Tanimoto similarity of Morgan fingerprints, radius 2, 2048 bits, hydrogens left out."""
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    return float(DataStructs.TanimotoSimilarity(*(morgan.GetFingerprint(Chem.RemoveHs(m)) for m in (mol, other))))
