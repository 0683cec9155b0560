"""molscore: 3-D molecules from score networks.

>>> import molscore
>>> result = molscore.MoleculeGenerator.from_pretrained().generate(100, seed=0)
>>> conformers = molscore.ConformerGenerator.from_pretrained().generate(["CCO", "CC(=O)Oc1ccccc1C(=O)O"], n=20)
>>> scores = molscore.MoleculeScorer.from_pretrained().score(result.mols)
>>> metrics = molscore.evaluate(result.mols)
>>> molscore.write_report("report.html", result, metrics=metrics)

Each of these methods takes one item or many: a SMILES, a molecule, a list, a generator, a pandas Series or DataFrame
(``smiles="column"``). What it returns has ``mols``, ``rejects``, ``to_frame()``, ``to_sdf(path)`` and ``summary()``. A
bad item is a row with a reason, so that there are as many rows as items. ``stream`` gives the same one by one. Choices
are keywords, or one frozen object: ``options=molscore.ConformerOptions(relax="mmff")``.

Names are loaded when they are first used: ``import molscore`` alone loads neither torch nor RDKit.

Threads may share a generator or a scorer. Worker processes are started afresh, not forked (`molscore.forks`)::

    with multiprocessing.get_context("spawn").Pool() as pool: ...

Molecules that go to a pool and come back keep names, properties, those of their conformers too, and every digit of
their coordinates: ``molscore.chem`` sets RDKit's default pickle options so, for the whole process, when it is loaded.
"""

from typing import TYPE_CHECKING

from molscore import forks as _forks  # noqa: F401
from molscore import namesake as _namesake

if TYPE_CHECKING:
    from molscore.chem.arrays import MoleculeError
    from molscore.conformers import ConformerGenerator, ConformerOptions, Conformers
    from molscore.evaluate import Metrics, evaluate
    from molscore.generate import Generation, GenerationOptions, MoleculeGenerator
    from molscore.report import write_report
    from molscore.score import MoleculeScore, MoleculeScorer, Scores
    from molscore.screening import Ranking, rank

    __version__: str

_namesake.warn()

_HOMES = {
    "ConformerGenerator": "molscore.conformers",
    "ConformerOptions": "molscore.conformers",
    "Conformers": "molscore.conformers",
    "Generation": "molscore.generate",
    "GenerationOptions": "molscore.generate",
    "Metrics": "molscore.evaluate",
    "MoleculeError": "molscore.chem.arrays",
    "MoleculeGenerator": "molscore.generate",
    "MoleculeScore": "molscore.score",
    "MoleculeScorer": "molscore.score",
    "Ranking": "molscore.screening",
    "Scores": "molscore.score",
    "evaluate": "molscore.evaluate",
    "rank": "molscore.screening",
    "write_report": "molscore.report",
}

__all__ = [
    "ConformerGenerator",
    "ConformerOptions",
    "Conformers",
    "Generation",
    "GenerationOptions",
    "Metrics",
    "MoleculeError",
    "MoleculeGenerator",
    "MoleculeScore",
    "MoleculeScorer",
    "Ranking",
    "Scores",
    "evaluate",
    "rank",
    "write_report",
]


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
