"""Why there is no conformer, where RDKit gave up."""

from rdkit import Chem

from molscore.chem.arrays import MoleculeError
from molscore.chem.rdkit_errors import first_line

RDKIT = (RuntimeError, Chem.MolSanitizeException, MoleculeError)
"""What RDKit raises where it meets what it was not made for (RuntimeError: an exception of its C++ code), and what
is raised here in its place. ValueError, TypeError and the like are faults of this program: they go through."""


def reason_of(error: Exception) -> tuple[str, str]:
    """Token and sentence for one of `RDKIT`."""
    if isinstance(error, MoleculeError):
        return error.reason, error.detail
    if isinstance(error, Chem.AtomValenceException):
        return "valence", first_line(error)
    return "rdkit", f"RDKit failed: {first_line(error)}"
