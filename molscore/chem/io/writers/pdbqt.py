"""PDBQT for docking with AutoDock and Vina, by meeko: https://github.com/forlilab/Meeko."""

import io
import re
import zipfile
from pathlib import Path

from rdkit import Chem, rdBase

from molscore.chem.io.lines import printable
from molscore.chem.io.writers.base import UnwritableError, first_line, molecule
from molscore.chem.io.writers.models import ModelWriter
from molscore.extras import need

_UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")
_EPOCH = (1980, 1, 1, 0, 0, 0)


class PDBQTRecords(ModelWriter):
    """Writes ligands as meeko prepares them: non-polar hydrogens merged, rotatable bonds free, large rings opened.

    Names ending in .zip get a file for each record, such as ``00001_aspirin.pdbqt``; others a model for each, and no
    ``MODEL`` lines if there is only one record.
    """

    def __init__(self, file: io.BufferedIOBase, path: Path, v3000: bool = False):
        super().__init__(file, path, v3000)
        meeko = need("meeko", "docking", "PDBQT")
        self._prepare, self._text = meeko.MoleculePreparation().prepare, meeko.PDBQTWriterLegacy.write_string
        self._zip: zipfile.ZipFile | None = None
        if path.name.lower().endswith(".zip"):
            self._zip = self.open.enter_context(zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED))

    def write(self, text: str) -> None:
        """As `RecordWriter.write`."""
        title = printable(first_line(text)).strip()
        ligand = f"REMARK  Name = {title}\n{self._pdbqt(molecule(text, sanitize=True))}"
        if self._zip is not None:
            name = f"{self.count + 1:05d}_{_UNSAFE.sub('_', title)[:80].strip('_')}.pdbqt"
            self._zip.writestr(zipfile.ZipInfo(name, _EPOCH), ligand, zipfile.ZIP_DEFLATED)
        else:
            self.model(ligand)

    def finish(self) -> None:
        """As `RecordWriter.finish`."""
        if self._zip is None:
            super().finish()

    def _pdbqt(self, mol: Chem.Mol) -> str:
        if len(Chem.GetMolFrags(mol)) > 1:
            raise UnwritableError("of several fragments")
        with rdBase.BlockLogs():
            try:
                setups = self._prepare(mol)
                ligand, good, complaint = self._text(setups[0])
            except Exception as error:  # meeko raises what it likes
                raise UnwritableError("that meeko cannot prepare", str(error).partition("\n")[0]) from error
        if not good:
            raise UnwritableError("that meeko cannot prepare", str(complaint).strip().partition("\n")[0])
        return ligand
