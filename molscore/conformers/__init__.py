"""Conformers of given molecules: SMILES in, ensembles out, with the stereo that was asked for.

A molecule becomes a `target`; the model `propose`s positions of its heavy atoms; hydrogens are added, and conformers
with faults or the wrong stereo are rejected (`build`); ETKDGv3 embeds what the model cannot. `generator` runs these
steps for molecules in memory, `files` for files.
"""

from molscore.conformers.ensemble import Ensemble
from molscore.conformers.generator import ConformerGenerator
from molscore.conformers.options import ConformerOptions
from molscore.conformers.result import Conformers

__all__ = ["ConformerGenerator", "ConformerOptions", "Conformers", "Ensemble"]
