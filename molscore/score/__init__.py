"""Scores of given molecules by a graph-conditioned model: log-likelihood, score norm, epistemic uncertainty; and
interpolation between conformers."""

from molscore.score.result import Scores
from molscore.score.score import MoleculeScore
from molscore.score.scorer import MoleculeScorer

__all__ = ["MoleculeScore", "MoleculeScorer", "Scores"]
