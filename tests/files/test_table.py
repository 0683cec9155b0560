"""Tables that a spreadsheet program does not run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molscore.files.table import csv_text, guarded, plain


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "  =1",
        '=HYPERLINK("x")',
        "-O",
        "\r=1",
        "\n@x",
        "＝1",
        "'=1",
        "--5",
    ],
)
def test_formulas_become_text(text):
    (row,) = csv.reader(io.StringIO(csv_text([[1, text]])))
    assert row == ["1", f"'{text}"]


@pytest.mark.parametrize(
    "cell", ["", "CCO", "-5", "+1.5e3", "a=b", 3, -3, "[Na+]", "two\nlines", 'a "word"', "'a'", "'", "C=C"]
)
def test_other_cells_stay(cell):
    (row,) = csv.reader(io.StringIO(csv_text([[cell, "x"]])))
    assert row == [str(cell), "x"]


@given(st.lists(st.text(st.sampled_from("'=+-@\t\r\n 1.eCO＝"), max_size=5), max_size=3))
def test_what_was_guarded_is_read_back_as_it_was(cells):
    written = guarded(cells)
    assert plain(written) == cells and guarded(plain(written)) == written
    assert all(cell[:1] not in tuple("=@\t\r\n＝") for cell in written)
