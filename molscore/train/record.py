"""The record of a run: it travels in the weights, is printed in a line, and is a row of the ledger."""

import hashlib
import platform
from pathlib import Path
from typing import Any

import torch

LEDGER_HEAD = (
    "| run | data | hardware | molecules seen | seconds | valid loss | positions | atoms | bonds | weights |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hardware(device: torch.device, processes: int) -> str:
    """The class of the machine, in words."""
    if device.type == "cuda":
        return f"{processes} x {torch.cuda.get_device_name(device)}"
    return f"CPU ({platform.machine()}), {processes} x {torch.get_num_threads()} threads"


def describe(record: dict[str, Any]) -> str:
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


def ledger_row(record: dict[str, Any], path: Path) -> str:
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
