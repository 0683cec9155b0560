"""What the heavy atoms of a protein offer a ligand: hydrogen bonds and their directions, charges, bare carbon.

By names in the twenty residues, by elements and neighbours elsewhere (cofactors, modified residues); bonds are pairs of
atoms closer than the sum of their covalent radii and 0.45 Å. Hydrogens are not looked at, since many structures have
none: where geometry fixes them, that of a donor's neighbours does.

    neighbours of the atom      directions of its partners                 width
    two (NH of the backbone)    away from both                             narrow, where a hydrogen is fixed
    one, trigonal (NH2)         60° off the bond, in the plane             narrow
    one, carbonyl               along the bond                             wide
    one, turning (OH, NH3)      along the bond, 0 to 110° off              wide
    none (metals, ions)         any

Protonation at pH 7: Asp, Glu, C-terminus and phosphate are acceptors with a charge, Lys and Arg donors; either nitrogen
of His is taken for both. Of a hydroxyl it is not known which way it points: it is both.
"""

from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molscore.chem.io.protein import METALS
from molscore.reprs import short_repr

NARROW, CARBONYL, TURNING, ANY = (0.85, 0.45), (0.4, -0.2), (0.15, -0.35), (-1.0, -2.0)
"""Cosines of the angle between a direction and that to a partner, above which a bond is good and below which none."""

SLACK = 0.45
"""Å that a bond may be longer than the sum of the covalent radii (Bruno et al., CSD's rule)."""

_DONORS = {"ARG": "NE NH1 NH2", "ASN": "ND2", "GLN": "NE2", "LYS": "NZ", "TRP": "NE1"}
_ACCEPTORS = {"ASN": "OD1", "ASP": "OD1 OD2", "GLN": "OE1", "GLU": "OE1 OE2"}
_BOTH = {"HIS": "ND1 NE2", "SER": "OG", "THR": "OG1", "TYR": "OH"}
_CHARGES = {"ASP": ("OD1 OD2", -0.5), "GLU": ("OE1 OE2", -0.5), "ARG": ("NH1 NH2", 0.5), "LYS": ("NZ", 1.0)}
_RESIDUES = set("ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL".split())
_TRIGONAL = {("ARG", "NH1"), ("ARG", "NH2"), ("ASN", "ND2"), ("GLN", "NE2")}
_CARBON, _NITROGEN, _OXYGEN, _PHOSPHORUS, _SULFUR = 6, 7, 8, 15, 16
_HALOGENS = [9, 17, 35, 53]
_ALKALI = [3, 11, 19, 37, 55]
_COVALENT = np.array([Chem.GetPeriodicTable().GetRcovalent(z) for z in range(119)])


@dataclass(frozen=True, eq=False)
class Polar:
    """H directions in which atoms can have a hydrogen bond; an atom may have several.

    Attributes:
        atoms: (H,) indices.
        directions: (H, 3), of length 1; 0 where any will do.
        donor, acceptor: (H,) bool, what the atom is; both of a hydroxyl.
        full, none: (H,) cosines, see `NARROW`.
    """

    atoms: np.ndarray
    directions: np.ndarray
    donor: np.ndarray
    acceptor: np.ndarray
    full: np.ndarray
    none: np.ndarray

    __repr__ = short_repr


@dataclass(frozen=True, eq=False)
class Roles:
    """Roles of P heavy atoms.

    Attributes:
        polar: hydrogen bonds.
        hydrophobe: (P,) bool, carbon and sulphur bonded to nothing but these, and halogens.
        charge: (P,) elementary charges.
        metal: (P,) bool.
    """

    polar: Polar
    hydrophobe: np.ndarray
    charge: np.ndarray
    metal: np.ndarray

    def chosen(self, atoms: np.ndarray) -> "Roles":
        """Those of some atoms, ``(P,)`` bool, numbered anew."""
        own, number = atoms[self.polar.atoms], np.cumsum(atoms) - 1
        parts = (getattr(self.polar, name)[own] for name in ("directions", "donor", "acceptor", "full", "none"))
        polar = Polar(number[self.polar.atoms[own]], *parts)
        return Roles(polar, self.hydrophobe[atoms], self.charge[atoms], self.metal[atoms])

    __repr__ = short_repr


def neighbours(positions: np.ndarray, atomic_numbers: np.ndarray) -> list[list[int]]:
    """Bonded atoms of each; metals have none."""
    from scipy.spatial import cKDTree  # SciPy loads slowly

    radii, found = _COVALENT[atomic_numbers], [list[int]() for _ in positions]
    bare = np.isin(atomic_numbers, METALS)
    for i, j in sorted(cKDTree(positions).query_pairs(2 * radii[~bare].max(initial=0) + SLACK)):
        if not bare[i] and not bare[j] and np.linalg.norm(positions[i] - positions[j]) < radii[i] + radii[j] + SLACK:
            found[i].append(j)
            found[j].append(i)
    return found


def roles(positions: np.ndarray, atomic_numbers: np.ndarray, residues: np.ndarray, names: np.ndarray) -> Roles:
    """Roles of the atoms of a structure.

    Args:
        positions: (P, 3) Å; atoms at the edge of a cut have fewer neighbours than they ought to have.
        atomic_numbers: (P,), no hydrogen.
        residues, names: as of `molscore.chem.io.protein.Protein`.
    """
    bonded = neighbours(positions, atomic_numbers)
    elements = atomic_numbers.tolist()
    metal = np.isin(atomic_numbers, METALS)
    charge = np.where(metal, np.where(np.isin(atomic_numbers, _ALKALI), 1.0, 2.0), 0.0)
    rows: list[tuple[int, np.ndarray, bool, bool, tuple[float, float]]] = []
    for i, (label, name) in enumerate(zip(residues.tolist(), names.tolist(), strict=True)):
        kind = label.rpartition("/")[2].partition(" ")[0]
        if metal[i]:
            donor, acceptor, trigonal = True, False, False
        elif kind in _RESIDUES:
            donor, acceptor, charge[i] = _in_residue(kind, name)
            trigonal = (kind, name) in _TRIGONAL
        else:
            donor, acceptor, charge[i] = _elsewhere(i, elements, bonded, positions)
            trigonal = donor and not acceptor and elements[i] == _NITROGEN
        if donor or acceptor:
            turning = donor and (acceptor or not trigonal)
            rows += [(i, d, donor, acceptor, w) for d, w in _directions(i, bonded, positions, trigonal, turning)]
    greasy = [
        z in _HALOGENS
        and len(bonded[i]) == 1
        or z in (_CARBON, _SULFUR)
        and all(elements[j] in (_CARBON, _SULFUR) for j in bonded[i])
        and bool(bonded[i])
        for i, z in enumerate(elements)
    ]
    atoms, directions, donors, acceptors, widths = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    full, none = np.array(widths, dtype=float).reshape(-1, 2).T
    polar = Polar(
        np.array(atoms, dtype=np.int64),
        np.array(directions, dtype=float).reshape(-1, 3),
        np.array(donors, dtype=bool),
        np.array(acceptors, dtype=bool),
        full,
        none,
    )
    return Roles(polar, np.array(greasy, dtype=bool), charge, metal)


def _in_residue(kind: str, name: str) -> tuple[bool, bool, float]:
    """Donor, acceptor, charge of an atom of one of the twenty residues."""
    if name in ("O", "OXT"):
        return False, True, -0.5 if name == "OXT" else 0.0
    if name == "N":
        return kind != "PRO", False, 0.0
    both = name in _BOTH.get(kind, "").split()
    atoms, charge = _CHARGES.get(kind, ("", 0.0))
    return (
        both or name in _DONORS.get(kind, "").split(),
        both or name in _ACCEPTORS.get(kind, "").split(),
        charge if name in atoms.split() else 0.0,
    )


def _elsewhere(i: int, elements: list[int], bonded: list[list[int]], x: np.ndarray) -> tuple[bool, bool, float]:
    """Donor, acceptor, charge of an atom, by its element and neighbours."""
    near = bonded[i]
    if elements[i] in _HALOGENS and not near:
        return False, True, -1.0
    if elements[i] == _OXYGEN:
        if len(near) != 1:
            return not near, True, 0.0
        (j,) = near
        twins = [k for k in bonded[j] if elements[k] == _OXYGEN and len(bonded[k]) == 1]
        if elements[j] in (_PHOSPHORUS, _SULFUR):
            return False, True, -0.5 if elements[j] == _PHOSPHORUS or len(twins) > 2 else 0.0
        if elements[j] == _CARBON and len(twins) == 2:
            return False, True, -0.5
        double = bool(np.linalg.norm(x[i] - x[j]) < 1.31)
        return not double, True, 0.0
    if elements[i] == _NITROGEN:
        if len(near) == 1:
            nitrile = bool(np.linalg.norm(x[i] - x[near[0]]) < 1.22)
            return not nitrile, nitrile, 0.0
        return (True, True, 0.0) if len(near) == 2 else (False, False, 0.0)
    return False, False, 0.0


def _directions(
    i: int, bonded: list[list[int]], x: np.ndarray, trigonal: bool, turning: bool
) -> list[tuple[np.ndarray, tuple[float, float]]]:
    """Directions of an atom's partners, and their widths."""
    near = bonded[i]
    if not near:
        return [(np.zeros(3), ANY)]
    away = _unit(np.sum([_unit(x[i] - x[j]) for j in near], axis=0))
    if len(near) > 1:
        return [(away, NARROW)]
    (j,) = near
    others = [k for k in bonded[j] if k != i]
    if trigonal and others:
        across = _unit(np.cross(away, x[others[0]] - x[j]))
        side = np.cross(across, away)
        return [(away / 2 + sign * np.sqrt(0.75) * side, NARROW) for sign in (1, -1)]
    return [(away, TURNING if turning else CARBONYL)]


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
