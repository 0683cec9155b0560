"""One item or many, in whatever holds them, come as one stream; nothing is lost and nothing judged."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from molscore.results import items_of

TWO = ["CCO", "CCN"]
INDEX = ["a", "b"]


@pytest.mark.parametrize(
    "source, expected, index",
    [
        (TWO, TWO, None),
        (tuple(TWO), TWO, None),
        ((smiles for smiles in TWO), TWO, None),
        (np.array(TWO), TWO, None),
        (np.array([TWO]).T, TWO, None),
        (pd.Series(TWO, INDEX), TWO, INDEX),
        (pd.DataFrame({"smiles": TWO, "other": [1, 2]}, INDEX), TWO, INDEX),
        (pd.DataFrame({"SMILES": ["?", "?"], "mol": TWO}, INDEX), TWO, INDEX),
        (pd.DataFrame({"smiles": []}), [], []),
        ([], [], None),
        ("CCO", ["CCO"], None),
        (np.str_("CCO"), ["CCO"], None),
        (b"CCO", [b"CCO"], None),
        (None, [None], None),
        (7, [7], None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_holder(source, expected, index):
    items = items_of(source)
    assert list(items.values) == expected
    assert index is None and items.index is None or list(items.index) == index


def test_a_molecule_and_a_result_of_another_call(made):
    mol = Chem.MolFromSmiles("CCO")
    assert list(items_of(mol).values) == [mol]
    assert list(items_of(made).values) == made.mols


def test_a_column_by_name():
    table = pd.DataFrame({"smiles": ["?", "?"], "ligand": TWO})
    assert list(items_of(table, "ligand").values) == TWO
    with pytest.raises(ValueError, match="no column 'ligands', only smiles, ligand"):
        items_of(table, "ligands")
    with pytest.raises(ValueError, match="none of the columns mol, smiles, SMILES, only ligand"):
        items_of(table[["ligand"]])
    with pytest.raises(ValueError, match="2 columns 'ligand'"):
        items_of(table[["ligand", "ligand"]], "ligand")
    with pytest.raises(TypeError, match="'ligand' names a column"):
        items_of(TWO, "ligand")
    with pytest.raises(TypeError, match="put its values in a list"):
        items_of({"a": "CCO"})
    with pytest.raises(TypeError, match="read the file with RDKit or pandas"):
        items_of(Path("mols.sdf"))


def test_the_other_cells_of_a_table_are_properties_of_its_molecules():
    columns = [TWO, ["ethanol", None], [1, None], [True, False], [1.5, 2], pd.to_datetime(["2024-05-01", None])]
    table = pd.DataFrame(dict(zip(["smiles", "Name", "count", "in stock", 7, "date"], columns, strict=True)))
    table["mol"] = [Chem.MolFromSmiles("CC")] * 2
    table["array"] = [np.zeros(2)] * 2
    items = items_of(table.astype({"count": "Int64"}), "smiles")
    assert items.columns == ["count", "in stock", "7", "date", "mol", "array"]
    first, second = items.cells
    assert first == ("ethanol", {"count": 1, "in stock": True, "7": 1.5, "date": "2024-05-01 00:00:00"})
    assert second == ("", {"in stock": False, "7": 2.0})
    twice = pd.DataFrame([["CCO", 1, 2]], columns=["smiles", "a", "a"])
    assert items_of(twice).columns == [] and list(items_of(twice).cells) == [("", {})]
