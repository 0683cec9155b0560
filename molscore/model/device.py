"""Where a model works."""

import torch
from torch import Tensor


def choose_device(device: str) -> torch.device:
    """``auto`` is CUDA if there is any, else the CPU.

    Raises:
        ValueError: if the device is not known, is not there, or is none that can do the work: `meta` holds no numbers,
            and `mps` has no float64, which samplers need.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"unknown device '{device}'; use auto, cpu, cuda or cuda:N") from error
    if chosen.type not in ("cpu", "cuda"):
        raise ValueError(f"nothing is computed on device '{device}'; use auto, cpu, cuda or cuda:N")
    if chosen.type == "cpu" and chosen.index:
        raise ValueError(f"device '{device}' is not there: there is one CPU; use cpu")
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ValueError(f"device '{device}' is not there: torch sees {count} CUDA devices; use cpu")
    return chosen


def sent(values: Tensor, like: Tensor) -> Tensor:
    """Values of the CPU on the device of another tensor and of its type. It does not wait for what the device does."""
    if like.device.type != "cuda":
        return values.to(like)
    return values.to(like.dtype).pin_memory().to(like.device, non_blocking=True)
