"""Hydrogens that valence implies: taken off, put back, placed.

A model of drug-like molecules knows heavy atoms alone: with Kekulé bond orders and formal charges the hydrogens follow.
`without_hydrogens` takes them off and makes sure that they would come back; `complete` puts them back, each where the
geometry of its neighbour asks for it, and then lets the hydrogens, and nothing else, settle in MMFF94s.
"""

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays, MoleculeError, assign_stereo_in_place, to_mol
from molscore.chem.forcefield.settle import settle_hydrogens_in_place


def without_hydrogens(arrays: MoleculeArrays) -> MoleculeArrays:
    """Heavy atoms alone, in their order.

    Raises:
        MoleculeError: ``implied_hydrogens`` if the hydrogens are not those that valence implies (radicals, H2, bridging
            hydrogens) and could not be put back; ``valence`` if the molecule is not sound.
    """
    numbers, bonds = np.asarray(arrays.atomic_numbers), np.asarray(arrays.bonds).reshape(-1, 2)
    heavy = numbers != 1
    to_hydrogen = ~heavy[bonds]
    hydrogens = np.zeros(len(numbers), dtype=int)
    np.add.at(hydrogens, bonds[:, ::-1][to_hydrogen], 1)  # the other end of each such bond
    if not heavy.any() or (hydrogens[~heavy] > 0).any() or hydrogens[heavy].sum() != (~heavy).sum():
        raise MoleculeError("implied_hydrogens", "a hydrogen is not bonded to exactly one heavy atom")
    place = np.cumsum(heavy) - 1
    kept = ~to_hydrogen.any(axis=1)
    reduced = MoleculeArrays(
        atomic_numbers=numbers[heavy],
        formal_charges=np.asarray(arrays.formal_charges)[heavy],
        positions=np.asarray(arrays.positions)[heavy],
        bonds=place[bonds[kept]],
        bond_orders=np.asarray(arrays.bond_orders)[kept],
        stereo=_renumbered(np.asarray(arrays.stereo), heavy, place),
    )
    implied = [atom.GetTotalNumHs() for atom in to_mol(reduced, implied=True).GetAtoms()]
    if wrong := np.flatnonzero(np.array(implied) != hydrogens[heavy]).tolist():
        k = wrong[0]
        raise MoleculeError(
            "implied_hydrogens", f"heavy atom {k} has {hydrogens[heavy][k]} hydrogens; valence implies {implied[k]}"
        )
    return reduced


def _renumbered(stereo: np.ndarray, heavy: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Tags among heavy atoms alone, with their new indices."""
    stereo = stereo[heavy[stereo[:, :4]].all(axis=1)]
    return np.concatenate([place[stereo[:, :4]], stereo[:, 4:]], axis=1)


def complete(arrays: MoleculeArrays, sanitize: bool = True) -> Chem.Mol:
    """The molecule that heavy atoms stand for, with its hydrogens as atoms, placed and relaxed; heavy atoms stay put.

    Args:
        arrays: heavy atoms.
        sanitize: raise for valences that are not sound; else the heavy atoms alone are returned, as they are.

    Returns:
        A sanitised molecule: first the heavy atoms in the order of the arrays, then the hydrogens.

    Raises:
        MoleculeError: as `molscore.chem.arrays.to_mol`.
    """
    try:
        heavy = to_mol(arrays, implied=True)
    except MoleculeError as error:
        if sanitize or error.reason != "valence":
            raise
        return to_mol(arrays, sanitize=False)
    mol = Chem.AddHs(heavy, addCoords=True)
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(True)
    settle_hydrogens_in_place(mol)
    assign_stereo_in_place(mol)
    return mol


def with_hydrogens(mol: Chem.Mol, heavy: np.ndarray) -> Chem.Mol:
    """Places the hydrogens of a molecule about given heavy atoms, each where its neighbour's geometry asks for it.

    Args:
        mol: sanitised, every hydrogen an atom bonded to one heavy atom; in any order.
        heavy: ``(K, n, 3)`` positions of the heavy atoms in Å, in their order.

    Returns:
        The molecule with K conformers, numbered from 0; atoms in its own order.

    Raises:
        MoleculeError: ``implied_hydrogens`` if a hydrogen is not bonded to exactly one heavy atom.
    """
    hydrogens = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 1]
    order = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() != 1]
    bare = Chem.RWMol(mol)
    owned: dict[int, list[int]] = {index: [] for index in order}
    for index in hydrogens:
        neighbours = [atom.GetIdx() for atom in mol.GetAtomWithIdx(index).GetNeighbors()]
        if len(neighbours) != 1 or neighbours[0] not in owned:
            raise MoleculeError("implied_hydrogens", f"hydrogen {index} is not bonded to exactly one heavy atom")
        owned[neighbours[0]].append(index)
    for index, own in owned.items():
        bare.GetAtomWithIdx(index).SetNumExplicitHs(len(own))
        bare.GetAtomWithIdx(index).SetNoImplicit(True)
    bare.BeginBatchEdit()
    for index in hydrogens:
        bare.RemoveAtom(index)
    bare.CommitBatchEdit()
    bare.RemoveAllConformers()
    for positions in heavy:
        bare.AddConformer(_conformer(positions), assignId=True)
    placed = Chem.AddHs(bare, explicitOnly=True, addCoords=True)
    order += [index for own in owned.values() for index in own]  # AddHs goes from heavy atom to heavy atom
    whole = Chem.Mol(mol)
    whole.RemoveAllConformers()
    for conformer in placed.GetConformers():
        positions = np.empty((mol.GetNumAtoms(), 3))
        positions[order] = conformer.GetPositions()
        whole.AddConformer(_conformer(positions), assignId=True)
    return whole


def _conformer(positions: np.ndarray) -> Chem.Conformer:
    conformer = Chem.Conformer(len(positions))
    conformer.SetPositions(np.asarray(positions, dtype=np.float64))
    conformer.Set3D(True)
    return conformer
