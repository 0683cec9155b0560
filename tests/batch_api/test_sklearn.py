"""Conformers and scores in pipelines of scikit-learn, between steps of scikit-mol: the real packages."""

import pickle

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from scikit_mol.conversions import SmilesToMolTransformer
from scikit_mol.descriptors import MolecularDescriptorTransformer
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from molscore import ConformerOptions
from molscore.score.score import TAGS
from molscore.sklearn import ConformerTransformer, ScoreTransformer

SMILES = ["CCCCO", "CCCC(=O)O", "CC(C)CN", "CCOCC"]
CONFORMERS = ConformerTransformer(n=2, device="cpu", options=ConformerOptions(steps=4))
SCORES = ScoreTransformer(device="cpu")


def test_a_pipeline_with_scikit_mol_learns():
    pipeline = clone(make_pipeline(SmilesToMolTransformer(), CONFORMERS, SCORES, Ridge()))
    pipeline = pickle.loads(pickle.dumps(pipeline)).fit(SMILES, [1.0, 2.0, 3.0, 4.0])
    assert np.isfinite(pipeline.predict(SMILES)).all()


def test_scikit_mol_takes_what_comes_out():
    numbers = make_pipeline(CONFORMERS, MolecularDescriptorTransformer(["MolWt", "TPSA"])).transform(SMILES)
    assert numbers.shape == (4, 2) and (numbers[:, 0] > 50).all()


@pytest.mark.parametrize("holder", [pd.Series, lambda data, index: pd.DataFrame({"smiles": data}, index)])
def test_pandas_in_and_out(holder):
    pipeline = clone(make_pipeline(CONFORMERS, SCORES)).set_output(transform="pandas")
    table = pipeline.transform(holder(SMILES[:2], ["a", "b"]))
    assert list(table.columns) == list(TAGS) and list(table.index) == ["a", "b"]
    assert (table.dtypes == np.float64).all() and table.notna().all(axis=None)
    mols = pipeline[0].transform(SMILES[:2])
    assert list(mols.columns) == ["mol"] and [mol.GetNumConformers() for mol in mols["mol"]] == [2, 2]


def test_bad_items_are_rows_without_numbers():
    read = SmilesToMolTransformer(safe_inference_mode=True)
    numbers = make_pipeline(read, CONFORMERS, SCORES).transform(["CCCCO", "c1ccc", "[Na+].[Cl-]"])
    assert np.isnan(numbers).any(1).tolist() == [False, True, True]
    whole = make_pipeline(CONFORMERS, SCORES, SimpleImputer()).fit_transform(["CCCCO", None])
    assert (
        np.isfinite(whole).all() and CONFORMERS.transform([]).shape == (0, 1) and SCORES.transform([]).shape == (0, 5)
    )


def test_parameters():
    assert CONFORMERS.get_params()["n"] == 2 and SCORES.get_params()["seed"] == 0
    again = clone(CONFORMERS).set_params(n=3, options=None)
    assert (again.n, again.options, CONFORMERS.n) == (3, None, 2)
    with pytest.raises(ValueError, match="n must be"):
        clone(CONFORMERS).set_params(n=0).transform(SMILES)
    with pytest.raises(ValueError, match="several rows for one"):
        clone(CONFORMERS).set_params(options=ConformerOptions(stereo="enumerate")).transform(SMILES)
    for wrong in ("CCO", Chem.MolFromSmiles("CCO")):
        with pytest.raises(ValueError, match="put it in a list"):
            CONFORMERS.transform(wrong)
    with pytest.raises(ValueError, match="one column"):
        SCORES.transform(np.array([SMILES, SMILES]))
