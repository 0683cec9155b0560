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

from typing import TYPE_CHECKING

from molscore import forks as _forks  # noqa: F401
from molscore import namesake as _namesake

if TYPE_CHECKING:
    from molscore.conformers import ConformerGenerator
    from molscore.evaluate import Metrics, evaluate
    from molscore.generate import MoleculeGenerator
    from molscore.score import MoleculeScorer

    __version__: str

_namesake.warn()

_HOMES = {
    "ConformerGenerator": "molscore.conformers",
    "MoleculeGenerator": "molscore.generate",
    "MoleculeScorer": "molscore.score",
    "evaluate": "molscore.evaluate",
    "Metrics": "molscore.evaluate",
}

__all__ = ["ConformerGenerator", "Metrics", "MoleculeGenerator", "MoleculeScorer", "evaluate"]


if not TYPE_CHECKING:  # a checker that saw __getattr__ would pass any name

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name == "__version__":
            from molscore.versions import version

            return version()
        if name not in _HOMES:
            raise AttributeError(f"module 'molscore' has no attribute '{name}'")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
