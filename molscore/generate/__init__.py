"""The main job: new molecules, in memory (`generator`) or to an SDF file (`files`)."""

from molscore.generate.generator import Attempt, Generation, MoleculeGenerator, choose_device

__all__ = ["Attempt", "Generation", "MoleculeGenerator", "choose_device"]
