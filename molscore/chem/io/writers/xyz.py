"""Extended XYZ: Larsen et al., J. Phys. Condens. Matter 29, 273002 (2017), ASE; https://github.com/libAtoms/extxyz."""

import re

from rdkit.Chem import GetFormalCharge

from molscore.chem.io.lines import printable
from molscore.chem.io.sdf_text import data_items
from molscore.chem.io.writers.base import RecordWriter, first_line, molecule
from molscore.chem.io.writers.values import number

_NO_KEY = re.compile(r"[^\w.-]+")
_OURS = ("Properties", "title", "charge")


class XYZRecords(RecordWriter):
    """Writes a frame for each record: title, total charge and properties in the comment line, coordinates in Å."""

    def write(self, text: str) -> None:
        """As `RecordWriter.write`."""
        mol = molecule(text)
        values = {"Properties": "species:S:1:pos:R:3", "title": first_line(text), "charge": str(GetFormalCharge(mol))}
        keys = {item: _NO_KEY.sub("_", item.name or "unnamed") for item in data_items(text)}
        values |= {f"input_{key}" if key in _OURS else key: item.value for item, key in keys.items()}
        comment = " ".join(f"{key}={_value(key, value)}" for key, value in values.items())
        atoms = zip(mol.GetAtoms(), mol.GetConformer().GetPositions(), strict=True)
        lines = [f"{atom.GetSymbol():2} {x:14.6f} {y:14.6f} {z:14.6f}" for atom, (x, y, z) in atoms]
        self.file.write("\n".join([str(len(lines)), printable(comment), *lines, ""]).encode())


def _value(key: str, text: str) -> str:
    if key == "Properties" or number(text) is not None:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{escaped}"'
