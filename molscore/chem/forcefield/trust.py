"""Where a force field may be trusted: where its parameters agree with the table of bond lengths and angles.

MMFF94s has parameters for every pair of its types, but those it was not made for come from an empirical rule (C=S of an
isothiocyanate: 1.80 Å instead of 1.57 Å), and UFF has but one type for most heavy elements. `trust` compares rest
lengths and angles with what is expected of the molecule; `correct` adds restraints to a force field that hold what it
would get wrong within the range that is known.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdForceFieldHelpers as forcefield
from rdkit.ForceField import ForceField

from molscore.chem.forcefield.mmff import typed
from molscore.chem.geometry.expected import Expected
from molscore.chem.geometry.shapes import is_metal
from molscore.chem.stereo.cumulenes import Cumulenes
from molscore.chem.thresholds import THRESHOLDS

NARROW = 0.02
"""Å about the usual length to which multiple bonds, and in UFF all, are held where they are corrected."""

LENGTH_ROOM, ANGLE_ROOM = 0.005, 1.0
"""Å and degrees to either side of the usual value that a corrected term leaves free at least."""

BOND_STIFFNESS, ANGLE_STIFFNESS, PLANE_STIFFNESS = 50000.0, 0.5, 0.5
"""kcal/mol/Å², and kcal/mol/deg² twice."""

PLANE = 3.0
"""Degrees that an improper torsion may leave 180° by."""

TWIST, TWIST_STIFFNESS = 2.0, 0.014
"""Degrees that the dihedral angle across cumulated double bonds may be off, and kcal/mol/deg² beyond them: as allene,
whose ends turn against 46 kcal/mol (Roth, Ruf and Ford, Chem. Ber. 107, 48, 1974)."""


BORON, ARGON = 5, 18


class Trust(NamedTuple):
    """Which force field to use, and what to correct in it.

    Attributes:
        field: ``mmff94s`` or ``uff``; None if neither is sound for the molecule.
        lengths: two atoms, and the least and the greatest distance in Å.
        angles: three atoms, and the least and the greatest angle in degrees.
        planes: a neighbour, the centre and its other two neighbours, which are to lie in a plane.
        cumulenes: dihedral angles across cumulated double bonds; None if there are none.
    """

    field: str | None
    lengths: tuple[tuple[int, int, float, float], ...] = ()
    angles: tuple[tuple[int, int, int, float, float], ...] = ()
    planes: tuple[tuple[int, int, int, int], ...] = ()
    cumulenes: Cumulenes | None = None


def trust(mol: Chem.Mol, wanted: Expected) -> Trust:
    """What of the force fields can be trusted for a molecule.

    Args:
        mol: sanitised, every hydrogen an atom; coordinates are not looked at.
        wanted: `molscore.chem.geometry.expected` of it.
    """
    if wanted.shaped:
        return Trust(None)
    with rdBase.BlockLogs():
        same, properties = typed(mol)
        if properties is not None:
            stretch, bend, field = properties.GetMMFFBondStretchParams, properties.GetMMFFAngleBendParams, "mmff94s"
        elif forcefield.UFFHasAllMoleculeParams(same):
            stretch, bend = forcefield.GetUFFBondStretchParams, forcefield.GetUFFAngleBendParams
            field = "uff"
        else:
            return Trust(None)
        rests = [stretch(same, i, j) for i, j in wanted.bonds.tolist()]
        theirs = np.array([np.nan if rest is None else rest[-1] for rest in rests])
        least, most = wanted.shortest + wanted.length_margins, wanted.longest - wanted.length_margins
        # UFF is rough throughout (C=O 1.26 Å, S=O 1.50 Å); other single and aromatic bonds differ in truth
        multiple = [mol.GetBondBetweenAtoms(i, j).GetBondTypeAsDouble() >= 2 for i, j in wanted.bonds.tolist()]
        narrow = np.where(np.array(multiple, dtype=bool) | (field == "uff"), NARROW, np.inf)
        low = _below(np.maximum(least, wanted.lengths - narrow), wanted.lengths, LENGTH_ROOM)
        high = -_below(-np.minimum(most, wanted.lengths + narrow), -wanted.lengths, LENGTH_ROOM)
        # where RDKit sees aromatic atoms and MMFF94s those of a chain, the rest length need not be far off
        aromatic = np.array([atom.GetIsAromatic() for atom in mol.GetAtoms()])
        limits = THRESHOLDS.force_field
        margin = np.where(aromatic[wanted.bonds].all(axis=1), limits.aromatic_bond, limits.bond)
        trusted = (theirs > least - margin) & (theirs < most + margin)
        off = ~trusted if field == "mmff94s" else ~((theirs > low) & (theirs < high))
        lengths = tuple(
            (*wanted.bonds[b].tolist(), float(low[b]), float(high[b])) for b in np.flatnonzero(off).tolist()
        )
        angles, worst = _angles(same, wanted, bend, field)
    if field == "uff" and (worst > THRESHOLDS.force_field.uff_angle or _has_tight_ring(mol)):
        return Trust(None)
    numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    bare = [row for row in wanted.flat.tolist() if field == "uff" and numbers[row[0]] == BORON]  # UFF keeps others flat
    planes = tuple((a, j, b, c) for j, a, b, c in bare)
    return Trust(field, lengths, angles, planes, wanted.cumulenes if len(wanted.cumulenes.atoms) else None)


def _has_tight_ring(mol: Chem.Mol) -> bool:
    """Whether a ring of five or fewer has an atom below chlorine's row, whose bends in UFF are those of open chains."""
    heavy = {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > ARGON}
    return any(len(ring) < 6 and not heavy.isdisjoint(ring) for ring in mol.GetRingInfo().AtomRings())


def _angles(
    mol: Chem.Mol, wanted: Expected, bend: Callable[[Chem.Mol, int, int, int], Sequence[float] | None], field: str
) -> tuple[tuple[tuple[int, int, int, float, float], ...], float]:
    """Angles to correct, and by how much the worst rest value is off.

    Rest angles of MMFF94s at carbon, nitrogen and oxygen make up for its other terms and are sound as they are; so are
    those inside rings, which the ring decides. Not so where the table knows the angle of a nitrogen of two neighbours
    (isocyanates), that at the oxygen of an alkoxide of a metal or of boron, or one at an atom of several rings of three
    or four (tetrahedranes).
    """
    low = _below(wanted.least + wanted.angle_margins, wanted.degrees, ANGLE_ROOM)
    high = -_below(wanted.angle_margins - wanted.greatest, -wanted.degrees, ANGLE_ROOM)
    angles, worst, rings = [], 0.0, mol.GetRingInfo()
    for a, (i, j, k) in enumerate(wanted.angles.tolist()):
        centre = mol.GetAtomWithIdx(j)
        organic = centre.GetAtomicNum() in (6, 7, 8) and centre.GetHybridization() != Chem.HybridizationType.SP
        small = rings.NumAtomRings(j) > 1 and sum(size < 5 for size in rings.AtomRingSizes(j)) > 1
        nitrogen = centre.GetAtomicNum() == 7 and centre.GetDegree() == 2 and not centre.IsInRing()
        ends = [mol.GetAtomWithIdx(end) for end in (i, k)]
        ester = {end.GetAtomicNum() for end in ends} in ({BORON, 6}, {BORON, 15})
        alkoxide = centre.GetAtomicNum() == 8 and (ester or any(map(is_metal, ends)))
        special = wanted.named[a] and (small or nitrogen or alkoxide)
        if organic and not special or mol.GetBondBetweenAtoms(i, k) is not None:
            continue
        rest = bend(mol, i, j, k)
        off = np.inf if rest is None else max(low[a] - rest[-1], rest[-1] - high[a])
        if off > THRESHOLDS.force_field.angle:
            angles.append((i, j, k, float(low[a]), min(float(high[a]), 180.0)))  # RDKit refuses more
            worst = max(worst, off)
    return tuple(angles), worst


def _below(bounds: np.ndarray, usual: np.ndarray, room: float) -> np.ndarray:
    """Lower bounds, lowered where they leave less than some room below the usual value: RDKit refuses crossed ones."""
    return np.minimum(bounds, usual - room)


def correct(field: ForceField, trusted: Trust) -> None:
    """Adds to an initialised force field what `trust` has to correct in it."""
    kind = "MMFF" if trusted.field == "mmff94s" else "UFF"
    distance, angle, torsion = (
        getattr(field, f"{kind}Add{what}Constraint") for what in ("Distance", "Angle", "Torsion")
    )
    for i, j, low, high in trusted.lengths:
        distance(i, j, False, low, high, BOND_STIFFNESS)
    for i, j, k, low, high in trusted.angles:
        angle(i, j, k, False, low, high, ANGLE_STIFFNESS)
    for a, j, b, c in trusted.planes:
        torsion(a, j, b, c, False, 180 - PLANE, 180 + PLANE, PLANE_STIFFNESS)
    if trusted.cumulenes is not None:
        off = trusted.cumulenes.off(np.reshape(field.Positions(), (-1, 3)))
        for atoms, by in zip(trusted.cumulenes.atoms.tolist(), off.tolist(), strict=True):
            torsion(*atoms, True, -by - TWIST, -by + TWIST, TWIST_STIFFNESS)
