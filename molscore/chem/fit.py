"""Whether a molecule fits where it lies in a protein.

For a ligand with heavy atoms i, a protein with heavy atoms p and van der Waals radii r (RDKit's table),

    closest = min_ip d_ip / (r_i + r_p),    clashes = how many pairs lie below 0.75,
    overlap = |L ∩ P| / |L|,    L = ∪_i B(x_i, r_i),    P = ∪_p B(x_p, r_p),
    buried  = 1 - A(L in the presence of P) / A(L),

B a ball, A the area that a probe of 1.4 Å reaches (Lee and Richards, J. Mol. Biol. 55, 379, 1971; by points on spheres:
Shrake and Rupley, J. Mol. Biol. 79, 351, 1973). The clashes are those of PoseBusters (Buttenschoen, Morris and Deane,
Chem. Sci. 15, 3130, 2024), which lets none pass. As there, what coordinates or is inorganic may come closer: with such
atoms d is measured in covalent radii, and r_p is their covalent radius. Inorganic, where PoseBusters has lists of
elements and residues, are metals everywhere, and residues without carbon (ions, sulfate, clusters). Its overlap, of
balls of 0.8 r on a lattice with soft edges, comes out within a few per cent of this one; it allows 7.5 %.
"""

from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeError
from molscore.chem.ensemble import heavy_atoms
from molscore.chem.io.protein import Protein
from molscore.chem.thresholds import THRESHOLDS

PROBE, POINTS = 1.4, 500
"""Radius of a water molecule in Å, and the points on the sphere around each atom."""

FARTHEST = 1e5
"""Å from the origin at which nothing lies."""

SPACING = 0.3
"""Å between the points of the lattice that measures volumes."""

TAGS = (
    "protein_clashes",
    "protein_closest_ratio",
    "protein_overlap_percent",
    "ligand_buried_percent",
    "protein_contacts",
    "protein_residues",
)
"""The properties of an SDF record that hold a `Fit`."""

_TABLE = Chem.GetPeriodicTable()
_VAN_DER_WAALS = np.array([_TABLE.GetRvdw(z) for z in range(119)])
_COVALENT = np.array([_TABLE.GetRcovalent(z) for z in range(119)])


@dataclass(frozen=True)
class Fit:
    """How a molecule lies in a protein.

    Attributes:
        clashes: pairs of heavy atoms closer than a fraction of the sum of their radii (``protein`` in
            ``molscore/chem/thresholds.yaml``).
        closest: smallest distance in units of that sum, over all pairs.
        overlap: share of the ligand's volume that is inside the protein's.
        buried: share of the ligand's accessible surface that the protein covers.
        contacts: heavy atoms of the ligand that have one of the protein in contact.
        residues: that come so close, in the order of the file.
    """

    clashes: int
    closest: float
    overlap: float
    buried: float
    contacts: int
    residues: tuple[str, ...]

    def properties(self) -> dict[str, float | str]:
        """Properties of a record: numbers, shares in per cent to a tenth, and the residues."""
        overlap, buried = round(100 * self.overlap, 1), round(100 * self.buried, 1)
        residues = ", ".join(self.residues)
        values = (self.clashes, round(self.closest, 3), overlap, buried, self.contacts, residues)
        return dict(zip(TAGS, values, strict=True))


def fit(mol: Chem.Mol, protein: Protein, conformer: int = -1) -> Fit:
    """Measures how a molecule fits into a protein where it lies.

    All that `Protein` holds counts, ``other`` atoms too, except the ligand itself: a residue of kind ``other`` is left
    out if each of its atoms lies at an atom of the same element of the ligand. Another pose of a ligand
    that the file still holds clashes with it; take it out of the file. A covalent bond to the protein is a clash.

    Args:
        mol: with a conformer in the frame of the protein; hydrogens are not looked at. It is left as it is.
        protein: of `read_protein`.
        conformer: id of the conformer, -1 for the first.

    Raises:
        MoleculeError: if there is no 3-D conformer (``no_3d``), or there are no heavy atoms (``empty``).
    """
    from scipy.spatial.distance import cdist  # SciPy loads slowly

    if mol.GetNumConformers() == 0 or not mol.GetConformer(conformer).Is3D():
        raise MoleculeError("no_3d", "there are no 3-D coordinates")
    heavy = heavy_atoms(mol)
    if not len(heavy):
        raise MoleculeError("empty", "there are no heavy atoms")
    positions = mol.GetConformer(conformer).GetPositions()[heavy]
    if not (np.abs(positions) < FARTHEST).all():
        raise MoleculeError("no_3d", f"a coordinate is no number, or beyond {FARTHEST:,.0f} Å")
    atomic_numbers = np.array([mol.GetAtomWithIdx(int(i)).GetAtomicNum() for i in heavy])

    distances = cdist(positions, protein.positions)
    kept = ~_own(
        (distances <= THRESHOLDS.protein.same_atom) & (atomic_numbers[:, None] == protein.atomic_numbers), protein
    )
    distances = distances[:, kept]
    inorganic, other_numbers = protein.inorganic[kept], protein.atomic_numbers[kept]
    radii, others = _VAN_DER_WAALS[atomic_numbers], protein.positions[kept]
    other_radii = np.where(inorganic, _COVALENT[other_numbers], _VAN_DER_WAALS[other_numbers])
    ratios = distances / (np.where(inorganic, _COVALENT[atomic_numbers][:, None], radii[:, None]) + other_radii)
    touching = distances <= THRESHOLDS.protein.contact
    near = (distances < radii[:, None] + other_radii + 2 * PROBE).any(axis=0)
    return Fit(
        clashes=int((ratios < THRESHOLDS.protein.clash).sum()),
        closest=float(ratios.min()),
        overlap=_overlap(positions, radii, others[near], other_radii[near]),
        buried=_buried(positions, radii + PROBE, others[near], other_radii[near] + PROBE),
        contacts=int(touching.any(axis=1).sum()),
        residues=tuple(dict.fromkeys(protein.residues[kept][touching.any(axis=0)].tolist())),
    )


def _own(same: np.ndarray, protein: Protein) -> np.ndarray:
    """(P,) bool: atoms of the residues that are the ligand, of (n, P) whether a pair of atoms is one and the same."""
    own = same.any(axis=0) & (protein.kind == "other")
    if own.any():
        own &= ~np.isin(protein.residues, protein.residues[(protein.kind == "other") & ~own])
    return own


def _overlap(centres: np.ndarray, radii: np.ndarray, others: np.ndarray, other_radii: np.ndarray) -> float:
    """Share of the union of some balls that lies in the union of others, by a cubic lattice of `SPACING`."""
    reach = int(np.ceil(radii.max() / SPACING)) + 1
    steps = np.arange(-reach, reach + 1)
    stencil = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    stencil = stencil[(stencil**2).sum(axis=1) <= reach**2]
    cells = (np.rint(centres / SPACING).astype(np.int64)[:, None] + stencil).reshape(-1, 3)
    first = cells.min(axis=0)
    shape = tuple(cells.max(axis=0) - first + 1)
    single = np.unique(np.ravel_multi_index((cells - first).T, shape))
    points = (np.stack(np.unravel_index(single, shape), axis=1) + first) * SPACING
    points = points[_inside(points, centres, radii)]
    return float(_inside(points, others, other_radii).mean())


def _buried(centres: np.ndarray, radii: np.ndarray, others: np.ndarray, other_radii: np.ndarray) -> float:
    """Share of the surface of the union of some balls that lies in the union of others, by `POINTS` on each sphere."""
    z = 1 - (2 * np.arange(POINTS) + 1) / POINTS
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(POINTS)  # the golden spiral
    sphere = np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)
    points = (centres[:, None] + radii[:, None, None] * sphere).reshape(-1, 3)
    free = ~_inside(points, centres, radii)
    areas = np.repeat(radii**2, POINTS)[free]
    return float(areas @ _inside(points[free], others, other_radii) / areas.sum())


def _inside(points: np.ndarray, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """(m,) bool: which of (m, 3) points lie inside one of the balls; the surface is outside."""
    from scipy.spatial import cKDTree  # SciPy loads slowly

    inside = np.zeros(len(points), dtype=bool)
    for radius in np.unique(radii):
        distances, _ = cKDTree(centres[radii == radius]).query(points, distance_upper_bound=radius)
        inside |= distances < radius - 1e-9
    return inside
