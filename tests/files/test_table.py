"""Tables that a spreadsheet program does not run."""

import csv
import io

import pytest

from molscore.files.table import csv_text


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "  =1", '=HYPERLINK("x")'])
def test_formulas_become_text(text):
    (row,) = csv.reader(io.StringIO(csv_text([[1, text]])))
    assert row == ["1", f"'{text}"]


@pytest.mark.parametrize("cell", ["", "CCO", "-5", "+1.5e3", "a=b", 3, -3, "[Na+]", "two\nlines", 'a "word"'])
def test_other_cells_stay(cell):
    (row,) = csv.reader(io.StringIO(csv_text([[cell, "x"]])))
    assert row == [str(cell), "x"]
