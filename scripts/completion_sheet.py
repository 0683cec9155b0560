"""The first completions of a seed, none left out, as one picture: three scaffolds and three pairs of fragments.

    python scripts/completion_sheet.py --linkers zinc.sdf.gz --out data/benchmarks/completions.png

A row is what was given; each of its four molecules is drawn on paper, and beside that as it lies in space, seen along
its shortest principal axis, without hydrogens. Kept atoms are highlighted. Below stand the number of the attempt, QED,
SA score, strain, and what is unusual.
"""

import argparse
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from judge.completion_cases import linkers
from PIL import Image, ImageDraw, ImageFont
from rdkit import Chem, RDLogger
from rdkit.Chem.Draw import rdMolDraw2D

import molscore
from molscore.chem.depiction import laid_out
from molscore.files.output import write_bytes

SCAFFOLDS = ("c1ccc([*:1])cc1C(=O)N[*:2]", "[*:1]N1CCN([*:2])CC1", "c1nc([*:1])c2cc[nH]c2n1")
PAIRS = (3, 60, 150)
"""Records of the file of fragments."""

EACH = 4
FLAT, SOLID, HEIGHT, TITLE = 280, 220, 250, 22
"""Pixels: widths of a molecule on paper and in space, their height, and that of a row's title."""

KEPT = (0.72, 0.86, 0.97)


def main() -> None:
    """Generates and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="druglike")
    parser.add_argument("--steps", type=int, help="steps from noise to molecule; by default the model's")
    parser.add_argument("--linkers", type=Path, required=True, help="SDF file of fragments, may be gzipped")
    parser.add_argument("--pairs", type=int, nargs="+", default=PAIRS, help="its records, from 0 on")
    parser.add_argument("--scaffolds", nargs="+", default=SCAFFOLDS, help="SMILES with [*:1] where to grow")
    parser.add_argument("--each", type=int, default=EACH, help="molecules of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    cases = list(linkers(words.linkers))
    wishes: list[tuple[str, dict[str, Any]]] = [(f"scaffold {text}", {"scaffold": text}) for text in words.scaffolds]
    for k in words.pairs:
        link = cases[k].options["link"]
        wishes.append((f"link {Chem.MolToSmiles(link)}, record {k} of {words.linkers.name}", cases[k].options))
    generator = molscore.MoleculeGenerator.from_pretrained(words.model)
    rows = []
    for name, wish in wishes:
        made = generator.generate(words.each, seed=words.seed, steps=words.steps, **wish)
        counts = made.manifest["rejected"]
        title = f"{name}: {len(made.mols)} of {made.manifest['attempts']} attempts, rejected {counts or 'none'}"
        print(title, flush=True)
        rows.append((title, made.mols))
    write_bytes(words.out, sheet(rows, words.each))


def sheet(rows: Sequence[tuple[str, Sequence[Chem.Mol]]], each: int) -> bytes:
    """A PNG of rows of so many molecules with the property ``kept_atoms``, under their titles."""
    height = HEIGHT + TITLE
    page = Image.new("RGB", (each * (FLAT + SOLID), len(rows) * height), "white")
    pen = ImageDraw.Draw(page)
    for k, (title, mols) in enumerate(rows):
        pen.text((8, k * height + 4), title, fill="black", font=ImageFont.load_default(14))
        pen.line((0, k * height, page.width, k * height), fill="silver")
        for column, mol in enumerate(mols):
            at = column * (FLAT + SOLID), k * height + TITLE
            page.paste(panel(laid_out(mol), kept(mol), FLAT, legend(mol)), at)
            page.paste(panel(in_space(mol), kept(mol), SOLID), (at[0] + FLAT, at[1]))
    file = BytesIO()
    page.save(file, "PNG", optimize=True)
    return file.getvalue()


def panel(mol: Chem.Mol, marked: Sequence[int], width: int, text: str = "") -> Image.Image:
    """A molecule that is laid out, with the bonds among the marked atoms highlighted."""
    drawing = rdMolDraw2D.MolDraw2DCairo(width, HEIGHT)
    options = drawing.drawOptions()
    options.prepareMolsBeforeDrawing = False
    options.legendFontSize, options.legendFraction = 13, 0.16
    options.setHighlightColour(KEPT)
    bonds = [b.GetIdx() for b in mol.GetBonds() if {b.GetBeginAtomIdx(), b.GetEndAtomIdx()} <= set(marked)]
    drawing.DrawMolecule(mol, highlightAtoms=list(marked), highlightBonds=bonds, legend=text)
    drawing.FinishDrawing()
    return Image.open(BytesIO(drawing.GetDrawingText()))


def kept(mol: Chem.Mol) -> list[int]:
    """Indices of the kept atoms; hydrogens are behind all heavy atoms, so that these hold without them as well."""
    return [int(k) for k in mol.GetProp("kept_atoms").split()]


def in_space(mol: Chem.Mol) -> Chem.Mol:
    """Heavy atoms where they are, the longest principal axis across, the shortest along the view."""
    flat = Chem.RemoveHs(mol)
    Chem.Kekulize(flat, clearAromaticFlags=True)
    Chem.RemoveStereochemistry(flat)
    x = flat.GetConformer().GetPositions()
    x = x - x.mean(0)
    axes = np.linalg.svd(x, full_matrices=False)[2]
    axes[2] = np.cross(axes[0], axes[1])  # a rotation: no mirror image
    x = x @ axes.T
    conformer = Chem.Conformer(len(x))
    conformer.SetPositions(np.ascontiguousarray(x * (1, 1, 0)))
    conformer.Set3D(False)
    flat.RemoveAllConformers()
    flat.AddConformer(conformer)
    return flat


def legend(mol: Chem.Mol) -> str:
    """Number of the attempt, QED, SA, strain; below, what is unusual."""
    values = mol.GetPropsAsDict()
    text = f"{values['molscore_index']}   QED {values['qed']:.2f}   SA {values['sa']:.1f}"
    if "strain_kcal_per_mol" in values:
        text += f"   strain {values['strain_kcal_per_mol']:.0f}"
    return text + "\n" + values.get("unusual", "")


if __name__ == "__main__":
    main()
