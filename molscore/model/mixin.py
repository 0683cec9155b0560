"""What generators and scorers have in common: a model on a device, where it comes from, and its name."""

from functools import cached_property
from typing import Self

from molscore import pretrained
from molscore.model.device import choose_device
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.files import load
from molscore.model.fingerprint import fingerprint


class PretrainedMixin:
    """Works with one model on one device.

    Args:
        model: the model, on the device to work on.
        name: its name in records and messages.
    """

    default_model = pretrained.GRAPH_CONDITIONED

    def __init__(self, model: MoleculeDiffusion, name: str):
        self.model, self.name = model, name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, device='{self.model.device}')"

    @classmethod
    def from_pretrained(cls, name: str | None = None, device: str = "auto") -> Self:
        """Loads a bundled model by name, or a model file by path.

        Args:
            name: a name that ``molscore models`` lists, or the path of a .safetensors file. By default ``druglike``
                makes new molecules, and ``conformers`` works on given ones.
            device: ``auto`` (CUDA if available), ``cpu``, ``cuda`` or ``cuda:1``.

        Raises:
            ValueError: for an unknown model, one that cannot do the work, or a device that is not there.
        """
        name = cls.default_model if name is None else name
        return cls(load(pretrained.find(name), choose_device(device)), name)

    @cached_property
    def weights(self) -> str:
        """The first 16 digits of the SHA-256 of the model's weights, to tell it from others of its name."""
        return fingerprint(self.model)[:16]
