"""The bundled models: their files and their descriptions. Light to import: no torch."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from molscore.header import HeaderError, parse_object, read_header
from molscore.limits import shown

DEFAULT = "druglike"
"""The model unless the user says otherwise."""

GRAPH_CONDITIONED = "conformers"
"""The model of coordinates of given graphs, which scores and interpolates."""

WEIGHTS = Path(__file__).parent / "weights"

GUIDES = WEIGHTS / "properties"
"""Guides to properties of the bundled models, see `molscore.guidance.property_guide`."""


FEW_STEPS = WEIGHTS / "few_steps"
"""Models that were distilled to few steps from the bundled ones, see `molscore.model.distillation`."""


def names() -> list[str]:
    """Names of the bundled models."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


def find(name: str) -> Path:
    """The weights of a bundled model, or a path to a file of the user's own.

    Raises:
        ValueError: if it is neither; the message lists what there is.
    """
    path = Path(name)
    if path.suffix == ".safetensors" or path.parent != Path("."):
        try:
            if path.is_file():
                return path
        except (OSError, ValueError) as error:  # names that no file can have
            raise ValueError(f"{shown(name)} is no name of a model file: {error}") from error
        raise ValueError(f"there is no model file {name}")
    if name not in names():
        raise ValueError(
            f"unknown model {shown(name)}; bundled models: {', '.join(names())}; or give a .safetensors file"
        )
    return WEIGHTS / f"{name}.safetensors"


def few_steps_file(name: str) -> Path | None:
    """The model that was distilled from a bundled one to few steps, if there is one."""
    path = find(name)
    few = FEW_STEPS / path.name
    return few if path.parent == WEIGHTS and few.is_file() else None


def check_sizes(name: str, probabilities: Sequence[float], atoms: tuple[int, int]) -> None:
    """Raises ValueError if a model has seen no molecule of so many atoms.

    Args:
        name: of the model.
        probabilities: of each number of atoms, from 0 on.
        atoms: the fewest and the most.
    """
    low, high = atoms
    known = [size for size, probability in enumerate(probabilities) if probability > 0]
    if not any(low <= size <= high for size in known):
        raise ValueError(f"no molecule of {low} to {high} atoms: {name} knows {known[0]} to {known[-1]}")


def guide_file(name: str) -> Path:
    """The guide to properties of a model, beside the model or, if that is bundled, in a folder of its own.

    Raises:
        ValueError: for an unknown model, or one without a guide; the message lists those with one.
    """
    path = find(name)
    bundled = path.parent == WEIGHTS
    guide = GUIDES / path.name if bundled else path.with_suffix(".properties.safetensors")
    if not guide.is_file():
        known = ", ".join(sorted(file.stem for file in GUIDES.glob("*.safetensors")))
        raise ValueError(
            f"{name} has no guide to properties, so it cannot be given targets: use {known}, or --filter; "
            "scripts/property_guide.py makes a guide"
        )
    return guide


def about_guide(name: str) -> dict[str, Any]:
    """What the guide of a model says of itself: ``properties`` by name, each with the ``range`` that it has seen,
    ``mean`` and ``deviation``; the ``vocabulary``; a ``record`` of how it was made.

    Raises:
        ValueError: if there is none, or it is damaged.
    """
    path = guide_file(name)
    try:
        return parse_object(read_header(path).metadata.get("about", ""), "the description of the guide")
    except (HeaderError, OSError) as error:
        raise ValueError(f"{path} is damaged or no guide to properties: {error}") from error


def about(name: str) -> dict[str, Any]:
    """Configuration, vocabulary, training record and, for a bundled model, measured quality.

    Reads the header of the safetensors file alone; `molscore.model.load` checks the rest.

    Raises:
        ValueError: for an unknown model, or a file that is not one.
    """
    path = find(name)
    try:
        header = read_header(path)
        about = parse_object(header.metadata.get("about", ""), "the description of the model")
    except (HeaderError, OSError) as error:
        raise ValueError(f"{path} is damaged or no molscore model: {error}") from error
    quality = path.with_suffix(".json")
    about["parameters"] = sum(math.prod(entry.shape) for entry in header.tensors.values())
    about["quality"] = json.loads(quality.read_text()) if path.parent == WEIGHTS and quality.is_file() else None
    return about
