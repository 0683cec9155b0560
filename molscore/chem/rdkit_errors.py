"""RDKit's exceptions, caught at its calls and given a reason, so that one molecule does not end the others."""

from collections.abc import Iterator
from contextlib import contextmanager

from molscore.chem.arrays import MoleculeError


@contextmanager
def rdkit_call(what: str) -> Iterator[None]:
    """Turns what RDKit raises into a `MoleculeError` of the reason ``rdkit``. There is to be nothing else within.

    Args:
        what: the step, for the sentence.
    """
    try:
        yield
    except (ValueError, RuntimeError) as error:
        raise MoleculeError("rdkit", f"{what} of RDKit failed: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """The message of an exception of RDKit, without its place in RDKit's C++ code."""
    lines = [line.strip(" \t*") for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.endswith("Violation")]
    return lines[0] if lines else type(error).__name__
