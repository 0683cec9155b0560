"""What tells one model from another, whatever its file is called, and one run from another."""

import hashlib
import json

import torch

from molscore.model.diffusion import MoleculeDiffusion
from molscore.versions import version


def fingerprint(model: MoleculeDiffusion) -> str:
    """SHA-256 of all that decides on what a model makes: configuration, vocabulary, sizes, weights and posterior."""
    config = model.config.model_dump(mode="json")
    if config["sampling"]["order"] == 2:  # what all models had before there was a choice
        del config["sampling"]["order"]
    about = [config, model.vocabulary, model.size_probabilities.tolist()]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    tensors = dict(model.network.state_dict())
    if model.posterior is not None:
        tensors["posterior"] = model.posterior
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def identity(model: MoleculeDiffusion, name: str, seed: int, options: str) -> dict[str, object]:
    """What two runs must have in common to make the same molecules: JSON values by name.

    Args:
        model: the model.
        name: what records call it.
        seed: of the run.
        options: in words, those that decide on the result.
    """
    versions = {"molscore": version(), "rdkit": version("rdkit"), "torch": version("torch")}
    made_with = {"model": name, "weights (SHA-256)": fingerprint(model), "seed": seed, "options": options}
    return {f"{package} version": version for package, version in versions.items()} | made_with
