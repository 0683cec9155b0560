"""Choices are given as keywords, or as one frozen object of options, not as both."""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, TypeVar

from molscore.limits import shown

Options = TypeVar("Options")


def options_of(kind: type[Options], options: Options | None, keywords: Mapping[str, Any]) -> Options:
    """The options of a call.

    Args:
        kind: a dataclass of options.
        options: one of them, or None.
        keywords: values by the names of its fields.

    Raises:
        TypeError: for both together, an unknown keyword, or options of another kind.
        ValueError: for a value that the options refuse.
    """
    if options is not None and not isinstance(options, kind):
        raise TypeError(f"options must be {kind.__name__}, not {shown(options)}")
    if options is not None and keywords:
        given = ", ".join(keywords)
        raise TypeError(
            f"choices are keywords or options, not both: leave out {given}, or write "
            f"options=dataclasses.replace(options, {given}=...)"
        )
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in keywords:
        if name not in known:
            near = get_close_matches(name, known, 1)
            advice = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
            raise TypeError(f"there is no option '{name}'; {advice}")
    return kind(**keywords) if options is None else options
