"""What a graph-conditioned model says of given molecules: log-likelihood, score norm, epistemic uncertainty, and ways
between conformers."""

from molscore.score.scorer import MoleculeScore, MoleculeScorer

__all__ = ["MoleculeScore", "MoleculeScorer"]
