"""Many molecules in, one result out: what the Python methods of generators and scorers take and return.

They take one item or many (`items`), choices as keywords or as one frozen object (`choices`), and return a `Result`:
molecules, rejects, a table, an SDF file, a summary. pandas is loaded only where a table is asked for.
"""

from molscore.results.choices import options_of
from molscore.results.items import Items, Molecules, items_of
from molscore.results.result import Reject, Result

__all__ = ["Items", "Molecules", "Reject", "Result", "items_of", "options_of"]
