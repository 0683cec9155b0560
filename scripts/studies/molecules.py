"""Molecules for studies of molecular networks: the first of the NCI's public list, which comes with RDKit."""

import random
from functools import cache
from pathlib import Path

from rdkit import Chem, RDConfig, rdBase

from molscore.chem.arrays import MoleculeArrays, MoleculeError, from_mol
from molscore.chem.embedding.etkdg import embed
from molscore.chem.hydrogens import without_hydrogens
from molscore.model import MoleculeDiffusion

LIST = Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"


@cache
def heavy_atoms(n: int, vocabulary: tuple[tuple[int, int], ...], low: int = 10, high: int = 20) -> list[MoleculeArrays]:
    """Conformers (ETKDGv3, MMFF94s) of n molecules of the list, heavy atoms alone, `low` to `high` of them."""
    molecules: list[MoleculeArrays] = []
    lines = LIST.read_text().splitlines()
    random.Random(0).shuffle(lines)
    with rdBase.BlockLogs():
        for line in lines:
            mol = Chem.MolFromSmiles(line.split()[0])
            if mol is None or not low <= mol.GetNumAtoms() <= high:
                continue
            if any((atom.GetAtomicNum(), atom.GetFormalCharge()) not in vocabulary for atom in mol.GetAtoms()):
                continue
            try:
                molecules.append(without_hydrogens(from_mol(embed(line.split()[0]))))
            except MoleculeError:
                continue
            if len(molecules) == n:
                return molecules
    raise ValueError(f"the list holds {len(molecules)} such molecules, not {n}")


def known_to(model: MoleculeDiffusion, n: int) -> list[MoleculeArrays]:
    """n molecules of atoms that the model knows."""
    return heavy_atoms(n, tuple(model.vocabulary))
