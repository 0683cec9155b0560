"""Pictures of one molecule: a 2-D structural formula by RDKit, and what ``viewer.js`` needs to draw it in 3-D.

The 3-D view is a ball-and-stick drawing in parallel projection, made and turned in the browser by ``viewer.js``. It
starts with the longest axis of the molecule across the page and the second longest upwards, tilted a little so that
nothing in a plane hides behind itself. That is a rotation, never a reflection: R stays R.
"""

import json
from collections.abc import Iterable

import numpy as np
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from molscore.chem.arrays import MoleculeError
from molscore.chem.depiction import laid_out
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
BOND = 34
"""Length of a bond of a formula, in pixels."""

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
    drawer = rdMolDraw2D.MolDraw2DSVG(-1, -1)  # as large as the drawing
    configured(
        drawer.drawOptions(),
        prepareMolsBeforeDrawing=False,
        clearBackground=False,
        addStereoAnnotation=True,
        fixedBondLength=BOND,
        bondLineWidth=1.5,
        padding=0.05,
    )
    drawer.DrawMolecule(laid_out(mol, hydrogens))
    drawer.FinishDrawing()
    elements = drawer.GetDrawingText().partition("<!-- END OF HEADER -->")[2]
    box = f"0 0 {drawer.Width()} {drawer.Height()}"
    return f'<svg class="formula" viewBox="{box}" role="img" aria-label="structural formula">{elements}'


def first_view(mol: Chem.Mol) -> np.ndarray:
    """The rotation and the shift to the first view of a molecule.

    Args:
        mol: a molecule; its first conformer is looked at.

    Returns:
        (12,) a rotation matrix by rows, then a shift in Å: a point x is shown at R x + s.

    Raises:
        MoleculeError: ``empty``, ``no_3d`` or ``non_finite`` if there is nothing to draw, or nowhere to draw it.
    """
    if mol.GetNumAtoms() == 0:
        raise MoleculeError("empty", "there are no atoms")
    if mol.GetNumConformers() == 0:
        raise MoleculeError("no_3d", "there are no coordinates")
    positions = mol.GetConformer().GetPositions()
    if not np.isfinite(positions).all():
        raise MoleculeError("non_finite", "a coordinate is not a finite number")
    rotation, shift = orient(positions)
    return np.concatenate([rotation.ravel(), shift])


def orient(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns a molecule to where it shows most.

    Args:
        positions: (N, 3), Å.

    Returns:
        A rotation (3, 3) and a shift (3,): principal axes across (x), up (y) and out of the page (z), then tilted; the
        middle of their extents at the origin.
    """
    positions = np.asarray(positions, dtype=np.float64)
    axes = np.linalg.svd(positions - positions.mean(axis=0), full_matrices=True)[2]
    axes[2] *= np.linalg.det(axes)
    (cos_x, cos_y), (sin_x, sin_y) = np.cos(TILT), np.sin(TILT)
    about_x = np.array([[1, 0, 0], [0, cos_x, -sin_x], [0, sin_x, cos_x]])
    about_y = np.array([[cos_y, 0, sin_y], [0, 1, 0], [-sin_y, 0, cos_y]])
    rotation = about_x @ about_y @ axes
    turned = positions @ rotation.T
    return rotation, -(turned.max(axis=0) + turned.min(axis=0)) / 2


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
