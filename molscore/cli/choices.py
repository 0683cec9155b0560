"""Options that are words: checked before anything heavy loads. Imports nothing but the standard library."""

import re
from collections.abc import Callable
from typing import Any

from molscore import extras, limits
from molscore.limits import WORDS, shown

CHOICES: dict[str, tuple[str, ...]] = {
    **WORDS,
    "generate relax": ("none", *WORDS["energy"]),
    "posebusters": ("mol_fast", "mol", "none"),
}
"""Option, of a certain command or of any: the words that it takes."""

DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,4})?")

GIVEN_GRAPHS = ("conformers", "rank", "score", "interpolate")
"""Commands whose model is given the graph."""

EXTRAS: dict[str, tuple[str, str, str]] = {
    "xtb": ("tblite", "xtb", "GFN2-xTB"),
    "fcd": ("fcd", "fcd", "the Fréchet ChemNet distance"),
}
"""Option, or word of an option: the package that it needs, the extra that installs it, and what it is."""


def check_word(command: str, option: str, value: Any) -> None:
    """Refuses a word that an option does not take, and one that needs a package which is not installed.

    Args:
        command: its name.
        option: name of the parameter.
        value: what the user chose, or the default.

    Raises:
        ValueError: the message says what to write, or what to install.
    """
    if isinstance(value, str):
        words = CHOICES.get(f"{command} {option}", CHOICES.get(option))
        if words is not None:
            limits.check_word(option, value, words)
        if option == "device" and not DEVICE.fullmatch(value):
            raise ValueError(f"unknown device {shown(value)}; use auto, cpu, cuda or cuda:N")
        if option == "model":
            _check_model(command, value)
        needed = EXTRAS.get(value) if words is not None else None
    else:
        needed = EXTRAS.get(option) if value else None
    if needed is not None:
        extras.check(*needed)


def _check_model(command: str, name: str) -> None:
    """Refuses a model that cannot do what a command wants of it."""
    from molscore import pretrained

    if command != "generate" and command not in GIVEN_GRAPHS:
        return
    config = pretrained.about(name).get("config", {})
    share = config.get("graph_conditioned", config.get("known_graph", 0))  # its name in older files
    if command == "generate" and share == 1:
        raise ValueError(f"{name} samples coordinates of given graphs, not new molecules; use '{pretrained.DEFAULT}'")
    if command != "generate" and share == 0:
        use = pretrained.GRAPH_CONDITIONED
        raise ValueError(f"{name} makes new molecules and is not graph-conditioned; for {command} use '{use}'")


def check_words(command: Callable[..., None], options: dict[str, Any]) -> None:
    """`check_word` of all options of a command."""
    for option, value in options.items():
        check_word(command.__name__, option, value)
