"""PDB, version 3.3 (wwPDB): the conformers of a molecule as models, then its bonds."""

import io
from collections import Counter
from pathlib import Path

from rdkit import Chem

from molscore.chem.io.lines import printable
from molscore.chem.io.writers.base import UnwritableError, first_line, molecule
from molscore.chem.io.writers.models import ModelWriter

MOST = 99_999
"""Atoms that the five columns of a serial number can count."""


class PDBRecords(ModelWriter):
    """Writes a model for each record, residue ``LIG``; ``CONECT`` lines follow the models that they hold for."""

    def __init__(self, file: io.BufferedIOBase, path: Path, v3000: bool = False):
        super().__init__(file, path, v3000)
        self._bonds = ""
        self._same: tuple[str, ...] = ()

    def write(self, text: str) -> None:
        """As `RecordWriter.write`."""
        mol = molecule(text)
        if mol.GetNumAtoms() > MOST:
            raise UnwritableError(f"with more than {MOST:,} atoms")
        _name_atoms(mol)
        lines = Chem.MolToPDBBlock(mol, flavor=_BOTH_WAYS).splitlines(keepends=True)
        atoms = [line for line in lines if line.startswith("HETATM")]
        bonds = "".join(line for line in lines if line.startswith("CONECT"))
        same = bonds, *(line[:_POSITION] for line in atoms)
        title = f"REMARK   6 {printable(first_line(text))}"[:80].rstrip()
        self.model("".join([title, "\n", *atoms]), before="" if same == self._same else self._bonds)
        self._bonds, self._same = bonds, same

    def finish(self) -> None:
        """As `RecordWriter.finish`."""
        super().finish()
        self.put(f"{self._bonds}END\n")


_BOTH_WAYS = 4
"""RDKit's flavor: each bond in the CONECT lines of both its atoms."""

_POSITION = 30
"""Column where coordinates begin."""


def _name_atoms(mol: Chem.Mol) -> None:
    """Gives each atom a name of its own (C1, C2, ...) in residue LIG 1 of chain A, in place."""
    numbers = Counter[str]()
    for atom in mol.GetAtoms():
        symbol = atom.GetSymbol()
        numbers[symbol] += 1
        name = f"{symbol}{numbers[symbol]}"
        name = name[:4] if len(name) > 4 else f"{name:4}" if len(symbol) > 1 else f" {name:3}"
        atom.SetPDBResidueInfo(
            Chem.AtomPDBResidueInfo(name, residueName="LIG", residueNumber=1, chainId="A", isHeteroAtom=True)
        )
