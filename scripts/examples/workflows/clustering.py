"""New molecules in clusters of Butina's algorithm, by their Morgan fingerprints: numbers, a cluster a line."""

from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
from rdkit.DataStructs import BulkTanimotoSimilarity
from rdkit.ML.Cluster.Butina import ClusterData

import molscore

mols = molscore.MoleculeGenerator.from_pretrained("qm9").generate(20, steps=20).mols
prints = GetMorganGenerator().GetFingerprints(mols)
distances = [1 - x for k in range(1, len(mols)) for x in BulkTanimotoSimilarity(prints[k], prints[:k])]
print(*ClusterData(distances, len(mols), 0.8, isDistData=True), sep="\n")
