"""Scores: good geometries above bad ones, each molecule for itself, nothing where there is nothing."""

import numpy as np
import pytest
from rdkit import Chem
from scipy.spatial.transform import Rotation

from molscore.model import load
from molscore.pretrained import find
from molscore.score import MoleculeScorer
from molscore.score.score import ATOM_TAG, REASON_TAG, TAGS


def moved(mol: Chem.Mol, change) -> Chem.Mol:
    copy = Chem.Mol(mol)
    copy.GetConformer().SetPositions(change(copy.GetConformer().GetPositions()))
    return copy


def distorted(mols: list[Chem.Mol], distance: float) -> list[Chem.Mol]:
    rng = np.random.default_rng(0)
    return [moved(mol, lambda x: x + distance / 3**0.5 * rng.standard_normal(x.shape)) for mol in mols]


@pytest.fixture(scope="module")
def scores(scorer, drugs):
    return scorer.score(drugs)


def test_distorted_molecules_score_worse(scorer, drugs, scores):
    """At 0.2 Å every molecule: a lower likelihood, a larger score, more uncertainty."""
    for good, bad in zip(scores, scorer.score(distorted(drugs, 0.2)), strict=True):
        assert bad.log_likelihood < good.log_likelihood - 1
        assert bad.score_norm > 2 * good.score_norm
        assert bad.score_uncertainty > good.score_uncertainty


def test_the_numbers_are_of_the_size_they_say(scores, drugs):
    for score, mol in zip(scores, drugs, strict=True):
        assert score.reason is None
        assert -5 < score.log_likelihood < 10 and 0 < score.standard_error < 0.5
        assert 0 < score.score_norm < 20 and 0 < score.score_uncertainty < score.score_norm
        heavy = np.array([atom.GetAtomicNum() > 1 for atom in mol.GetAtoms()])
        assert (np.isnan(score.atom_uncertainty) == ~heavy).all()
        mean_square = (score.atom_uncertainty[heavy] ** 2).mean()
        assert score.position_uncertainty == pytest.approx(np.sqrt(mean_square), rel=1e-4)


def test_a_score_is_a_molecule_s_own(scorer, drugs, scores):
    """Not of its place, its batch mates, or where it lies; the seed alone changes the estimates."""
    for score, again in zip(scores[::-1], scorer.score(drugs[::-1]), strict=True):
        assert again.log_likelihood == pytest.approx(score.log_likelihood, abs=1e-3)
        assert again.position_uncertainty == pytest.approx(score.position_uncertainty, rel=1e-2)
    away = scorer.score([moved(drugs[0], lambda x: x + [5, -3, 2])])[0]
    assert away.log_likelihood == pytest.approx(scores[0].log_likelihood, abs=1e-3)
    other = scorer.score(drugs[:1], seed=1)[0]
    assert 0 < abs(other.log_likelihood - scores[0].log_likelihood) < 6 * scores[0].standard_error + 0.05
    turn = Rotation.random(rng=np.random.default_rng(0))
    turned = scorer.score([moved(drugs[0], turn.apply)])[0]
    assert abs(turned.log_likelihood - scores[0].log_likelihood) < 6 * scores[0].standard_error + 0.05


def test_what_cannot_be_scored_has_a_reason_and_no_number(scorer, drugs):
    salt = Chem.AddHs(Chem.MolFromSmiles("CC(=O)[O-].[Na+]"))
    results = scorer.score([None, drugs[0], salt])
    assert [score.reason is None for score in results] == [False, True, False]
    assert results[0].reason.startswith("unreadable") and results[2].reason.startswith("disconnected")
    properties = results[2].properties()
    assert properties == {REASON_TAG: results[2].reason}
    assert {*TAGS, ATOM_TAG} == set(results[1].properties()) and isinstance(
        results[1].properties()[next(iter(TAGS))], float
    )
    assert REASON_TAG not in results[1].properties()
    assert len(scorer.score([])) == 0


def test_coordinates_out_of_this_world_have_no_score(scorer, drugs):
    """Molecules that a computer can hold but numbers cannot: a reason, and batch mates are as they were."""
    far = moved(drugs[0], lambda x: x * 1e25)
    results = scorer.score([far, drugs[0]])
    assert results[0].reason.startswith("not_finite") and results[0].log_likelihood is None
    assert results[1].reason is None and np.isfinite(results[1].log_likelihood)


def test_only_graph_conditioned_models_score():
    with pytest.raises(ValueError, match="use 'conformers'"):
        MoleculeScorer(load(find("qm9")), "qm9")
