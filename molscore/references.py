"""References that molecules are compared with: the names of those in the package, and checks of what a user names.

Light to import; `molscore.evaluate.compare.reference` reads what a reference holds.
"""

import os

from molscore.chem.io.source import check_sdf

BUNDLED = ("druglike", "qm9")
"""References that come with the package, with ChemNet statistics; the first is the default."""

AUTO = "auto"
"""Instead of a name: the reference of the model that made the molecules."""


class BadReferenceError(ValueError):
    """Not a reference, or one that cannot be used."""


def check_reference(reference: str | os.PathLike[str] | None, fcd: bool = False) -> None:
    """Checks, before anything is read, that there is a reference of this name.

    Args:
        reference: a name, `AUTO`, an ``.npz`` file, a file of molecules, or None for no comparison.
        fcd: whether the Fréchet ChemNet distance to it is wanted.

    Raises:
        ValueError: if there is nothing by that name, or no ChemNet statistics of it are known.
    """
    name = "none" if reference is None else os.fspath(reference)
    if name not in ("none", AUTO, *BUNDLED):
        if not os.path.isfile(name):
            raise BadReferenceError(
                f"no reference called {name!r}: give {' or '.join(BUNDLED)}, or the path of an .npz reference or of an "
                "SDF file of molecules to compare with"
            )
        if name.lower().endswith(".npz"):
            return
        check_sdf(name)
    if fcd and name not in (AUTO, *BUNDLED):
        check_statistics(name)


def check_statistics(name: str) -> None:
    """Raises ValueError if there are no ChemNet statistics of a reference."""
    if name not in BUNDLED:
        raise ValueError(f"there are no ChemNet statistics for the reference {name}; only for {', '.join(BUNDLED)}")
