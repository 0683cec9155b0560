"""Bounds of the numbers, and lists of the words, that users choose: for the command line and the options of Python.

Bounds are far above useful values and below what would exhaust a machine. The numbers of configurations have theirs in
their pydantic models. Imports nothing but the standard library.
"""

import math
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, NamedTuple

MOST_ATOMS = 255
"""Atoms of a molecule that a model learns from, and bonds, and stereo tags, at most."""

MOST_CHARGE = 8
"""Formal charge of an atom, at most, of either sign."""

ELEMENTS = 118
"""Atomic numbers go up to this."""


class Limit(NamedTuple):
    """The least and the greatest value; only whole numbers if both are."""

    low: int | float
    high: int | float

    @property
    def whole(self) -> bool:
        """Whether fractions are refused."""
        return isinstance(self.low, int)

    def text(self) -> str:
        """The allowed values, in words."""
        if self.whole:
            return f"a whole number from {self.low:,} to {self.high:,}"
        return f"a number from {self.low:g} to {self.high:g}"


LIMITS = {
    "molecules": Limit(1, 1_000_000_000),
    "items": Limit(1, 1_000_000_000),  # of a source
    "conformers": Limit(1, 5_000),
    "shard_size": Limit(1, 1_000_000_000),
    "proposals": Limit(1, 10_000),  # distances between all pairs of them are kept
    "interpolated": Limit(2, 10_000),
    "seed": Limit(0, 2**128 - 1),
    "steps": Limit(1, 10_000),
    "batch_size": Limit(1, 65_536),
    "atoms": Limit(1, 10_000),
    "noise": Limit(0.0, 1.0),
    "guidance": Limit(0.0, 1e6),
    "particles": Limit(1, 4_096),
    "oversampling": Limit(1.0, 1_000.0),
    "ph": Limit(-2.0, 16.0),
    "window": Limit(0.0, 1e6),
    "rmsd": Limit(0.0, 1e3),
    "seconds": Limit(0.001, 1e9),
    "max_isomers": Limit(1, 10_000),
    "workers": Limit(1, 1_024),
    "rare": Limit(1, 1_000_000_000),
    "max_heavy": Limit(1, 10_000),
    "kept_conformers": Limit(1, 255),
    "top": Limit(1, 1_000_000),  # their records are held in memory
    "xtb": Limit(0, 1_000_000_000),
}
"""By name. ``proposals`` is the product of conformers and oversampling."""


WORDS = {
    "sampler": ("dpm", "em", "pc", "ode"),
    "relax": ("none", "torsions", "mmff", "xtb"),
    "energy": ("mmff", "xtb"),
    "stereo": ("sample", "enumerate"),
    "fragments": ("largest", "refuse"),
    "method": ("score", "etkdg"),
}
"""Options that are words: those that each takes."""


def check(name: str, value: Any, called: str | None = None) -> None:
    """Refuses a number that is out of bounds.

    Args:
        name: of the limit.
        value: the number; numpy's will do, True and text will not.
        called: its name in the message, if not `name`.

    Raises:
        ValueError: the message says what to write.
    """
    limit = LIMITS[name]
    kind: type[Any] = Integral if limit.whole else Real
    if isinstance(value, bool) or not isinstance(value, kind) or not limit.low <= value <= limit.high:
        raise ValueError(f"{called or name} must be {limit.text()}, not {shown(value)}")


def check_word(name: str, value: Any, words: tuple[str, ...] | None = None) -> None:
    """Raises ValueError for what is none of the words of an option, those of `WORDS` if no others are given."""
    words = WORDS[name] if words is None else words
    if value not in words:
        raise ValueError(f"unknown {name} {shown(value)}; choose one of {', '.join(words)}")


def check_flags(options: Any) -> None:
    """Raises ValueError if a field of a dataclass that is True or False by default is something else, such as "no"."""
    for field in fields(options):
        if isinstance(field.default, bool) and not isinstance(value := getattr(options, field.name), bool):
            raise ValueError(f"{field.name} must be True or False, not {shown(value)}")


def check_proposals(n: int, oversampling: float) -> None:
    """Raises ValueError if conformers and oversampling together ask for too many proposals."""
    check("conformers", n, "n")
    check("oversampling", oversampling)
    if n * oversampling > (most := LIMITS["proposals"].high):
        proposals = math.ceil(n * oversampling)
        raise ValueError(f"n times oversampling must be at most {most:,}, not {proposals:,}: lower one of them")


def shown(value: Any) -> str:
    """A value as a message shows it: short, however long it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python writes out no whole number of more than 4,300 digits
        return f"a {type(value).__name__} too long to show"
    return text if len(text) <= 60 else f"{text[:50]}... ({len(text):,} characters)"
