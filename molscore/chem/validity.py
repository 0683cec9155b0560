"""Is it a molecule? One verdict, with a reason for every rejection.

``check`` asks the questions of ``REASONS`` in order and stops at the first that fails. What passes is a connected,
closed-shell molecule with all its hydrogens and a sound 3-D geometry; nearly always it passes PoseBusters' ``mol_fast``
too. Odd but possible chemistry (small rings, cumulenes, peroxides) is not rejected.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem import geometry
from molscore.chem.arrays import (
    MoleculeArrays,
    MoleculeError,
    hydrogen_fault,
    isomeric_smiles,
    sanitize_in_place,
    to_mol,
)
from molscore.chem.geometry import bounds

REASONS: dict[str, str] = {
    "empty": "there are no atoms",
    "bad_arrays": "the arrays do not fit together: shapes, bond orders or bond indices",
    "unknown_element": "an atom is not of an element",
    "non_finite": "a coordinate is not a finite number",
    "implicit_hydrogens": "hydrogens are implied instead of being atoms",
    "implied_hydrogens": "hydrogens are not those that valence implies",
    "valence": "RDKit cannot sanitise it: mostly an atom with too many bonds",
    "radical": "an atom has unpaired electrons: mostly a hydrogen is missing",
    "disconnected": "it falls into fragments",
    "net_charge": "the charges do not add up to the one asked for",
    "inchi": "no InChI can be made of it",
    "no_3d": "it has no 3-D coordinates, or all atoms share a place, or a plane that they cannot share",
    "no_bounds": "distance geometry finds no arrangement with these bonds",
    "clash": "atoms that are not bonded are too close",
    "bond_length": "a bond is shorter or longer than those of its type are known to be",
    "bond_angle": "an angle is narrower or wider than those of its type are known to be, or a shape is not kept",
    "ring_not_flat": "an aromatic ring is not flat",
    "double_bond_not_flat": "a C=C double bond is not flat",
    "flat_biaryl": "two hindered aromatic rings lie in one plane",
    "cumulene": "the ends of cumulated double bonds are turned from where they belong",
    "ring_flat": "a six-membered ring of mostly sp3 atoms is flat",
    "filter": "it fails the filter that was asked for",
    "duplicate": "the same molecule has been seen before",
}


class Verdict(NamedTuple):
    """Outcome of a check.

    Attributes:
        ok: whether the molecule passed.
        reason: key of ``REASONS`` for the first check that failed, None if none did.
        detail: sentence on what is wrong and where; empty if nothing is.
    """

    ok: bool
    reason: str | None = None
    detail: str = ""


def check(molecule: Chem.Mol | MoleculeArrays, net_charge: int | None = None) -> Verdict:
    """Judges one molecule. It is not altered.

    Args:
        molecule: RDKit molecule, sanitised or not, or arrays. The first conformer is judged.
        net_charge: if given, the sum of formal charges that the molecule must have.

    Returns:
        The verdict.
    """
    try:
        mol = Chem.Mol(molecule) if isinstance(molecule, Chem.Mol) else to_mol(molecule, sanitize=False)
        with rdBase.BlockLogs():
            for reason, fault in _faults(mol, net_charge):
                if fault is not None:
                    return Verdict(False, reason, fault)
    except MoleculeError as error:
        return Verdict(False, error.reason, error.detail)
    return Verdict(True)


def _faults(mol: Chem.Mol, net_charge: int | None) -> Iterator[tuple[str, str | None]]:
    """Reasons and faults, in order and one by one: a check may rely on all that came before it."""
    yield "empty", None if mol.GetNumAtoms() else "the molecule has no atoms"
    yield "unknown_element", element_fault(mol)
    yield "non_finite", finite_fault(mol)
    yield "implicit_hydrogens", hydrogen_fault(mol)
    sanitize_in_place(mol)  # raises for valence, radical
    yield "disconnected", fragment_fault(mol)
    yield "net_charge", None if net_charge is None else charge_fault(mol, net_charge)
    yield "inchi", inchi_fault(mol)
    yield from _geometry_faults(mol)


def _geometry_faults(
    mol: Chem.Mol, limits: geometry.Limits | None = None, wanted: geometry.Expected | None = None
) -> Iterator[tuple[str, str | None]]:
    """Those of the positions."""
    yield "no_3d", bounds.space_fault(mol)
    yield "ring_not_flat", bounds.aromatic_ring_fault(mol)
    yield "double_bond_not_flat", bounds.double_bond_fault(mol)
    yield geometry.table_fault(mol, wanted or geometry.expected(mol)) or ("bond_length", None)
    try:
        limits = limits or geometry.limits(mol)
    except RuntimeError as error:
        yield "no_bounds", f"RDKit: {error}"
    measured = bounds.distances(mol)
    yield "clash", bounds.clash_fault(mol, measured, limits)
    yield "ring_flat", bounds.flat_ring_fault(mol)


def geometry_fault(
    mol: Chem.Mol, limits: geometry.Limits | None = None, wanted: geometry.Expected | None = None
) -> tuple[str, str] | None:
    """What `check` would say of the positions of a sound molecule: key of ``REASONS`` and a sentence, or None.

    Args:
        mol: the molecule; its first conformer counts.
        limits, wanted: those of `molscore.chem.geometry.limits` and `expected`, if they are known from another of its
            conformers.
    """
    with rdBase.BlockLogs():
        faults = _geometry_faults(mol, limits, wanted)
        return next(((reason, fault) for reason, fault in faults if fault is not None), None)


def element_fault(mol: Chem.Mol) -> str | None:
    """A dummy atom (atomic number 0)."""
    dummies = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    return f"atom {dummies[0]} is a dummy atom, not an element" if dummies else None


def finite_fault(mol: Chem.Mol) -> str | None:
    """A coordinate that is NaN or infinite. A molecule without coordinates passes here."""
    if mol.GetNumConformers() == 0:
        return None
    bad = np.flatnonzero(~np.isfinite(mol.GetConformer().GetPositions()).all(axis=1))
    return f"{len(bad)} atoms have coordinates that are not finite, atom {bad[0]} first" if len(bad) else None


def fragment_fault(mol: Chem.Mol) -> str | None:
    """More than one fragment."""
    sizes = sorted((len(fragment) for fragment in Chem.GetMolFrags(mol)), reverse=True)
    return f"it falls into {len(sizes)} fragments of {', '.join(map(str, sizes))} atoms" if len(sizes) > 1 else None


def charge_fault(mol: Chem.Mol, net_charge: int) -> str | None:
    """Formal charges that do not add up to `net_charge`."""
    total = Chem.GetFormalCharge(mol)
    return f"the net charge is {total:+d}, not {net_charge:+d}" if total != net_charge else None


def inchi_fault(mol: Chem.Mol) -> str | None:
    """A structure that the InChI software refuses."""
    return None if Chem.MolToInchi(mol, logLevel=None) else "the InChI software refuses it"


class DuplicateFilter:
    """Remembers the molecules it has passed, by canonical isomeric SMILES, and rejects what comes a second time."""

    def __init__(self, seen: set[str] | None = None):
        self.seen = set() if seen is None else set(seen)

    def __call__(self, mol: Chem.Mol) -> Verdict:
        """Passes `mol` if it is new, and remembers it. Enantiomers and E/Z isomers are different molecules."""
        smiles = isomeric_smiles(mol)
        if smiles in self.seen:
            return Verdict(False, "duplicate", f"{smiles} has been seen before")
        self.seen.add(smiles)
        return Verdict(True)
