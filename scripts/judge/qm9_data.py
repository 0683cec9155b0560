"""Elements, positions and properties of QM9, and its training molecules in two halves.

The CSV files of qm9pack: 130,831 molecules at B3LYP/6-31G(2df,p) (Ramakrishnan et al., Sci. Data 1, 140022, 2014). The
customary split is NumPy's ``RandomState(0).permutation``: 100,000 to train, 17,748 to validate, 13,083 to test. Half A
is the first 50,000 of that permutation, half B the 50,000 after (Hoogeboom et al., ICML 2022: the judge learns from
one half, the guide from the other).
"""

import csv
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

FILES = ("qm9_part1.csv", "qm9_part2.csv", "qm9_part3.csv")
COLUMNS = {"mu": "Dipole_debye", "alpha": "Polarizability_bohr3", "gap": "HOMO_LUMO_gap_au"}
NAMES = tuple(COLUMNS)
UNITS = {"mu": "D", "alpha": "Bohr^3", "gap": "eV"}
EV = 27.211386
"""eV of one Hartree."""

MOLECULES, TRAINING, VALIDATION = 130_831, 100_000, 17_748
MOST = 29
NUMBERS = {"H": 1, "C": 6, "N": 7, "O": 8, "F": 9}


class QM9(NamedTuple):
    """All molecules, in QM9's order.

    Attributes:
        index: ``(M,)``: QM9's own numbers.
        atomic_numbers: ``(M, 29)`` uint8, zero in the padding.
        positions: ``(M, 29, 3)`` float32, Å.
        values: ``(M, 3)``: mu in D, alpha in Bohr³, gap in eV.
    """

    index: np.ndarray
    atomic_numbers: np.ndarray
    positions: np.ndarray
    values: np.ndarray


def read(folder: Path, kept: Path) -> QM9:
    """The molecules, from the CSV files or, after the first time, from a file that is kept.

    Raises:
        ValueError: if there are not as many as QM9 has.
    """
    if not kept.is_file():
        index, numbers, positions, values = [], [], [], []
        for name in FILES:
            with (folder / name).open(newline="") as file:
                for row in csv.DictReader(file):
                    elements = row["Elements"].strip("[]").replace("'", "").replace(" ", "").split(",")
                    padding = MOST - len(elements)
                    index.append(int(row["Index"]))
                    numbers.append([NUMBERS[element] for element in elements] + [0] * padding)
                    positions.append(json.loads(row["XYZ_Ang"].replace(".,", ".0,").replace(".]", ".0]")))
                    positions[-1] += [[0.0, 0.0, 0.0]] * padding
                    values.append([float(row[column]) for column in COLUMNS.values()])
                    values[-1][NAMES.index("gap")] *= EV
        if len(index) != MOLECULES:
            raise ValueError(f"{folder}: {len(index):,} molecules where QM9 has {MOLECULES:,}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            kept,
            index=np.array(index),
            atomic_numbers=np.array(numbers, np.uint8),
            positions=np.array(positions, np.float32),
            values=np.array(values),
        )
    with np.load(kept) as file:
        return QM9(**file)


def halves() -> tuple[np.ndarray, np.ndarray]:
    """Rows of half A, the judge's, and half B, the guide's."""
    order = np.random.RandomState(0).permutation(MOLECULES)
    return order[: TRAINING // 2], order[TRAINING // 2 : TRAINING]


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """Rows of the molecules to validate and to test."""
    order = np.random.RandomState(0).permutation(MOLECULES)[TRAINING:]
    return order[:VALIDATION], order[VALIDATION:]
