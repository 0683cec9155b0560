"""A new run from the weights of a finished model, or of a teacher's."""

import re
from typing import Any

import torch
from torch import Tensor

from molscore import pretrained
from molscore.model.diffusion import BOND_CLASSES, MoleculeDiffusion
from molscore.model.distillation import Distillation
from molscore.model.files import load
from molscore.train.checkpoint import Progress, check_progress
from molscore.train.config import ConfigError
from molscore.train.record import Origin, sha256

STEREO = ("handedness.", "sides")
"""Prefixes of the weights that read stereo, see `EquivariantScoreNetwork`."""
BRANCH = re.compile(r"\.(out|displace|pair_update|update\.mlp\.2)\.")
"""Weights of a `Layer` through which all passes that it adds to its inputs."""


def begin_from(weights: str, model: MoleculeDiffusion) -> Progress:
    """Copies finished weights into a new model.

    The atom classes may differ: the weights of a class go with it, those of new classes are zero. So are those that
    read stereo, if the finished network has none. The new model may have more layers, which at first change nothing:
    what they add to their inputs begins with zeros (as in Goyal et al., arXiv:1706.02677, for residual branches).

    Args:
        weights: a bundled model's name, or a ``.safetensors`` file.
        model: gets the weights; it keeps its own data's sizes of molecules.

    Returns:
        The progress of a new run that counts on where those weights were left.

    Raises:
        ConfigError: if there are no such weights, or they are of another network.
    """
    try:
        path = pretrained.find(weights)
        source = load(path)
        molecules, seconds = check_progress(source.record)
    except (ValueError, FileNotFoundError) as error:
        raise ConfigError(f"cannot begin from {weights}: {error}") from error
    differing = [f"model.{name} is {b} here and {a} there" for name, (a, b) in _differences(source, model).items()]
    if differing:
        raise ConfigError(f"cannot begin from {weights}, another model: " + "; ".join(differing))
    state = source.network.state_dict()
    model.network.load_state_dict(_new(source, model) | state | _of_inputs(state, source, model))
    origin = Origin(name=path.stem, sha256=sha256(path), molecules=molecules, seconds=seconds)
    return Progress(0, molecules, seconds, origin)


def distilled(teacher: str, model: MoleculeDiffusion) -> Distillation:
    """The distillation of a teacher into a model, whose weights stay as they are: with a new critic.

    Raises:
        ConfigError: as `begin_from`, for the teacher.
    """
    others = [MoleculeDiffusion(model.config, model.vocabulary, model.size_probabilities) for _ in range(2)]
    for other in others:
        begin_from(teacher, other.to(model.device))
    return Distillation(model, *others)


def _differences(source: MoleculeDiffusion, model: MoleculeDiffusion) -> dict[str, tuple[Any, Any]]:
    """Settings in which two models differ, of those that they must share for weights to keep their meaning."""
    sizes = [{f"network.{name}": value for name, value in x.config.network} for x in (source, model)]
    for values, x in zip(sizes, (source, model), strict=True):
        values |= {name: getattr(x.config, name) for name in ("position_scale", "category_scale")}
    if model.config.network.stereo:
        del sizes[0]["network.stereo"]  # it may be added
    if model.config.network.layers > source.config.network.layers:
        del sizes[0]["network.layers"]  # so may they
    return {name: (a, sizes[1][name]) for name, a in sizes[0].items() if a != sizes[1][name]}


def _new(source: MoleculeDiffusion, model: MoleculeDiffusion) -> dict[str, Tensor]:
    """Those weights of the new network of which the finished one has none: as they are, branches of layers as zeros."""
    depth = source.config.network.layers
    new = {}
    for name, value in model.network.state_dict().items():
        layer = re.match(r"layers\.(\d+)\.", name)
        if layer and int(layer[1]) >= depth:
            new[name] = torch.zeros_like(value) if BRANCH.search(name) else value
        elif name.startswith(STEREO):
            new[name] = value
    return new


def _of_inputs(state: dict[str, Tensor], source: MoleculeDiffusion, model: MoleculeDiffusion) -> dict[str, Tensor]:
    """The weights of `EquivariantScoreNetwork` that belong to atom classes or kinds of walks, for other ones."""
    old, new = source.classes, model.classes
    rows = [old.index(c) if c in old else len(old) for c in new]  # the last row is one of zeros
    taken = {}
    for name in ("atom_head.3.weight", "atom_head.3.bias"):
        taken[name] = torch.cat([state[name], torch.zeros_like(state[name][:1])])[rows]
    # The inputs of an atom, as `MoleculeDiffusion.predict` lays them out: three numbers for a class, walks, the rest.
    classes, walks, rest = state["embed_atoms.weight"].T.split(_widths(source, state["embed_atoms.weight"], len(old)))
    each = classes.unflatten(0, (3, len(old)))
    each = torch.cat([each, torch.zeros_like(each[:, :1])], dim=1)[:, rows]
    kinds = model.config.walks
    taken["embed_atoms.weight"] = torch.cat([each.flatten(0, 1), _resized(walks, kinds), rest]).T.contiguous()
    pairs = state["embed_pairs.weight"]
    bonds, walks, rest = pairs.T.split(_widths(source, pairs, BOND_CLASSES))
    taken["embed_pairs.weight"] = torch.cat([bonds, _resized(walks, kinds), rest]).T.contiguous()
    return taken


def _widths(source: MoleculeDiffusion, weight: Tensor, classes: int) -> list[int]:
    """Columns of an embedding: of classes, of walks, of all else."""
    known = [3 * classes, source.config.walks]
    return [*known, weight.shape[1] - sum(known)]


def _resized(rows: Tensor, n: int) -> Tensor:
    """The first n rows, and rows of zeros if there are fewer."""
    return torch.cat([rows[:n], rows.new_zeros(max(n - len(rows), 0), rows.shape[1])])
