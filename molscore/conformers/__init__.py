"""Conformers of given molecules: a SMILES in, an ensemble out, with the stereo that was asked for.

A molecule becomes a `target`; the model `propose`s positions of its heavy atoms; hydrogens are added, and what is not
sound or has the wrong stereo is thrown away (`build`); what the model cannot serve, ETKDGv3 does. `generator` leads
through it, `files` does so for files.
"""

from molscore.conformers.ensemble import Ensemble
from molscore.conformers.generator import ConformerGenerator
from molscore.conformers.options import Options

__all__ = ["ConformerGenerator", "Ensemble", "Options"]
