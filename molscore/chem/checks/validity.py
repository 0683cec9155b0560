"""Is it a molecule? A list of checks, each of which returns a `Fault` or None.

`check` runs them in order and stops at the first that fails. What passes is a connected, closed-shell molecule with all
its hydrogens and a sound 3-D geometry; nearly always it passes PoseBusters' ``mol_fast`` too. Odd but possible
chemistry (small rings, cumulenes, peroxides) is not rejected.

A user's own check is a function of an RDKit molecule that returns a `Fault` or None; it runs with the others in
``check(mol, checks=[*CHECKS, mine])``, and may rely on all that came before it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem import geometry
from molscore.chem.arrays import (
    MoleculeArrays,
    MoleculeError,
    hydrogen_fault,
    sanitize_in_place,
    to_mol,
)
from molscore.chem.geometry import bounds

FAULTS: dict[str, str] = {
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
    "kept_part": "the part to keep is not kept, or has a bond where none is allowed, or none where one must be",
    "pocket_clash": "it lies too close to atoms of the protein, or in them",
    "outside_pocket": "it lies outside the pocket that was asked for",
    "filter": "it fails the filter that was asked for",
    "target": "a property misses its target by more than the tolerance",
    "duplicate": "the same molecule has been seen before",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a molecule.

    Attributes:
        token: key of ``FAULTS``, or the token of a user's own check.
        detail: sentence on what is wrong and where.
    """

    token: str
    detail: str

    def __str__(self) -> str:
        return f"{self.token}: {self.detail}"


Check = Callable[[Chem.Mol], Fault | None]
"""What is wrong with a molecule, or None. The molecule is a copy, sanitised once `sanitisable` has passed it."""


def check(
    molecule: Chem.Mol | MoleculeArrays, net_charge: int | None = None, checks: Sequence[Check] | None = None
) -> Fault | None:
    """The first fault of one molecule, or None. It is not altered.

    Args:
        molecule: RDKit molecule, sanitised or not, or arrays. The first conformer is judged.
        net_charge: if given, the sum of formal charges that the molecule must have.
        checks: in their order; `CHECKS` by default.
    """
    try:
        mol = Chem.Mol(molecule) if isinstance(molecule, Chem.Mol) else to_mol(molecule, sanitize=False)
        with rdBase.BlockLogs():
            faults = (find_fault(mol) for find_fault in (CHECKS if checks is None else checks))
            fault = next((fault for fault in faults if fault is not None), None)
    except MoleculeError as error:
        return Fault(error.reason, error.detail)
    if fault is None and net_charge is not None and (detail := charge_fault(mol, net_charge)):
        return Fault("net_charge", detail)
    return fault


def sanitisable(mol: Chem.Mol) -> Fault | None:
    """A molecule that RDKit cannot sanitise, or a radical; else the molecule is sanitised in place."""
    try:
        sanitize_in_place(mol)
    except MoleculeError as error:
        return Fault(error.reason, error.detail)
    return None


def sound_geometry(mol: Chem.Mol) -> Fault | None:
    """Positions that cannot be: see `geometry_fault`."""
    return None if (fault := geometry_fault(mol)) is None else Fault(*fault)


def sound_beside(count: int) -> Check:
    """`sound_geometry` of a molecule but for what lies between its first atoms and their hydrogens: these were given.

    A crystal's angles are as they are; all that is made must be sound, and lie soundly beside them.
    """

    def find_fault(mol: Chem.Mol) -> Fault | None:
        first = range(min(count, mol.GetNumAtoms()))
        around = (n for k in first for n in mol.GetAtomWithIdx(k).GetNeighbors() if n.GetAtomicNum() == 1)
        fault = geometry_fault(mol, held={*first, *(atom.GetIdx() for atom in around)})
        return None if fault is None else Fault(*fault)

    return find_fault


def _named(token: str, sentence: Callable[[Chem.Mol], str | None]) -> Check:
    """A check with a single token, of a function that returns the sentence."""

    def find_fault(mol: Chem.Mol) -> Fault | None:
        return None if (detail := sentence(mol)) is None else Fault(token, detail)

    return find_fault


def empty_fault(mol: Chem.Mol) -> str | None:
    """No atoms."""
    return None if mol.GetNumAtoms() else "the molecule has no atoms"


def _geometry_faults(
    mol: Chem.Mol,
    limits: geometry.Limits | None = None,
    wanted: geometry.Expected | None = None,
    held: Collection[int] = (),
) -> Iterator[tuple[str, str | None]]:
    """Faults of the positions: reason, and a sentence or None."""
    yield "no_3d", bounds.space_fault(mol)
    wanted = (wanted or geometry.expected(mol)).outside(held)
    yield "ring_not_flat", bounds.flat_fault(mol, wanted.flat_rings, "aromatic ring")
    yield "double_bond_not_flat", bounds.flat_fault(mol, wanted.flat_bonds, "double bond")
    yield geometry.table_fault(mol, wanted) or ("bond_length", None)
    try:
        limits = (limits or geometry.limits(mol)).outside(held)
    except RuntimeError as error:
        yield "no_bounds", f"RDKit: {error}"
        return
    measured = bounds.distances(mol)
    yield "clash", bounds.clash_fault(mol, measured, limits)
    yield "ring_flat", bounds.flat_ring_fault(mol, wanted.puckered_rings)


def geometry_fault(
    mol: Chem.Mol,
    limits: geometry.Limits | None = None,
    wanted: geometry.Expected | None = None,
    held: Collection[int] = (),
) -> tuple[str, str] | None:
    """The fault that `check` finds in the positions of a sound molecule: key of ``FAULTS`` and a sentence, or None.

    Args:
        mol: the molecule; its first conformer counts.
        limits, wanted: those of `molscore.chem.geometry.limits` and `expected`, if they are known from another of its
            conformers.
        held: atoms that were given where they are: what lies between them alone is not judged.
    """
    with rdBase.BlockLogs():
        faults = _geometry_faults(mol, limits, wanted, held)
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


CHECKS: tuple[Check, ...] = (
    _named("empty", empty_fault),
    _named("unknown_element", element_fault),
    _named("non_finite", finite_fault),
    _named("implicit_hydrogens", hydrogen_fault),
    sanitisable,
    _named("disconnected", fragment_fault),
    _named("inchi", inchi_fault),
    sound_geometry,
)
"""They run in this order."""


class Remembered(Protocol):
    """A set of texts that grows, such as `set` or `molscore.files.ondisk.Texts`."""

    def __contains__(self, text: str, /) -> bool: ...

    def add(self, text: str, /) -> None: ...  # noqa: D102


class DuplicateFilter:
    """Remembers the molecules it has passed, by canonical isomeric SMILES, and rejects what comes a second time.

    Args:
        seen: where they are remembered, those that count as seen from the start among them; a new set by default.
    """

    def __init__(self, seen: Remembered | None = None):
        self.seen: Remembered = set() if seen is None else seen

    def __call__(self, smiles: str) -> Fault | None:
        """Passes a molecule if it is new, and remembers it. Enantiomers and E/Z isomers are different molecules."""
        if smiles in self.seen:
            return Fault("duplicate", f"{smiles} has been seen before")
        self.seen.add(smiles)
        return None
