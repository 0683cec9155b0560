"""What a model of known graphs says of given molecules: likelihood, pull, uncertainty, and ways between conformers."""

from molscore.score.scorer import MoleculeScore, MoleculeScorer

__all__ = ["MoleculeScore", "MoleculeScorer"]
