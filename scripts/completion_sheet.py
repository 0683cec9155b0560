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
COLOURS = {
    "N": (48, 80, 248),
    "O": (235, 20, 20),
    "S": (205, 160, 0),
    "F": (60, 175, 60),
    "Cl": (30, 170, 30),
    "Br": (166, 41, 41),
    "P": (255, 128, 0),
}
MARGIN, LARGEST, STICK, FINE = 18, 26, 0.2, 3
"""Of sticks: pixels about a molecule, and of 1 Å at most; Å of a stick's width; pixels that are drawn for one."""


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
            page.paste(on_paper(mol, kept(mol)), at)
            page.paste(sticks(mol, kept(mol)), (at[0] + FLAT, at[1]))
    file = BytesIO()
    page.save(file, "PNG", optimize=True)
    return file.getvalue()


def on_paper(mol: Chem.Mol, marked: Sequence[int]) -> Image.Image:
    """Laid out by RDKit, with the marked atoms and the bonds among them highlighted; the legend below."""
    flat = laid_out(mol)
    drawing = rdMolDraw2D.MolDraw2DCairo(FLAT, HEIGHT)
    options = drawing.drawOptions()
    options.prepareMolsBeforeDrawing = False
    options.legendFontSize, options.legendFraction = 13, 0.16
    options.setHighlightColour(KEPT)
    bonds = [b.GetIdx() for b in flat.GetBonds() if {b.GetBeginAtomIdx(), b.GetEndAtomIdx()} <= set(marked)]
    drawing.DrawMolecule(flat, highlightAtoms=list(marked), highlightBonds=bonds, legend=legend(mol))
    drawing.FinishDrawing()
    return Image.open(BytesIO(drawing.GetDrawingText()))


def kept(mol: Chem.Mol) -> list[int]:
    """Indices of the kept atoms; hydrogens are behind all heavy atoms, so that these hold without them as well."""
    return [int(k) for k in mol.GetProp("kept_atoms").split()]


def in_space(mol: Chem.Mol) -> np.ndarray:
    """``(n, 3)`` heavy atoms turned so that the longest principal axis lies across and the shortest is the view."""
    x = Chem.RemoveHs(mol).GetConformer().GetPositions()
    x = x - x.mean(0)
    axes = np.linalg.svd(x, full_matrices=False)[2]
    axes[2] = np.cross(axes[0], axes[1])  # a rotation: no mirror image
    return x @ axes.T


def sticks(mol: Chem.Mol, marked: Sequence[int]) -> Image.Image:
    """Bonds as sticks in the colours of their atoms, paler the farther they are, upon what is kept."""
    x, bare = in_space(mol), Chem.RemoveHs(mol)
    size = np.array([SOLID, HEIGHT]) * FINE
    low, high = x[:, :2].min(0), x[:, :2].max(0)
    scale = min(np.min((size - 2 * MARGIN * FINE) / np.maximum(high - low, 0.1)), LARGEST * FINE)
    at = (x[:, :2] - (low + high) / 2) * (scale, -scale) + size / 2
    fog = 0.5 * (x[:, 2].max() - x[:, 2]) / max(np.ptp(x[:, 2]), 2.0)
    page = Image.new("RGB", tuple(size.tolist()), "white")
    pen, thick = ImageDraw.Draw(page), scale * STICK

    def stroke(start: np.ndarray, end: np.ndarray, colour: tuple[int, ...], width: float) -> None:
        pen.line([tuple(start), tuple(end)], fill=colour, width=round(width))
        for point in (start, end):
            pen.circle(tuple(point), width / 2, fill=colour)

    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bare.GetBonds()]
    for i, j in bonds:
        if i in marked and j in marked:
            stroke(at[i], at[j], tuple(round(255 * part) for part in KEPT), 3.2 * thick)
    halves = [half for i, j in bonds for half in ((i, j), (j, i))]
    for i, j in sorted(halves, key=lambda half: x[half[0], 2] * 3 + x[half[1], 2]):
        own = np.array(COLOURS.get(bare.GetAtomWithIdx(i).GetSymbol(), (60, 60, 60)))
        stroke(at[i], (at[i] + at[j]) / 2, tuple((own + (255 - own) * fog[i]).round().astype(int).tolist()), thick)
    return page.resize((SOLID, HEIGHT), Image.Resampling.LANCZOS)


def legend(mol: Chem.Mol) -> str:
    """Number of the attempt, QED, SA, strain; below, what is unusual."""
    values = mol.GetPropsAsDict()
    text = f"{values['molscore_index']}   QED {values['qed']:.2f}   SA {values['sa']:.1f}"
    if "strain_kcal_per_mol" in values:
        text += f"   strain {values['strain_kcal_per_mol']:.0f}"
    return text + "\n" + values.get("unusual", "")


if __name__ == "__main__":
    main()
