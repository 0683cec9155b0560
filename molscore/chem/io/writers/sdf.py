"""SDF as it is, or its mol blocks in V3000."""

from rdkit import Chem, rdBase

from molscore.chem.io.lines import ERRORS
from molscore.chem.io.sdf_text import split_record
from molscore.chem.io.writers.base import RecordWriter, only_record


class SDFRecords(RecordWriter):
    """Writes SDF: the same bytes, unless V3000 is asked for. A record that cannot be read stays as it is."""

    def add(self, text: bytes) -> None:
        """As `RecordWriter.add`."""
        if self.v3000:
            super().add(text)
        else:
            self.file.write(text)
            self.count += text.startswith(b"$$$$") + text.count(b"\n$$$$")

    def write(self, text: str) -> None:
        """As `RecordWriter.write`."""
        self.file.write(f"{in_v3000(text)}$$$$\n".encode("utf-8", ERRORS))


def in_v3000(text: str) -> str:
    """A record, its mol block in V3000 if it can be read; all else as it was."""
    block, items = split_record(text)
    mol = only_record(block).mol
    if mol is None or "V3000" in block[:400].partition("M  ")[0]:
        return text if text.endswith("\n") else f"{text}\n"
    with rdBase.BlockLogs():
        block = Chem.MolToV3KMolBlock(mol, kekulize=False)
    return block + "".join(item.text for item in items)
