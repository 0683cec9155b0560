"""What must be the same wherever workers are, for their results to be: the packages that compute, and the weights."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from molscore.versions import DISTRIBUTION, version

PACKAGES = ("molscore", "numpy", "rdkit", "torch", "torch-geometric", "e3nn")

WEIGHTS = Path(__file__).parents[1] / "weights"


@cache
def installation() -> dict[str, str]:
    """Versions by package, and the first 16 digits of the SHA-256 of the bundled weights by file."""
    versions = {package: version(DISTRIBUTION if package == "molscore" else package) for package in PACKAGES}
    hashes = {
        f"weights/{path.relative_to(WEIGHTS).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in sorted(WEIGHTS.rglob("*.safetensors"))
    }
    return versions | hashes


def differences(there: Mapping[str, str]) -> str:
    """In what an installation elsewhere differs, such as ``torch 2.9.1 (here 2.10.0)``; "" if in nothing."""
    here = installation()
    names = [name for name in dict.fromkeys((*here, *there)) if here.get(name) != there.get(name)]
    return ", ".join(f"{name} {there.get(name, 'missing')} (here {here.get(name, 'missing')})" for name in names)
