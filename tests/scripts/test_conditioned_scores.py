"""scripts/conditioned_scores.py: groups are those they are said to be, and too few are not compared."""

import conditioned_scores as script
import pytest


def sample(kind, of, reason, value, **more):
    return {"kind": kind, "of": of, "reason": reason} | dict.fromkeys(script.SIGNS, value) | more


def test_comparisons():
    pocket = [sample("pocket", "a", None, k, sound=k != 0) for k in range(10)]
    pocket += [sample("pocket", "a", "bond_length", -1.0 - k, sound=None) for k in range(4)]
    pocket += [sample("pocket", "b", "pocket_clash", -9.0, sound=None)] * 2
    shape = [sample("shape", of, None, k, like=k / 10 + far) for of, far in (("q", 0), ("r", 0.5)) for k in range(6)]
    rows = {row["task"]: row for row in script.compared(pocket + shape)}
    delivered, placed, busted, valid, alike = rows.values()
    assert (delivered["good"], delivered["bad"]) == (10, 6)
    assert delivered["log_likelihood"]["area"] == 1 and delivered["score_norm"]["area"] == 0
    assert (placed["good"], placed["bad"]) == (10, 2) and "log_likelihood" not in placed
    assert (busted["good"], busted["bad"]) == (9, 1) and (valid["good"], valid["bad"]) == (12, 0)
    assert (alike["good"], alike["bad"]) == (6, 6)  # by the median of each query, not of all
    assert alike["log_likelihood"]["area"] == pytest.approx(1) and "too few" in script.markdown(list(rows.values()))
