"""The guide to properties of a model: network, scales and sizes, in one safetensors file.

Sizes are chosen first, given the targets: p(n | target) ~ p(n) p(target | n), with each property normal among the
training molecules of n heavy atoms.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from molscore.chem.targets import Target
from molscore.files.output import written
from molscore.guidance.placed_properties import PlacedPropertyNetwork
from molscore.guidance.properties import SLOPE, Aim, PropertyNetwork, PropertyWish, log_mass
from molscore.header import HeaderError, in_order, parse_object, read_header

SIZES = "size_means", "size_deviations"

NETWORKS = {"graph": PropertyNetwork, "placed": PlacedPropertyNetwork}
"""By what they look at; a file that does not say looks at graphs."""


class PropertyGuide:
    """What leads a model to properties.

    Args:
        network: of all properties.
        about: ``properties``: by name, in the network's order, ``mean``, ``deviation`` and ``range`` in the training
            data; ``vocabulary``: of the model; ``record``: how it was made; ``network``: one of `NETWORKS`;
            ``least``: see `PropertyWish`, 0 if it is not there.
        size_means, size_deviations: ``(N + 1, P)``: of each property, among molecules of so many atoms.
    """

    def __init__(self, network: nn.Module, about: dict[str, Any], size_means: Tensor, size_deviations: Tensor):
        self.network, self.about = network.eval().requires_grad_(False), about
        self.size_means, self.size_deviations = size_means.double(), size_deviations.double()
        self.names = list(about["properties"])
        self.mean, self.deviation = (
            torch.tensor([about["properties"][name][key] for name in self.names]) for key in ("mean", "deviation")
        )

    def __repr__(self) -> str:
        return f"PropertyGuide({', '.join(self.names)})"

    def aims(self, targets: Sequence[Target]) -> list[Aim]:
        """The targets, by the number of their property."""
        return [Aim(self.names.index(target.name), target.low, target.high, target.sign) for target in targets]

    def wish(self, targets: Sequence[Target]) -> PropertyWish:
        """The energy of the targets."""
        return self.energy(self.aims(targets))

    def energy(self, aims: Sequence[Aim]) -> PropertyWish:
        """The energy of aims."""
        return PropertyWish(self.network, self.mean, self.deviation, aims, self.about.get("least", 0.0))

    def size_weights(self, targets: Sequence[Target], count: int) -> np.ndarray:
        """``(count,)``: p(target | n) for n = 0, 1, ..., up to a factor; sizes beyond the table are like its last."""
        log = torch.zeros(len(self.size_means), dtype=torch.float64)
        for k, low, high, sign in self.aims(targets):
            mean, deviation = self.size_means[:, k], self.size_deviations[:, k]
            if sign:
                log += sign * SLOPE * mean / float(self.deviation[k])
            else:
                log += log_mass((low - mean) / deviation, (high - mean) / deviation)
        rows = torch.arange(count).clamp(max=len(log) - 1)
        return torch.exp(log - log.max())[rows].numpy()

    def save(self, path: str | Path) -> None:
        """Writes the file, whole or not at all."""
        tensors = self.network.state_dict() | dict(
            zip(SIZES, (self.size_means.float(), self.size_deviations.float()), strict=True)
        )
        with written(Path(path)) as file:
            file.writelines(in_order(save(tensors, {"about": json.dumps(self.about)})))


@cache
def load_guide(path: Path) -> PropertyGuide:
    """The guide in a file.

    Raises:
        ValueError: if it is damaged, or none.
    """
    try:
        about = parse_object(read_header(path).metadata.get("about", ""), "the description of the guide")
        tensors = load_file(path)
        sizes = [tensors.pop(name) for name in SIZES]
        network = NETWORKS[about.get("network", "graph")](len(about["vocabulary"]), len(about["properties"]))
        network.load_state_dict(tensors)
    except (HeaderError, SafetensorError, KeyError, RuntimeError, OSError) as error:
        raise ValueError(f"{path} is damaged or no guide to properties: {error}") from error
    return PropertyGuide(network, about, *sizes)
