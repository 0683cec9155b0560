"""What a command loads: packages that it does not use cost seconds, on every call from a shell."""

import subprocess
import sys

import pytest

WATER = """
  molscore          3D

  3  2  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.1000 O   0  0
    0.0000    0.7600   -0.4800 H   0  0
    0.0000   -0.7600   -0.4800 H   0  0
  1  2  1  0
  1  3  1  0
M  END
$$$$
"""

TRAINING = {"accelerate", "e3nn", "matplotlib", "torch_geometric"}
COMPILERS = {"sympy", "torch._dynamo", "torch._inductor"}
NEVER = {*TRAINING, *COMPILERS, "Bio", "pandas", "posebusters"}


@pytest.mark.parametrize(
    ("words", "never"),
    [
        ("generate --n 1 --model qm9", {*NEVER, "scipy"}),
        ("conformers CCO --n 1", {*NEVER, "scipy"}),
        ("score in.sdf", NEVER),
    ],
)
def test_nothing_is_loaded_that_is_not_used(words, never, tmp_path):
    (tmp_path / "in.sdf").write_text(WATER)
    code = (
        "import sys\n"
        "from molscore.cli import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        f"print('loaded', *sorted({never!r} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, *words.split(), "--workers", "1", "--out", "out.sdf", "--quiet"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert run.stdout == "loaded\n", run.stderr
    assert "M  END" in (tmp_path / "out.sdf").read_text()
