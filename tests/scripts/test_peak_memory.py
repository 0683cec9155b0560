"""Peak memory is measured of a process and of those that it started."""

import json
import os
import subprocess
import sys
import time

import peak_memory
import pytest

TAKES = "import time; block = b'x' * {size}; time.sleep(30)"


def test_memory_of_a_process_and_its_children():
    """A parent of 40 MB that starts a child of 60 MB."""
    child = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {TAKES.format(size=60_000_000)!r}]); "
    parent = subprocess.Popen([sys.executable, "-c", child + TAKES.format(size=40_000_000)])
    try:
        end = time.monotonic() + 20
        while sum(map(peak_memory.resident, peak_memory.family(parent.pid))) < 100e6 and time.monotonic() < end:
            time.sleep(0.05)
        members = peak_memory.family(parent.pid)
        assert len(members) == 2 and 100e6 < sum(map(peak_memory.resident, members)) < 160e6
    finally:
        for pid in peak_memory.family(parent.pid):
            os.kill(pid, 9)
        parent.wait()
    assert peak_memory.resident(parent.pid) == 0


@pytest.mark.slow
def test_a_command_on_few_and_on_many(command, tmp_path):
    with pytest.raises(SystemExit):
        command(peak_memory, "--cases", "conformers", "--few", 3, "--workers", 1, "--json", tmp_path / "m.json")
    (row,) = json.loads((tmp_path / "m.json").read_text())["rows"]
    assert row["records"] == [3, 30] and all(peak > 50 for peak in row["peak_mib"]) and 0.5 < row["ratio"] < 3
