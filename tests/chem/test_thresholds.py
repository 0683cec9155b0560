"""One file holds every threshold; each is used, has a unit and a meaning, and a wrong file is refused."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

import molscore
from molscore.chem.thresholds import PATH, THRESHOLDS, parse

TEXT = PATH.read_text(encoding="utf-8")
PACKAGE = Path(molscore.__file__).parent
UNITS = ("Å", "degrees", "kcal/mol", "Hartree/Bohr", "pm", "atoms", "fraction", "no unit")
LEAVES = [(group, name) for group in type(THRESHOLDS).model_fields for name in vars(getattr(THRESHOLDS, group))]


def uses(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(group, name) of thresholds that a function reads, as THRESHOLDS.group.name or by a variable of the group."""
    groups: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            for pair in zip(target.elts, value.elts, strict=True) if several else [(target, value)]:
                match pair:
                    case ast.Name(variable), ast.Attribute(ast.Name("THRESHOLDS"), group):
                        groups[variable] = group
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(ast.Attribute(ast.Name("THRESHOLDS"), group), name):
                yield group, name
            case ast.Attribute(ast.Name(variable), name) if variable in groups:
                yield groups[variable], name


def uses_of_the_package() -> set[tuple[str, str]]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {use for function in functions for use in uses(function)}


def test_every_threshold_is_used():
    assert set(LEAVES) <= uses_of_the_package()
    assert len(LEAVES) > 50


def test_what_is_not_used_would_be_noticed():
    code = "def f(x):\n    a, b = 1, THRESHOLDS.alerts\n    return x > b.high_sa or x < THRESHOLDS.clash.tolerance"
    assert set(uses(ast.parse(code))) == {("alerts", "high_sa"), ("clash", "tolerance")}


def documented(text: str) -> list[tuple[tuple[str, str], str]]:
    """(group, name) of each threshold, and the comment that stands directly above it."""
    comments, group, comment = [], "", []
    for line in text.splitlines():
        if line.startswith("  #"):
            comment.append(line.strip("# "))
        elif match := re.match(r"  (\w+): ", line):
            comments.append(((group, match[1]), " ".join(comment)))
            comment = []
        else:
            assert not comment, f"a comment without a threshold: {comment}"
            group = line.split(":")[0]
    return comments


def test_every_threshold_has_a_unit_and_a_meaning():
    comments = documented(TEXT)
    assert [place for place, _ in comments] == LEAVES  # none twice, none missing, in the order of the types
    for place, comment in comments:
        unit = next((unit for unit in UNITS if re.match(rf"{unit}\b", comment)), None)
        assert unit is not None, f"{place} has no unit: {comment!r}"
        assert len(comment) - len(unit) > 20, f"{place} has no meaning: {comment!r}"


@pytest.mark.parametrize(
    "old, new, place",
    [
        ("alerts:", "alarms:", "alarms"),
        ("  high_sa: 4.5", "  high_sa: 4.5\n  low_sa: 1.0", "alerts.low_sa"),
        ("  high_sa: 4.5", "", "alerts.high_sa"),
        ("  high_sa: 4.5", "  high_sa: hard", "alerts.high_sa"),
        ("  twist: 35.0", "  twist: .nan", "flat_biaryl.twist"),
        ("  small_ring: 4", "  small_ring: 4.5", "alerts.small_ring"),
        ("margins: [10, 5, 3]", "margins: [10, 5]", "distance_stability.margins"),
    ],
)
def test_a_file_with_other_thresholds_is_refused(old, new, place):
    assert parse(TEXT) == THRESHOLDS and TEXT.count(old) == 1
    with pytest.raises(ValidationError) as error:
        parse(TEXT.replace(old, new))
    places = {".".join(map(str, fault["loc"])) for fault in error.value.errors()}
    assert any(refused.startswith(place) for refused in places)


def test_thresholds_cannot_be_changed_in_place():
    with pytest.raises(ValidationError):
        THRESHOLDS.alerts.high_sa = 9.0
    with pytest.raises(ValidationError):
        THRESHOLDS.alerts = None
