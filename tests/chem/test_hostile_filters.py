"""Filters that are meant to do harm, or are absurd, are refused at once."""

import pytest
from rdkit import Chem

from molscore.chem.checks.conditions import DEEPEST, LONGEST, FilterError
from molscore.chem.checks.filters import MoleculeFilter

HOSTILE = {
    "power": "9**9**9**9 > mw",
    "power of a name": "mw**1000 > 1",
    "shift": "1 << 10**9 > mw",
    "digits": "mw < " + "9" * 900,
    "more digits than Python reads": "mw < " + "9" * 5000,
    "exponent": "mw < 1e999",
    "largest float": "mw < 1e308 * 1e308 * 2",
    "complex": "mw < 1j",
    "long": "mw > 1 and " * 100_000 + "mw > 1",
    "long name": "a" * 500 + " > 1",
    "many names": " + ".join(f"a{k}" for k in range(150)) + " > 1",
    "brackets": "(" * 400 + "mw" + ")" * 400 + " > 1",
    "open brackets": "(" * 900,
    "signs": "-" * 900 + "mw > 1",
    "nots": "not " * 200 + "mw > 1",
    "sums": " + ".join(["mw"] * 190) + " > 1",
    "call": "__import__('os').system('true') > 1",
    "attribute": "mw.__class__ > 1",
    "comprehension": "[x for x in range(10**9)] > 1",
    "lambda": "(lambda: mw)() > 1",
    "walrus": "(mw := 5) > 1",
    "f-string": "f'{mw}' > 1",
    "text": "'a' * 10**9 > 'b'",
    "list": "[mw] * 10**9 > 1",
    "bytes": "b'a' > 1",
    "ellipsis": "... > 1",
    "starred": "*mw > 1",
    "ternary": "mw if mw else mw",
    "is": "mw is 5",
    "in": "mw in (1, 2)",
    "yield": "(yield) > 1",
    "await": "await mw > 1",
    "statement": "mw > 1; mw > 2",
    "lines": "mw > 1\nimport os",
    "assignment": "mw = 5",
    "null byte": "mw > 1\0",
    "surrogate": "mw > \ud800",
    "empty": "",
    "blank": "   ",
    "comment": "# mw > 1",
    "true": "True",
    "a number": "5",
    "an int": 5,
    "bytes object": b"mw > 1",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_filters(text):
    with pytest.raises(FilterError, match="filter") as error:
        MoleculeFilter(text)
    assert len(str(error.value)) < 1000


def test_what_is_long_but_sound_passes():
    text = " or ".join(["mw > 1"] * 90)
    assert len(text) < LONGEST and MoleculeFilter(text).graph(Chem.MolFromSmiles("C")) is None
    deep = "(" * 30 + "mw > 1" + ")" * 30
    assert MoleculeFilter(deep).graph(Chem.MolFromSmiles("C")) is None
    assert MoleculeFilter("not " * (DEEPEST - 6) + "mw > 1").graph(Chem.MolFromSmiles("C")) is None
    assert MoleculeFilter("mw < 1e100 and mw > -1e100").graph(Chem.MolFromSmiles("C")) is None
