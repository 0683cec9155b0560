"""Bounds for distance geometry where RDKit's own are wrong: atoms that it has no radius or no angles for.

RDKit bounds 1,2- and 1,3-distances by the rest lengths and angles of UFF. Where these leave what is expected of the
molecule, the expected distances take their place, pairs of three bonds about them are set free, and the triangle
inequality does the rest.
"""

import numpy as np
from rdkit import Chem, DistanceGeometry, rdBase
from rdkit.Chem.rdDistGeom import GetMoleculeBoundsMatrix

from molscore.chem.geometry.expected import Expected
from molscore.chem.thresholds import THRESHOLDS

BOND_SLACK, ANGLE_SLACKS = 0.01, (0.06, 0.2, 0.5)
"""Å by which distances over a bond and over an angle may differ from those expected; where the first of the latter
leaves no arrangement, as in small rings, the next may."""

CONTACT = 0.7
"""Least distance of atoms of three bonds apart, in units of the sum of their van der Waals radii."""

FAR = 1000.0
"""Å: no upper bound."""


def corrected_bounds(mol: Chem.Mol, wanted: Expected) -> np.ndarray | None:
    """A bounds matrix for ``EmbedParameters.SetBoundsMat``, or None where RDKit's own is right.

    Args:
        mol: sanitised, every hydrogen an atom.
        wanted: `molscore.chem.geometry.expected` of it.
    """
    with rdBase.BlockLogs():
        bounds = GetMoleculeBoundsMatrix(mol, set15bounds=True, scaleVDW=False, doTriangleSmoothing=False)
    upper, lower = np.triu(bounds, 1), np.tril(bounds, -1).T
    middle = (upper + lower) / 2
    i, j = np.sort(wanted.bonds, axis=1).T
    off = np.maximum(wanted.lengths - lower[i, j], upper[i, j] - wanted.lengths)
    bond_off = off > THRESHOLDS.embedding.wrong_bond
    length = {tuple(pair): r for pair, r in zip(np.sort(wanted.bonds, axis=1).tolist(), wanted.lengths, strict=True)}
    shaped = np.array([j in wanted.shaped for j in wanted.angles[:, 1].tolist()], dtype=bool)
    apart = {}
    touched = set(map(tuple, wanted.bonds[bond_off].tolist()))
    for (a, b, c), theta, is_shaped in zip(wanted.angles.tolist(), wanted.degrees, shaped, strict=True):
        p, q = length[min(a, b), max(a, b)], length[min(b, c), max(b, c)]
        distance = float(np.sqrt(p * p + q * q - 2 * p * q * np.cos(np.radians(theta))))
        pair = min(a, c), max(a, c)
        near = {(a, b), (b, a), (b, c), (c, b)} & touched
        far_off = abs(middle[pair] - distance) > THRESHOLDS.embedding.wrong_angle
        if (near or is_shaped or far_off) and pair not in length:
            apart[pair] = distance
            if is_shaped:
                touched |= {(a, b), (b, c)}
    if not touched and not shaped.any():
        return None
    separation = Chem.GetDistanceMatrix(mol)
    radii = np.array([Chem.GetPeriodicTable().GetRvdw(atom.GetAtomicNum()) for atom in mol.GetAtoms()])
    middles = {atom for pair in touched for atom in pair}
    for a, b in np.argwhere(np.triu(separation == 3, 1)).tolist():
        if middles & set(Chem.GetShortestPath(mol, a, b)):
            upper[a, b], lower[a, b] = FAR, CONTACT * (radii[a] + radii[b])
    upper[i[bond_off], j[bond_off]] = wanted.lengths[bond_off] + BOND_SLACK
    lower[i[bond_off], j[bond_off]] = wanted.lengths[bond_off] - BOND_SLACK
    for slack in ANGLE_SLACKS:
        for pair, distance in apart.items():
            upper[pair], lower[pair] = distance + slack, distance - slack
        bounds = upper + lower.T
        if DistanceGeometry.DoTriangleSmoothing(bounds):
            return bounds
    return None
