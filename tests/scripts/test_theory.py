"""What the studies of the theory claim, with tolerances that a wrong implementation fails."""

import json
import runpy
import sys
from importlib import import_module
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def study(monkeypatch):
    """Function from a name to the study."""
    monkeypatch.syspath_prepend(SCRIPTS)
    return lambda name: import_module(f"studies.{name}")


def test_compass(study, monkeypatch):
    """The predicted bias of unadjusted chains, none of adjusted ones; annealing finds both modes, a plain chain one."""
    compass = study("compass")
    monkeypatch.setattr(compass, "CHAINS", 4000)
    result = compass.run()
    for row in result["variance"]:
        assert abs(row["plain"] / row["predicted"] - 1) < 4 * result["standard_error"]
        assert abs(row["adjusted"] - 1) < 4 * result["standard_error"]
    assert result["variance"][-1]["predicted"] == 2 and result["variance"][-1]["accepted"] < 0.9
    shares = result["right_mode"]
    assert abs(shares["annealed"] - shares["exact"]) < 0.05 and shares["plain"] < 0.01


def test_denoising(study, monkeypatch):
    """A linear score learns -1 / sigma²; a network learns a mixture's score, best where there is much noise."""
    denoising = study("denoising")
    monkeypatch.setattr(denoising, "STEPS", 600)
    result = denoising.run()
    assert all(abs(row["learnt"] / row["exact"] - 1) < 1e-6 for row in result["linear"])
    errors = {row["t"]: row["relative_error"] for row in result["network"]}
    assert errors[0.9] < errors[0.3] < 0.02 and errors[0.1] < 0.1


def test_hyvarinen(study, monkeypatch):
    hyvarinen = study("hyvarinen")
    monkeypatch.setattr(hyvarinen, "N", 50_000)
    result = hyvarinen.run()
    for row in result["rows"]:
        gap, gain = row["standard_errors"]
        assert abs(row["denoising_minus_noised"]) < 4 * gap
        if row["score"] == "linear":
            assert abs(row["noised_minus_clean"] - row["penalty"]) < 4 * gain
        assert row["penalty"] > 8 * gain
    first, last = result["sliced"][0], result["sliced"][-1]
    assert first["deviation"] / last["deviation"] == pytest.approx(4, rel=0.15)  # 16 probes


def test_implicit_bias(study):
    """Fitted rates against the predicted ones, of every pair of axes, at first and in the end."""
    result = study("implicit_bias").run()
    for name, rows in result.items():
        for pair in rows["pairs"]:
            assert pair["early_fitted"] == pytest.approx(pair["early_predicted"], rel=0.02)
            assert pair["late_fitted"] == pytest.approx(pair["late_predicted"], rel=0.02)
            a, b = pair["eigenvalues"]
            assert (a == pytest.approx(b)) == (name == "isotropic")
            assert pair["path"][-1] < 0.05 * pair["path"][0]


def test_flow(study):
    result = study("flow").run()
    assert abs(result["residual_slope"] - 2) < 0.02
    errors = [row["largest_error"] for row in result["round_trip"]]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-7
    for likelihood in result["likelihood"].values():
        assert likelihood["exact_divergence_largest_error"] < 0.01
        mean, error = (likelihood[f"hutchinson_{x}"] for x in ("mean_error", "standard_error_of_the_mean"))
        assert abs(mean) < 4 * error + 1e-3 and likelihood["hutchinson_mean_absolute_error"] < 0.01
        assert 0.7 < likelihood["hutchinson_scaled_deviation"] < 1.4


def test_batch_norm(study, monkeypatch):
    """In train mode the score depends on batch mates and the samples are off by far; layer norm does no harm."""
    batch_norm = study("batch_norm")
    monkeypatch.setattr(batch_norm, "STEPS", 600)
    rows = {(row["norm"], row["mode"]): row for row in batch_norm.run()["rows"]}
    betrayed, plain, layered = rows["batch", "train"], rows["none", "eval"], rows["layer", "eval"]
    assert betrayed["change_by_batch_mates"] > 0.1 and layered["change_by_batch_mates"] < 1e-5
    assert betrayed["covariance_error"] > 3 * max(plain["covariance_error"], layered["covariance_error"], 0.05)
    assert betrayed["score_errors"]["0.05"] > 3 * plain["score_errors"]["0.05"]


@pytest.mark.slow
def test_overfitting(study, monkeypatch):
    """Ten training points: lower loss, copies, most of the distribution left out, and the detectors say so."""
    overfitting = study("overfitting")
    monkeypatch.setattr(overfitting, "SIZES", (10, 1000))
    few, many = overfitting.run()["rows"]
    assert few["loss"] < many["loss"] and few["loss_on_fresh_data"] > 2 * many["loss_on_fresh_data"]
    assert few["z"] > 3 and few["copying_z"] < -10 and few["coverage"] < 0.5
    assert many["z"] < 3 and many["copying_z"] > -3 and many["coverage"] > 0.9


@pytest.mark.slow
def test_dimension(study):
    """The error grows with the dimension and falls with the size of the sample."""
    slopes = study("dimension").run()["slopes"]
    assert slopes["dimension"]["value"] > 1
    assert slopes["size"]["value"] < -0.3


def test_the_script_writes_a_figure_and_a_file(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(SCRIPTS)
    monkeypatch.setattr(sys, "argv", ["theory.py", "--only", "implicit_bias", "flow", "--out", str(tmp_path / "a")])
    runpy.run_path(str(SCRIPTS / "theory.py"), run_name="__main__")
    for name in ("implicit_bias", "flow"):
        assert (tmp_path / "a" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert json.loads((tmp_path / "a" / f"{name}.json").read_text())["study"]
    page = (tmp_path / "a" / "README.md").read_text()
    assert page.count("![") == 2 and "residual step" in page and "noised variance" in page


@pytest.mark.slow
def test_bayes(study, monkeypatch):
    """The sandwich has the spread that the data leave open; Laplace takes views for data, and is far too sure."""
    bayes = study("bayes")
    monkeypatch.setattr(bayes, "SETS", 3)
    monkeypatch.setattr(bayes, "MEMBERS", 3)
    result = bayes.run()["posteriors"]
    assert 0.6 < result["sandwich"]["relative_to_exact"] < 1.8
    assert 0.6 < result["ensemble"]["relative_to_exact"] < 3
    assert result["laplace"]["relative_to_exact"] < 0.5
    assert result["sandwich"]["mean_square_of_scaled_error"] < 5


def test_conservative(study, monkeypatch):
    """A network's score turns a little; with an energy head not at all."""
    conservative = study("conservative")
    sizes = {"PROBED": 4, "MOLECULES": 24, "HELD_OUT": 8, "STEPS": 20, "EVERY": 10}
    for name, value in sizes.items():
        monkeypatch.setattr(conservative, name, value)
    monkeypatch.setattr(conservative, "TIMES", (0.05, 0.95))
    result = conservative.run()
    turning = {row["t"]: row["rotation"] for row in result["shipped"]}
    assert 0.01 < turning[0.05] < 0.3 and turning[0.95] < turning[0.05] / 2
    displacement, energy = (result["training"][name] for name in ("displacement", "energy"))
    assert max(row["rotation"] for row in energy["rows"]) < 1e-4 < displacement["rows"][-1]["rotation"]
    for twin in (displacement, energy):
        assert twin["rows"][-1]["loss"] < twin["rows"][0]["loss"]
