"""molscore: 3-D molecules from score networks.

>>> import molscore
>>> result = molscore.MoleculeGenerator.from_pretrained().generate(100, seed=0)
>>> mol = molscore.ConformerGenerator.from_pretrained().generate("CC(=O)Oc1ccccc1C(=O)O", n=20, seed=0)
>>> metrics = molscore.evaluate(result.mols)
>>> scores = molscore.MoleculeScorer.from_pretrained().score(result.mols)

Names are loaded when they are first used: ``import molscore`` alone loads neither torch nor RDKit.

Threads may share a generator or a scorer. Worker processes are started afresh, not forked (`molscore.forks`)::

    with multiprocessing.get_context("spawn").Pool() as pool: ...
"""

from importlib import import_module
from typing import Any

from molscore import forks as _forks  # noqa: F401

_HOMES = {
    "ConformerGenerator": "molscore.conformers",
    "MoleculeGenerator": "molscore.generate",
    "MoleculeScorer": "molscore.score",
    "evaluate": "molscore.evaluate",
    "Metrics": "molscore.evaluate",
}

__all__ = ["ConformerGenerator", "Metrics", "MoleculeGenerator", "MoleculeScorer", "evaluate"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        return metadata.version("molscore")
    if name not in _HOMES:
        raise AttributeError(f"module 'molscore' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
