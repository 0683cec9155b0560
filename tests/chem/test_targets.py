"""Targets as users write them."""

import pytest

from molscore.chem.targets import TOLERANCES, check_seen, read_targets


@pytest.mark.parametrize(
    ("text", "low", "high", "sign"),
    [
        ("logp=2.5", 2.25, 2.75, 0), ("logp=2.5+-0.5", 2.0, 3.0, 0), ("logp=-1±1", -2.0, 0.0, 0),
        ("tpsa=60..90", 60.0, 90.0, 0), ("logp=-2..-1", -2.0, -1.0, 0), ("hbd=2", 2.0, 2.0, 0),
        ("qed=max", -float("inf"), float("inf"), 1), ("sa=min", -float("inf"), float("inf"), -1),
    ],
)  # fmt: skip
def test_targets_of_the_command_line(text, low, high, sign):
    (target,) = read_targets([text])
    assert (target.low, target.high, target.sign) == (pytest.approx(low), pytest.approx(high), sign)
    assert read_targets([target.text]) == read_targets(read_targets([text])) == (target,)


def test_targets_of_python_are_those_of_the_command_line():
    read = read_targets({"logp": 2.5, "tpsa": (60, 90), "qed": "max"})
    assert read == read_targets(["logp=2.5", "tpsa=60..90", "qed=max"])


def test_what_meets_a_target():
    target, highest = read_targets(["logp=2.5", "qed=max"])
    assert target.miss(2.75) is None and highest.miss(0.1) is None
    assert "logp is 2.8, and the target is 2.25 to 2.75" in str(target.miss(2.8))


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (["logp"], "NAME=VALUE"), (["logp=high"], "not understood"), (["colour=2"], "no property"),
        (["charge=0"], "cannot be a target"), (["tpsa=90..60"], "runs backwards: write tpsa=60..90"),
        (["logp=1", "logp=2"], "two targets"), (["logp=1+-"], "not understood"), (["logp=1+--1"], "below 0"),
        ({"logp": float("nan")}, "finite"), ({"logp": True}, "not understood"), ({"logp": (1, 2, 3)}, "not understood"),
        ({"logp": None}, "not understood"), ({3: 1.0}, "no property"), ("logp=1", "targets are"), (7, "targets are"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_target(targets, words):
    with pytest.raises(ValueError, match=words):
        read_targets(targets)


def test_targets_outside_what_was_seen_are_refused():
    seen = {"logp": {"range": [-2.0, 6.0]}}
    check_seen(read_targets(["logp=6.1"]), seen, "m")
    with pytest.raises(ValueError, match="outside what m has seen: logp from -2 to 6"):
        check_seen(read_targets(["logp=9"]), seen, "m")
    with pytest.raises(ValueError, match="does not know qed"):
        check_seen(read_targets(["qed=max"]), seen, "m")


def test_every_property_with_a_tolerance_can_be_a_target():
    assert {target.name for target in read_targets([f"{name}=max" for name in TOLERANCES])} == set(TOLERANCES)
