"""A molecule that is known, as wishes take it: probabilities of 0 and 1."""

import numpy as np
import torch

from molscore.chem.arrays import MoleculeArrays
from molscore.guidance.soft import SoftMolecules


def certain(arrays: MoleculeArrays, origin: np.ndarray | None = None) -> SoftMolecules:
    """One molecule, float64; its classes are the pairs of element and charge that it has.

    Args:
        arrays: the molecule, bonds Kekulé.
        origin: ``(3,)`` Å, where the origin of its positions lies in the frame of the wish.
    """
    pairs = list(zip(arrays.atomic_numbers.tolist(), arrays.formal_charges.tolist(), strict=True))
    vocabulary = sorted(set(pairs))
    orders = np.zeros((len(pairs), len(pairs)), dtype=np.int64)
    i, j = arrays.bonds.T
    orders[i, j] = orders[j, i] = arrays.bond_orders
    bonds = torch.eye(4, dtype=torch.float64)[torch.from_numpy(orders)]
    bonds[range(len(pairs)), range(len(pairs))] = 0
    positions = arrays.positions.astype(np.float64) + (0 if origin is None else origin)
    return SoftMolecules(
        positions=torch.from_numpy(positions)[None],
        atoms=torch.eye(len(vocabulary), dtype=torch.float64)[[vocabulary.index(pair) for pair in pairs]][None],
        bonds=bonds[None],
        mask=torch.ones(1, len(pairs), dtype=torch.bool),
        vocabulary=vocabulary,
    )
