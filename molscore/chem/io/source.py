"""What an input holds, by its name. Asked before anything is read; imports nothing but the standard library."""

import os

FORMS = {
    "smi": (".smi", ".smiles", ".txt", ".inchi"),
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "sdf": (".sdf", ".sd", ".mol"),
    "mol2": (".mol2",),
    "parquet": (".parquet",),
}
"""Forms of a file, and their endings, in upper or lower case; each of text may be followed by .gz."""

STRUCTURES = ("sdf", "mol2")
"""Forms that hold coordinates."""

_NAMES = ", ".join(ending for endings in FORMS.values() for ending in endings) + "; .gz too"
_SDF_NAMES = ", ".join(ending for form in STRUCTURES for ending in FORMS[form]) + "; .gz too"


def form_of(name: str | os.PathLike[str]) -> str | None:
    """The key of `FORMS` that has the ending of a name, None if there is none."""
    name = os.fspath(name).lower().removesuffix(".gz")
    return next((form for form, endings in FORMS.items() if name.endswith(endings)), None)


def check_source(source: str, form: str | None = None) -> str:
    """Checks, before anything is read, that a source exists and that its form is known.

    Args:
        source: a file, ``-`` for standard input, or else a SMILES. What ends in one of the endings of `FORMS`, or
            exists, is a file.
        form: a key of `FORMS`; by default the ending decides, and standard input is ``smi``.

    Returns:
        A key of `FORMS`, or ``smiles`` for a source that is one.

    Raises:
        ValueError: for an unknown form, a folder, a file of unknown form, or nothing at all.
        FileNotFoundError: if the file does not exist.
    """
    if form is not None and form not in FORMS:
        raise ValueError(f"unknown format '{form}'; choose one of {', '.join(FORMS)}")
    if not source.strip():
        raise ValueError("there is no input: give a SMILES, a file, or - for standard input")
    if source == "-":
        if form == "parquet":
            raise ValueError("Parquet is not read from standard input; give a file")
        return form or "smi"
    known = form_of(source)
    if "\0" in source:
        raise ValueError(f"{source!r} holds a null character, so it is neither a file nor a SMILES")
    folder = os.path.isdir(source)
    if folder and (form or known or os.path.dirname(source) or source in (".", "..")):
        raise ValueError(f"{source} is a folder; give a file")
    there = os.path.exists(source) and not folder
    if there and not (form or known):
        raise ValueError(f"the name of {source} does not tell what it holds; say it with --format {'|'.join(FORMS)}")
    if (form or known) and not there:
        hint = "" if known else "; leave out --format if this is a SMILES"
        raise FileNotFoundError(f"there is no file {source}{hint}")
    return form or known or "smiles"


def check_posed(source: str, form: str) -> None:
    """Raises ValueError unless a form, as `check_source` returns it, holds positions."""
    if form not in STRUCTURES:
        raise ValueError(
            f"given positions are wanted, and {source} has none: leave out --given, or give an SDF or mol2 file"
        )


def check_file(path: str | os.PathLike[str], names: str = _NAMES) -> str | None:
    """Checks that a file of molecules exists and that its form is known.

    Returns:
        A key of `FORMS`; None for a pipe, which may have any name, and for ``-``, standard input.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is a folder, or its name has no known ending; `names` are those that the message lists.
    """
    if str(path) == "-":
        return None
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {path}")
    if os.path.isdir(path):
        raise ValueError(f"{path} is a folder; give a file")
    form = form_of(path)
    if form is None and os.path.isfile(path):
        raise ValueError(f"the name of {path} does not tell what it holds; it must end in {names}")
    return form


def check_sdf(path: str | os.PathLike[str]) -> None:
    """Checks, before anything is read, a file that must hold molecules with coordinates.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is a folder, or its name is not that of an SDF or mol2 file. A pipe, SDF then, may have any
            name.
    """
    form = check_file(path, _SDF_NAMES)
    if form not in (*STRUCTURES, None):
        raise ValueError(
            f"{path} is not an SDF file ({_SDF_NAMES}) but holds SMILES, which have no coordinates; "
            "`molscore conformers` makes them"
        )
