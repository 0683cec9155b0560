"""Page faults of tensors that come and go."""

import os
import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from molscore import memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        tensors = [torch.ones(2**18) for _ in range(10)]  # 1 MiB each, 256 pages
        del tensors
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 50

torch.set_num_threads(1)
before, kept = faults(), memory.keep_freed()
faults()
print(before, kept, faults())
"""
MMAP = {"MALLOC_MMAP_THRESHOLD_": "131072"}
"""What glibc begins with; otherwise it learns from what is freed first, which would leave the test to chance."""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for page faults")
def test_memory_is_faulted_in_once():
    command = [sys.executable, "-c", FAULTS]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | MMAP)
    before, kept, after = answer.stdout.split()
    assert kept == "False" or (float(before) > 1000 and float(after) < 30)
