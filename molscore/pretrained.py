"""The models that come with the package: where they lie and what is known of them. Light to import: no torch."""

import json
import struct
from pathlib import Path
from typing import Any

DEFAULT = "druglike"
"""The model unless the user says otherwise."""

KNOWN_GRAPHS = "conformers"
"""The model of coordinates of known graphs, which scores and interpolates."""

WEIGHTS = Path(__file__).parent / "weights"


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
        if not path.is_file():
            raise ValueError(f"there is no model file {name}")
        return path
    if name not in names():
        raise ValueError(f"unknown model '{name}'; bundled models: {', '.join(names())}; or give a .safetensors file")
    return WEIGHTS / f"{name}.safetensors"


def about(name: str) -> dict[str, Any]:
    """Configuration, vocabulary, training record and, for a bundled model, measured quality.

    Reads the header of the safetensors file alone.

    Raises:
        ValueError: for an unknown model, or a file that is not one.
    """
    path = find(name)
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, 1 << 24)))
        about = json.loads(header["__metadata__"]["about"])
    except (struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged or no molscore model") from error
    quality = path.with_suffix(".json")
    about["parameters"] = sum(_count(entry["shape"]) for key, entry in header.items() if key != "__metadata__")
    about["quality"] = json.loads(quality.read_text()) if quality.is_file() else None
    return about


def _count(shape: list[int]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
