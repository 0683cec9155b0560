"""Molecules as arrays, and the way to and from RDKit.

``MoleculeArrays`` is all that the network side needs to know of a molecule: which atoms, where, joined how. Every
hydrogen is an atom of its own and every bond has an integer order (kekulised), so that valence is plain addition and
nothing is implied. Stereochemistry follows from the positions; its tags are for networks that get it as an input.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.stereo.tags import tags
from molscore.reprs import short_repr

# RDKit's pickles leave out properties and round coordinates, so that what goes through a process pool would come back
# without titles, tags and energies. This holds for the whole process.
Chem.SetDefaultPickleProperties(
    Chem.GetDefaultPickleProperties() | Chem.PropertyPickleOptions.AllProps | Chem.PropertyPickleOptions.CoordsAsDouble
)

STEP = 16.0
"""Å by which molecules are moved towards the origin."""

_BOND_TYPES = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
BOND_ORDERS = {bond_type: order for order, bond_type in _BOND_TYPES.items()}
"""Orders of the bonds that arrays can hold."""

# RDKit's clean-up steps rewrite charges and bonds (a five-valent nitro nitrogen becomes N+). Here that is an error.
_SANITIZE_OPS = (
    Chem.SanitizeFlags.SANITIZE_ALL
    ^ Chem.SanitizeFlags.SANITIZE_CLEANUP
    ^ Chem.SanitizeFlags.SANITIZE_CLEANUP_ORGANOMETALLICS
)


class MoleculeError(ValueError):
    """Something that is not a molecule.

    Attributes:
        reason: snake_case token, one of the keys of ``molscore.chem.checks.validity.FAULTS``.
        detail: sentence for a person.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(reason, detail)  # as it is called: so that it can be pickled
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


@dataclass(frozen=True, eq=False)
class MoleculeArrays:
    """One molecule of N atoms and M bonds.

    Attributes:
        atomic_numbers: (N,) uint8.
        formal_charges: (N,) int8.
        positions: (N, 3) float32, Å, near the origin: float32 is coarse far away.
        bonds: (M, 2) int, atom indices with i < j.
        bond_orders: (M,) uint8, 1 to 3, kekulised.
        stereo: (S, 5) int, tags as in `molscore.chem.stereo.tags`; empty where they were not made.
    """

    atomic_numbers: np.ndarray
    formal_charges: np.ndarray
    positions: np.ndarray
    bonds: np.ndarray
    bond_orders: np.ndarray
    stereo: np.ndarray = field(default_factory=lambda: np.zeros((0, 5), dtype=np.int64))

    __repr__ = short_repr


def to_mol(arrays: MoleculeArrays, sanitize: bool = True, implied: bool = False) -> Chem.Mol:
    """Builds the RDKit molecule: one 3-D conformer, atoms in the order of the arrays.

    Args:
        arrays: the molecule.
        sanitize: check valence and perceive aromaticity. Without it the molecule is exactly that of the arrays, sound
            or not. R/S and E/Z are assigned from the positions in either case.
        implied: the arrays hold heavy atoms; valence implies the hydrogens. See `molscore.chem.hydrogens`.

    Returns:
        A molecule in which no atom has implicit hydrogens or may be given any, unless they are `implied`.

    Raises:
        MoleculeError: ``unknown_element`` or ``bad_arrays`` in any case; ``valence`` (with RDKit's words) and
            ``radical`` (an atom with unpaired electrons, mostly a missing hydrogen) if `sanitize`.
    """
    _check_arrays(arrays)
    mol = Chem.RWMol()
    for number, charge in zip(arrays.atomic_numbers.tolist(), arrays.formal_charges.tolist(), strict=True):
        atom = Chem.Atom(number)
        atom.SetFormalCharge(charge)
        atom.SetNoImplicit(not implied)
        mol.AddAtom(atom)
    for (i, j), order in zip(arrays.bonds.tolist(), arrays.bond_orders.tolist(), strict=True):
        mol.AddBond(i, j, _BOND_TYPES[order])
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(np.asarray(arrays.positions, dtype=np.float64))
    conformer.Set3D(True)
    mol = mol.GetMol()
    mol.AddConformer(conformer, assignId=True)
    if sanitize:
        sanitize_in_place(mol)
    assign_stereo_in_place(mol)
    return mol


def from_mol(mol: Chem.Mol) -> MoleculeArrays:
    """Takes a molecule with explicit hydrogens and a 3-D conformer apart. Isotopes and unpaired electrons are not kept.

    Args:
        mol: any RDKit molecule, sanitised or not. It is left as it is; a copy is kekulised. The first conformer counts.

    Returns:
        Arrays with atoms in the order of `mol` and bonds sorted by their indices; positions moved `near_origin`
        before they are rounded to float32; stereo as `mol` specifies it, not its positions.

    Raises:
        MoleculeError: ``no_3d`` without a 3-D conformer, ``implicit_hydrogens`` where hydrogens are not atoms,
            ``unknown_element`` for dummy atoms, ``valence`` for bonds that are not single, double or triple.
    """
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        raise MoleculeError("no_3d", "the molecule has no 3-D conformer; embed one or read a file with coordinates")
    copy = Chem.Mol(mol)
    if any(bond.GetIsAromatic() for bond in copy.GetBonds()):
        try:
            with rdBase.BlockLogs():
                Chem.Kekulize(copy, clearAromaticFlags=True)
        except (ValueError, RuntimeError) as error:
            raise MoleculeError("valence", f"no Kekulé structure: {error}") from error
    if fault := hydrogen_fault(copy):
        raise MoleculeError("implicit_hydrogens", fault)
    for atom in copy.GetAtoms():
        if atom.GetAtomicNum() == 0:
            raise MoleculeError("unknown_element", f"atom {atom.GetIdx()} is a dummy atom; only elements can be stored")
    bonds = []
    for bond in copy.GetBonds():
        if bond.GetBondType() not in BOND_ORDERS:
            raise MoleculeError("valence", f"bond {bond.GetIdx()} is {bond.GetBondType()}, not single to triple")
        i, j = sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
        bonds.append((i, j, BOND_ORDERS[bond.GetBondType()]))
    table = np.array(sorted(bonds), dtype=np.int64).reshape(-1, 3)
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and not finite for whoever checks
        positions = near_origin(copy).astype(np.float32)
    return MoleculeArrays(
        atomic_numbers=np.array([atom.GetAtomicNum() for atom in copy.GetAtoms()], dtype=np.uint8),
        formal_charges=np.array([atom.GetFormalCharge() for atom in copy.GetAtoms()], dtype=np.int8),
        positions=positions,
        bonds=table[:, :2],
        bond_orders=table[:, 2].astype(np.uint8),
        stereo=tags(mol),
    )


def near_origin(mol: Chem.Mol, conformer: int = -1) -> np.ndarray:
    """``(N, 3)`` float64, Å: positions less the mean of the heavy atoms (of all, if there are none) in steps of `STEP`.

    Far from the origin float32 is coarse, 0.06 Å at 10^6 Å, so this comes before positions are rounded to it. Steps
    leave as it is what lies near the origin already.
    """
    positions = mol.GetConformer(conformer).GetPositions().reshape(-1, 3)
    heavy = np.array([atom.GetAtomicNum() > 1 for atom in mol.GetAtoms()], dtype=bool)
    if not len(positions):
        return positions
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite stays so
        mean = positions[heavy if heavy.any() else slice(None)].mean(axis=0)
        return positions - STEP * np.rint(mean / STEP)


def with_stereo(arrays: MoleculeArrays, implied: bool) -> MoleculeArrays:
    """The same molecule, tagged with the stereo that its positions have; for `implied` see `to_mol`."""
    return replace(arrays, stereo=tags(to_mol(arrays, implied=implied)))


def assign_stereo_in_place(mol: Chem.Mol) -> None:
    """Assigns R/S and E/Z from the positions, to sanitised molecules and others. If atoms coincide there is none."""
    mol.UpdatePropertyCache(strict=False)
    Chem.GetSymmSSSR(mol)
    try:
        Chem.AssignStereochemistryFrom3D(mol)
    except RuntimeError:  # a direction between two atoms in one place
        Chem.RemoveStereochemistry(mol)


def hydrogen_fault(mol: Chem.Mol) -> str | None:
    """A sentence on the first atom with hydrogens that are not atoms of their own, or None. Updates their count."""
    mol.UpdatePropertyCache(strict=False)
    for atom in mol.GetAtoms():
        if atom.GetTotalNumHs() > 0:
            name = f"atom {atom.GetIdx()} ({atom.GetSymbol()})"
            return f"{name} has implicit hydrogens; call Chem.AddHs(mol, addCoords=True) first"
    return None


def sanitize_in_place(mol: Chem.Mol) -> None:
    """Sanitises without letting RDKit repair anything.

    Raises:
        MoleculeError: ``valence`` with RDKit's words, or ``radical`` if an atom has unpaired electrons.
    """
    try:
        with rdBase.BlockLogs():
            Chem.SanitizeMol(mol, sanitizeOps=_SANITIZE_OPS)
    except (ValueError, RuntimeError) as error:
        raise MoleculeError("valence", str(error).strip()) from error
    for atom in mol.GetAtoms():
        if electrons := atom.GetNumRadicalElectrons():
            raise MoleculeError(
                "radical",
                f"atom {atom.GetIdx()} ({atom.GetSymbol()}) has {electrons} unpaired electrons; is a hydrogen missing?",
            )


def _check_arrays(arrays: MoleculeArrays) -> None:
    n, m = len(arrays.atomic_numbers), len(arrays.bond_orders)
    shapes = (np.shape(arrays.formal_charges), np.shape(arrays.positions), np.shape(arrays.bonds))
    if shapes != ((n,), (n, 3), (m, 2)):
        raise MoleculeError("bad_arrays", f"{n} atoms, {m} bonds, but charges, positions, bonds have shapes {shapes}")
    numbers = np.asarray(arrays.atomic_numbers)
    if n and (numbers.min() < 1 or numbers.max() > 118):
        raise MoleculeError("unknown_element", f"atomic numbers are {numbers.min()} to {numbers.max()}, not 1 to 118")
    if m == 0:
        return
    bonds, orders = np.asarray(arrays.bonds), np.asarray(arrays.bond_orders)
    if orders.min() < 1 or orders.max() > 3:
        raise MoleculeError("bad_arrays", "bond orders must be 1, 2 or 3")
    if bonds.min() < 0 or bonds.max() >= n or (bonds[:, 0] >= bonds[:, 1]).any() or len(np.unique(bonds, axis=0)) < m:
        raise MoleculeError("bad_arrays", f"bonds must be distinct pairs i < j of the {n} atoms")


def isomeric_smiles(mol: Chem.Mol) -> str:
    """Canonical isomeric SMILES with hydrogens implied; also of a molecule that does not sanitise."""
    with rdBase.BlockLogs():
        try:
            return Chem.MolToSmiles(Chem.RemoveHs(mol))
        except (ValueError, RuntimeError):
            return Chem.MolToSmiles(mol)
