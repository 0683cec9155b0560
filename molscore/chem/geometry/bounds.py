"""Distances and flatness of a conformer, against what distance geometry, sp2 bonding and bulk allow.

Bounds on every interatomic distance follow from the bonds alone (RDKit's distance-geometry bounds; Riniker & Landrum,
J. Chem. Inf. Model. 55, 2562, 2015). A conformer is judged by how far it leaves them, with the tolerances of
PoseBusters (Buttenschoen, Morris & Deane, Chem. Sci. 15, 3130, 2024): pairs of three or more bonds apart not closer
than 0.7 of the lower bound, aromatic rings and double bonds within 0.25 Å of their plane. Its 0.75 to 1.25 of the
bounds for bonds and angles let pass what no chemist would draw: `judge` looks at these. Three things differ from that
program. Hydrogens are judged like the rest. The lower bound of a non-bonded pair is capped by the sum of van der Waals
radii (unless asked otherwise), since distance geometry takes some cis arrangements for impossible. Only rings with four
or more sp3 atoms have to be puckered, since others can be planar in truth.

Each ``*_fault`` function returns a sentence on the worst offence, or None.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem.rdDistGeom import GetMoleculeBoundsMatrix

from molscore.chem.geometry.shapes import shape
from molscore.chem.thresholds import THRESHOLDS

FLUORINE = 9


class Limits(NamedTuple):
    """How close the bonds of a molecule allow its atoms to be, whatever the conformer.

    Attributes:
        lower: (N, N) Å, least distance within tolerance; for pairs that are three or more bonds apart.
        separation: (N, N) number of bonds on the shortest path.
    """

    lower: np.ndarray
    separation: np.ndarray

    def outside(self, atoms: Collection[int]) -> "Limits":
        """The same, to judge by, where the geometry of some atoms is given: no limits between these."""
        lower = self.lower.copy()
        lower[np.ix_(list(atoms), list(atoms))] = 0
        return self._replace(lower=lower)


def limits(mol: Chem.Mol, capped: bool = True) -> Limits:
    """The bounds that the bonds of a sanitised molecule put on distances, widened by the tolerances.

    Args:
        mol: its coordinates are not looked at.
        capped: cap all lower bounds, as the module's docstring describes; otherwise only those of hydrogens.

    Raises:
        RuntimeError: if RDKit finds no consistent bounds.
    """
    with rdBase.BlockLogs():
        bounds = GetMoleculeBoundsMatrix(mol, set15bounds=True, scaleVDW=True, doTriangleSmoothing=True)
    lower = np.tril(bounds, -1)
    lower += lower.T
    separation = Chem.GetDistanceMatrix(mol).astype(int)
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
    radii = np.array([Chem.GetPeriodicTable().GetRvdw(int(z)) for z in numbers])
    hydrogen_bond = (numbers[:, None] == 1) != (numbers[None] == 1)
    clash = 1 - np.where(hydrogen_bond, THRESHOLDS.clash.hydrogen_tolerance, THRESHOLDS.clash.tolerance)
    cap = radii[:, None] + radii[None]
    if not capped:
        cap[(numbers[:, None] > 1) & (numbers[None] > 1)] = np.inf
    return Limits(clash * np.minimum(lower, cap), separation)


def distances(mol: Chem.Mol) -> np.ndarray:
    """(N, N) Å, of the first conformer."""
    positions = mol.GetConformer().GetPositions()
    return np.linalg.norm(positions[:, None] - positions[None], axis=-1)


def extents(positions: np.ndarray) -> np.ndarray:
    """(3,) largest distance from the centre along each principal axis, Å, longest axis first; positions are (N, 3)."""
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=True)[2]
    return np.abs(centred @ axes.T).max(axis=0)


def space_fault(mol: Chem.Mol) -> str | None:
    """No conformer, a 2-D one, all atoms in one place, or a drawing: all in one plane in spite of a four-valent atom.

    Planar and linear molecules are sound; an atom with four neighbours, unless it is square planar, cannot lie in one
    plane with all of them.
    """
    if mol.GetNumConformers() == 0:
        return "there are no coordinates"
    if not mol.GetConformer().Is3D():
        return "the coordinates are a 2-D drawing"
    if mol.GetNumAtoms() == 1:
        return None
    least = THRESHOLDS.no_3d.extent
    longest, _, shortest = extents(mol.GetConformer().GetPositions())
    if longest < least:
        return "all atoms are in one place"
    if shortest < least and any(atom.GetDegree() >= 4 and shape(atom) != "square planar" for atom in mol.GetAtoms()):
        return "all atoms lie in one plane although one has four neighbours"
    return None


def clash_fault(mol: Chem.Mol, distances: np.ndarray, limits: Limits) -> str | None:
    """Atoms three or more bonds apart that are too close."""
    return _closest(mol, distances, limits)


def contact_fault(mol: Chem.Mol, distances: np.ndarray) -> str | None:
    """Atoms three or more bonds apart that come closer than in any known cage; for where RDKit has no `limits`."""
    separation = Chem.GetDistanceMatrix(mol)
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
    radii = np.array([Chem.GetPeriodicTable().GetRvdw(int(z)) for z in numbers])
    part = np.where(separation == 3, THRESHOLDS.clash.cage_three_bonds, THRESHOLDS.clash.cage_farther)
    part[(numbers[:, None] == 1) != (numbers[None] == 1)] = THRESHOLDS.clash.cage_hydrogen
    lower = part * (radii[:, None] + radii[None])
    return _closest(mol, distances, Limits(lower, separation))


def _closest(mol: Chem.Mol, distances: np.ndarray, limits: Limits) -> str | None:
    i, j = np.nonzero(np.triu(limits.separation > 2, 1))
    if len(i) == 0:
        return None
    distance, lower = distances[i, j], limits.lower[i, j]
    w = int((lower - distance).argmax())
    if distance[w] >= lower[w]:
        return None
    return f"{_names(mol, (i[w], j[w]))} are {distance[w]:.2f} Å apart; it ought to be at least {lower[w]:.2f} Å"


def flat_rings(mol: Chem.Mol) -> tuple[tuple[int, ...], ...]:
    """Aromatic rings of five or six sp2 atoms."""
    rings = (ring for ring in mol.GetRingInfo().AtomRings() if len(ring) in (5, 6))
    return tuple(
        ring
        for ring in rings
        if all(a.GetIsAromatic() and a.GetHybridization() == _SP2 for a in map(mol.GetAtomWithIdx, ring))
    )


def flat_bonds(mol: Chem.Mol) -> tuple[tuple[int, ...], ...]:
    """The atoms of C=C double bonds with three neighbours on either carbon, and these."""
    groups = []
    for bond in mol.GetBonds():
        ends = bond.GetBeginAtom(), bond.GetEndAtom()
        if bond.GetBondType() == Chem.BondType.DOUBLE and all(
            a.GetAtomicNum() == 6 and a.GetDegree() == 3 and a.GetHybridization() == _SP2 for a in ends
        ):
            groups.append(tuple(sorted({a.GetIdx() for end in ends for a in end.GetNeighbors()})))
    return tuple(groups)


def puckered_rings(mol: Chem.Mol) -> tuple[tuple[int, ...], ...]:
    """Six-membered rings, fused to no other, of which most atoms are sp3."""
    rings, least = mol.GetRingInfo(), THRESHOLDS.ring_flat.sp3_atoms
    alone = (ring for ring in rings.AtomRings() if len(ring) == 6 and all(rings.NumAtomRings(a) == 1 for a in ring))
    return tuple(
        ring
        for ring in alone
        if sum(mol.GetAtomWithIdx(a).GetHybridization() == Chem.HybridizationType.SP3 for a in ring) >= least
    )


def flat_fault(mol: Chem.Mol, groups: tuple[tuple[int, ...], ...], name: str) -> str | None:
    """One of the groups of atoms, called `name`, that is out of its plane."""
    most = THRESHOLDS.not_flat.out_of_plane
    for group, height in zip(groups, heights(mol.GetConformer().GetPositions(), groups), strict=True):
        if not height <= most:
            high = f"{height:.2f} Å out of its plane; it ought to be at most {most} Å"
            return f"the {name} of {_names(mol, group)} is {high}"
    return None


def flat_ring_fault(mol: Chem.Mol, rings: tuple[tuple[int, ...], ...]) -> str | None:
    """One of `puckered_rings` that is flat."""
    least = THRESHOLDS.ring_flat.pucker
    for ring, height in zip(rings, heights(mol.GetConformer().GetPositions(), rings), strict=True):
        if height < least:
            return f"the ring of {_names(mol, ring)} is flat within {height:.3f} Å; it ought to be puckered"
    return None


def heights(positions: np.ndarray, groups: Sequence[tuple[int, ...]]) -> np.ndarray:
    """(G,) Å: by how much the atom of each group that is farthest from the group's best plane is out of it.

    Args:
        positions: (N, 3) Å.
        groups: three atoms or more each.
    """
    sizes, found = np.array([len(group) for group in groups], dtype=np.int64), np.zeros(len(groups))
    for size in set(sizes.tolist()):
        members = positions[np.array([group for group in groups if len(group) == size])]
        centred = members - members.mean(axis=1, keepdims=True)
        normals = np.linalg.svd(centred, full_matrices=False)[2][:, 2]
        found[sizes == size] = np.abs((centred * normals[:, None]).sum(-1)).max(1)
    return found


_PIVOTS = Chem.MolFromSmarts("[c;D3]-!@[c,n;D3]")


def hindered_axes(mol: Chem.Mol) -> np.ndarray:
    """(X, 4) an ortho atom, the two atoms of the axis and an ortho atom: bonds between six-membered aromatic rings with
    three or four ortho atoms that carry more than hydrogen or fluorine; beside two of one ring, a fluorine of the other
    will do.

    There is no conformer in which such rings lie in one plane: binaphthol's is 35 kcal/mol above its best one. The axis
    may end at a nitrogen, as in methaqualone.
    """
    rows = []
    rings = [set(ring) for ring in mol.GetRingInfo().AtomRings() if len(ring) == 6]
    for pivots in mol.GetSubstructMatches(_PIVOTS):
        none: set[int] = set()
        own = [next((ring for ring in rings if a in ring and b not in ring), none) for a, b in (pivots, pivots[::-1])]
        if not all(own) or not all(mol.GetAtomWithIdx(a).GetIsAromatic() for ring in own for a in ring):
            continue
        ortho = [
            [n.GetIdx() for n in mol.GetAtomWithIdx(pivot).GetNeighbors() if n.GetIdx() in ring]
            for pivot, ring in zip(pivots, own, strict=True)
        ]
        groups = [[_groups(mol, a, ring) for a in side] for side, ring in zip(ortho, own, strict=True)]
        crowded = [sum(any(number != FLUORINE for number in numbers) for numbers in side) for side in groups]
        beside = [any(side) for side in groups]
        hindered = sum(crowded) >= THRESHOLDS.flat_biaryl.ortho_atoms
        if hindered or crowded[0] == 2 and beside[1] or crowded[1] == 2 and beside[0]:
            rows.append((ortho[0][0], *pivots, ortho[1][0]))
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _groups(mol: Chem.Mol, ortho: int, ring: set[int]) -> list[int]:
    """Atomic numbers of what an ortho atom carries besides hydrogen."""
    others = (n for n in mol.GetAtomWithIdx(ortho).GetNeighbors() if n.GetIdx() not in ring)
    return [number for n in others if (number := n.GetAtomicNum()) > 1]


def biaryl_fault(mol: Chem.Mol, axes: np.ndarray, positions: np.ndarray) -> str | None:
    """A hindered biaryl, one of `hindered_axes`, whose rings are too near one plane."""
    if not len(axes):
        return None
    dihedral = np.abs(twists(positions, axes))
    twist = np.minimum(dihedral, 180 - dihedral)
    worst, least = int(twist.argmin()), THRESHOLDS.flat_biaryl.twist
    if twist[worst] >= least:
        return None
    bond = _names(mol, axes[worst, 1:3])
    angle = f"{twist[worst]:.0f}° out of one plane; it ought to be at least {least:.0f}°"
    return f"the hindered rings about {bond} are {angle}"


def twists(positions: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(..., X) dihedral angles of axes (X, 4) in degrees, -180 to 180; positions are (..., N, 3)."""
    a, b, c, d = np.moveaxis(positions[..., axes.reshape(-1, 4), :], -2, 0)
    axis = c - b
    first, second = np.cross(b - a, axis), np.cross(axis, d - c)
    along = np.maximum(np.linalg.norm(axis, axis=-1), 1e-9)
    return np.degrees(np.arctan2((np.cross(first, second) * axis).sum(-1) / along, (first * second).sum(-1)))


_SP2 = Chem.HybridizationType.SP2


def _names(mol: Chem.Mol, atoms: Iterable[int]) -> str:
    return ", ".join(f"{mol.GetAtomWithIdx(int(a)).GetSymbol()}{a}" for a in atoms)
