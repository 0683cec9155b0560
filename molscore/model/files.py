"""A model in one safetensors file: weights as tensors; configuration, vocabulary and training record in its header."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from molscore import forks
from molscore.files.output import written
from molscore.header import Header, HeaderError, in_order, read_header
from molscore.limits import shown
from molscore.model.config import Description
from molscore.model.diffusion import MoleculeDiffusion, last_layer_features

FORMAT = "molscore-diffusion-2"

POSTERIOR = "posterior"
"""The weights' covariance, see `molscore.model.posterior`, among the tensors of the network."""


RENAMED = {"clock.": "time."}
"""Beginnings of names that tensors had in older files, and have now."""

ADDED = ("time.own.weight",)
"""Tensors that older files lack; without them the model is what it was, since they begin with zeros."""


def save(model: MoleculeDiffusion, path: str | Path, record: Mapping[str, object]) -> None:
    """Writes a model, whole or not at all.

    Args:
        model: any device.
        path: the file, in a folder that exists; an old one is replaced.
        record: how the model was made; JSON values. It comes back as ``model.record``.

    Raises:
        ValueError: if `load` would refuse the file: numbers that are not finite, a vocabulary or sizes that are none.
    """
    about = {
        "config": model.config.model_dump(mode="json"),
        "vocabulary": model.vocabulary,
        "size_probabilities": model.size_probabilities.tolist(),
        "record": record,
    }
    tensors = dict(model.network.state_dict())
    if model.posterior is not None:
        tensors[POSTERIOR] = model.posterior
    tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(about)
    _description(text)
    _numbers(tensors)
    with written(path) as file:
        file.writelines(in_order(to_bytes(tensors, {"format": FORMAT, "about": text})))


def load(path: str | Path, device: torch.device | str = "cpu") -> MoleculeDiffusion:
    """Reads a model, ready to use; ``model.record`` tells how it was trained.

    A file from anywhere can be given: no code of it runs, and its tensors are read only once its header has been held
    against the size of the file and against the network that its description asks for.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or no model of this program; the message names the part that is wrong.
        RuntimeError: in a forked process, see `molscore.forks`.
    """
    forks.check()
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    try:
        header = read_header(path)
    except (HeaderError, OSError) as error:
        raise ValueError(f"{path} is cut short, damaged or no safetensors file: {error}") from error
    if (stated := header.metadata.get("format")) != FORMAT:
        raise ValueError(f"{path} is no molscore model (its format is {shown(stated)}, not {FORMAT!r})")
    try:
        description = _description(header.metadata.get("about", ""))
        posterior = _fitting(header, description)
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {_present(name): file.get_tensor(name) for name in header.tensors}
        _numbers(tensors)
        arguments = description.config, description.vocabulary, description.size_probabilities
        model = MoleculeDiffusion(*arguments)
        model.posterior = tensors.pop(POSTERIOR) if posterior else None
        own = model.network.state_dict()
        model.network.load_state_dict({name: own[name] for name in ADDED} | tensors)
        model.record = description.record
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path} holds no whole molscore model: {error}") from error
    return model.to(device).eval()


def _present(name: str) -> str:
    """What a tensor of a file is called now."""
    for before, now in RENAMED.items():
        if name.startswith(before):
            return now + name.removeprefix(before)
    return name


def _description(text: str) -> Description:
    """The description of a model, from the JSON of its header."""
    try:
        return Description.model_validate_json(text, strict=True)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc'])) or 'about'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise ValueError("; ".join(wrong[:5])) from None


def _fitting(header: Header, description: Description) -> bool:
    """Whether there is a posterior, in a header whose tensors are those of the network that is described.

    The network is built without numbers, so that nothing is allocated for a description that the file does not fill.
    """
    network = description.config.network
    if network.layers > len(header.tensors):
        raise ValueError(f"config.network.layers is {network.layers}, too many for {len(header.tensors)} tensors")
    with torch.device("meta"):
        skeleton = MoleculeDiffusion(description.config, description.vocabulary, description.size_probabilities)
    wanted = {name: tuple(tensor.shape) for name, tensor in skeleton.network.state_dict().items()}
    if posterior := POSTERIOR in header.tensors:
        wanted[POSTERIOR] = 2 * (last_layer_features(skeleton),)
    present = {_present(name): about for name, about in header.tensors.items()}
    if missing := sorted(set(wanted) - set(present) - set(ADDED)):
        raise ValueError(f"{len(missing)} tensors are missing, among them {missing[0]}")
    if unknown := sorted(set(present) - set(wanted)):
        raise ValueError(f"{len(unknown)} tensors are not known, among them {shown(unknown[0])}")
    for name, (dtype, shape) in present.items():
        if shape != wanted[name]:
            raise ValueError(f"tensor {name} has the shape {shape}, where the config asks for {wanted[name]}")
        if dtype != "F32":
            raise ValueError(f"tensor {name} is of type {dtype}; weights are F32")
    return posterior


def _numbers(tensors: dict[str, Tensor]) -> None:
    """Refuses weights that are not finite, and a posterior that is no covariance."""
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"tensor {name} holds numbers that are not finite")
    if (covariance := tensors.get(POSTERIOR)) is None:
        return
    covariance, size = covariance.double(), covariance.abs().max()
    if (covariance - covariance.T).abs().max() > 1e-4 * size:
        raise ValueError(f"tensor {POSTERIOR} is no covariance: it is not symmetric")
    if torch.linalg.eigvalsh(covariance).min() < -1e-3 * size:
        raise ValueError(f"tensor {POSTERIOR} is no covariance: it has negative eigenvalues")
