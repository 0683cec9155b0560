"""A tensor file of small molecules, and runs too small to learn much."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from molscore.datasets.tensorfile import pack, write_tensorfile
from molscore.train.config import TrainConfig

SMILES = ("C", "O", "N", "C#N", "C=O", "CO", "CC", "NC=O", "C1CC1", "CC#N", "OC=O", "C=C")


@pytest.fixture(scope="session")
def tensorfile(tmp_path_factory) -> Path:
    """36 molecules of 3 to 9 atoms: 24 to train on, 9 to validate, 3 to test."""
    from rdkit import Chem  # a machine with a GPU may have none
    from rdkit.Chem import AllChem

    from molscore.chem.arrays import from_mol

    molecules = []
    for seed in range(3):
        for smiles in SMILES:
            mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
            assert AllChem.EmbedMolecule(mol, randomSeed=seed + 1) == 0
            molecules.append(from_mol(mol))
    split = np.repeat([0, 1, 2], [24, 9, 3])
    path = tmp_path_factory.mktemp("data") / "small.safetensors"
    write_tensorfile(path, pack(molecules, split, np.arange(36)), {})
    return path


TINY = {
    "steps": 10,
    "pair_budget": 500,
    "warmup_steps": 2,
    "learning_rate": 5e-3,
    "ema_decay": 0.9,
    "mixed_precision": "no",
    "threads": 1,
    "valid_batches": 2,
    "checkpoint_every": 5,
    "log_every": 1,
    "model": {
        "network": {
            "irreps": "16x0e + 8x1o",
            "pair_channels": 8,
            "layers": 1,
            "heads": 4,
            "radial": 8,
            "vectors": 4,
            "condition_channels": 8,
        }
    },
}


@pytest.fixture(scope="session")
def tiny_of() -> Callable[..., TrainConfig]:
    """``tiny_of(data, out, **changes)``: the configuration of a run of ten small steps."""
    return lambda data, out, **changes: TrainConfig.model_validate(TINY | {"data": data, "out": out} | changes)


@pytest.fixture(scope="session")
def tiny(tiny_of, tensorfile) -> Callable[..., TrainConfig]:
    """``tiny(out, **changes)``: the same, on molecules."""
    return lambda out, data=tensorfile, **changes: tiny_of(data, out, **changes)


@pytest.fixture(autouse=True)
def settings_of_torch():
    """Training sets what holds for its whole process; here other tests follow."""
    yield
    torch.set_flush_denormal(False)
    torch.set_float32_matmul_precision("highest")
