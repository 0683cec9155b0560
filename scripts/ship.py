"""Puts the weights of a run into the package, with the sampler's settings that suit them.

python scripts/ship.py runs/druglike/model.safetensors --name druglike --set steps=100 eta_x=10 eta_g=10
"""

import argparse
from pathlib import Path

import yaml

from molscore.model import load, save
from molscore.model.config import SamplingConfig
from molscore.pretrained import WEIGHTS


def main() -> None:
    """Reads, changes the settings, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the sampler; the others stay")
    words = parser.parse_args()
    model = load(words.weights)
    changes = {key: yaml.safe_load(value) for key, value in (word.split("=", 1) for word in words.set)}
    sampling = SamplingConfig.model_validate(model.config.sampling.model_dump() | changes)
    model.config = model.config.model_copy(update={"sampling": sampling})
    path = WEIGHTS / f"{words.name}.safetensors"
    save(model, path, model.record)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {sampling}")


if __name__ == "__main__":
    main()
