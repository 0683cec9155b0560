"""Where a model works."""

import torch


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
