"""A run's checkpoint: all that is needed to resume it exactly; written whole, and checked when it is read."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from molscore.files.output import write_bytes
from molscore.limits import shown
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.distillation import Distillation
from molscore.train.config import STEPS, ConfigError
from molscore.train.pickled import Pickled, PickledError
from molscore.train.record import Origin

MOMENTS = {"AdamW": {"step", "exp_avg", "exp_avg_sq"}, "Muon": {"momentum_buffer"}}
"""What each optimiser keeps for a parameter."""

MOST = 10**15
"""Molecules seen, or seconds spent, at most."""


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        step: optimiser steps of this run.
        molecules, seconds: seen and spent, by this run and by the weights it began from.
        init_from: those weights, or None.
    """

    step: int = 0
    molecules: int = 0
    seconds: float = 0.0
    init_from: Origin | None = None


def write_checkpoint(
    path: Path,
    model: MoleculeDiffusion | Distillation,
    average: AveragedModel,
    optimisers: Sequence[Optimizer],
    progress: Progress,
) -> None:
    """Writes a checkpoint, whole or not at all.

    Raises:
        OSError: if there is no room for it; an older one stays.
    """
    state = {
        "model": model.state_dict(),
        "average": average.state_dict(),
        "vocabulary": model.vocabulary,
        "optimisers": [optimiser.state_dict() for optimiser in optimisers],
    }
    content = io.BytesIO()  # torch's own writer ends the program where the disk is full
    torch.save(state | progress._asdict(), content)
    write_bytes(path, content.getbuffer())


def go_on_from(
    path: Path, model: MoleculeDiffusion | Distillation, average: AveragedModel, optimisers: Sequence[Optimizer]
) -> Progress:
    """Loads weights, moving average and the optimisers' moments; their rates and decay stay those they were made with.

    Everything is checked before anything is changed.

    Raises:
        ConfigError: if the checkpoint is damaged or of another model or vocabulary; the message names the part.
    """
    try:
        with Pickled(path) as file:
            saved = _Part(file, file.value, "checkpoint")
            progress = _progress(saved)
            if "vocabulary" in saved.value and saved.value["vocabulary"] != model.vocabulary:
                raise PickledError("vocabulary is another one: its data had other elements or charges")
            weights = [saved["model"].tensors(model.state_dict()), saved["average"].tensors(average.state_dict())]
            states = saved["optimisers"].items(len(optimisers))
            moments = [_moments(state, optimiser) for state, optimiser in zip(states, optimisers, strict=True)]
    except (PickledError, OSError) as error:
        raise ConfigError(
            f"cannot go on from {path}: it is damaged, or its model or data were others (see config.yaml): {error}"
        ) from error
    model.load_state_dict(weights[0])
    average.load_state_dict(weights[1])
    for optimiser, state in zip(optimisers, moments, strict=True):
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return progress


@dataclass(frozen=True)
class _Part:
    """A value of a checkpoint and its dotted name there."""

    file: Pickled
    value: Any
    name: str

    def __getitem__(self, key: str | int) -> "_Part":
        if not isinstance(self.value, Mapping):
            raise PickledError(f"{self.name} is no section")
        if key not in self.value:
            raise PickledError(f"{self.name} has no {key}")
        return _Part(self.file, self.value[key], f"{self.name}.{key}")

    def items(self, count: int | None = None) -> list["_Part"]:
        """The parts of a list."""
        if not isinstance(self.value, list) or count not in (None, len(self.value)):
            raise PickledError(f"{self.name} is no list of {count or 'several'}")
        return [_Part(self.file, value, f"{self.name}.{k}") for k, value in enumerate(self.value)]

    def count(self, most: int = MOST) -> int:
        """A whole number from 0 on."""
        return int(self.number(most, (int,)))

    def number(self, most: int = MOST, kinds: tuple[type, ...] = (int, float)) -> float:
        """A number from 0 on."""
        if type(self.value) not in kinds or not 0 <= self.value <= most:
            raise PickledError(f"{self.name} is {shown(self.value)}, not a number from 0 to {most:,}")
        number: float = self.value
        return number

    def tensor(self, like: Tensor) -> Tensor:
        """A tensor of finite numbers, of the type and shape of another."""
        try:
            stored = self.file.tensor(self.value)
        except PickledError as error:
            raise PickledError(f"{self.name}: {error}") from error
        if stored.shape != like.shape or stored.dtype != like.dtype:
            ours, theirs = (f"{tuple(x.shape)} {x.dtype}" for x in (like, stored))
            raise PickledError(f"{self.name} is {theirs}, where the model has {ours}")
        if not stored.isfinite().all():
            raise PickledError(f"{self.name} holds numbers that are not finite")
        return stored

    def tensors(self, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors of the names, types and shapes of others."""
        if isinstance(self.value, Mapping) and (unknown := [key for key in self.value if key not in like]):
            raise PickledError(f"{self.name}.{shown(unknown[0])} is not known")
        return {name: self[name].tensor(tensor) for name, tensor in like.items()}


def _progress(saved: _Part) -> Progress:
    origin = saved["init_from"] if "init_from" in (saved.value if isinstance(saved.value, Mapping) else ()) else None
    if origin is not None and origin.value is not None:
        for name in ("name", "sha256"):
            if not isinstance(origin[name].value, str):
                raise PickledError(f"{origin.name}.{name} is no text")
        origin["molecules"].count(), origin["seconds"].number()
    return Progress(
        saved["step"].count(most=STEPS),
        saved["molecules"].count(),
        saved["seconds"].number(),
        origin.value if origin is not None else None,
    )


def _moments(saved: _Part, optimiser: Optimizer) -> dict[int, dict[str, Tensor]]:
    """The moments that an optimiser keeps, by the number of the parameter; of some there may be none yet."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    ours = [list(group["params"]) for group in optimiser.state_dict()["param_groups"]]
    theirs = [group["params"].value for group in saved["param_groups"].items(len(ours))]
    if theirs != ours:
        raise PickledError(f"{saved.name}.param_groups: its parameters are grouped otherwise")
    wanted = MOMENTS[type(optimiser).__name__]
    moments: dict[int, dict[str, Tensor]] = {}
    states = saved["state"]
    if not isinstance(states.value, Mapping):
        raise PickledError(f"{states.name} is no section")
    for key in states.value:
        if type(key) is not int or not 0 <= key < len(parameters):
            raise PickledError(f"{states.name}.{shown(key)} is not known")
        like = dict.fromkeys(wanted, parameters[key])
        if "step" in like:
            like["step"] = torch.zeros((), dtype=torch.float32)
        moments[key] = states[key].tensors(like)
        for name in ("step", "exp_avg_sq"):
            if name in moments[key] and (moments[key][name] < 0).any():
                raise PickledError(f"{states.name}.{key}.{name} is negative")
    return moments


def check_progress(origin: Mapping[str, Any]) -> tuple[int, float]:
    """Molecules seen and seconds spent by finished weights, as their record has them; 0 if it does not.

    Raises:
        ConfigError: if these are no such numbers.
    """
    molecules, seconds = origin.get("molecules", 0), origin.get("seconds", 0)
    if type(molecules) is not int or not 0 <= molecules <= MOST:
        raise ConfigError(f"its record has molecules {shown(molecules)}, which is no count")
    if type(seconds) not in (int, float) or not math.isfinite(seconds) or not 0 <= seconds <= MOST:
        raise ConfigError(f"its record has seconds {shown(seconds)}, which is no time")
    return molecules, seconds
