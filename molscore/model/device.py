"""Where a model works."""

import torch


def choose_device(device: str) -> torch.device:
    """``auto`` is CUDA if there is any, else the CPU.

    Raises:
        ValueError: if the device is not known, or is CUDA and there is none.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"unknown device '{device}'; use auto, cpu, cuda or cuda:N") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ValueError(f"device '{device}' is not there: torch sees {count} CUDA devices; use cpu")
    return chosen
