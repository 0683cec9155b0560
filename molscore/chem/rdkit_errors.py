"""RDKit's exceptions, caught at its calls and given a reason, so that one molecule does not end the others."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from rdkit import Chem, rdBase

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


def parsed(parse: Callable[[], Chem.Mol | None]) -> tuple[Chem.Mol | None, str]:
    """What a parser of RDKit makes of a text, None if nothing, and the first line of its complaints."""
    capture = getattr(rdBase, "CaptureErrorLog", nullcontext)  # RDKit from 2025 on
    with rdBase.BlockLogs(), capture() as log:
        try:
            mol = parse()
        except (ValueError, RuntimeError) as error:
            return None, str(error).strip().partition("\n")[0]
    return mol, re.sub(r"^\[[\d:]+\]\s*", "", getattr(log, "messages", "")).strip().partition("\n")[0]
