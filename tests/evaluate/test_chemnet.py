import sys

import numpy as np
import pytest
from rdkit import Chem

from molscore.evaluate import evaluate
from molscore.evaluate.compare.chemnet import (
    build_statistics,
    chemnet_distance,
    frechet,
    load_statistics,
    moments,
)


def test_frechet_distance_of_gaussians_with_one_basis():
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    s, t, shift = rng.uniform(0.5, 2, size=6), np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0]), rng.normal(size=6)
    c, d = (basis * s**2) @ basis.T, (basis * t**2) @ basis.T
    assert frechet((shift, c), (np.zeros(6), d)) == pytest.approx(shift @ shift + ((s - t) ** 2).sum(), abs=1e-5)
    assert frechet((shift, c), (shift, c)) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_in_two_dimensions_without_a_common_basis():
    # tr (C D)^½ of 2 x 2 matrices is (tr C D + 2 (det C D)^½)^½.
    c, d = np.array([[2.0, 0.6], [0.6, 1.0]]), np.array([[1.0, -0.3], [-0.3, 0.5]])
    cross = np.sqrt(np.trace(c @ d) + 2 * np.sqrt(np.linalg.det(c @ d)))
    assert frechet((np.zeros(2), c), (np.zeros(2), d)) == pytest.approx(np.trace(c + d) - 2 * cross)


def test_floors_fall_with_the_size_of_the_sample():
    rng = np.random.default_rng(1)
    statistics = build_statistics(rng.normal(size=(4000, 20)), rng.normal(size=(2000, 20)))
    assert statistics.floor_sizes.tolist() == [100, 300, 1000, 2000]
    assert (np.diff(statistics.floors) < 0).all() and statistics.floors[0] > 0.5


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "fcd", None)
    mol = Chem.AddHs(Chem.MolFromSmiles("C"))
    with pytest.raises(ValueError, match=r"pip install 'molscore3d\[fcd\]'"):
        evaluate([mol], fcd=True, on_progress=lambda *step: pytest.fail("work was done"))


def test_bundled_statistics_and_references_without_any(monkeypatch, mols):
    monkeypatch.setitem(sys.modules, "fcd", pytest)  # any module: none of it is used here
    statistics = load_statistics("qm9")
    assert statistics.covariance.shape == (512, 512) and np.allclose(statistics.covariance, statistics.covariance.T)
    assert np.linalg.eigvalsh(statistics.covariance)[0] > -1e-5
    assert statistics.floors[-1] < 0.2 < statistics.floors[0]
    with pytest.raises(ValueError, match="no ChemNet statistics"):
        evaluate(mols, reference=None, fcd=True)
    assert chemnet_distance(["C"], statistics)["value"] is None


def test_chemnet_tells_molecules_apart():
    fcd = pytest.importorskip("fcd")
    statistics = load_statistics("qm9")
    texts = ["CCO", "CC#N", "C1CC1O", "CC(=O)OC", "c1cc[nH]c1", "CC(C)N", "OC1CCC1", "C=CC=O"] * 2
    result = chemnet_distance(texts, statistics)
    assert result["n"] == 16 and result["reference_n"] == 10_000
    assert result["value"] > result["floor"] > 0
    values = fcd.get_predictions(fcd.load_ref_model(), texts, n_jobs=0)
    assert result["value"] == pytest.approx(
        frechet(moments(values.astype(float)), (statistics.mean, statistics.covariance)), rel=1e-6
    )
