"""Sound geometry: what the bonds alone allow (`bounds`), and what experiment has measured (`expected`, `judge`)."""

from molscore.chem.geometry.bounds import Limits, limits
from molscore.chem.geometry.expected import Expected, expected
from molscore.chem.geometry.judge import table_fault

__all__ = ["Expected", "Limits", "expected", "limits", "table_fault"]
