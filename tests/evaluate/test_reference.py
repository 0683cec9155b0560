import numpy as np
import pytest
from small_molecules import SMILES, embed, write_sdf

from molscore.chem.checks.descriptors import describe
from molscore.evaluate.compare.histograms import COUNTED, MOST, WHOLE, counts, edges
from molscore.evaluate.compare.reference import (
    BUNDLED,
    BadReferenceError,
    load_reference,
    reference_of,
    resolve_reference,
    save_reference,
)
from molscore.evaluate.molecules.identity import canonical_smiles, count_novel


@pytest.fixture(scope="module")
def tiny(mols, tmp_path_factory):
    return resolve_reference(write_sdf(tmp_path_factory.mktemp("reference") / "tiny.sdf", mols))


def test_a_file_of_molecules_is_a_reference(tiny):
    assert tiny.name == "tiny.sdf"
    assert len(tiny.training_hashes) == len(SMILES)
    assert tiny.composition["molecules"] == len(SMILES)
    assert set(tiny.distributions) == {"bond", "angle", "dihedral"}


def test_histograms_are_of_the_molecules(tiny, mols):
    """Every molecule in one bin of each, in the one where it belongs, few bins, and one for each whole number."""
    histograms = tiny.composition["histograms"]
    assert set(histograms) == {*COUNTED, "strain_kcal_per_mol"}
    values = {name: [describe(mol, COUNTED)[name] for mol in mols] for name in COUNTED}
    for name, histogram in histograms.items():
        edges, counts = histogram["edges"], histogram["counts"]
        assert sum(counts) == len(SMILES) and len(edges) == len(counts) + 1 <= MOST + 1 and edges == sorted(set(edges))
        if name in values:
            assert edges[0] <= min(values[name]) and max(values[name]) <= edges[-1]
            assert histogram["median"] == pytest.approx(np.median(values[name]), abs=1e-3)
    for name in WHOLE:
        histogram, numbers = histograms[name], np.array(values[name])
        for k, count in enumerate(histogram["counts"]):
            assert count == (numbers == histogram["edges"][k] + 0.5).sum()


def test_what_lies_beyond_the_grid_is_in_the_bins_at_its_ends():
    grid = edges("mw", np.linspace(100, 200, 50))
    assert grid[0] < 80 and grid[-1] > 220
    assert counts(np.array([-1e6, 150, 1e6]), grid)[[0, -1]].tolist() == [1, 1]
    assert len(edges("heavy", np.array([5, 900]))) <= MOST + 2 and len(edges("qed", np.array([0.5]))) > 1


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_references_have_histograms(name):
    composition = resolve_reference(name).composition
    for key, histogram in composition["histograms"].items():
        total = sum(histogram["counts"])
        assert total == 2000 if key == "strain_kcal_per_mol" else total > 0.999 * composition["molecules"]
    middles = {
        key: np.average((np.array(h["edges"][1:]) + h["edges"][:-1]) / 2, weights=h["counts"])
        for key, h in composition["histograms"].items()
    }
    for key, mean in composition["properties"].items():
        assert middles[key] == pytest.approx(mean, rel=0.02, abs=0.02), key


def test_round_trip_without_pickle(tiny, tmp_path):
    path = tmp_path / "tiny.npz"
    save_reference(tiny, path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tiny.npz"]
    back = resolve_reference(path)
    assert (back.name, back.description, back.composition) == (tiny.name, tiny.description, tiny.composition)
    assert np.array_equal(back.training_hashes, tiny.training_hashes)
    assert np.array_equal(back.heldout_hashes, tiny.heldout_hashes) and len(tiny.heldout_hashes) == 0
    assert back.relaxation == tiny.relaxation and tiny.relaxation["n"] == len(SMILES)
    for kind, theirs in tiny.distributions.items():
        assert np.array_equal(back.distributions[kind].codes, theirs.codes)
        assert np.array_equal(back.distributions[kind].counts, theirs.counts)
        assert back.distributions[kind].total == theirs.total
    for name, values in tiny.floors.items():
        assert np.array_equal(back.floors[name], values, equal_nan=True)


def test_an_interrupted_save_leaves_the_old_file(tiny, tmp_path, monkeypatch):
    path = tmp_path / "tiny.npz"
    path.write_bytes(b"old")

    def fail(stream, **arrays):
        stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(KeyboardInterrupt):
        save_reference(tiny, path)
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_unknown_corrupt_and_empty_references(tiny, tmp_path):
    with pytest.raises(BadReferenceError, match="qm9"):
        resolve_reference("geom")
    assert issubclass(BadReferenceError, ValueError)
    path = tmp_path / "tiny.npz"
    save_reference(tiny, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadReferenceError, match="corrupt"):
        load_reference(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(BadReferenceError, match="not a molscore reference"):
        load_reference(path)
    broken = embed("CCO")
    for atom in broken.GetAtoms():
        atom.SetFormalCharge(1)
    with pytest.raises(BadReferenceError, match="no valid molecule"):
        resolve_reference(write_sdf(tmp_path / "broken.sdf", [broken]))


def test_the_reference_qm9():
    qm9 = resolve_reference("qm9")
    assert 99_000 < len(qm9.training_hashes) <= 100_000
    assert (np.diff(qm9.training_hashes.astype(object)) > 0).all()
    assert qm9.composition["atoms_per_molecule"] == pytest.approx(18.0, abs=0.1)
    assert set(qm9.composition["elements"]) == {"H", "C", "N", "O", "F"}
    assert 12_000 < len(qm9.heldout_hashes) < 14_000
    assert len(np.intersect1d(qm9.heldout_hashes, qm9.training_hashes)) < 0.05 * len(qm9.heldout_hashes)
    assert qm9.relaxation["n"] > 1900 and 3 < qm9.relaxation["median"] < 6
    assert qm9.composition["groups"]["alcohol"] == pytest.approx(0.3, abs=0.05)
    small = [canonical_smiles(embed(s)) for s in ("CC", "CCO", "C1CC1", "CC#N", "CC(C)=O", "C1CCCCC1", "CCCO", "CCN")]
    assert count_novel(small, qm9.training_hashes) < len(small)  # a training molecule is found among real ones
    assert count_novel([canonical_smiles(embed("CC(=O)Oc1ccccc1C(=O)O"))], qm9.training_hashes) == 1
    for name, values in qm9.floors.items():
        assert values[0] > values[2] > values[4] > values[-1] > 0, name


def test_the_reference_druglike():
    """What the issue's table needs is there: properties, GFN2-xTB, floors; and training molecules are found."""
    reference = resolve_reference("druglike")
    assert 100_000 < len(reference.training_hashes) < 135_000 and 6_000 < len(reference.heldout_hashes) < 8_000
    assert len(np.intersect1d(reference.heldout_hashes, reference.training_hashes)) < 0.05 * len(
        reference.heldout_hashes
    )
    assert {"B", "Br", "C", "Cl", "F", "H", "I", "N", "O", "P", "S"} == set(reference.composition["elements"])
    assert (
        20 < reference.composition["properties"]["heavy"] < 24
        and 0.6 < reference.composition["properties"]["qed"] < 0.85
    )
    assert reference.xtb_relaxation["n"] >= 95 and 0 < reference.xtb_relaxation["median"] < 20
    assert count_novel([canonical_smiles(embed("CC"))], reference.training_hashes) == 1
    for name, values in reference.floors.items():
        assert values[0] > values[2] > values[4] > values[-1] > 0, name


@pytest.mark.parametrize(
    ("models", "expected"),
    [(["qm9", None], "qm9"), ([None, "druglike"], "druglike"), (["my.safetensors"], "druglike"), ([], "druglike")],
)
def test_a_model_brings_its_reference(models, expected):
    """The first molecule that can be read decides; unknown models are held against the first reference."""
    mols = []
    for model in models:
        mols.append(None if model is None else embed("CCO"))
        if model is not None:
            mols[-1].SetProp("molscore_model", model)
    assert reference_of(mols) == expected
    plain = embed("CCO")
    plain.ClearProp("molscore_model")
    assert reference_of([plain]) == BUNDLED[0]
