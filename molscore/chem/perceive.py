"""Bonds for atoms in space.

Two ways:

* `match_smiles`: the SMILES is known, only the order of its atoms is not. The skeleton that the distances show is
  matched onto that of the SMILES, which then gives bond orders and charges. Where several matches are possible, the
  one with the smallest ``Σ order · length`` is taken: the short bonds get the high orders.
* `perceive_bonds`: everything from the distances (Kim and Kim, Bull. Korean Chem. Soc. 36, 1769, 2015), as RDKit has
  it in rdDetermineBonds.

`perceive` tries one after the other. Whatever they return passes RDKit's sanitisation, is one piece and has no
unpaired electrons.
"""

from typing import Literal

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDetermineBonds

from molscore.chem.arrays import MoleculeArrays, MoleculeError, from_mol, sanitize_in_place, to_mol
from molscore.chem.thresholds import THRESHOLDS

MAX_MATCHES = 1000
"""Matches of a skeleton onto a SMILES that are compared."""

_PERIODIC_TABLE = Chem.GetPeriodicTable()
_COVALENT_RADII = np.array([_PERIODIC_TABLE.GetRcovalent(z) for z in range(119)])


def perceive(
    atomic_numbers: np.ndarray, positions: np.ndarray, smiles: str | None = None, charge: int = 0
) -> tuple[MoleculeArrays, Literal["smiles", "perceived"]]:
    """Finds bonds by the SMILES if there is one that fits, else from the distances.

    Args:
        atomic_numbers: (N,) elements, hydrogens included.
        positions: (N, 3) in Å.
        smiles: what the molecule should be, its atoms in any order.
        charge: total charge, for the second way.

    Returns:
        The molecule, atoms in the given order, and where its bonds come from.

    Raises:
        MoleculeError: as `perceive_bonds`.
    """
    if smiles is not None:
        try:
            return match_smiles(atomic_numbers, positions, smiles), "smiles"
        except MoleculeError:
            pass
    return perceive_bonds(atomic_numbers, positions, charge), "perceived"


def match_smiles(atomic_numbers: np.ndarray, positions: np.ndarray, smiles: str) -> MoleculeArrays:
    """Gives atoms in space the bonds and charges of a SMILES.

    Each hydrogen belongs to its nearest heavy atom. Of the heavy pairs, as many are bonded as the SMILES has bonds,
    nearest first, distances taken in units of the covalent radii. Stereo marks of the SMILES are not looked at.

    Args:
        atomic_numbers: (N,) elements, hydrogens included, at least one heavy atom.
        positions: (N, 3) in Å.
        smiles: the molecule, its atoms in any order, its hydrogens written or not.

    Returns:
        The molecule, atoms in the given order.

    Raises:
        MoleculeError: ``bad_smiles`` if RDKit cannot read the SMILES, ``no_match`` if the distances show another
            skeleton, ``valence``, ``radical`` or ``disconnected`` if the SMILES itself is no sound molecule.
    """
    begins, ends, orders, template = _template(smiles)
    numbers = np.asarray(atomic_numbers, dtype=int)
    points = np.asarray(positions, dtype=np.float64)
    heavy, hydrogens = np.flatnonzero(numbers > 1), np.flatnonzero(numbers == 1)
    if template.GetNumAtoms() != len(heavy) or len(heavy) == 0:
        raise MoleculeError("no_match", f"{len(heavy)} heavy atoms, but {smiles} has {template.GetNumAtoms()}")
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    ratios = distances / (_COVALENT_RADII[numbers][:, None] + _COVALENT_RADII[numbers][None])

    owners = heavy[np.argmin(ratios[np.ix_(hydrogens, heavy)], axis=1)]
    rows, columns = np.triu_indices(len(heavy), 1)
    pair_ratios = ratios[heavy[rows], heavy[columns]]
    nearest = np.argsort(pair_ratios, kind="stable")[: len(orders)]
    longest = max(pair_ratios[nearest].max(initial=0.0), ratios[owners, hydrogens].max(initial=0.0))
    if longest > THRESHOLDS.perception.longest_bond:
        raise MoleculeError("no_match", f"{smiles} needs a bond of {longest:.2f} times the covalent radii")

    hydrogen_counts = np.bincount(owners, minlength=len(numbers))[heavy]
    skeleton = _skeleton(numbers[heavy].tolist(), hydrogen_counts.tolist(), rows[nearest], columns[nearest])
    query = _skeleton(
        [atom.GetAtomicNum() for atom in template.GetAtoms()],
        [atom.GetTotalNumHs() for atom in template.GetAtoms()],
        begins,
        ends,
    )
    matches = skeleton.GetSubstructMatches(query, uniquify=False, maxMatches=MAX_MATCHES)
    if not matches:
        raise MoleculeError("no_match", f"the distances show another skeleton than {smiles}")
    candidates = heavy[np.array(matches)]
    costs = (orders * distances[candidates[:, begins], candidates[:, ends]]).sum(axis=1)
    best = candidates[np.argmin(costs)]

    charges = np.zeros(len(numbers), dtype=np.int8)
    charges[best] = [atom.GetFormalCharge() for atom in template.GetAtoms()]
    heavy_bonds = np.stack([best[begins], best[ends], orders], axis=1)
    hydrogen_bonds = np.stack([owners, hydrogens, np.ones_like(owners)], axis=1)
    bonds = np.concatenate([heavy_bonds, hydrogen_bonds])
    bonds[:, :2].sort(axis=1)
    bonds = bonds[np.lexsort((bonds[:, 1], bonds[:, 0]))]
    return _sound(
        MoleculeArrays(
            atomic_numbers=numbers.astype(np.uint8),
            formal_charges=charges,
            positions=points.astype(np.float32),
            bonds=bonds[:, :2],
            bond_orders=bonds[:, 2].astype(np.uint8),
        )
    )


def perceive_bonds(
    atomic_numbers: np.ndarray, positions: np.ndarray, charge: int = 0, max_iterations: int = 1000
) -> MoleculeArrays:
    """Finds bonds, their orders and formal charges from the distances alone.

    Args:
        atomic_numbers: (N,) elements, hydrogens included.
        positions: (N, 3) in Å.
        charge: total charge. Atoms may carry charges that add up to it.
        max_iterations: assignments of bond orders that RDKit tries before it gives up.

    Returns:
        The molecule, atoms in the given order.

    Raises:
        MoleculeError: ``no_bonds`` if no assignment was found; ``valence``, ``radical`` or ``disconnected`` if one
            was found that is no sound molecule.
    """
    numbers = np.asarray(atomic_numbers, dtype=np.uint8)
    atoms = MoleculeArrays(
        atomic_numbers=numbers,
        formal_charges=np.zeros(len(numbers), dtype=np.int8),
        positions=np.asarray(positions, dtype=np.float32),
        bonds=np.zeros((0, 2), dtype=np.int64),
        bond_orders=np.zeros(0, dtype=np.uint8),
    )
    mol = to_mol(atoms, sanitize=False)
    try:
        with rdBase.BlockLogs():
            rdDetermineBonds.DetermineBonds(
                mol, charge=charge, allowChargedFragments=True, embedChiral=False, maxIterations=max_iterations
            )
    except (ValueError, RuntimeError) as error:
        raise MoleculeError("no_bonds", str(error).strip()) from error
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(True)
    return _sound(from_mol(mol))


def _template(smiles: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, Chem.Mol]:
    """The kekulised heavy-atom molecule of a SMILES, and its bonds as begins, ends and orders, (B,) each."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            raise MoleculeError("bad_smiles", f"RDKit cannot read {smiles!r}")
        mol = Chem.RemoveAllHs(mol)
        Chem.Kekulize(mol, clearAromaticFlags=True)
    table = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx(), int(b.GetBondTypeAsDouble())) for b in mol.GetBonds()]
    begins, ends, orders = np.array(table, dtype=int).reshape(-1, 3).T
    return begins, ends, orders, mol


def _skeleton(numbers: list[int], hydrogens: list[int], begins: np.ndarray, ends: np.ndarray) -> Chem.Mol:
    """Heavy atoms and single bonds. The isotope holds the hydrogen count plus one, since RDKit compares isotopes."""
    mol = Chem.RWMol()
    for number, count in zip(numbers, hydrogens, strict=True):
        atom = Chem.Atom(number)
        atom.SetIsotope(count + 1)
        mol.AddAtom(atom)
    for i, j in zip(begins.tolist(), ends.tolist(), strict=True):
        mol.AddBond(i, j, Chem.BondType.SINGLE)
    return mol.GetMol()


def _sound(arrays: MoleculeArrays) -> MoleculeArrays:
    mol = to_mol(arrays, sanitize=False)
    sanitize_in_place(mol)
    pieces = len(Chem.GetMolFrags(mol))
    if pieces != 1:
        raise MoleculeError("disconnected", f"{pieces} pieces: {Chem.MolToSmiles(mol)}")
    return arrays
