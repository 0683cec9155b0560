"""Conditions that a user writes: ``qed > 0.5 and alerts == 0``. Imports nothing but the standard library.

Names are those of `molscore.chem.checks.catalogue.PROPERTIES`; numbers, comparisons (chains too: ``20 <= heavy <=
30``), ``and``, ``or``, ``not``, ``+ - * /`` and brackets. Of properties that are names (``alerts``) a number counts
how many there are, and ``"peroxide" in unusual`` asks for one; texts are compared with texts: ``method == "score"``.
``input.NAME`` and ``input["any name"]`` are properties of an input record. Nothing else is understood, so that a
condition from a file can do no harm.
"""

import ast
import difflib
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping

from molscore.chem.checks.catalogue import PROPERTIES, Kind, filterable
from molscore.limits import shown

Value = float | str | tuple[str, ...]
"""Of a property: a number (nan if there is none, and no comparison with it holds), a text, or names."""

_ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type, Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

LARGEST = 1e100
"""No number that is written in a filter is beyond."""

LONGEST, DEEPEST = 1000, 50
"""Characters of a filter, and levels of brackets and operators in one another, at most."""

INPUT = "input"
"""The word before the name of a property of an input record."""

_SAMPLES: dict[Kind, Value] = {"number": 1.0, "text": "", "words": ()}


class FilterError(ValueError):
    """Not a filter; the message says what is wrong and what is understood."""


def check_raw(raw: bool, *choices: object) -> None:
    """Raises ValueError if samples are to stay as they are, and any of the choices asks for something else."""
    if raw and any(choices):
        raise ValueError("raw samples are not filtered, checked or relaxed: leave out raw, or what asks for that")


class _Unknown(str):
    """A property of an input record: a text, to be read as a number where one is needed."""


class Condition:
    """A condition on properties.

    Args:
        text: such as ``qed > 0.5 and mw < 450``.
        known: names, and kinds of their values.
        inputs: whether properties of an input record may be asked for.

    Attributes:
        text: the same.
        names: the properties that it asks for, those of an input record as ``input.NAME``.

    Raises:
        FilterError: if it is not understood.
    """

    def __init__(self, text: str, known: Mapping[str, Kind], inputs: bool = False):
        if not isinstance(text, str) or len(text) > LONGEST:
            raise FilterError(f"a filter is a text of at most {LONGEST:,} characters, not {shown(text)}")
        self.text = text
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else error
            raise FilterError(f"the filter {shown(text)} is not understood: {reason}") from error
        if _depth(tree) > DEEPEST:
            raise FilterError(f"the filter {shown(text)} is nested more than {DEEPEST} levels deep; write it flatter")
        self._set(tree)
        own = [name for name in self.names if not name.startswith(f"{INPUT}.")]
        if unknown := [name for name in own if name not in known]:
            raise FilterError(_unknown_names(unknown, known, inputs))
        if not inputs and (others := [name for name in self.names if name not in own]):
            raise FilterError(f"the filter asks for {others[0][:40]}, but here are no input records")
        samples = {name: _SAMPLES[known[name]] if name in known else _Unknown("1") for name in self.names}
        if not isinstance(_value(tree, samples), bool):
            raise FilterError(f"the filter {shown(text)} is a number, not a condition; compare it with something")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The properties of an input record that it asks for, as the record names them."""
        return tuple(name.removeprefix(f"{INPUT}.") for name in self.names if name.startswith(f"{INPUT}."))

    def _set(self, tree: ast.expr) -> None:
        self._tree, self.names = tree, tuple(sorted(set(_names(tree))))

    def __call__(self, values: Mapping[str, Value]) -> str | None:
        """None if it holds for these values, else they in a sentence."""
        if _value(self._tree, values):
            return None
        named = (f"{name} {_shown(values.get(name, ''))}" for name in self.names)
        return f"not {self.text}: {', '.join(named)}"

    def split(self, first: Callable[[str], bool]) -> "tuple[Condition | None, Condition | None]":
        """Two conditions that together are this one: the first asks only for names that `first` approves of."""
        joined = isinstance(self._tree, ast.BoolOp) and isinstance(self._tree.op, ast.And)
        parts = self._tree.values if joined and isinstance(self._tree, ast.BoolOp) else [self._tree]
        early = [part for part in parts if all(map(first, _names(part)))]
        late = [part for part in parts if part not in early]
        return (self._joined(early) if late else self), (self._joined(late) if early else self)

    def _joined(self, parts: list[ast.expr]) -> "Condition | None":
        if not parts:
            return None
        tree = parts[0] if len(parts) == 1 else ast.BoolOp(ast.And(), parts)
        condition = object.__new__(Condition)
        condition._set(tree)
        condition.text = ast.unparse(tree)
        return condition


def condition_of(text: str, command: str) -> Condition:
    """A condition on what the records of a command carry.

    Args:
        text: the condition.
        command: ``generate`` or ``conformers``, which knows the properties of its input records too.

    Raises:
        FilterError: if it is not understood.
    """
    known = {name: entry.kind for name, entry in filterable(command).items()}
    return Condition(text, known, inputs=command == "conformers")


def check_computed(names: Iterable[str], relax: str, uncertainty: bool) -> None:
    """Raises FilterError if a condition asks for what a generation with these options does not compute."""
    for name in names:
        origin = PROPERTIES[name].origin
        if origin == "score" and not uncertainty:
            raise FilterError(f"the filter asks for {name}: ask for uncertainty too, which computes it")
        if origin == "relaxation" and relax == "none":
            raise FilterError(f"the filter asks for {name}: ask for relax too (mmff or xtb), which computes it")


def input_values(properties: Mapping[str, str]) -> dict[str, Value]:
    """The properties of an input record, as a condition asks for them."""
    return {f"{INPUT}.{name}": _Unknown(value) for name, value in properties.items()}


def _unknown_names(unknown: list[str], known: Mapping[str, Kind], inputs: bool) -> str:
    names = ", ".join(name[:40] for name in unknown[:5])
    near = [match for name in unknown[:5] for match in _near(name[:40], known)]
    words = f" (did you mean {' or '.join(dict.fromkeys(near))}?)" if near else ""
    more = ', and input.NAME or input["NAME"] for those of an input record' if inputs else ""
    return f"the filter has no property {names}{words}; it has {', '.join(known)}{more}"


def _near(name: str, known: Mapping[str, Kind]) -> list[str]:
    beginning = [other for other in known if other.startswith(name.lower()) or name.lower().startswith(f"{other}_")]
    return beginning or difflib.get_close_matches(name.lower(), known, 1, 0.7)


def _names(tree: ast.expr) -> Iterator[str]:
    """Names of properties in an expression."""
    if (name := _input_name(tree)) is not None:
        yield f"{INPUT}.{name}"
    elif isinstance(tree, ast.Name):
        yield tree.id
    else:
        for child in ast.iter_child_nodes(tree):
            if isinstance(child, ast.expr):
                yield from _names(child)


def _input_name(node: ast.expr) -> str | None:
    """The name in ``input.NAME`` or ``input["NAME"]``, None for anything else."""
    match node:
        case ast.Attribute(value=ast.Name(id="input"), attr=name):
            return name
        case ast.Subscript(value=ast.Name(id="input"), slice=ast.Constant(value=str() as name)):
            return name
    return None


def _value(node: ast.expr, values: Mapping[str, Value]) -> Value | bool:
    if (name := _input_name(node)) is not None:
        return values.get(f"{INPUT}.{name}", _Unknown(""))
    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=str() as text):
            return text
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if not abs(value) <= LARGEST:
                raise FilterError(f"{shown(value)} in the filter is too large a number")
            return float(value)
        case ast.BoolOp(op=op, values=parts):
            joined = [_truth(part, values) for part in parts]
            return all(joined) if isinstance(op, ast.And) else any(joined)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(operand, values)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            try:
                return _ARITHMETIC[type(op)](_number(left, values), _number(right, values))
            except ZeroDivisionError:
                return float("nan")
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as op], comparators=[right]):
            return _contains(left, right, values) == isinstance(op, ast.In)
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as op], comparators=[right]) if (
            _is_text(left, values) and _is_text(right, values) and any(map(list, (_names(left), _names(right))))
        ):
            return (_value(left, values) == _value(right, values)) == isinstance(op, ast.Eq)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
            numbers = [_number(part, values) for part in (left, *others)]
            pairs = zip(ops, numbers, numbers[1:], strict=False)
            return all([_COMPARISONS[type(op)](a, b) for op, a, b in pairs])
    raise _not_understood(node)


def _not_understood(node: ast.expr) -> FilterError:
    return FilterError(f"{shown(ast.unparse(node))} in the filter is neither a property, a number nor a comparison")


def _is_text(node: ast.expr, values: Mapping[str, Value]) -> bool:
    return isinstance(node, (ast.Name, ast.Constant, ast.Attribute, ast.Subscript)) and isinstance(
        _value(node, values), str
    )


def _contains(left: ast.expr, right: ast.expr, values: Mapping[str, Value]) -> bool:
    """Whether a text in quotation marks is in a text, or in one of the names, of a property."""
    if not (isinstance(left, ast.Constant) and isinstance(left.value, str) and list(_names(right))):
        raise _not_understood(ast.Compare(left, [ast.In()], [right]))
    value = _value(right, values)
    if isinstance(value, (float, bool)):
        raise FilterError(f"{shown(ast.unparse(right))} in the filter is a number, which holds no text")
    return left.value in value if isinstance(value, str) else any(left.value in name for name in value)


def _number(node: ast.expr, values: Mapping[str, Value]) -> float:
    value = _value(node, values)
    match value:
        case bool():
            raise FilterError(f"{shown(ast.unparse(node))} in the filter is a condition where a number is needed")
        case _Unknown():
            try:
                return float(value)
            except ValueError:
                return float("nan")
        case str() if isinstance(node, ast.Constant):
            raise FilterError(f"{_not_understood(node)}; texts have no order, and are compared with ==, != or in")
        case str():
            raise FilterError(f'{shown(ast.unparse(node))} in the filter is a text; compare it with == "..."')
        case tuple():
            return float(len(value))
    return value


def _truth(node: ast.expr, values: Mapping[str, Value]) -> bool:
    value = _value(node, values)
    if not isinstance(value, bool):
        raise FilterError(f"{shown(ast.unparse(node))} in the filter is a number where a condition is needed")
    return value


def _shown(value: Value) -> str:
    match value:
        case float() | int():
            return f"{value:.4g}"
        case tuple():
            return f"{len(value)} ({'; '.join(value)})" if value else "0"
    return value or "missing"


def _depth(tree: ast.AST) -> int:
    """Levels of expressions in one another."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth
