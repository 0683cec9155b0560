"""The model: where the SDE of the core, the network and molecule tensors meet."""

from molscore.model.config import DiffusionConfig
from molscore.model.device import choose_device
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.files import load, save
from molscore.model.sampling import Sample, sample, sample_molecules

__all__ = [
    "DiffusionConfig",
    "MoleculeDiffusion",
    "Sample",
    "choose_device",
    "load",
    "sample",
    "sample_molecules",
    "save",
]
