"""Searching a library: its molecules ranked by how well a conformer of each fits a query.

`ranker` fits one molecule, `rank` many in memory, `files` those of a file in constant memory.
"""

from molscore.screening.ranking import Ranking, rank

__all__ = ["Ranking", "rank"]
