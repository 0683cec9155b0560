"""The record of a run: it travels in the weights, is printed in a line, and is a row of the ledger."""

import hashlib
import platform
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import torch

LEDGER_HEAD = (
    "| run | data | hardware | molecules seen | seconds | valid loss | positions | atoms | bonds | weights |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
)


class Origin(TypedDict):
    """The weights that a run began from.

    Attributes:
        name: of their file.
        sha256: its digest.
        molecules, seconds: seen and spent by them, and by those that they began from.
    """

    name: str
    sha256: str
    molecules: int
    seconds: float


class Record(TypedDict):
    """How weights were made.

    Attributes:
        step: optimiser steps of the run.
        molecules, seconds: seen and spent, by the run and by the weights it began from.
        valid: losses on the validation molecules.
        hardware: see `hardware`.
        data_sha256: digest of the tensor file.
        config: of the run, data and folder by name alone.
        init_from: the weights it began from, if any.
    """

    step: int
    molecules: int
    seconds: float
    valid: dict[str, float]
    hardware: str
    data_sha256: str
    config: dict[str, Any]
    init_from: NotRequired[Origin]


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hardware(device: torch.device, processes: int) -> str:
    """The class of the machine, in words."""
    if device.type == "cuda":
        return f"{processes} x {torch.cuda.get_device_name(device)}"
    return f"CPU ({platform.machine()}), {processes} x {torch.get_num_threads()} threads"


def describe(record: Record) -> str:
    """One line about a training record."""
    line = (
        f"{record['molecules']:,} molecules in {record['seconds'] / 3600:.2f} h on {record['hardware']}, "
        f"{record['step']:,} steps"
    )
    origin = record.get("init_from")
    if origin is None:
        return line
    return (
        f"{line}; of these {origin['molecules']:,} molecules in {origin['seconds'] / 3600:.2f} h before, "
        f"by {origin['name']} ({origin['sha256'][:12]})"
    )


def ledger_row(record: Record, path: Path) -> str:
    """A run as one row of ``data/training/ledger.md``, under `LEDGER_HEAD`; weights and data by their SHA-256.

    Args:
        record: of the run, as its weights carry it.
        path: its weights.
    """
    config, origin, valid = record["config"], record.get("init_from"), record["valid"]
    run = config["out"] + (f", from {origin['name']} ({origin['sha256'][:12]})" if origin else "")
    data = f"{config['data']} ({record['data_sha256'][:12]})"
    losses = [f"{valid[name]:.4f}" for name in ("loss", "positions", "atoms", "bonds")]
    cells = [run, data, record["hardware"], f"{record['molecules']:,}", f"{record['seconds']:.0f}", *losses]
    return "| " + " | ".join([*cells, f"`{sha256(path)}`"]) + " |"
