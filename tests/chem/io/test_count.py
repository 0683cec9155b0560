"""Counts of records for progress bars agree with what readers find."""

import gzip
import os

import pytest

from molscore.chem.io.count import record_count
from molscore.chem.io.inputs import read_inputs

FILES = {
    "a.smi": "CCO one\n\n# a comment\nCCC\nnonsense\n",
    "b.smi": "CCO",
    "c.csv": "smiles,name\nCCO,one\nCCC,two\n",
    "d.csv": "smiles\n",
    "e.sdf": "one\n\n\nat all\n$$$$\nanother\n\n\nbad\n$$$$\n",
    "f.sdf": "one\n\n\nat all\n$$$$\nanother without an end\n\n\n\n",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", [False, True])
def test_as_many_as_a_reader_finds(tmp_path, name, packed):
    path = tmp_path / (name + ".gz" * packed)
    data = FILES[name].encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    form = name[-3:]
    assert record_count(path, form) == len(list(read_inputs(str(path), form=form)))


def test_there_is_no_count_of_what_is_read_once_or_not_at_all(tmp_path):
    os.mkfifo(tmp_path / "pipe.smi")
    assert record_count(tmp_path / "pipe.smi", "smi") is None
    assert record_count(tmp_path / "none.smi", "smi") is None
    (tmp_path / "cut.smi.gz").write_bytes(gzip.compress(b"CCO\n" * 10_000)[:30])
    assert record_count(tmp_path / "cut.smi.gz", "smi") is None
