"""One item or many, in whatever holds them, come as one stream; nothing is lost and nothing judged."""

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
    values, labels = items_of(source)
    assert list(values) == expected
    assert index is None and labels is None or list(labels) == index


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
