"""The first molecules of a seed, none left out, as one picture.

    python scripts/contact_sheet.py --n 24 --out data/benchmarks/druglike.png

Each is drawn in two dimensions with its number, QED, SA score and what is unusual about it.
"""

import argparse
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

import molscore
from molscore import pretrained
from molscore.files.output import write_bytes

COLUMNS, WIDTH, HEIGHT = 6, 260, 230


def main() -> None:
    """Generates and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=pretrained.DEFAULT)
    parser.add_argument("--n", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    made = molscore.MoleculeGenerator.from_pretrained(words.model).generate(words.n, seed=words.seed)
    rows = -(-words.n // COLUMNS)
    drawing = rdMolDraw2D.MolDraw2DCairo(COLUMNS * WIDTH, rows * HEIGHT, WIDTH, HEIGHT)
    drawing.DrawMolecules([flat(mol) for mol in made.mols], legends=[legend(mol) for mol in made.mols])
    drawing.FinishDrawing()
    write_bytes(words.out, drawing.GetDrawingText())


def flat(mol: Chem.Mol) -> Chem.Mol:
    """Heavy atoms with the stereo that was read from the coordinates, laid out on paper."""
    bare = Chem.RemoveHs(mol)
    bare.RemoveAllConformers()
    rdDepictor.Compute2DCoords(bare)
    return bare


def legend(mol: Chem.Mol) -> str:
    """Number of the attempt, QED, SA, what is unusual."""
    properties = mol.GetPropsAsDict()
    text = f"{properties['molscore_index']}   QED {properties['qed']:.2f}   SA {properties['sa']:.1f}"
    return f"{text}\n{properties['unusual']}" if "unusual" in properties else text


if __name__ == "__main__":
    main()
