"""The comparison of what two states make."""

import compare_speed
import pytest
import same_results


@pytest.mark.slow
@pytest.mark.skipif(not (compare_speed.ROOT / ".git").exists(), reason="only in a clone")
def test_a_state_makes_what_it_makes(command, capsys):
    command(same_results, "HEAD", "HEAD", "--n", 2, "--conformers", 1)
    printed = capsys.readouterr().out
    assert "druglike: 2 of 2" in printed and "qm9: 2 of 2" in printed and "conformers: 32 of 32" in printed
