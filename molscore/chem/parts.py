"""Parts of molecules that are kept, while a model makes the rest: cores, fragments, what is left of a lead.

A part is heavy atoms with Kekulé bonds and charges, with or without their positions, and the atoms at which new bonds
may be made: those that are named, or all that have a free valence, which hydrogens or what was taken away fill.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.arrays import BOND_ORDERS, MoleculeArrays, assign_stereo_in_place, to_mol
from molscore.chem.part_checks import check_isotopes, check_marks, check_pose, mark_numbers
from molscore.chem.stereo.tags import assign_in_place, tags, wrong
from molscore.reprs import short_repr


@dataclass(frozen=True, eq=False)
class KeptPart:
    """What is kept of a molecule.

    Attributes:
        arrays: its N heavy atoms; positions in Å from ``origin``, zeros if its pose is free; tags of its stereo.
        origin: ``(3,)`` float64, Å.
        posed: whether its positions are kept.
        open: ``(N,)`` bool, atoms at which new bonds may be made.
        named: whether these were named, and not just all with a free valence.
        least: ``(N,)`` int, bonds that each must get at least; of all open atoms one gets one anyway.
        free: ``(N,)`` int, valences of each that hydrogens, or what was taken away, fill.
        removed: heavy atoms that were taken away.
    """

    arrays: MoleculeArrays
    origin: np.ndarray
    posed: bool
    open: np.ndarray
    named: bool
    least: np.ndarray
    free: np.ndarray
    removed: int = 0

    __repr__ = short_repr

    def __len__(self) -> int:
        return len(self.arrays.atomic_numbers)

    @cached_property
    def digest(self) -> str:
        """The first 16 digits of a SHA-256 of all that it is."""
        arrays = self.arrays
        parts = (arrays.atomic_numbers, arrays.formal_charges, arrays.positions, arrays.bonds, arrays.bond_orders)
        text = [y.tolist() for y in (*parts, arrays.stereo, self.origin, self.open, self.least)]
        return hashlib.sha256(repr((text, self.posed, self.named)).encode()).hexdigest()[:16]

    @cached_property
    def smiles(self) -> str:
        """With ``*`` where bonds may be made, and the stereo that is kept."""
        mol = Chem.RWMol(to_mol(self.arrays, sanitize=False))
        for k in np.flatnonzero(self.open).tolist():
            mol.AddBond(k, mol.AddAtom(Chem.Atom(0)), Chem.BondType.SINGLE)
        for atom in mol.GetAtoms():
            atom.SetNoImplicit(False)
        mol.UpdatePropertyCache(strict=False)
        Chem.SetAromaticity(mol)
        assign_in_place(mol, self.arrays.stereo)
        return Chem.MolToSmiles(mol)

    @cached_property
    def pieces(self) -> np.ndarray:
        """``(N,)`` number of the fragment of each atom."""
        numbers = np.zeros(len(self), dtype=int)
        for k, atoms in enumerate(Chem.GetMolFrags(to_mol(self.arrays, sanitize=False))):
            numbers[list(atoms)] = k
        return numbers

    @property
    def charge(self) -> int:
        """Sum of its formal charges."""
        return int(self.arrays.formal_charges.sum())

    @property
    def classes(self) -> list[tuple[int, int]]:
        """(Atomic number, formal charge) of its atoms."""
        return list(zip(self.arrays.atomic_numbers.tolist(), self.arrays.formal_charges.tolist(), strict=True))

    def fault(self, made: MoleculeArrays) -> str | None:
        """A sentence on how a molecule, whose first atoms should be the part, does not keep it; None if it does."""
        n = len(self)
        own = list(zip(made.atomic_numbers[:n].tolist(), made.formal_charges[:n].tolist(), strict=True))
        if own != self.classes:
            return "an atom of the kept part has become another"
        bonds = np.column_stack([made.bonds, made.bond_orders]).astype(int).reshape(-1, 3)
        inside = (bonds[:, :2] < n).all(1)
        kept = np.column_stack([self.arrays.bonds, self.arrays.bond_orders]).astype(int)
        if sorted(bonds[inside].tolist()) != sorted(kept.tolist()):
            return "a bond within the kept part has changed"
        ends = bonds[~inside, :2]
        used = np.bincount(ends[ends < n], minlength=n)
        if (wrongly := (used > 0) & ~self.open).any():
            return f"atom {np.flatnonzero(wrongly)[0]} of the kept part has a bond, where none is allowed"
        if not used.any() or (used < self.least).any():
            return "an atom at which to grow has no new bond, or fewer than it has marks"
        if len(self.arrays.stereo) and wrong(made.positions[None], self.arrays.stereo).any():
            return "the stereo of the kept part has changed"
        return None


def kept_part(
    mol: Chem.Mol,
    keep: Collection[int] | None = None,
    attach: Sequence[int] | None = None,
    posed: bool = True,
    cut_ends: bool = False,
) -> KeptPart:
    """A part of a molecule, or all of it.

    Args:
        mol: sanitised; hydrogens may be atoms or not. Dummy atoms mark where bonds are to be made, one each.
        keep: its atoms that are kept; None is all. Hydrogens and dummy atoms do not count.
        attach: atoms at which new bonds are made, none if it is empty; a hydrogen or dummy atom stands for its
            neighbour. Each gets one at least. None: the neighbours of dummy atoms, each of which stands for a bond, and
            of atoms taken away, if there are any; else all with a free valence.
        posed: keep positions as well.
        cut_ends: whether each neighbour of atoms taken away must get a bond too; else they may.

    Raises:
        ValueError: for a molecule without 3-D positions where they are to be kept, or with such as cannot be its own,
            of no heavy atoms, with isotopes, unknown kinds of bonds, or atoms at which nothing can be bonded; the
            message says what to do.
    """
    if posed and (mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D()):
        raise ValueError(
            "what is kept has no 3-D positions: give an SDF file with coordinates, as `molscore conformers` writes; "
            "a scaffold alone may be without, as a SMILES"
        )
    check_isotopes(mol)
    check_marks(mol)
    copy = Chem.Mol(mol)
    if posed:
        assign_stereo_in_place(copy)
    heavy = [atom.GetIdx() for atom in copy.GetAtoms() if atom.GetAtomicNum() > 1]
    chosen = heavy if keep is None else [k for k in heavy if k in set(keep)]
    if not chosen:
        raise ValueError("there is no heavy atom to keep")
    rows, place = tags(copy, among=chosen), {k: n for n, k in enumerate(chosen)}
    _kekulised(copy)
    free, cut = _free_valences(copy, place)
    marks = {place[k]: count for k, count in mark_numbers(copy).items() if k in place}
    least: dict[int, int] = {}
    if attach is not None:
        wanted = _attached(copy, attach, place)
        least = dict.fromkeys(wanted, 1)
    elif marks or cut:
        wanted = sorted(marks.keys() | cut)
        least = dict.fromkeys(cut, int(cut_ends)) | marks
    else:
        wanted = [k for k in range(len(chosen)) if free[k] > 0]
    if not wanted and attach is None:
        raise ValueError("the part to keep has no free valence: nothing can be bonded to it")
    for k in wanted:
        if free[k] < 1:
            symbol = copy.GetAtomWithIdx(chosen[k]).GetSymbol()
            raise ValueError(f"atom {chosen[k]} ({symbol}) has no free valence: nothing can be bonded to it")
    if posed:
        check_pose(copy, chosen)
    positions = copy.GetConformer().GetPositions()[chosen] if posed else np.zeros((len(chosen), 3))
    origin = positions.mean(0)
    return KeptPart(
        arrays=_arrays(copy, chosen, place, positions - origin, rows),
        origin=origin,
        posed=posed,
        open=np.isin(np.arange(len(chosen)), wanted),
        named=attach is not None or bool(marks or cut),
        least=np.array([least.get(k, 0) for k in range(len(chosen))]),
        free=np.array(free),
        removed=len(heavy) - len(chosen),
    )


def matched(lead: Chem.Mol, pattern: Chem.Mol, rest: bool = False) -> list[int]:
    """Atoms of the one match of a SMARTS pattern in a molecule, or all but these.

    Raises:
        ValueError: if it matches nowhere, in several places, or everywhere.
    """
    matches = {frozenset(match) for match in lead.GetSubstructMatches(pattern, uniquify=True, maxMatches=1000)}
    text = Chem.MolToSmarts(pattern)
    if not matches:
        raise ValueError(f"'{text}' matches nothing of the lead; check the SMARTS against its SMILES")
    if len(matches) > 1:
        raise ValueError(f"'{text}' matches the lead in {len(matches)} places; extend the SMARTS until it is one")
    inside = next(iter(matches))
    heavy = [atom.GetIdx() for atom in lead.GetAtoms() if atom.GetAtomicNum() > 1]
    kept = [k for k in heavy if (k in inside) != rest]
    if len(kept) in (0, len(heavy)):
        raise ValueError(f"'{text}' matches the whole lead: nothing would be {'kept' if rest else 'made'}")
    return kept


def _kekulised(mol: Chem.Mol) -> None:
    try:
        with rdBase.BlockLogs():
            Chem.Kekulize(mol, clearAromaticFlags=True)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"the part to keep has no Kekulé structure: {error}") from error


def _free_valences(mol: Chem.Mol, place: dict[int, int]) -> tuple[list[int], set[int]]:
    """Valences of the kept atoms that hydrogens, radicals or atoms not kept fill; neighbours of heavy ones of these."""
    free, cut = [0] * len(place), set[int]()
    for k, n in place.items():
        atom = mol.GetAtomWithIdx(k)
        free[n] = atom.GetNumImplicitHs() + atom.GetNumExplicitHs() + atom.GetNumRadicalElectrons()
        for bond in atom.GetBonds():
            other = bond.GetOtherAtom(atom)
            if other.GetIdx() in place:
                continue
            free[n] += round(bond.GetBondTypeAsDouble())
            if other.GetAtomicNum() > 1:
                cut.add(n)
    return free, cut


def _attached(mol: Chem.Mol, attach: Iterable[int], place: dict[int, int]) -> list[int]:
    """Numbers within the part of the atoms named."""
    wanted = []
    for index in attach:
        if not 0 <= index < mol.GetNumAtoms():
            raise ValueError(f"there is no atom {index} to grow at: atoms are 0 to {mol.GetNumAtoms() - 1}")
        atom = mol.GetAtomWithIdx(index)
        if atom.GetAtomicNum() <= 1 and atom.GetDegree() == 1:
            index = atom.GetNeighbors()[0].GetIdx()
        if index not in place:
            raise ValueError(f"atom {index} is not kept, so that nothing can grow at it")
        wanted.append(place[index])
    return sorted(set(wanted))


def _arrays(
    mol: Chem.Mol, chosen: list[int], place: dict[int, int], positions: np.ndarray, rows: np.ndarray
) -> MoleculeArrays:
    """The kept atoms, their bonds, and the tags that name them alone."""
    bonds = []
    for bond in mol.GetBonds():
        ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if all(k in place for k in ends):
            if bond.GetBondType() not in BOND_ORDERS:
                raise ValueError(f"bond {bond.GetIdx()} of the part to keep is {bond.GetBondType()}, not 1 to 3")
            bonds.append((*sorted(place[k] for k in ends), BOND_ORDERS[bond.GetBondType()]))
    table = np.array(sorted(bonds), dtype=np.int64).reshape(-1, 3)
    known = rows[np.isin(rows[:, :4], chosen).all(1)].tolist()
    stereo = [[*(place[k] for k in row[:4]), row[4]] for row in known]
    atoms = [mol.GetAtomWithIdx(k) for k in chosen]
    return MoleculeArrays(
        atomic_numbers=np.array([atom.GetAtomicNum() for atom in atoms], dtype=np.uint8),
        formal_charges=np.array([atom.GetFormalCharge() for atom in atoms], dtype=np.int8),
        positions=positions.astype(np.float32),
        bonds=table[:, :2],
        bond_orders=table[:, 2].astype(np.uint8),
        stereo=np.array(stereo, dtype=np.int64).reshape(-1, 5),
    )
