"""Recall of ensembles: known averages, failures that count, intervals that hold the truth, stereo from positions."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molscore.chem.ensemble import heavy_positions, symmetries
from molscore.evaluate.ensembles import difference, mean_interval, recall, stereo_kept, summary


def embedded(smiles, n=3):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert len(rdDistGeom.EmbedMultipleConfs(mol, n, randomSeed=5)) == n
    return mol


def singles(*values):
    return [None if value is None else np.array([value]) for value in values]


def test_a_reference_among_the_conformers_is_found():
    mol = embedded("CCCCC(=O)[O-]", 4)
    x = heavy_positions(mol)
    best, precision = recall(x, x[1:3], symmetries(mol))
    assert best == pytest.approx([0, 0], abs=1e-6) and precision[1:3] == pytest.approx([0, 0], abs=1e-6)
    assert precision[0] > 0.1 and precision.shape == (4,)
    with pytest.raises(ValueError, match="0 conformers"):
        recall(x[:0], x, symmetries(mol))


def test_averages_are_of_molecules_and_failures_are_missed():
    figures = summary([np.array([0.2, 0.6]), np.array([1.0]), None, np.array([0.5])], thresholds=(0.5, 2.0))
    assert (figures["molecules"], figures["failures"]) == (4, 1)
    assert figures["mean"]["value"] == pytest.approx((0.4 + 1.0 + 0.5) / 3)
    assert figures["median"] == {"value": 0.5, "low": None, "high": None}  # three values have no such interval
    assert figures["coverage"]["0.5"]["value"] == pytest.approx(0.5 / 4)  # 0.5 Å is not below 0.5 Å
    assert figures["coverage"]["2.0"]["value"] == pytest.approx(3 / 4)
    assert figures["coverage"]["2.0"]["low"] == pytest.approx(0.3006, abs=1e-3)  # Wilson, 3 of 4


def test_nothing_has_no_figures():
    figures = summary(singles(None, None))
    assert figures["failures"] == 2 and figures["mean"]["value"] is None and figures["median"]["value"] is None
    assert figures["coverage"]["1.0"]["value"] == 0
    assert summary([])["coverage"]["1.0"] == {"value": None, "low": None, "high": None}


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    intervals = [mean_interval(rng.exponential(size=60), seed=i) for i in range(200)]
    inside = sum(interval["low"] <= 1 <= interval["high"] for interval in intervals)
    assert 175 <= inside <= 199


def test_pairs_see_what_molecules_hide():
    rng = np.random.default_rng(1)
    hard = rng.uniform(0.2, 3.0, size=80)
    a, b = singles(*hard, None, 1.0), singles(*(hard + 0.1 + 0.02 * rng.normal(size=80)), 1.0, None)
    figures = difference(a, b, thresholds=(3.5,))
    assert (figures["molecules"], figures["pairs"]) == (82, 80)
    assert figures["mean"]["low"] < -0.1 + 0.01 and figures["mean"]["high"] < -0.09
    assert figures["coverage"]["3.5"]["value"] == 0  # one failure each
    assert summary(a)["mean"]["high"] > summary(b)["mean"]["low"]
    with pytest.raises(ValueError, match="no pairs"):
        difference(a, b[:-1])
    assert difference(a, a)["mean"] == {"value": 0, "low": 0, "high": 0}


@pytest.mark.parametrize(
    "smiles",
    [
        "C[C@H](N)C(=O)O",
        "C/C=C/CO",
        "CC[S@@](C)=O",
        "C[C@@H]1CC[C@H](C)C1",
        "O[C@H]1CCCC[C@@H]1F",
        "C[C@H](O)/C=C\\C",
        "CC(F)[C@H](C)O",  # one centre is left open
        "CC=CC",
        "CC=C/C=C/C",
        "[H]/N=C(/C)CC",
    ],
)
def test_stereo_of_etkdg_is_right(smiles):
    assert stereo_kept(embedded(smiles), smiles) == [True] * 3


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"),
        ("C/C=C/CO", "C/C=C\\CO"),
        ("C[C@@H]1CC[C@H](C)C1", "C[C@@H]1CC[C@@H](C)C1"),
    ],
)
def test_wrong_stereo_is_seen_in_the_positions(made, asked):
    mol = embedded(made)
    assert stereo_kept(mol, asked) == [False] * 3
    lie = Chem.AddHs(Chem.MolFromSmiles(asked))  # says what was asked, lies otherwise
    for conformer in mol.GetConformers():
        lie.AddConformer(conformer, assignId=True)
    assert stereo_kept(lie, asked) == [False] * 3


def test_each_conformer_is_judged_by_itself():
    smiles = "C[C@H](N)C(=O)O"
    mol = embedded(smiles)
    conformer = mol.GetConformer(1)
    conformer.SetPositions(-conformer.GetPositions())
    assert stereo_kept(mol, smiles) == [True, False, True]


def test_atoms_in_one_place_have_no_stereo():
    smiles = "C[C@H](N)C(=O)O"
    mol = embedded(smiles, 1)
    mol.GetConformer().SetPositions(np.zeros((mol.GetNumAtoms(), 3)))
    assert stereo_kept(mol, smiles) == [False]
