"""A model in one safetensors file: weights as tensors; configuration, vocabulary and training record in its header."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from molscore import forks
from molscore.model.config import DiffusionConfig
from molscore.model.diffusion import MoleculeDiffusion

FORMAT = "molscore-diffusion-2"

POSTERIOR = "posterior"
"""The weights' covariance, see `molscore.model.posterior`, among the tensors of the network."""


def save(model: MoleculeDiffusion, path: str | Path, record: dict[str, Any]) -> None:
    """Writes a model, whole or not at all.

    Args:
        model: any device.
        path: the file, in a folder that exists; an old one is replaced.
        record: how the model was made; JSON values. It comes back as ``model.record``.
    """
    path = Path(path)
    about = {
        "config": model.config.model_dump(mode="json"),
        "vocabulary": model.vocabulary,
        "size_probabilities": model.size_probabilities.tolist(),
        "record": record,
    }
    tensors = {name: t.detach().cpu().contiguous() for name, t in model.network.state_dict().items()}
    if model.posterior is not None:
        tensors[POSTERIOR] = model.posterior.detach().cpu().contiguous()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(to_bytes(tensors, {"format": FORMAT, "about": json.dumps(about)}))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | Path, device: torch.device | str = "cpu") -> MoleculeDiffusion:
    """Reads a model, ready to use; ``model.record`` tells how it was trained.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or no model of this program.
        RuntimeError: in a forked process, see `molscore.forks`.
    """
    forks.check()
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is cut short, damaged or no safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is no molscore model (its format is {metadata.get('format')!r}, not {FORMAT!r})")
    try:
        about = json.loads(metadata["about"])
        model = MoleculeDiffusion(DiffusionConfig(**about["config"]), about["vocabulary"], about["size_probabilities"])
        model.posterior = tensors.pop(POSTERIOR, None)
        model.network.load_state_dict(tensors)
        model.record = about["record"]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} holds no whole molscore model: {error}") from error
    return model.to(device).eval()
