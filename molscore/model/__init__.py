"""The model: where the SDE of the core, the network and molecule tensors meet.

Names are loaded when they are first used: a configuration is checked without torch.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from molscore.model.config import DiffusionConfig
    from molscore.model.device import choose_device
    from molscore.model.diffusion import MoleculeDiffusion
    from molscore.model.files import load, save
    from molscore.model.sampling import Sample, sample, sample_molecules

_HOMES = {
    "DiffusionConfig": "config",
    "MoleculeDiffusion": "diffusion",
    "Sample": "sampling",
    "choose_device": "device",
    "load": "files",
    "sample": "sampling",
    "sample_molecules": "sampling",
    "save": "files",
}

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


if not TYPE_CHECKING:  # a checker that saw __getattr__ would pass any name

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name not in _HOMES:
            raise AttributeError(f"module 'molscore.model' has no attribute '{name}'")
        return getattr(import_module(f"molscore.model.{_HOMES[name]}"), name)
