"""SMARTS that a molecule must, or must not, match.

A pattern is a line: the SMARTS, then after a space its name. A *list* of patterns is such lines, one below the other,
as a file has them; blank lines and lines that begin with # are passed over. A molecule matches a list if it matches one
of its patterns.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rdkit import Chem, rdBase

from molscore.limits import shown

MOST = 10_000
"""Patterns of a list."""


class SmartsError(ValueError):
    """Neither a SMARTS nor a file of them; the message says where and what."""


class Pattern(NamedTuple):
    """A SMARTS with its name, which is the SMARTS itself where it has no other."""

    name: str
    query: Chem.Mol


class SmartsList:
    """Patterns of which one is to match.

    Args:
        text: lines of SMARTS and names.

    Raises:
        SmartsError: if RDKit cannot parse one of them, or there is none.
    """

    def __init__(self, text: str):
        self.text, self.patterns = text, [*_patterns(text)]
        if not self.patterns:
            raise SmartsError("there is no SMARTS in an empty list")
        if len(self.patterns) > MOST:
            raise SmartsError(f"a list of {len(self.patterns):,} SMARTS is too long; {MOST:,} are the most")

    def match(self, mol: Chem.Mol) -> str | None:
        """The name of the first pattern that a sanitised molecule without explicit hydrogens matches, None if none."""
        return next((pattern.name for pattern in self.patterns if mol.HasSubstructMatch(pattern.query)), None)

    def __str__(self) -> str:
        """Short: the pattern itself, or the number of patterns and a digest that tells them from others."""
        if len(self.patterns) == 1:
            return _lines(self.text)[0]
        digest = hashlib.sha256("\n".join(_lines(self.text)).encode()).hexdigest()
        return f"{len(self.patterns)} patterns ({digest[:12]})"


def smarts_text(source: str | Path) -> str:
    """The text of a list: of the file, if there is one of this name, else the SMARTS that was given.

    Raises:
        SmartsError: if it is neither, or holds what is no SMARTS; the message names the file and the line.
    """
    path = Path(source)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # no name of a file
        is_file = False
    if not is_file:
        try:
            SmartsList(str(source))
        except SmartsError as error:
            raise SmartsError(f"there is no file {shown(str(source))}, and {error}") from error
        return str(source)
    try:
        text = path.read_text(encoding="utf-8-sig")
        SmartsList(text)
    except (SmartsError, UnicodeDecodeError) as error:
        raise SmartsError(f"{path}: {error}") from error
    return text


def smarts_texts(value: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    """The texts of several lists, of each of which a molecule is to match one, or none."""
    single = isinstance(value, (str, Path))
    return tuple(map(smarts_text, [value] if single else value))  # type: ignore[list-item, arg-type]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _patterns(text: str) -> list[Pattern]:
    patterns = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            smarts, *name = line.split(maxsplit=1)
            with rdBase.BlockLogs():
                query = Chem.MolFromSmarts(smarts)
            if query is None or not query.GetNumAtoms():
                where = f"line {number}: " if "\n" in text.strip() else ""
                raise SmartsError(f"{where}{shown(smarts)} is no SMARTS that RDKit understands")
            patterns.append(Pattern(name[0].strip() if name else smarts, query))
    return patterns
