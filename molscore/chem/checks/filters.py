"""What a user wants to keep: a condition or a function, and SMARTS that must, or must not, match.

`MoleculeFilter.graph` decides what follows from the graph, before anything costly is computed; `MoleculeFilter.rest`
the rest. The names that a condition may ask for are those of `molscore.chem.checks.catalogue`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from rdkit import Chem, rdBase

from molscore.chem.checks.alerts import alerts, extreme, unusual
from molscore.chem.checks.catalogue import PROPERTIES
from molscore.chem.checks.conditions import Condition, FilterError, Value, condition_of, input_values
from molscore.chem.checks.descriptors import DESCRIPTORS
from molscore.chem.checks.smarts import SmartsList, smarts_texts
from molscore.chem.properties import set_properties

__all__ = ["FilterError", "Predicate", "SmartsLists", "MoleculeFilter"]

Predicate = Callable[[Chem.Mol], bool]
"""Whether to keep a molecule: hydrogens explicit, one conformer, the properties of its record set."""

SmartsLists = str | Path | Sequence[str | Path]
"""Lists of SMARTS, one or several: each a SMARTS, the text of a list, or the file that holds one."""

_MISSING: dict[str, Value] = {"number": float("nan"), "text": "", "words": ()}


class MoleculeFilter:
    """A filter of molecules.

    Args:
        wanted: a condition such as ``qed > 0.5 and alerts == 0``, or a function; None keeps all.
        must_match: lists of SMARTS (`molscore.chem.checks.smarts`), each of which a molecule must match.
        must_not_match: lists of SMARTS, none of which it may match.
        command: whose properties the condition may ask for.

    Attributes:
        names: the properties that the condition asks for.
        inputs: of them, those of an input record, as the record names them.

    Raises:
        FilterError: for a condition that is not understood.
        SmartsError: for what is no SMARTS.
    """

    def __init__(
        self,
        wanted: str | Predicate | None = None,
        must_match: SmartsLists = (),
        must_not_match: SmartsLists = (),
        command: str = "generate",
    ):
        self.command = command
        self.keep = wanted if callable(wanted) else None
        self.must_match = [SmartsList(text) for text in smarts_texts(must_match)]
        self.must_not_match = [SmartsList(text) for text in smarts_texts(must_not_match)]
        self.names: tuple[str, ...] = ()
        self.inputs: tuple[str, ...] = ()
        self._text = "" if wanted is None else name_of(self.keep) if self.keep else str(wanted)
        self._early: Condition | None = None
        self._late: Condition | None = None
        if wanted is not None and not callable(wanted):
            condition = condition_of(wanted, command)
            self.names, self.inputs = condition.names, condition.inputs
            self._early, self._late = condition.split(lambda name: _of_graph(name, command))

    @property
    def late(self) -> bool:
        """Whether `rest` has anything to say."""
        return self.keep is not None or self._late is not None

    @property
    def empty(self) -> bool:
        """Whether it keeps all."""
        return not (self.names or self.keep or self.must_match or self.must_not_match)

    def texts(self) -> dict[str, str]:
        """What there is of it, in words, for records and manifests."""
        texts = {"filter": self._text, "must_match": self.must_match, "must_not_match": self.must_not_match}
        return {
            name: value if isinstance(value, str) else ", ".join(map(str, value))
            for name, value in texts.items()
            if value
        }

    def graph(self, mol: Chem.Mol, inputs: Mapping[str, str] | None = None) -> str | None:
        """None if a sanitised molecule passes as far as its graph tells, else why not.

        Args:
            mol: hydrogens explicit or not. It is left as it is.
            inputs: properties of its input record.
        """
        graph = _Graph(mol)
        for patterns in self.must_match:
            if patterns.match(graph.bare) is None:
                return f"does not match {patterns}"
        for patterns in self.must_not_match:
            if (name := patterns.match(graph.bare)) is not None:
                return f"matches {name}"
        if self._early is None:
            return None
        values = {name: graph[name] for name in self._early.names if not name.startswith("input.")}
        return self._early({**values, **input_values(inputs or {})})

    def rest(
        self, mol: Chem.Mol, properties: Mapping[str, object], inputs: Mapping[str, str] | None = None
    ) -> str | None:
        """None if a molecule that passed `graph` passes altogether, else why not.

        Args:
            mol: hydrogens explicit, with one conformer. It is left as it is.
            properties: of its record; names joined by "; ".
            inputs: properties of its input record.

        Raises:
            Exception: whatever the user's function raises.
        """
        if self.keep is not None:
            given = Chem.Mol(mol)
            set_properties(given, properties)
            return None if self.keep(given) else f"{name_of(self.keep)} says no"
        if self._late is None:
            return None
        graph = _Graph(mol)
        names = (name for name in self._late.names if not name.startswith("input."))
        values = {
            name: graph[name] if _of_graph(name, self.command) else _value(name, properties.get(name)) for name in names
        }
        return self._late({**values, **input_values(inputs or {})})


def name_of(keep: Predicate) -> str:
    """How records and manifests name a function."""
    return getattr(keep, "__qualname__", type(keep).__qualname__)


def _of_graph(name: str, command: str) -> bool:
    """Whether a property is known from the graph, or the input record, alone."""
    if name.startswith("input.") or PROPERTIES[name].origin == "graph":
        return True
    return name == "unusual" and command == "conformers"  # no strain adds to it there


def _value(name: str, value: object) -> Value:
    kind = PROPERTIES[name].kind
    if value is None or value == "":
        return _MISSING[kind]
    if kind == "words":
        return tuple(str(value).split("; "))
    return float(value) if isinstance(value, (int, float)) else str(value)


class _Graph:
    """Properties of a graph, each computed when it is asked for."""

    def __init__(self, mol: Chem.Mol):
        self._mol = mol

    @cached_property
    def bare(self) -> Chem.Mol:
        """The molecule without explicit hydrogens."""
        return Chem.RemoveHs(self._mol)

    def __getitem__(self, name: str) -> Value:
        match name:
            case "alerts":
                return tuple(alerts(self._mol))
            case "unusual":
                return tuple(unusual(self._mol) + extreme(None, self._descriptor("sa")))
        return self._descriptor(name)

    def _descriptor(self, name: str) -> float:
        with rdBase.BlockLogs():
            return float(DESCRIPTORS[name](self.bare))
