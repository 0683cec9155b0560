"""The free volume of a site: where atoms of a ligand may lie.

On a lattice of `SPACING`: points within the site, no closer to an atom than 3.0 Å (2.0 Å to a metal), and buried: of
`RAYS` rays from the point a share of `BURIED` or more meets an atom (its ball of 2 Å) within `RAY` Å (as in LIGSITE:
Hendlich, Rippmann and Barnickel, J. Mol. Graph. Model. 15, 359, 1997). Of the connected points the largest set
is taken, or that which is nearest to the centre of the site if it is of half that size.
"""

from dataclasses import dataclass

import numpy as np

from molscore.reprs import short_repr

SPACING, CLOSEST, CLOSEST_METAL = 1.0, 3.0, 2.0
RAYS, RAY, HIT, BURIED = 60, 9.0, 2.0, 0.5
"""Å, Å, Å; a number; Å, Å; a share."""


@dataclass(frozen=True, eq=False)
class FreeVolume:
    """Points of a cubic lattice.

    Attributes:
        points: (G, 3) Å.
        buried: (G,) share of rays that meet an atom.
    """

    points: np.ndarray
    buried: np.ndarray

    @property
    def cubic_angstrom(self) -> float:
        """Å³."""
        return len(self.points) * SPACING**3

    __repr__ = short_repr


def free_volume(
    centres: np.ndarray, reach: float, positions: np.ndarray, metal: np.ndarray, buried: float = BURIED
) -> FreeVolume:
    """The free volume within balls.

    Args:
        centres: (K, 3) Å of the balls.
        reach: Å, their radius.
        positions: (P, 3) Å, atoms.
        metal: (P,) bool.
        buried: least share of rays.

    Returns:
        Without points if there is no such place.
    """
    from scipy import ndimage  # SciPy loads slowly

    low = np.floor((centres - reach).min(axis=0) / SPACING)
    shape = (np.ceil((centres + reach).max(axis=0) / SPACING) - low + 1).astype(int)
    cells = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    points = (cells + low) * SPACING
    inside = nearest(points, centres) <= reach
    for atoms, closest in ((positions[~metal], CLOSEST), (positions[metal], CLOSEST_METAL)):
        inside &= nearest(points, atoms) >= closest
    points, cells = points[inside], cells[inside]
    share = buriedness(points, positions)
    deep = share >= buried
    grid = np.zeros(shape, dtype=bool)
    grid[tuple(cells[deep].T)] = True
    groups, count = ndimage.label(grid)
    if not count:
        return FreeVolume(np.zeros((0, 3)), np.zeros(0))
    group = groups[tuple(cells.T)]
    sizes = np.bincount(group[deep], minlength=count + 1)
    middle = centres.mean(axis=0)
    gaps = [np.linalg.norm(points[deep & (group == k)] - middle, axis=1).min() for k in range(1, count + 1)]
    central = 1 + int(np.argmin(gaps))
    chosen = central if 2 * sizes[central] >= sizes.max() else int(sizes.argmax())
    kept = deep & (group == chosen)
    return FreeVolume(points[kept], share[kept])


def nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) Å from each point to the nearest of the others; infinite if there are none."""
    from scipy.spatial import cKDTree  # SciPy loads slowly

    if not len(others):
        return np.full(len(points), np.inf)
    distances, _ = cKDTree(others).query(points)
    return np.asarray(distances)


def buriedness(points: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """(G,) share of `RAYS` rays from each point that meet an atom within `RAY` Å."""
    from scipy.spatial import cKDTree  # SciPy loads slowly

    k = np.arange(RAYS)
    z, angle = 1 - (2 * k + 1) / RAYS, np.pi * (3 - np.sqrt(5)) * k  # the golden spiral
    rays = np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)
    share = np.zeros(len(points))
    for row, near in enumerate(cKDTree(positions).query_ball_point(points, RAY) if len(points) else ()):
        relative = positions[near] - points[row]
        along = relative @ rays.T
        off = (relative**2).sum(axis=1)[:, None] - along**2
        share[row] = ((along > 0) & (off < HIT**2)).any(axis=0).mean()
    return share
