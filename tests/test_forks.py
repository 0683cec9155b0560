"""After a fork: a clear error where there would be a hang, and work as usual with one thread."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os
import molscore
from molscore.chem.embedding.etkdg import embed
import torch


def forked(parent, child, given):
    torch.set_num_threads(parent)
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)
    try:
        torch.set_num_threads(child)
        scorer = given or molscore.MoleculeScorer.from_pretrained(device="cpu")
        print(parent, child, "same" if scorer.score([mol])[0].score_norm == expected else "different", flush=True)
    except RuntimeError as error:
        print(parent, child, error, flush=True)
    os._exit(0)


mol, scorer = embed("CC(=O)OCC(N)=O"), molscore.MoleculeScorer.from_pretrained(device="cpu")
torch.set_num_threads(1)
expected = scorer.score([mol])[0].score_norm
forked(1, 1, scorer)
torch.set_num_threads(2)
scorer.score([mol])
forked(2, 2, scorer)
forked(2, 1, None)
forked(2, 2, None)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_forked_child_says_what_to_do_or_works():
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    *sound, several = process.stdout.splitlines()
    assert sound == ["1 1 same", "2 2 same", "2 1 same"]  # scores are computed with one thread
    assert several.startswith("2 2 this process was forked") and "spawn" in several and "set_num_threads(1)" in several
