"""Values of properties: which texts are numbers, and of which type a column of them is."""

import re

from molscore.chem.checks.catalogue import PROPERTIES

_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
_REAL = re.compile(r"[+-]?(?:0|[1-9]\d*)?(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)
_EXACT = 2**53
"""Whole numbers from here on, which no float holds exactly, are texts."""


def number(text: str) -> int | float | None:
    """The number that a text is, None if it is none. What begins with zeros, such as 007, is the name of something."""
    if _WHOLE.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text) and any(character.isdigit() for character in text.partition("e")[0].partition("E")[0]):
        return float(text)
    return None


def declared(name: str) -> type[float] | type[str] | None:
    """The type of a property of ours, None for one that is not, or has no unit.

    What has a unit is a float though all values be whole or missing, so that the columns of several files agree.
    """
    entry = PROPERTIES.get(name)
    if entry is None or entry.kind == "number":
        return float if entry is not None and entry.unit else None
    return str


def kind(text: str) -> type[int] | type[float] | type[str] | None:
    """The narrowest type that holds a value; None if the value is empty."""
    value = number(text)
    if not text.strip():
        return None
    if value is None or (isinstance(value, int) and abs(value) >= _EXACT):
        return str
    return type(value)


def common(first: type | None, second: type | None) -> type | None:
    """The narrowest type that holds values of both types."""
    if first is None or second is None or first is second:
        return first or second
    return float if {first, second} == {int, float} else str
