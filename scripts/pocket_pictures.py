"""Pictures in space: the best of five molecules in each of six pockets, and twelve likes over their queries.

    python scripts/pocket_pictures.py pockets pockets_dev --out data/benchmarks/pockets.png
    python scripts/pocket_pictures.py shapes gdb.sdf.gz natural.sdf.gz --out data/benchmarks/shapes.png

A pocket, the first six of the random order of `pocket.py`, is seen along the shortest axis of its molecule, from the
side on which less protein lies before it. Sticks are the molecule, that with the lowest energy of the pocket; pale
orange is the crystal ligand; thin lines are residues within 4.5 Å; dotted, pairs of nitrogen and oxygen within 3.4 Å.
Of shapes pale orange is the query, and the sticks are the most alike of two.
"""

import argparse
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rdkit import Chem, RDLogger
from scipy.spatial.distance import cdist

from molscore.chem.checks.descriptors import describe
from molscore.chem.io.protein import Protein
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.pocket.receptor import Pocket, read_pocket
from molscore.files.output import write_bytes
from molscore.generate import MoleculeGenerator
from molscore.guidance.pocket.inside import energies

WIDTH, HEIGHT, LEGEND, FINE = 460, 380, 58, 2
"""Pixels: of a panel, of the words below it, and pixels that are drawn for one."""

LARGEST = 34
"""Pixels of 1 Å, at most."""

ROUND, TOUCH, BOND, MARGIN = 4.5, 3.4, 1.95, 1.0
"""Å: residues shown about a molecule, dotted pairs, longest bond of a residue, and what is left about a picture."""

MADE, GIVEN, WALL, PAIR = (18, 120, 110), (255, 196, 128), (120, 120, 130), (110, 150, 230)
COLOURS = {
    7: (48, 80, 248),
    8: (235, 20, 20),
    16: (190, 150, 0),
    9: (60, 175, 60),
    17: (30, 170, 30),
    15: (255, 128, 0),
}


class Stroke(NamedTuple):
    """A line in space: ends ``(3,)`` Å, colour, width in Å."""

    start: np.ndarray
    end: np.ndarray
    colour: tuple[int, int, int]
    width: float


class Panel(NamedTuple):
    """What is drawn, about which points ``(n, 3)`` Å it is seen, and the words below it."""

    strokes: list[Stroke]
    about: np.ndarray
    words: str


def main() -> None:
    """Generates and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("pockets", "shapes"))
    parser.add_argument("data", type=Path, nargs="+", help="folder of pockets, or SDF files of queries")
    parser.add_argument("--panels", type=int, help="6 pockets or 12 shapes by default")
    parser.add_argument("--each", type=int, help="molecules of which the best is drawn; 5 or 2 by default")
    parser.add_argument("--steps", type=int, help="steps from noise to molecule; by default the model's")
    parser.add_argument("--model", default="druglike")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    generator = MoleculeGenerator.from_pretrained(words.model, device="cpu")
    kind, few = (pockets, (6, 5, 3)) if words.kind == "pockets" else (shapes, (12, 2, 4))
    panels = kind(generator, words.data, words.panels or few[0], words.each or few[1], words.steps)
    write_bytes(words.out, sheet(list(panels), few[2]))


def pockets(
    generator: MoleculeGenerator, data: Sequence[Path], panels: int, each: int, steps: int | None
) -> Iterator[Panel]:
    """A panel for each pocket of a folder."""
    names = sorted(path.name for path in data[0].iterdir() if path.is_dir())
    for k in np.random.default_rng(0).permutation(len(names))[:panels]:
        ligand, protein = (data[0] / names[k] / f"{names[k]}_{part}.gz" for part in ("ligand.sdf", "protein.pdb"))
        pocket, crystal = read_pocket(protein, ligand), next(read_sdf(ligand)).mol
        mols = generator.generate(each, steps=steps, pocket=pocket, workers=1).mols
        best = min(mols, key=lambda mol: mol.GetDoubleProp("pocket_energy_kcal_per_mol"))
        print(names[k], Chem.MolToSmiles(Chem.RemoveHs(best)), flush=True)
        yield in_pocket(best, crystal, pocket, names[k])


def shapes(
    generator: MoleculeGenerator, data: Sequence[Path], panels: int, each: int, steps: int | None
) -> Iterator[Panel]:
    """A panel for each of some queries, the last of the last file among them."""
    queries = [[record.mol for record in read_sdf(path) if record.mol is not None] for path in data]
    last = queries[-1] if len(queries) > 1 else []
    first = [mol for group in queries[: max(len(queries) - 1, 1)] for mol in group]
    order = np.random.default_rng(0).permutation(len(first))[: max(panels - len(last), 0)]
    for query in ([first[k] for k in order] + last)[:panels]:
        mols = generator.generate(each, steps=steps, like=query, workers=1).mols
        best = max(mols, key=lambda mol: mol.GetDoubleProp("like_shape"))
        print(Chem.MolToSmiles(Chem.RemoveHs(query)), Chem.MolToSmiles(Chem.RemoveHs(best)), flush=True)
        yield over_query(best, query)


def in_pocket(mol: Chem.Mol, crystal: Chem.Mol, pocket: Pocket, name: str) -> Panel:
    """A molecule in its pocket, upon the crystal ligand."""
    x, near = heavy(mol), nearby(pocket.protein, heavy(mol))
    strokes = [*sticks(crystal, GIVEN, 0.34, plain=True), *walls(near), *sticks(mol, MADE, 0.26), *pairs(mol, near)]
    own = mol.GetDoubleProp("pocket_energy_kcal_per_mol")
    there = energies(crystal, pocket)["pocket_energy_kcal_per_mol"]
    known, sizes = describe(crystal, ("qed", "sa")), (mol.GetNumHeavyAtoms(), crystal.GetNumHeavyAtoms())
    qed, sa = mol.GetDoubleProp("qed"), mol.GetDoubleProp("sa")
    words = (
        f"{name}: energy {own:.0f}, crystal {there:.0f} kcal/mol; {sizes[0]} and {sizes[1]} heavy atoms\n"
        f"QED {qed:.2f} ({known['qed']:.2f}), SA {sa:.1f} ({known['sa']:.1f})\n{Chem.MolToSmiles(Chem.RemoveHs(mol))}"
    )
    return Panel(strokes, np.concatenate([x, heavy(crystal)]), words)


def over_query(mol: Chem.Mol, query: Chem.Mol) -> Panel:
    """A molecule over the query whose shape it was to have."""
    strokes = [*sticks(query, GIVEN, 0.4, plain=True), *sticks(mol, MADE, 0.24)]
    words = (
        f"shape {mol.GetDoubleProp('like_shape'):.2f}, graph similarity {mol.GetDoubleProp('like_similarity'):.2f}, "
        f"SA {mol.GetDoubleProp('sa'):.1f}\nmade: {Chem.MolToSmiles(Chem.RemoveHs(mol))}\n"
        f"query: {Chem.MolToSmiles(Chem.RemoveHs(query))}"
    )
    return Panel(strokes, np.concatenate([heavy(mol), heavy(query)]), words)


def heavy(mol: Chem.Mol) -> np.ndarray:
    """``(n, 3)`` Å."""
    return np.asarray(Chem.RemoveAllHs(mol).GetConformer().GetPositions())


def sticks(mol: Chem.Mol, carbon: tuple[int, int, int], width: float, plain: bool = False) -> Iterator[Stroke]:
    """The bonds of heavy atoms, each in halves of the colours of its ends; plain, all in that of carbon."""
    bare, x = Chem.RemoveAllHs(mol), heavy(mol)
    for bond in bare.GetBonds():
        ends = bond.GetBeginAtom(), bond.GetEndAtom()
        middle = (x[ends[0].GetIdx()] + x[ends[1].GetIdx()]) / 2
        for atom in ends:
            colour = carbon if plain else COLOURS.get(atom.GetAtomicNum(), carbon)
            yield Stroke(x[atom.GetIdx()], middle, colour, width)


def nearby(protein: Protein, x: np.ndarray) -> Protein:
    """The residues with an atom within `ROUND` of a molecule."""
    near = protein.residues[(cdist(protein.positions, x) <= ROUND).any(1)]
    return protein.chosen(np.isin(protein.residues, near))


def walls(near: Protein) -> Iterator[Stroke]:
    """Bonds of residues, by distance; single atoms, as metals, are dots."""
    x, bonded = near.positions, cdist(near.positions, near.positions) < BOND
    np.fill_diagonal(bonded, False)
    for i, j in np.argwhere(bonded):
        yield Stroke(x[i], (x[i] + x[j]) / 2, COLOURS.get(int(near.atomic_numbers[i]), WALL), 0.07)
    for i in np.flatnonzero(~bonded.any(1)):
        yield Stroke(x[i], x[i] + 1e-3, (150, 60, 200), 0.7)


def pairs(mol: Chem.Mol, near: Protein) -> Iterator[Stroke]:
    """Dots between nitrogen and oxygen that lie as far apart as in hydrogen bonds."""
    bare, x = Chem.RemoveAllHs(mol), heavy(mol)
    polar = np.array([atom.GetAtomicNum() in (7, 8) for atom in bare.GetAtoms()])
    others = near.positions[np.isin(near.atomic_numbers, (7, 8))]
    for i, j in np.argwhere(cdist(x[polar], others) <= TOUCH):
        for share in np.linspace(0.15, 0.85, 8):
            place = x[polar][i] * (1 - share) + others[j] * share
            yield Stroke(place, place + 1e-3, PAIR, 0.14)


def view(panel: Panel) -> np.ndarray:
    """The rotation ``(3, 3)`` to across, upwards, and towards the eye, where less lies in front."""
    axes = np.linalg.svd(panel.about - panel.about.mean(0), full_matrices=False)[2]
    depth = [float((stroke.start - panel.about.mean(0)) @ axes[2]) for stroke in panel.strokes if stroke.width < 0.1]
    if sum(d > 1 for d in depth) > sum(d < -1 for d in depth):
        axes[2] = -axes[2]
    axes[1] = np.cross(axes[2], axes[0])  # no mirror image
    return axes


def drawn(panel: Panel) -> Image.Image:
    """A panel, the far before the near, and paler."""
    axes, middle = view(panel), panel.about.mean(0)
    seen = (panel.about - middle) @ axes.T
    size = np.array([WIDTH, HEIGHT]) * FINE
    low, high = seen[:, :2].min(0) - MARGIN, seen[:, :2].max(0) + MARGIN
    scale = min(float(np.min(size / (high - low))), LARGEST * FINE)
    near, far = seen[:, 2].max() + 4, seen[:, 2].min() - 6
    page = Image.new("RGB", tuple(size.tolist()), "white")
    pen = ImageDraw.Draw(page)
    ends = [(((one - middle) @ axes.T) for one in (stroke.start, stroke.end)) for stroke in panel.strokes]
    lines = sorted(
        zip(map(tuple, ends), panel.strokes, strict=True), key=lambda line: (line[0][0][2] + line[0][1][2]) / 2
    )
    for (start, end), stroke in lines:
        depth = float(start[2] + end[2]) / 2
        if depth > near:
            continue  # between the eye and the molecule
        fog = np.clip((near - depth) / (near - far), 0, 1) * 0.65
        colour = tuple(round(part + (255 - part) * fog) for part in stroke.colour)
        flat = [tuple((one[:2] - (low + high) / 2) * (scale, -scale) + size / 2) for one in (start, end)]
        width = max(stroke.width * scale, 1.0)
        pen.line(flat, fill=colour, width=round(width))
        for point in flat:
            pen.circle(point, width / 2, fill=colour)
    return page.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def sheet(panels: Sequence[Panel], across: int) -> bytes:
    """A PNG of panels in rows, with their words."""
    rows = -(-len(panels) // across)
    page = Image.new("RGB", (min(across, len(panels)) * WIDTH, rows * (HEIGHT + LEGEND)), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for k, panel in enumerate(panels):
        x, y = k % across * WIDTH, k // across * (HEIGHT + LEGEND)
        page.paste(drawn(panel), (x, y))
        pen.rectangle((x, y, x + WIDTH - 1, y + HEIGHT + LEGEND - 1), outline="silver")
        for line, text in enumerate(panel.words.split("\n")):
            pen.text((x + 8, y + HEIGHT + 3 + 17 * line), fitting(text, font), fill="black", font=font)
    file = BytesIO()
    page.save(file, "PNG", optimize=True)
    return file.getvalue()


def fitting(text: str, font: Any) -> str:
    """A text that is not too wide to stand below a panel."""
    short = text
    while font.getlength(short) > WIDTH - 16:
        short = short[:-2] + "…"
    return short


if __name__ == "__main__":
    main()
