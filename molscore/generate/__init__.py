"""The main job: new molecules, in memory (`generator`) or to an SDF file (`files`)."""

from molscore.generate.generator import MoleculeGenerator
from molscore.generate.judge import Attempt, Judge
from molscore.generate.options import GenerationOptions
from molscore.generate.result import Generation

__all__ = ["Attempt", "Generation", "GenerationOptions", "Judge", "MoleculeGenerator"]
