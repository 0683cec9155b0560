"""Maps of a pocket: its energy on a lattice, for each kind of atom, so that many poses can be tried.

The energy of a molecule of a known graph in a pocket is a sum over its atoms,

    E = Σ_i E_k(i)(x_i),

where the kind k of an atom is its element, its charge and its roles (`molscore.guidance.roles`). E_k is computed once,
by the parts of `PocketWish`, at points that are `SPACING` apart, no farther than `REACH` from the free volume, and not
in the middle of an atom. Between them it is linear in each direction (as in AutoDock: Goodsell and Olson, Proteins 8,
195, 1990), with values such that lines, which lie above a well, are right on average. In walls it is softened,
E -> W E / (W + E) for E > 0, so that poses can get out of them; beyond the lattice it is that of the nearest point and
1 kcal/mol/Å² of the way there.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from molscore.chem.pocket.receptor import Pocket
from molscore.chem.pocket.volume import nearest
from molscore.guidance.pocket.burial import burial
from molscore.guidance.pocket.electrostatics import electrostatics
from molscore.guidance.pocket.hydrogen_bonds import hydrogen_bonds
from molscore.guidance.pocket.hydrophobic import hydrophobic
from molscore.guidance.pocket.sterics import sterics
from molscore.guidance.pocket.surroundings import Surroundings
from molscore.guidance.roles import SoftRoles, soft_roles
from molscore.guidance.soft import SoftMolecules

SPACING, REACH, CLOSEST = 0.4, 3.5, 1.7
"""Å; the last of points from atoms that are no metals."""

WALL = 12.0
"""W, kcal/mol."""

CHUNK = 2048
"""Points that are computed together."""

Kind = tuple[int, int, float, float, float]
"""Atomic number, formal charge; donor, acceptor, hydrophobe."""


class PocketMaps:
    """Maps of one pocket; they are made when they are first needed.

    Args:
        pocket: whose.
    """

    def __init__(self, pocket: Pocket):
        from scipy import ndimage  # SciPy loads slowly

        self.pocket, self.surroundings = pocket, Surroundings.of(pocket).to(torch.zeros(()))
        self.maps, self.parts = dict[Kind, np.ndarray](), dict[tuple[object, ...], np.ndarray]()
        volume = pocket.volume.points
        if pocket.site.ligand is not None:
            volume = np.concatenate([volume, pocket.site.points])
        self.low = volume.min(0) - REACH - 2 * SPACING
        self.shape = tuple(np.ceil((volume.max(0) + REACH + 2 * SPACING - self.low) / SPACING).astype(int) + 1)
        away = np.ones(self.shape, dtype=bool)
        away[tuple(np.rint((volume - self.low) / SPACING).astype(int).T)] = False
        inside = ndimage.distance_transform_edt(away) * SPACING <= REACH
        points = np.argwhere(inside)
        near = nearest(points * SPACING + self.low, pocket.positions[~pocket.roles.metal]) < CLOSEST
        inside[tuple(points[near].T)] = False
        gaps, neighbours = ndimage.distance_transform_edt(~inside, return_indices=True)
        self.inside = np.argwhere(inside)
        numbers = np.zeros(self.shape, dtype=np.int64)
        numbers[tuple(self.inside.T)] = np.arange(len(self.inside))
        self.numbers, self.beyond = numbers[tuple(neighbours)], (gaps * SPACING) ** 2

    def __repr__(self) -> str:
        return f"PocketMaps({self.pocket.site.text}, {len(self.maps)} kinds of atoms)"

    def kinds(self, molecules: SoftMolecules) -> list[Kind]:
        """Of the atoms of one molecule whose graph is certain."""
        roles = soft_roles(molecules)
        shares = (torch.round(part[0], decimals=2).tolist() for part in (roles.donor, roles.acceptor, roles.hydrophobe))
        pairs = [molecules.vocabulary[k] for k in molecules.atoms[0].argmax(-1).tolist()]
        return [(int(z), int(q), *row) for (z, q), row in zip(pairs, zip(*shares, strict=True), strict=True)]

    def field(self, kinds: Sequence[Kind]) -> "Field":
        """What atoms of these kinds feel."""
        for kind in set(kinds) - self.maps.keys():
            self.maps[kind] = self._map(kind)
        return Field(self, kinds)

    def _map(self, kind: Kind) -> np.ndarray:
        """The map of a kind, of the shape of the lattice, float32."""
        z, q, donor, acceptor, hydrophobe = kind
        polar = z in (7, 8)
        energy = self._part(sterics, z) + self._part(burial)
        energy = energy + (hydrophobe - polar / 2) * self._part(hydrophobic, 6, hydrophobe=1.0)
        if donor or acceptor:
            energy = energy + self._part(hydrogen_bonds, donor=donor, acceptor=acceptor)
        if q:
            energy = energy + q * self._part(electrostatics, charge=1.0)
        energy = np.where(energy > 0, WALL * energy / (WALL + np.maximum(energy, 0)), energy)
        return _unbiased(energy[self.numbers] + self.beyond).astype(np.float32)

    def _part(self, part: Callable[..., Tensor], z: int = 6, **shares: float) -> np.ndarray:
        """A part of the energy at the points inside, of an atom with an element and roles."""
        key = (part.__name__, z, *shares.items())
        if key not in self.parts:
            near, values = self.surroundings, []
            for points in torch.from_numpy(self.inside * SPACING + self.low).float().split(CHUNK):
                one = points.new_ones(len(points), 1)
                bonds = points.new_zeros(len(points), 1, 1, 4)
                molecules = SoftMolecules(points[:, None], one[..., None], bonds, one.bool(), [(z, 0)])
                roles = SoftRoles(*(one * shares.get(name, 0.0) for name in SoftRoles._fields))
                more = {} if part in (sterics, burial) else {"roles": roles}
                values.append(part(molecules, near, points.new_zeros(len(points)), **more))
            self.parts[key] = torch.cat(values).double().numpy()
        return self.parts[key]


def _unbiased(values: np.ndarray) -> np.ndarray:
    """Values ``(X, Y, Z)`` less a twelfth of their second differences: lines between them are right on average."""
    return values - sum(np.roll(values, 1, k) - 2 * values + np.roll(values, -1, k) for k in range(3)) / 12


class Field:
    """The energy of atoms of given kinds.

    Args:
        maps: of the pocket, with those of the kinds.
        kinds: ``n`` of them.
    """

    def __init__(self, maps: PocketMaps, kinds: Sequence[Kind]):
        each = list(dict.fromkeys(kinds))
        self.low, self.shape = maps.low, np.array(maps.shape)
        self.values = np.stack([maps.maps[kind] for kind in each]).ravel()
        self.offsets = np.array([each.index(kind) for kind in kinds]) * int(self.shape.prod())
        self.strides = np.array([self.shape[1] * self.shape[2], self.shape[2], 1])

    def __repr__(self) -> str:
        return f"Field({len(self.offsets)} atoms)"

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies ``(B,)`` in kcal/mol, and their slopes ``(B, n, 3)`` in kcal/mol/Å, at positions ``(B, n, 3)``."""
        place = (x - self.low) / SPACING
        there = np.clip(place, 0, self.shape - 1.001)
        off = (place - there) * SPACING
        cell = there.astype(np.int64)
        f = (there - cell).astype(np.float32)
        index = cell @ self.strides + self.offsets
        a, b, c = self.strides
        v = self.values
        fx, fy, fz = f[..., 0], f[..., 1], f[..., 2]
        v000, v001, v010, v011 = v[index], v[index + c], v[index + b], v[index + b + c]
        v100, v101, v110, v111 = v[index + a], v[index + a + c], v[index + a + b], v[index + a + b + c]
        d00, d01, d10, d11 = v001 - v000, v011 - v010, v101 - v100, v111 - v110
        e00, e01, e10, e11 = v000 + fz * d00, v010 + fz * d01, v100 + fz * d10, v110 + fz * d11
        y0, y1 = e01 - e00, e11 - e10
        s0, s1 = e00 + fy * y0, e10 + fy * y1
        slope_z = (1 - fx) * ((1 - fy) * d00 + fy * d01) + fx * ((1 - fy) * d10 + fy * d11)
        slope = np.stack([s1 - s0, (1 - fx) * y0 + fx * y1, slope_z], axis=-1) / SPACING
        energy = s0 + fx * (s1 - s0) + (off**2).sum(-1)
        return energy.sum(-1).astype(np.float64), slope.astype(np.float64) + 2 * off
