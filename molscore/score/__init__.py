"""Scores of given molecules by a graph-conditioned model: log-likelihood, score norm, epistemic uncertainty; and
interpolation between conformers."""

from molscore.score.scorer import MoleculeScore, MoleculeScorer

__all__ = ["MoleculeScore", "MoleculeScorer"]
