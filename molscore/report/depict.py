"""Pictures of one molecule: a 2-D structural formula by RDKit, and what ``viewer.js`` needs to draw it in 3-D.

The 3-D view is a ball-and-stick drawing in parallel projection, made and turned in the browser by ``viewer.js``. It
starts with the longest axis of the molecule across the page and the second longest upwards, tilted a little so that
nothing in a plane hides behind itself. That is a rotation, never a reflection: R stays R.
"""

import json
from collections.abc import Iterable
from html import escape

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from molscore.chem.arrays import MoleculeArrays, MoleculeError
from molscore.chem.settings import configured

COLOURS = {
    "H": "#f4f4f4",
    "B": "#f0b090",
    "C": "#565b61",
    "N": "#3355dd",
    "O": "#e02b20",
    "F": "#6fbf3a",
    "Si": "#d9b98c",
    "P": "#f08020",
    "S": "#e3c21c",
    "Cl": "#2fae3f",
    "Se": "#d98a10",
    "Br": "#a03030",
    "I": "#7a2a9a",
}
"""Colours of the elements, after Corey, Pauling and Koltun."""

OTHER_COLOUR = "#d070b0"
WIDTH, HEIGHT = 270, 246
"""Size of either picture, in pixels."""

TILT = np.radians([20.0, -15.0])
"""Turns of the first view about the axes across and up the page."""


def draw_formula(mol: Chem.Mol, hydrogens: bool = False) -> str:
    """The structural formula with R/S and E/Z.

    Args:
        mol: the molecule with its stereo assigned, sanitised or not. It is left as it is.
        hydrogens: draw every hydrogen as an atom. Where valences are wrong, leaving them out would hide it.

    Returns:
        An ``<svg>`` element. Letters are drawn as paths, so no font is needed.
    """
    flat = Chem.Mol(mol) if hydrogens else Chem.RemoveHs(mol, sanitize=False)
    flat.UpdatePropertyCache(strict=False)
    Chem.GetSymmSSSR(flat)
    flat.RemoveAllConformers()
    rdDepictor.Compute2DCoords(flat)
    aromatic = any(bond.GetIsAromatic() for bond in flat.GetBonds())
    try:
        flat = rdMolDraw2D.PrepareMolForDrawing(flat, kekulize=aromatic, addChiralHs=False)
    except (ValueError, RuntimeError):  # no Kekulé structure: drawn as it is
        flat = rdMolDraw2D.PrepareMolForDrawing(flat, kekulize=False, addChiralHs=False)
    drawer = rdMolDraw2D.MolDraw2DSVG(WIDTH, HEIGHT)
    configured(
        drawer.drawOptions(),
        prepareMolsBeforeDrawing=False,
        clearBackground=False,
        addStereoAnnotation=True,
        fixedBondLength=34,
        bondLineWidth=1.5,
        padding=0.08,
    )
    drawer.DrawMolecule(flat)
    drawer.FinishDrawing()
    elements = drawer.GetDrawingText().partition("<!-- END OF HEADER -->")[2]
    return f'<svg class="formula" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="structural formula">{elements}'


def draw_view(arrays: MoleculeArrays) -> str:
    """The place of the 3-D view, with the data that ``viewer.js`` draws.

    Args:
        arrays: the molecule.

    Returns:
        An empty ``<svg>`` element whose ``data-mol`` is JSON: ``atoms`` [symbol, x, y, z, charge] in Å, ``bonds``
        [i, j, order].

    Raises:
        MoleculeError: ``empty`` or ``non_finite`` if there is nothing to draw, or nowhere to draw it.
    """
    if not len(arrays.positions):
        raise MoleculeError("empty", "there are no atoms")
    if not np.isfinite(arrays.positions).all():
        raise MoleculeError("non_finite", "a coordinate is not a finite number")
    table = Chem.GetPeriodicTable()
    symbols = [table.GetElementSymbol(int(number)) for number in arrays.atomic_numbers]
    places = orient(arrays.positions).round(3).tolist()
    charges = arrays.formal_charges.tolist()
    data = {
        "atoms": [[symbol, *place, charge] for symbol, place, charge in zip(symbols, places, charges, strict=True)],
        "bonds": np.column_stack([arrays.bonds, arrays.bond_orders]).astype(int).tolist(),
    }
    text = escape(json.dumps(data, separators=(",", ":")))
    size = f'viewBox="{-WIDTH // 2} {-HEIGHT // 2} {WIDTH} {HEIGHT}"'
    label = "3-D view; turn it with the arrow keys"
    return f'<svg class="view" {size} tabindex="0" role="img" aria-label="{label}" data-mol="{text}"></svg>'


def orient(positions: np.ndarray) -> np.ndarray:
    """Turns a molecule to where it shows most.

    Args:
        positions: (N, 3), Å.

    Returns:
        (N, 3): principal axes across (x), up (y) and out of the page (z), then tilted; the middle of their extents at
        the origin. A rotation and a shift.
    """
    positions = np.asarray(positions, dtype=np.float64)
    axes = np.linalg.svd(positions - positions.mean(axis=0), full_matrices=True)[2]
    axes[2] *= np.linalg.det(axes)
    (cos_x, cos_y), (sin_x, sin_y) = np.cos(TILT), np.sin(TILT)
    about_x = np.array([[1, 0, 0], [0, cos_x, -sin_x], [0, sin_x, cos_x]])
    about_y = np.array([[cos_y, 0, sin_y], [0, 1, 0], [-sin_y, 0, cos_y]])
    turned = positions @ (about_x @ about_y @ axes).T
    return turned - (turned.max(axis=0) + turned.min(axis=0)) / 2


def elements(symbols: Iterable[str]) -> tuple[str, str]:
    """How the elements of a page look.

    Args:
        symbols: of the elements that occur.

    Returns:
        JSON for ``viewer.js``, symbol -> [radius of the ball in Å, colour]; and a gradient ``ball-<symbol>`` for each.
    """
    table = Chem.GetPeriodicTable()
    looks, gradients = {}, []
    for symbol in sorted(set(symbols)):
        colour = COLOURS.get(symbol, OTHER_COLOUR)
        looks[symbol] = [round(0.13 + 0.34 * table.GetRcovalent(symbol), 3), colour]
        tones = ((0, _mix(colour, 255, 0.75)), (0.4, colour), (1, _mix(colour, 0, 0.45)))
        stops = "".join(f'<stop offset="{at}" stop-color="{tone}"/>' for at, tone in tones)
        gradients.append(f'<radialGradient id="ball-{symbol}" cx=".36" cy=".32" r=".72">{stops}</radialGradient>')
    return json.dumps(looks), "".join(gradients)


def _mix(colour: str, grey: int, share: float) -> str:
    """A colour mixed with a share of a grey level, 0 black to 255 white."""
    channels = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round((1 - share) * c + share * grey):02x}" for c in channels)
