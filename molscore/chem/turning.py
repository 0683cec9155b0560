"""Moves of rigid molecules and about their rotatable bonds, of many geometries at once.

For forces F_i on atoms at x_i, a molecule with centre c feels

    F = Σ_i F_i,    τ = Σ_i (x_i - c) × F_i,    τ_j = u_j · Σ_i (x_i - a_j) × F_i,

the last about bond j, with direction u_j from its atom a_j, over the atoms i beyond it.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molscore.reprs import short_repr

BONDS = Chem.MolFromSmarts("[!$(*#*)&!D1&!$([CX4](F)(F)F)]-&!@[!$(*#*)&!D1&!$([CX4](F)(F)F)]")
STIFF = Chem.MolFromSmarts("[CX3,SX3](=[O,S,N])-[N,O]")
"""Bonds about which molecules turn, by their heavy atoms; and those of amides and esters, about which they do not."""


@dataclass(frozen=True, eq=False)
class Bonds:
    """T bonds of a molecule of N atoms.

    Attributes:
        near, far: ``(T,)`` the atoms of each.
        beyond: ``(T, N)`` bool: the atoms that turn, beyond the far one, which are half of them at most.
    """

    near: np.ndarray
    far: np.ndarray
    beyond: np.ndarray

    __repr__ = short_repr


def bonds(mol: Chem.Mol, held: Collection[int] = ()) -> Bonds:
    """The bonds about which a molecule can turn, with what turns.

    Args:
        mol: sanitised; hydrogens may be atoms or not.
        held: atoms that do not move.
    """
    bare = Chem.RemoveAllHs(mol, sanitize=False)
    Chem.FastFindRings(bare)
    heavy = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    stiff = {frozenset((heavy[match[0]], heavy[match[2]])) for match in bare.GetSubstructMatches(STIFF)}
    found = []
    for i, j in ((heavy[i], heavy[j]) for i, j in bare.GetSubstructMatches(BONDS)):
        if frozenset((i, j)) in stiff:
            continue
        side = side_of(mol, i, j)
        if len(side) > mol.GetNumAtoms() / 2 or side & set(held):
            i, j, side = j, i, side_of(mol, j, i)
        if not side & set(held):
            found.append((i, j, side))
    beyond = np.zeros((len(found), mol.GetNumAtoms()), dtype=bool)
    for k, (_, _, side) in enumerate(found):
        beyond[k, list(side)] = True
    ends = np.array([(i, j) for i, j, _ in found], dtype=np.int64).reshape(-1, 2)
    return Bonds(ends[:, 0], ends[:, 1], beyond)


def side_of(mol: Chem.Mol, near: int, far: int) -> set[int]:
    """The atoms beyond the far atom of a bond that is in no ring, without that atom, which lies on the axis."""
    side, border = {near, far}, [far]
    while border:
        for neighbour in mol.GetAtomWithIdx(border.pop()).GetNeighbors():
            if neighbour.GetIdx() not in side:
                side.add(neighbour.GetIdx())
                border.append(neighbour.GetIdx())
    return side - {near, far}


def turned(x: np.ndarray, axis: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Points ``(B, n, 3)``, each set turned about its axis ``(B, 3)`` by its norm in radians, through ``(B, 3)``."""
    angle = np.linalg.norm(axis, axis=1)[:, None, None]
    (x0, x1, x2), zero = (axis / np.maximum(angle[:, 0], 1e-12)).T, np.zeros(len(axis))
    cross = np.array([[zero, -x2, x1], [x2, zero, -x0], [-x1, x0, zero]]).transpose(2, 0, 1)
    rotation = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    points: np.ndarray = (x - origin[:, None]) @ rotation.transpose(0, 2, 1) + origin[:, None]
    return points


def moved(x: np.ndarray, own: Bonds, shift: np.ndarray, turn: np.ndarray, twists: np.ndarray) -> np.ndarray:
    """Geometries after moves.

    Args:
        x: ``(B, N, 3)`` Å.
        own: of the molecule.
        shift: ``(B, 3)`` Å.
        turn: ``(B, 3)`` about the middle, the norm in radians.
        twists: ``(B, T)`` radians, about the bonds.
    """
    x = x.copy()
    for j, (near, far) in enumerate(zip(own.near, own.far, strict=True)):
        axis, turning = _unit(x[:, far] - x[:, near]) * twists[:, j, None], np.flatnonzero(own.beyond[j])
        x[:, turning] = turned(x[:, turning], axis, x[:, far])
    return turned(x, turn, x.mean(1)) + shift[:, None]


def pulls(x: np.ndarray, own: Bonds, force: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `moved` takes, as forces: ``(B, 3)``, ``(B, 3)`` and ``(B, T)``, for forces on the atoms ``(B, N, 3)``."""
    away = x - x.mean(1, keepdims=True)
    spins = np.cross(x, force)
    axis = _unit(x[:, own.far] - x[:, own.near])
    inside = own.beyond.astype(x.dtype)
    moment = inside @ spins - np.cross(x[:, own.far], inside @ force)
    return force.sum(1), np.cross(away, force).sum(1), (axis * moment).sum(-1)


def weights(x: np.ndarray, own: Bonds) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances from the middle ``(B,)``, and from the axes of the bonds ``(B, T)``, in sum over atoms, Å²."""
    away = x - x.mean(1, keepdims=True)
    axis = _unit(x[:, own.far] - x[:, own.near])
    off = np.cross(x[:, None] - x[:, own.far][:, :, None], axis[:, :, None])
    return (away**2).sum((1, 2)), ((off**2).sum(-1) * own.beyond).sum(-1)


def _unit(v: np.ndarray) -> np.ndarray:
    unit: np.ndarray = v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
    return unit
