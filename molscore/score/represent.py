"""A user's molecules as a graph-conditioned model takes them, or the reason why it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from rdkit import Chem

from molscore import forks
from molscore.chem.arrays import MoleculeArrays, MoleculeError, from_mol
from molscore.chem.hydrogens import without_hydrogens
from molscore.datasets.batch import MoleculeBatch
from molscore.model import MoleculeDiffusion
from molscore.reprs import short_repr

UNREPRESENTABLE = {
    "unreadable": "the record cannot be read",
    "several_conformers": "there are several conformers; each is scored by itself: `MoleculeScorer.score_conformers`",
    "no_3d": "there are no 3-D coordinates",
    "implicit_hydrogens": "hydrogens are missing",
    "unknown_element": "a dummy atom",
    "unknown_atom": "an element, or an element with this charge, that the model has never seen",
    "valence": "the valences are not sound",
    "radical": "an atom has unpaired electrons",
    "implied_hydrogens": "hydrogens other than valence implies",
    "disconnected": "more than one fragment; separate salts and solvents first",
    "too_small": "fewer atoms than any molecule that the model has seen",
    "not_finite": "the scores are no finite numbers; are the coordinates in Å?",
    "too_large": "more atoms than any molecule that the model has seen",
}
"""Why a molecule has no score, by token."""


@dataclass(frozen=True, eq=False)
class Represented:
    """A molecule as a model takes it.

    Attributes:
        arrays: the atoms that the model takes: heavy atoms alone, if it implies hydrogens.
        atoms: their indices in the user's molecule.
    """

    arrays: MoleculeArrays
    atoms: np.ndarray

    __repr__ = short_repr


def represent(mol: object, model: MoleculeDiffusion) -> Represented:
    """The arrays of a molecule that a model takes.

    Args:
        mol: sanitised, one conformer; it is left as it is. Hydrogens are explicit, or for a model that implies them
            may be left out, all of them. None stands for a molecule that could not be read.
        model: whose atoms and sizes they must be.

    Raises:
        MoleculeError: with one of `UNREPRESENTABLE`.
    """
    if isinstance(mol, str):
        raise MoleculeError("no_3d", "a SMILES has no coordinates; make conformers of it, and score these")
    if not isinstance(mol, Chem.Mol):
        other = f"an RDKit molecule is wanted, not {type(mol).__name__}"
        raise MoleculeError("unreadable", UNREPRESENTABLE["unreadable"] if mol is None else other)
    if mol.GetNumConformers() > 1:
        raise MoleculeError("several_conformers", f"{mol.GetNumConformers()} of them; use score_conformers(mol)")
    if len(Chem.GetMolFrags(mol)) > 1:
        raise MoleculeError("disconnected", UNREPRESENTABLE["disconnected"])
    if model.implied_hydrogens and all(atom.GetAtomicNum() != 1 for atom in mol.GetAtoms()):
        mol = Chem.AddHs(mol, addCoords=True)
    arrays = from_mol(mol)
    if not np.isfinite(arrays.positions).all():
        raise MoleculeError("no_3d", "a coordinate is not a finite number")
    atoms = np.arange(len(arrays.atomic_numbers))
    if model.implied_hydrogens:
        atoms = np.flatnonzero(arrays.atomic_numbers != 1)
        arrays = without_hydrogens(arrays)
    known = set(model.vocabulary)
    for atom, pair in zip(
        atoms.tolist(), zip(arrays.atomic_numbers.tolist(), arrays.formal_charges.tolist(), strict=True), strict=True
    ):
        if pair not in known:
            symbol, charge = Chem.GetPeriodicTable().GetElementSymbol(pair[0]), f"{pair[1]:+d}" if pair[1] else ""
            raise MoleculeError("unknown_atom", f"the model has never seen {symbol}{charge} (atom {atom + 1})")
    sizes = model.size_probabilities.nonzero().flatten()
    low, high, n = int(sizes[0]), int(sizes[-1]), len(atoms)
    if not max(low, 2) <= n <= high:
        what = "heavy atoms" if model.implied_hydrogens else "atoms"
        reason = "too_large" if n > high else "too_small"
        raise MoleculeError(reason, f"{n} {what}; the model knows molecules of {max(low, 2)} to {high}")
    return Represented(arrays, atoms)


def batch_of(molecules: Sequence[MoleculeArrays], model: MoleculeDiffusion) -> MoleculeBatch:
    """Pads molecules into one batch on the model's device, in their order; every atom must be in its vocabulary."""
    forks.check()
    classes = {pair: k for k, pair in enumerate(model.vocabulary)}
    b, n = len(molecules), max(len(molecule.atomic_numbers) for molecule in molecules)
    positions, atoms = torch.zeros(b, n, 3), torch.zeros(b, n, dtype=torch.int64)
    bonds, mask = torch.zeros(b, n, n, dtype=torch.int64), torch.zeros(b, n, dtype=torch.bool)
    stereo = torch.zeros(b, max(len(molecule.stereo) for molecule in molecules), 5, dtype=torch.int64)
    for row, molecule in enumerate(molecules):
        pairs = zip(molecule.atomic_numbers.tolist(), molecule.formal_charges.tolist(), strict=True)
        own = torch.tensor([classes[pair] for pair in pairs])
        positions[row, : len(own)] = torch.as_tensor(molecule.positions)
        atoms[row, : len(own)], mask[row, : len(own)] = own, True
        i, j = torch.as_tensor(molecule.bonds).long().reshape(-1, 2).T
        stereo[row, : len(molecule.stereo)] = torch.as_tensor(molecule.stereo)
        bonds[row, i, j] = bonds[row, j, i] = torch.as_tensor(molecule.bond_orders).long()
    return MoleculeBatch(*(y.to(model.device) for y in (positions, atoms, bonds, mask, stereo)))
