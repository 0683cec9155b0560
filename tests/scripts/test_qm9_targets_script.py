"""QM9's protocol of properties: what was measured, and judge, guide and measurement on few molecules."""

import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import qm9_targets
import torch
from judge.qm9_data import MOST, NAMES, QM9, halves, held_out
from judge.qm9_judge import Judge, errors, learn

from molscore.chem.arrays import from_mol
from molscore.chem.embedding.etkdg import embed
from molscore.generate import MoleculeGenerator
from molscore.guidance.property_guide import load_guide
from molscore.pretrained import guide_file

ROOT = Path(__file__).parents[2]
SMILES = ("CCO", "CC=O", "CCN", "COC", "CC#N", "CCF", "C1CC1", "CO")


@pytest.fixture(scope="module")
def few() -> QM9:
    """Small molecules, with values that are no more than numbers."""
    arrays = [from_mol(embed(text)) for text in SMILES]
    numbers, positions = np.zeros((len(arrays), MOST), np.uint8), np.zeros((len(arrays), MOST, 3), np.float32)
    for k, one in enumerate(arrays):
        n = len(one.atomic_numbers)
        numbers[k, :n], positions[k, :n] = one.atomic_numbers, one.positions
    return QM9(np.arange(len(arrays)), numbers, positions, np.linspace([1, 25, 6], [3, 40, 9], len(arrays)))


def test_the_page_has_the_table_of_the_measurement():
    saved = json.loads((ROOT / "data/benchmarks/qm9_targets.json").read_text())
    assert [row["property"] for row in saved["rows"]] == list(NAMES)
    page = (ROOT / "data/docs/pages/quality/targets.md").read_text()
    assert qm9_targets.markdown(saved["header"], saved["rows"]) in page


def test_guidance_helps():
    """One guided sample is nearer than sizes alone, and the best of ten nearer than EDM, intervals included."""
    saved = json.loads((ROOT / "data/benchmarks/qm9_targets.json").read_text())
    for row, most in zip(saved["rows"], qm9_targets.PUBLISHED["EDM"], strict=True):
        assert row["guided"]["all"]["value"] < row["unguided"]["all"]["value"] < row["shuffled"]["value"]
        assert row["best"]["sound"]["high"] < most, row["property"]
        assert row["best"]["passed"] == saved["header"]["n"]


def test_no_molecule_is_on_both_sides():
    a, b = halves()
    parts = [set(part.tolist()) for part in (a, b, *held_out())]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 130_831 and len(a) == len(b) == 50_000


def test_a_judge_learns_and_does_not_care_for_frames(few):
    rows = np.arange(len(few.index))
    judge = learn(few, rows, 30)
    fresh = learn(few, rows, 1)
    assert sum(errors(judge, few, rows).values()) < sum(errors(fresh, few, rows).values())
    z, x = torch.from_numpy(few.atomic_numbers).long(), torch.from_numpy(few.positions)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))
    with torch.no_grad():
        torch.testing.assert_close(judge(z, x @ turn - 2), judge(z, x), rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(judge(z.flip(1), x.flip(1)), judge(z, x), rtol=1e-3, atol=1e-3)


def test_a_measurement(few):
    generator = MoleculeGenerator.from_pretrained("qm9", device="cpu")
    torch.manual_seed(0)
    words = Namespace(candidates=2, seed=0, steps=12, strength=1.0, properties=["alpha"])
    guide, rows = load_guide(guide_file("qm9")), np.array([0, 3, 6])
    (row,) = qm9_targets.measured(generator, guide, Judge(), few, rows, words)
    assert row["property"] == "alpha" and row["unguided"]["all"]["n"] == row["best"]["all"]["n"] == 3
    assert row["best"]["passed"] >= row["guided"]["passed"]
    for entry in (row["shuffled"], row["guided"]["all"]):
        assert entry["low"] <= entry["value"] <= entry["high"]
    assert 0 < row["cpu_seconds_for_each_sample"] < 60


def test_what_passed_and_is_believed_is_taken():
    """Of four candidates two passed; the guide reads them off."""
    guide, mols = load_guide(guide_file("qm9")), [embed("CCCC"), embed("C=CC=C")]
    gaps = qm9_targets.believed(guide, "gap", [mols[0], None, mols[1], None])
    assert gaps[0] > gaps[2] + 2 and np.isinf(gaps[[1, 3]]).all()
    made = qm9_targets.Made(list("abcd"), [None, mols[0], mols[1], None], [False] * 4)
    for target, letter in ((gaps[0], "b"), (gaps[2], "c")):
        assert qm9_targets.best(guide, "gap", made, np.array([target]), 4).samples == [letter]
