"""Filters that a user writes: ``qed > 0.5 and mw < 450``.

Names are those of `molscore.chem.checks.descriptors.DESCRIPTORS`; numbers, comparisons (chains too: ``20 <= heavy <=
30``), ``and``, ``or``, ``not``, ``+ - * /`` and brackets. Nothing else is understood, so that a filter from a file can
do no harm.
"""

import ast
import operator
from collections.abc import Callable

from rdkit import Chem

from molscore.chem.checks.descriptors import DESCRIPTORS, describe
from molscore.limits import shown

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


class FilterError(ValueError):
    """Not a filter; the message says what is wrong and what is understood."""


class MoleculeFilter:
    """A condition on descriptors.

    Args:
        text: such as ``qed > 0.5 and mw < 450``.

    Attributes:
        text: the same.
        names: the descriptors that it asks for.

    Raises:
        FilterError: if it is not understood.
    """

    def __init__(self, text: str):
        if not isinstance(text, str) or len(text) > LONGEST:
            raise FilterError(f"a filter is a text of at most {LONGEST:,} characters, not {shown(text)}")
        self.text = text
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else error
            raise FilterError(f"the filter {shown(text)} is not understood: {reason}") from error
        if _depth(self._tree) > DEEPEST:
            raise FilterError(f"the filter {shown(text)} is nested more than {DEEPEST} levels deep; write it flatter")
        self.names = tuple(sorted({node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}))
        if unknown := [name for name in self.names if name not in DESCRIPTORS]:
            names = ", ".join(name[:40] for name in unknown[:5])
            raise FilterError(f"the filter has no descriptor {names}; it has {', '.join(DESCRIPTORS)}")
        if not isinstance(self._value(self._tree, dict.fromkeys(self.names, 1.0)), bool):
            raise FilterError(f"the filter {shown(text)} is a number, not a condition; compare it with something")

    def __call__(self, mol: Chem.Mol) -> str | None:
        """None if a sanitised molecule passes, else its descriptors in a sentence."""
        descriptors = describe(mol, self.names)
        if self._value(self._tree, descriptors):
            return None
        values = ", ".join(f"{name} {value:.4g}" for name, value in descriptors.items())
        return f"not {self.text}: {values}"

    def _value(self, node: ast.expr, descriptors: dict[str, float]) -> float | bool:
        match node:
            case ast.Name(id=name):
                return descriptors[name]
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                if not abs(value) <= LARGEST:
                    raise FilterError(f"{shown(value)} in the filter is too large a number")
                return float(value)
            case ast.BoolOp(op=op, values=values):
                joined = (self._condition(value, descriptors) for value in values)
                return all(list(joined)) if isinstance(op, ast.And) else any(list(joined))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._condition(operand, descriptors)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._number(operand, descriptors)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                try:
                    return _ARITHMETIC[type(op)](self._number(left, descriptors), self._number(right, descriptors))
                except ZeroDivisionError:
                    return float("nan")  # no comparison with it holds
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
                numbers = [self._number(part, descriptors) for part in (left, *others)]
                pairs = zip(ops, numbers, numbers[1:], strict=False)
                return all(_COMPARISONS[type(op)](a, b) for op, a, b in pairs)
        raise FilterError(
            f"{shown(ast.unparse(node))} in the filter is neither a descriptor, a number nor a comparison"
        )

    def _number(self, node: ast.expr, descriptors: dict[str, float]) -> float:
        value = self._value(node, descriptors)
        if isinstance(value, bool):
            raise FilterError(f"{shown(ast.unparse(node))} in the filter is a condition where a number is needed")
        return value

    def _condition(self, node: ast.expr, descriptors: dict[str, float]) -> bool:
        value = self._value(node, descriptors)
        if not isinstance(value, bool):
            raise FilterError(f"{shown(ast.unparse(node))} in the filter is a number where a condition is needed")
        return value


def _depth(tree: ast.AST) -> int:
    """Levels of expressions in one another."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth
