"""Values of properties: which texts are numbers."""

import re

_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
_REAL = re.compile(r"[+-]?(?:0|[1-9]\d*)?(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)
_UNITS = ("_per_", "_angstrom", "_kcal", "_degrees", "_seconds")
"""Parts of names whose values are measured, not counted."""


def number(text: str) -> int | float | None:
    """The number that a text is, None if it is none. What begins with zeros, such as 007, is the name of something."""
    if _WHOLE.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text) and any(character.isdigit() for character in text.partition("e")[0].partition("E")[0]):
        return float(text)
    return None


def kind(name: str, text: str) -> type[int] | type[float] | type[str] | None:
    """The narrowest type that holds a value of a property; None if the value is empty.

    What is measured, with a unit in its name, is a float though a value be whole, so that files of one run agree.
    Whole numbers from 2**53 on, which no float holds exactly, are texts.
    """
    if not text.strip():
        return None
    value = number(text)
    if value is None:
        return str
    if isinstance(value, int) and any(unit in name for unit in _UNITS):
        return float
    if isinstance(value, int) and abs(value) >= 2**53:
        return str
    return type(value)


def common(first: type | None, second: type | None) -> type | None:
    """The narrowest type that holds values of both types."""
    if first is None or second is None or first is second:
        return first or second
    return float if {first, second} == {int, float} else str
