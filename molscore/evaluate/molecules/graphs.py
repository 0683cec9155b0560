"""Molecular graphs without hydrogens, and how alike they are.

The similarity is Tanimoto's on counts of Morgan environments up to radius 2 (Rogers and Hahn, J. Chem. Inf. Model. 50,
742, 2010): ``Σ min(a_f, b_f) / Σ max(a_f, b_f)`` over environments f. With a column for the first, the second, ...
occurrence of an environment, the sum of minima is a product of sparse matrices.
"""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from scipy.sparse import csr_matrix

from molscore.chem.arrays import MoleculeArrays

RADIUS = 2
_BOND_TYPES = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}


def heavy_graph(arrays: MoleculeArrays, implied: bool = False) -> Chem.Mol:
    """The molecule without its hydrogen atoms, sanitised, with the positions of the others and without stereo.

    Args:
        arrays: a valid, connected molecule of at least one heavy atom.
        implied: there are no hydrogen atoms; valence implies them.
    """
    heavy = np.flatnonzero(arrays.atomic_numbers != 1)
    number = np.full(len(arrays.atomic_numbers), -1)
    number[heavy] = np.arange(len(heavy))
    bonds = number[arrays.bonds]
    inner = (bonds >= 0).all(axis=1)
    hydrogens = np.bincount(bonds[~inner].max(axis=1, initial=0), minlength=len(heavy))
    mol = Chem.RWMol()
    for k, i in enumerate(heavy.tolist()):
        atom = Chem.Atom(int(arrays.atomic_numbers[i]))
        atom.SetFormalCharge(int(arrays.formal_charges[i]))
        atom.SetNoImplicit(not implied)
        atom.SetNumExplicitHs(int(hydrogens[k]))
        mol.AddAtom(atom)
    for (i, j), order in zip(bonds[inner].tolist(), arrays.bond_orders[inner].tolist(), strict=True):
        mol.AddBond(i, j, _BOND_TYPES[order])
    Chem.SanitizeMol(mol)
    conformer = Chem.Conformer(len(heavy))
    conformer.SetPositions(arrays.positions[heavy].astype(np.float64))
    mol.AddConformer(conformer)
    return mol.GetMol()


class Environments:
    """Counts of the Morgan environments of P molecules, to compare others with.

    Args:
        mols: P heavy graphs.
    """

    def __init__(self, mols: Sequence[Chem.Mol]):
        self._generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS)
        self._columns: dict[tuple[int, int], int] = {}
        counted = [self._count(mol) for mol in mols]
        for environments in counted:
            for key in environments:
                self._columns.setdefault(key, len(self._columns))
        self._matrix, self._sizes = self._table(counted)

    def distances(self, mols: Sequence[Chem.Mol]) -> np.ndarray:
        """One minus the similarity of n molecules to all P: (n, P) float32, 0 for equal environments."""
        table, sizes = self._table([self._count(mol) for mol in mols])
        shared = (self._matrix @ table.T.toarray()).T
        return 1 - shared / (sizes[:, None] + self._sizes - shared)

    def _count(self, mol: Chem.Mol) -> list[tuple[int, int]]:
        """(environment, occurrence) of every environment."""
        counts = self._generator.GetSparseCountFingerprint(mol).GetNonzeroElements()
        return [(environment, c) for environment, count in counts.items() for c in range(count)]

    def _table(self, counted: list[list[tuple[int, int]]]) -> tuple[csr_matrix, np.ndarray]:
        """Ones where a molecule has an environment that has a column; and all that it has, (n,)."""
        known = [[self._columns[key] for key in environments if key in self._columns] for environments in counted]
        starts = np.concatenate([[0], np.cumsum([len(environments) for environments in known])])
        columns = np.array([column for environments in known for column in environments], dtype=np.int64)
        shape = len(counted), len(self._columns)
        matrix = csr_matrix((np.ones(len(columns), dtype=np.float32), columns, starts), shape=shape)
        return matrix, np.array([len(environments) for environments in counted], dtype=np.float32)
