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
    few_steps: Self | None = None
    """The same with a model that was distilled from this one to few steps, if there is one that it can use."""

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
        where = choose_device(device)
        made = cls(load(pretrained.find(name), where), name)
        few = pretrained.few_steps_file(name)
        if few is not None and cls.samples(pretrained.about(str(few))["config"]["graph_conditioned"]):
            made.few_steps = cls(load(few, where), name)
        return made

    @staticmethod
    def samples(graph_conditioned: float) -> bool:
        """Whether it samples a model that was given so many of its graphs in training, a share."""
        return False

    @cached_property
    def weights(self) -> str:
        """The first 16 digits of the SHA-256 of the model's weights, to tell it from others of its name."""
        return fingerprint(self.model)[:16]
