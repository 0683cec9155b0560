"""The main job: new molecules, in memory (`generator`) or to an SDF file (`files`)."""

from molscore.generate.generator import Generation, MoleculeGenerator
from molscore.generate.judge import Attempt, Judge
from molscore.generate.options import Options

__all__ = ["Attempt", "Generation", "Judge", "MoleculeGenerator", "Options"]
