"""The training configuration: a YAML file, overridden by ``key=value`` words; unknown keys are errors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
)

from molscore.model.config import DiffusionConfig


class TrainConfig(BaseModel):
    """Everything that defines a training run.

    Attributes:
        data: tensor file, made by ``molscore data``.
        out: folder of the run: checkpoint, log, curves, resolved configuration, weights.
        model: the diffusion and its network; the vocabulary comes from the data.
        seed: of initial weights, data order, times and noise.
        steps: optimiser steps in all.
        pair_budget: padded atom pairs per batch, which all processes share.
        learning_rate: AdamW's peak of the schedule: linear warm-up, constant, linear decay to zero at the end.
        matrix_rate: Muon's peak, for the matrices inside the layers; 0 leaves them to AdamW.
        warmup_steps, decay_steps: lengths of the two ramps.
        weight_decay, clip_norm: decoupled decay; bound on the norm of the gradient.
        ema_decay: of the exponential moving average of the weights, which is what is shipped.
        mixed_precision: ``bf16`` runs the pair messages in bfloat16.
        compile: compile the network's layers with ``torch.compile``.
        threads: CPU threads; 0 leaves torch's choice.
        valid_batches: batches of the validation split measured at each checkpoint.
        checkpoint_every, log_every: in steps.
        max_seconds: stop with a checkpoint at the first line of the log after this long; 0 is no limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path
    out: Path
    model: DiffusionConfig = DiffusionConfig()
    seed: NonNegativeInt = 0
    steps: PositiveInt = 100_000
    pair_budget: PositiveInt = 40_000
    learning_rate: PositiveFloat = 1.5e-3
    matrix_rate: NonNegativeFloat = 4e-3
    warmup_steps: NonNegativeInt = 500
    decay_steps: NonNegativeInt = 0
    weight_decay: NonNegativeFloat = 0.01
    clip_norm: PositiveFloat = 1.0
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    mixed_precision: Literal["no", "bf16"] = "bf16"
    compile: bool = False
    threads: NonNegativeInt = 0
    valid_batches: PositiveInt = 8
    checkpoint_every: PositiveInt = 1000
    log_every: PositiveInt = 50
    max_seconds: NonNegativeFloat = 0.0

    @field_validator("mixed_precision", mode="before")
    @classmethod
    def _bare_no(cls, value: Any) -> Any:
        """YAML reads a bare ``no`` as False."""
        return "no" if value is False else value


class ConfigError(ValueError):
    """A configuration that cannot be used; the message says which key and why."""


def load_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Reads a YAML configuration and applies ``key=value`` overrides (dots reach into sections).

    Args:
        path: the YAML file.
        overrides: words such as ``steps=1000`` or ``model.network.layers=4``; values are YAML.

    Raises:
        ConfigError: for a missing or malformed file, a malformed override, an unknown key or a bad value.
    """
    try:
        values = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold 'key: value' lines")
    for word in overrides:
        _override(values, word)
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError(f"{path}: " + "; ".join(lines)) from error


def _override(values: dict[str, Any], word: str) -> None:
    key, equals, value = word.partition("=")
    if not equals or not key:
        raise ConfigError(f"'{word}' is not of the form key=value")
    *sections, last = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise ConfigError(f"'{word}': {section} is not a section")
    try:
        values[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"'{word}': the value is not valid YAML") from error
