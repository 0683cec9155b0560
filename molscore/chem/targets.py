"""Targets of properties: ``logp=2.5``, ``tpsa=60..90``, ``qed=max``. Imports nothing but the standard library.

A value has a tolerance, `TOLERANCES` unless the user says otherwise: ``logp=2.5±0.5``, or ``logp=2.5+-0.5``. Names are
those of `molscore.chem.checks.catalogue`. Which of them a model can be guided to, and how far, its guide says:
`molscore.pretrained.about_guide`. RDKit says what a molecule has reached, but for `ESTIMATED`, which the guide says.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

from molscore.chem.checks.catalogue import PROPERTIES
from molscore.limits import shown

TOLERANCES = {
    "logp": 0.25,
    "tpsa": 5.0,
    "qed": 0.05,
    "mw": 10.0,
    "hbd": 0.0,
    "hba": 0.0,
    "rotatable": 0.0,
    "rings": 0.0,
    "aromatic_rings": 0.0,
    "fsp3": 0.05,
    "sa": 0.25,
    "mu": 0.25,
    "alpha": 1.0,
    "gap": 0.25,
}
"""How far from a target is near enough, in the unit of the property, by its name. These can be targets."""

ESTIMATED = {"mu": "D", "alpha": "Bohr³", "gap": "eV"}
"""Units of properties that only a guide can say: quantum chemistry, of molecules of H, C, N, O and F as in QM9."""

SYNTAX = "NAME=VALUE, NAME=VALUE+-TOLERANCE, NAME=LOW..HIGH, NAME=max or NAME=min"

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_VALUE = re.compile(rf"({_NUMBER})(?:(?:±|\+-|\+/-)({_NUMBER}))?")
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})")

TargetValue = float | tuple[float, float] | str
"""2.5, (60, 90), or the text after the equals sign."""

Targets = Mapping[str, TargetValue] | Sequence[str]
"""By name, or as on the command line."""


class Target(NamedTuple):
    """A target.

    Attributes:
        name: of the property.
        low, high: bounds of what meets it; infinite for ``max`` and ``min``, which all meet.
        text: ``logp=2.5``.
        sign: 1 for ``max``, -1 for ``min``, else 0.
    """

    name: str
    low: float
    high: float
    text: str
    sign: int = 0

    def miss(self, value: float) -> str | None:
        """None if a value meets the target, else how it misses."""
        if self.low - 1e-9 <= value <= self.high + 1e-9:
            return None
        return f"{self.name} is {value:.4g}, and the target is {self.words}"

    @property
    def words(self) -> str:
        """The bounds."""
        if self.sign:
            return self.text
        return f"{self.low:.6g}" if self.low == self.high else f"{self.low:.6g} to {self.high:.6g}"


def read_targets(targets: Targets) -> tuple[Target, ...]:
    """Targets as a user writes them.

    Raises:
        ValueError: for what is not understood, an unknown property, or one named twice; the message says what to write.
    """
    if isinstance(targets, str) or not isinstance(targets, (Mapping, Sequence)):
        raise ValueError(f"targets are a dictionary such as {{'logp': 2.5}}, or texts {SYNTAX}, not {shown(targets)}")
    pairs: Iterable[tuple[Any, Any]] = targets.items() if isinstance(targets, Mapping) else map(_split, targets)
    read = tuple(_target(name, value) for name, value in pairs)
    names = [target.name for target in read]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} has two targets: name one, such as a range {name}=LOW..HIGH")
    return read


def _split(text: object) -> tuple[str, str]:
    if isinstance(text, Target):
        text = text.text
    if not isinstance(text, str) or "=" not in text:
        raise ValueError(f"a target is {SYNTAX}, not {shown(text)}")
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _target(name: object, value: Any) -> Target:
    if not isinstance(name, str) or name not in TOLERANCES:
        why = "cannot be a target" if isinstance(name, str) and name in PROPERTIES else "is no property"
        raise ValueError(f"{shown(name)} {why}; targets can be {', '.join(TOLERANCES)}")
    low, high, sign = _bounds(name, value)
    if not (math.isfinite(low) and math.isfinite(high)) and not sign:
        raise ValueError(f"the target of {name} must be finite, not {shown(value)}")
    if low > high:
        raise ValueError(f"the target of {name} runs backwards: write {name}={high:g}..{low:g}")
    return Target(name, low, high, f"{name}={_text(value)}", sign)


def _bounds(name: str, value: Any) -> tuple[float, float, int]:
    """Least and greatest value that meet the target, and its sign."""
    if isinstance(value, str):
        if value in ("max", "min"):
            return -math.inf, math.inf, 1 if value == "max" else -1
        if match := _RANGE.fullmatch(value):
            return float(match[1]), float(match[2]), 0
        if match := _VALUE.fullmatch(value):
            tolerance = TOLERANCES[name] if match[2] is None else float(match[2])
            if tolerance < 0:
                raise ValueError(f"the tolerance of {name} must not be below 0, in {shown(value)}")
            return float(match[1]) - tolerance, float(match[1]) + tolerance, 0
    elif isinstance(value, Real) and not isinstance(value, bool):
        return float(value) - TOLERANCES[name], float(value) + TOLERANCES[name], 0
    elif isinstance(value, Sequence) and len(value) == 2 and all(isinstance(x, Real) for x in value):
        return float(value[0]), float(value[1]), 0
    raise ValueError(f"the target of {name} is not understood: {shown(value)}; write {SYNTAX}")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "..".join(f"{x:g}" for x in value) if isinstance(value, Sequence) else f"{float(value):g}"


def check_seen(targets: Iterable[Target], seen: Mapping[str, Mapping[str, Any]], name: str) -> None:
    """Whether a model can be guided to targets.

    Args:
        targets: as read.
        seen: properties that its guide knows, with their ``range``, see `molscore.pretrained.about_guide`.
        name: of the model.

    Raises:
        ValueError: for a property that the guide does not know, and a target outside what it has seen.
    """
    for target in targets:
        if target.name not in seen:
            hint = "; qm9 knows it" if target.name in ESTIMATED else ""
            raise ValueError(f"the guide of {name} does not know {target.name}; it knows {', '.join(seen)}{hint}")
        low, high = seen[target.name]["range"]
        if target.high < low or target.low > high:
            unit = f" {ESTIMATED[target.name]}" if target.name in ESTIMATED else ""
            raise ValueError(
                f"the target {target.text} is outside what {name} has seen: {target.name} from {low:.4g} to "
                f"{high:.4g}{unit}"
            )
