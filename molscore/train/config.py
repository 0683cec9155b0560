"""The training configuration: a YAML file, overridden by ``key=value`` words; unknown keys are errors. No torch."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from molscore.limits import LIMITS
from molscore.model.config import DiffusionConfig
from molscore.train.text import TextError, parse, read

CHECKPOINT = "checkpoint.pt"
"""In the folder of a run: all that is needed to go on with it."""

STEPS = 1_000_000_000
"""Steps of a run at most, and of intervals that are counted in steps."""


class TrainConfig(BaseModel):
    """Everything that defines a training run.

    Attributes:
        data: tensor file, made by ``molscore data``.
        out: folder of the run: checkpoint, log, curves, resolved configuration, weights.
        model: the diffusion and its network; the vocabulary comes from the data.
        teacher: a bundled model or ``.safetensors`` file: the model is distilled from it to ``model.sampling.steps``
            evaluations, see `molscore.model.distillation`. Empty: it is trained on the data themselves.
        seed: of initial weights, data order, times and noise.
        steps: optimiser steps in all.
        pair_budget: padded atom pairs per batch, which all processes share.
        learning_rate: AdamW's peak of the schedule: linear warm-up, constant, linear decay to zero at the end.
        matrix_rate: Muon's peak, for the matrices inside the layers; 0 leaves them to AdamW.
        critic_rate: with a teacher, the critic's rates over the student's: it has to follow the student.
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

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    data: Path
    out: Path
    model: DiffusionConfig = DiffusionConfig()
    teacher: str = ""
    seed: int = Field(default=0, ge=LIMITS["seed"].low, le=LIMITS["seed"].high)
    steps: int = Field(default=100_000, gt=0, le=STEPS)
    pair_budget: int = Field(default=40_000, gt=0, le=10_000_000)
    learning_rate: float = Field(default=1.5e-3, gt=0, le=10)
    matrix_rate: float = Field(default=4e-3, ge=0, le=10)
    critic_rate: float = Field(default=5.0, gt=0, le=1e3)
    warmup_steps: int = Field(default=500, ge=0, le=STEPS)
    decay_steps: int = Field(default=0, ge=0, le=STEPS)
    weight_decay: float = Field(default=0.01, ge=0, le=1e3)
    clip_norm: float = Field(default=1.0, gt=0, le=1e9)
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    mixed_precision: Literal["no", "bf16"] = "bf16"
    compile: bool = False
    threads: int = Field(default=0, ge=0, le=1024)
    valid_batches: int = Field(default=8, gt=0, le=1_000_000)
    checkpoint_every: int = Field(default=1000, gt=0, le=STEPS)
    log_every: int = Field(default=50, gt=0, le=STEPS)
    max_seconds: float = Field(default=0.0, ge=0, le=1e9)

    @field_validator("data", "out", mode="before")
    @classmethod
    def _name(cls, value: Any) -> Any:
        if isinstance(value, str) and (not value or "\0" in value):
            raise ValueError("this is no name of a file or folder")
        return value


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
        values = read(Path(path))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except TextError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold 'key: value' lines")
    for word in overrides:
        _override(values, word)
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)
        lines = [f"{'.'.join(str(part)[:60] for part in e['loc'])}: {e['msg']}" for e in wrong[:10]]
        raise ConfigError(f"{path}: " + "; ".join(lines)) from None


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
        values[last] = parse(value)
    except TextError as error:
        raise ConfigError(f"'{word}': the value is not valid YAML: {error}") from error


def check(config: TrainConfig, resume: bool, init_from: str | None) -> None:
    """Checks what can be known before anything is read; arguments and errors as for `molscore.train.loop.train`."""
    checkpoint = config.out / CHECKPOINT
    if resume and init_from:
        raise ConfigError("--init-from begins a new run and --resume goes on with one: give one of them")
    if checkpoint.exists() and not resume:
        raise ConfigError(f"{config.out} already holds a run: add --resume to go on with it, or choose another 'out'")
    if resume and not checkpoint.is_file():
        raise ConfigError(f"there is nothing to resume in {config.out}: run without --resume first")
    if config.teacher and (config.model.sampling.order != 1 or config.model.sampling.steps < 2):
        raise ConfigError(
            "a model with a teacher takes first-order steps, and two at least: set model.sampling.order=1 "
            "and model.sampling.steps"
        )
    if config.compile and config.model.network.energy:
        raise ConfigError("compile does not go with an energy head, which needs second derivatives: leave one of them")
    check_folder(config.out)


def check_folder(out: Path) -> None:
    """Checks before training that results can be written.

    Raises:
        OSError: if there can be no folder `out`, or nothing can be written there.
    """
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is no folder; choose another 'out'")
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"{out}: the folder {there} cannot be written to; choose another 'out'")
