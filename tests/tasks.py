"""Functions for worker processes to run; their module is quick to import."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from molscore.workers import count


def squares():
    return square


def square(x: int) -> tuple[int, int]:
    time.sleep(0.02 * (x % 3))
    return x, x * x


def threads():
    import torch

    return lambda task: (os.getpid(), torch.get_num_threads(), os.environ["OMP_NUM_THREADS"])


def fragile(folder: Path, lives: int):
    return partial(_die, folder, lives)


def _die(folder: Path, lives: int, task: int) -> int:
    """Dies of task 1 so many times."""
    marks = list(folder.iterdir())
    if task == 1 and len(marks) < lives:
        (folder / str(len(marks))).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 10 * task


def refusing():
    return _refuse


def _refuse(task: str) -> None:
    raise KeyError(task)


def unstartable():
    raise FileNotFoundError("there is no model")


def embedding():
    return _embed


def _embed(smiles: str) -> Any:
    from rdkit import Chem
    from rdkit.Chem import AllChem

    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    mol.SetDoubleProp("energy", 0.125)
    mol.GetConformer().SetProp("method", "etkdg")
    return mol


def counting():
    return count


class Tensors:
    """Tensors, which a worker gets through shared memory."""

    def __init__(self, number: int):
        import torch

        self.ones = [torch.ones(1) for _ in range(number)]

    def __call__(self) -> Callable[[int], float]:
        shared = all(tensor.is_shared() for tensor in self.ones)
        return lambda task: task + float(sum(self.ones)) if shared else -1.0


def sleeping() -> Callable[[Any], None]:
    """A function that leaves a file named by its process, and sleeps."""
    return _sleep


def _sleep(task: Any) -> None:
    Path(os.environ["PIDS"], str(os.getpid())).touch()
    time.sleep(60)
