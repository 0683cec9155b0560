"""The scripts as modules, and a tensor file small enough to train on in a second."""

import sys
from pathlib import Path

import pytest
import torch
import yaml
from rdkit import Chem
from rdkit.Chem import AllChem

from molscore.chem.arrays import from_mol
from molscore.datasets.tensorfile import pack, write_tensorfile

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))


@pytest.fixture(autouse=True)
def settings_of_torch():
    """Scripts and training set what holds for their whole process; here other tests follow."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)
    torch.set_float32_matmul_precision("highest")


@pytest.fixture
def command(monkeypatch):
    """``command(module, *words)``: runs a script's ``main`` with these words."""

    def run(module, *words):
        monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, words)])
        module.main()

    return run


TINY = {
    "pair_budget": 500,
    "warmup_steps": 2,
    "mixed_precision": "no",
    "threads": 1,
    "valid_batches": 2,
    "model": {"network": {"irreps": "16x0e + 8x1o", "pair_channels": 8, "layers": 1, "heads": 4, "radial": 8}},
}


@pytest.fixture(scope="session")
def config(tmp_path_factory):
    """A configuration whose steps take milliseconds, and its data: twelve molecules."""
    folder, molecules = tmp_path_factory.mktemp("small"), []
    for smiles in ("C", "O", "N", "CO", "CC", "C=O") * 2:
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        assert AllChem.EmbedMolecule(mol, randomSeed=1 + len(molecules)) == 0
        molecules.append(from_mol(mol))
    write_tensorfile(
        folder / "small.safetensors",
        pack(molecules, [0] * 6 + [1] * 4 + [2] * 2, range(12)),
        {"source": "twelve molecules"},
    )
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY | {"data": str(folder / "small.safetensors"), "out": str(folder / "unused")}))
    return path
