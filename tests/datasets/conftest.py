"""A small source in the layout of qm9pack, made of molecules that RDKit embeds."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from molscore.datasets.qm9 import FILES

HEADER = ("XYZ_file", "Index", "SMILES", "InChi", "N_atoms", "Stoichiometry", "Elements", "XYZ_Ang", "Dipole_debye")
SMILES = (
    "C",
    "O",
    "CC#N",
    "c1ccncc1",
    "[NH3+]CC([O-])=O",
    "Cc1c[nH]cn1",
    "NC=O",
    "OC1CC1F",
    "C1CC2CC12",
    "N#CC1=CC1=O",
)


def _embedded(smiles: str, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Elements and positions of a SMILES, atoms in shuffled order."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=seed) == 0
    AllChem.UFFOptimizeMolecule(mol)
    order = np.random.default_rng(seed).permutation(mol.GetNumAtoms())
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
    return numbers[order], mol.GetConformer().GetPositions()[order]


def _fields(index: int, smiles: str, numbers: np.ndarray, positions: np.ndarray) -> list[str]:
    """One row of the CSV file."""
    symbols = ",".join(f"'{Chem.GetPeriodicTable().GetElementSymbol(int(z))}'" for z in numbers)
    points = ",".join("[" + ",".join(f"{x:.10f}" for x in point) + "]" for point in positions)
    name = f"dsgdb9nsd_{index:06d}.xyz"
    return [name, str(index), smiles, "", str(len(numbers)), "[]", f"[{symbols}]", f"[{points}]", "0."]


def _write_csv(file: Path, rows: list[list[str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)


@pytest.fixture(scope="session")
def embedded() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    return _embedded


@pytest.fixture(scope="session")
def fields() -> Callable[..., list[str]]:
    return _fields


@pytest.fixture(scope="session")
def write_csv() -> Callable[[Path, list[list[str]]], None]:
    return _write_csv


@pytest.fixture(scope="session")
def molecules() -> list[tuple[str, np.ndarray, np.ndarray]]:
    return [(smiles, *_embedded(smiles)) for smiles in SMILES]


@pytest.fixture
def source(tmp_path: Path, molecules) -> Path:
    """A folder with three CSV files of 4, 4 and 2 molecules."""
    folder = tmp_path / "source"
    folder.mkdir()
    rows = [_fields(k + 1, *molecule) for k, molecule in enumerate(molecules)]
    for name, part in zip(FILES, (rows[:4], rows[4:8], rows[8:]), strict=True):
        _write_csv(folder / name, part)
    return folder
