"""Identity of molecules: canonical SMILES, and hashes of them.

Two molecules are the same if RDKit writes the same canonical SMILES, hydrogens implied. As in the literature, stereo is
left out; uniqueness is also given with stereo taken from the positions. Tautomers and charge states stay different.

A training set is kept as 64-bit BLAKE2b digests of its SMILES. Among 10⁵ of them, a new SMILES is taken for a known one
by accident with probability 5e-15.
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from rdkit import Chem, rdBase


def canonical_smiles(mol: Chem.Mol, stereo: bool = False) -> str:
    """RDKit's canonical SMILES of a sanitised molecule, hydrogens implied.

    Args:
        mol: sanitised; it is left as it is.
        stereo: write R/S and E/Z.
    """
    copy = Chem.Mol(mol)
    if not stereo:  # first: RDKit keeps the hydrogen of an imine as an atom if it tells E from Z
        Chem.RemoveStereochemistry(copy)
    with rdBase.BlockLogs():
        return Chem.MolToSmiles(Chem.RemoveHs(copy), isomericSmiles=stereo)


def hash_smiles(smiles: Iterable[str]) -> np.ndarray:
    """64-bit hashes, in the order given.

    Returns:
        (M,) uint64.
    """
    digests = [blake2b(text.encode(), digest_size=8).digest() for text in smiles]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def count_novel(smiles: Iterable[str], known: np.ndarray) -> int:
    """How many SMILES are not in a training set.

    Args:
        smiles: canonical SMILES without stereo.
        known: (K,) uint64, sorted hashes of the training set.
    """
    hashes = hash_smiles(smiles)
    if len(known) == 0:
        return len(hashes)
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return int((known[places] != hashes).sum())
