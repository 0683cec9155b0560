"""Judging generated molecules: validity, stability, novelty, PoseBusters, distance to real geometry. No torch.

``evaluate(mols, reference="qm9")`` gives `Metrics`. The parts are pure functions, one idea a file: `records` (reading
without losing what is invalid), `stability`, `identity` (unique, novel), `busters` (PoseBusters),
`internal_coordinates`, `distances` and `geometry` (bond lengths, angles, dihedrals against a reference), `composition`
and `groups`, `relaxation` (energies), `chemnet` (Fréchet ChemNet distance, an extra), `graphs` and `memorisation`
(against the training set), `reference`, `rates` (Wilson intervals), `metrics` and `text`.

The package has the name of its function: ``molscore.evaluate(mols)`` works, whether Python finds the one or the other.
"""

import sys
from types import ModuleType
from typing import Any

from molscore.evaluate.compare.reference import build_reference, load_reference, save_reference
from molscore.evaluate.evaluation import evaluate
from molscore.evaluate.metrics import Metrics
from molscore.references import BadReferenceError

__all__ = ["BadReferenceError", "Metrics", "build_reference", "evaluate", "load_reference", "save_reference"]


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Metrics:
        return evaluate(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
