"""One fragment of a user's molecule, every hydrogen an atom, with the stereo that its 3-D coordinates add."""

from typing import NamedTuple

from rdkit import Chem, rdBase
from rdkit.Chem.rdMolDescriptors import CalcExactMolWt

from molscore.chem.arrays import MoleculeError, isomeric_smiles
from molscore.chem.geometry.expected import unknown_metal_bond
from molscore.chem.geometry.shapes import lone_pairs, unknown_metal
from molscore.chem.rdkit_errors import first_line, rdkit_call
from molscore.chem.stereo.axes import assign_axes_in_place
from molscore.chem.stereo.marks import clear_notes_in_place, hold_shown_in_place, note_in_place

PREPARATION_FAULTS = {
    "empty": "there are no atoms",
    "disconnected": "more than one fragment",
    "unknown_element": "a dummy atom, an R group or a query in place of an atom",
    "valence": "a query in place of a bond",
    "metal": "a metal whose neighbours may lie about it in more than one way, or whose bonds have no known length",
    "cumulene": "cumulated double bonds in a ring of five or fewer atoms",
    "stereo": "stereo that RDKit cannot hold and that conformers would have the opposite of",
    "too_large": "more atoms or bonds than an SDF record can hold",
}
"""Why no conformer can be made of a molecule, by token."""

LARGEST = 999
"""Atoms, and bonds, that a V2000 record can count."""

IN_SMALL_RINGS = Chem.MolFromSmarts("[#6,#7;D2;r3,r4,r5](=[#6,#7;R])=[#6,#7;R]")
"""Cumulated double bonds for which a ring has no room: even in one of six atoms they are fleeting."""

MOST = 10 * LARGEST
"""Atoms, hydrogens included, of all fragments together: to part more takes RDKit minutes."""


class Prepared(NamedTuple):
    """A molecule ready for conformers.

    Attributes:
        mol: one fragment with every hydrogen an atom: the atoms of the input in their order, less those of other
            fragments, then the hydrogens that were implied. Coordinates of the input are kept.
        removed: SMILES of the other fragments; "" if there were none.
    """

    mol: Chem.Mol
    removed: str


def sanitised(mol: Chem.Mol) -> Chem.Mol:
    """The molecule itself if RDKit has sanitised it, else a sanitised copy with stereo assigned, and with notes on the
    stereo marks that could not be held (`molscore.chem.stereo.marks.note_in_place`).

    Raises:
        MoleculeError: ``valence`` with RDKit's words.
    """
    with rdBase.BlockLogs():
        try:
            mol.GetRingInfo().NumRings()
            ready = not mol.NeedsUpdatePropertyCache()
        except RuntimeError:  # rings were never looked for
            ready = False
    if ready:
        return mol
    raw, mol = mol, Chem.Mol(mol)
    with rdBase.BlockLogs():
        try:
            Chem.SanitizeMol(mol)
        except (ValueError, RuntimeError) as error:
            raise MoleculeError("valence", f"RDKit cannot sanitise it: {first_line(error)}") from error
        with rdkit_call("assignment of stereo"):
            if mol.GetNumConformers() and mol.GetConformer().Is3D():
                Chem.AssignStereochemistryFrom3D(mol)
            else:
                Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
                note_in_place(mol, raw)
    return mol


def whole(mol: Chem.Mol, fragments: str = "largest") -> Prepared:
    """Chooses a fragment and makes every hydrogen an atom.

    Isotopes, radicals, charges and stereo stay. Only tags at centres with three neighbours alike, in rings of four, go
    (bicyclo[1.1.1]pentane): they mean nothing, and no embedding satisfies them. Rings of lone pairs alone that RDKit
    calls aromatic (cyclopentaphosphanes: ten electrons) no longer are.

    Args:
        mol: sanitised; it is left as it is. Some, all or none of the hydrogens may be atoms already. If it has 3-D
            coordinates, hindered axes that no wedge marks and cumulenes get their stereo from them.
        fragments: ``largest`` keeps the fragment with most heavy atoms, of equals the heaviest, then the first;
            ``refuse`` refuses a molecule of several.

    Raises:
        MoleculeError: with a reason of `PREPARATION_FAULTS`.
        ValueError: for another word in place of `fragments`.
    """
    if fragments not in ("largest", "refuse"):
        raise ValueError(f"unknown choice of fragments '{fragments}'; choose largest or refuse")
    if mol.GetNumAtoms() == 0:
        raise MoleculeError("empty", PREPARATION_FAULTS["empty"])
    with rdBase.BlockLogs():
        with rdkit_call("adding of hydrogens"):
            full = Chem.AddHs(mol, addCoords=True)
        if full.GetNumAtoms() > MOST:
            raise MoleculeError("too_large", f"{full.GetNumAtoms()} atoms in all; {MOST} at most are looked at")
        pieces = Chem.GetMolFrags(full, asMols=True)
        if len(pieces) > 1 and fragments == "refuse":
            raise MoleculeError("disconnected", f"{len(pieces)} fragments; separate salts and solvents first")
        sizes = [(piece.GetNumHeavyAtoms(), round(CalcExactMolWt(piece), 3)) for piece in pieces]
        best = sizes.index(max(sizes))
        others = [isomeric_smiles(piece) for k, piece in enumerate(pieces) if k != best]
        kept = pieces[best] if others else full
        _check(kept)
    _part_lone_pairs_in_place(kept)
    assign_axes_in_place(kept)
    hold_shown_in_place(kept)
    clear_notes_in_place(kept)
    for index in false_centres(without_maps(kept)):
        if kept.GetRingInfo().IsAtomInRingOfSize(index, 4):
            kept.GetAtomWithIdx(index).SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return Prepared(kept, ".".join(others))


def _check(mol: Chem.Mol) -> None:
    if max(mol.GetNumAtoms(), mol.GetNumBonds()) > LARGEST:
        sizes = f"{mol.GetNumAtoms()} atoms and {mol.GetNumBonds()} bonds, hydrogens included"
        raise MoleculeError("too_large", f"{sizes}; an SDF record holds {LARGEST} of each")
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 0 or atom.HasQuery():
            raise MoleculeError("unknown_element", f"atom {atom.GetIdx()} ({atom.GetSymbol()}) is not of one element")
    if any(bond.HasQuery() for bond in mol.GetBonds()):
        raise MoleculeError("valence", "a bond is a query; make it single, double or triple")
    if match := mol.GetSubstructMatch(IN_SMALL_RINGS):
        named = ", ".join(f"{mol.GetAtomWithIdx(k).GetSymbol()}{k}" for k in match)
        raise MoleculeError("cumulene", f"a ring of five or fewer atoms has no room for the double bonds of {named}")
    if fault := unknown_metal(mol) or unknown_metal_bond(mol):
        raise MoleculeError("metal", fault)


def _part_lone_pairs_in_place(mol: Chem.Mol) -> None:
    """Clears the aromaticity of rings whose atoms all have a lone pair and no double bond: they are not flat."""
    aromatic = [bond for bond in mol.GetBonds() if bond.GetIsAromatic()]
    if not aromatic or not any(lone_pairs(bond.GetBeginAtom()) for bond in aromatic):
        return
    kekule = Chem.Mol(mol)
    Chem.Kekulize(kekule, clearAromaticFlags=True)
    bare = {a.GetIdx() for a in kekule.GetAtoms() if lone_pairs(a) and a.GetTotalDegree() == a.GetTotalValence()}
    cleared = {index for ring in mol.GetRingInfo().AtomRings() if bare.issuperset(ring) for index in ring}
    for bond in aromatic:
        if {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()} <= cleared:
            bond.SetIsAromatic(False)
            bond.SetBondType(Chem.BondType.SINGLE)
    for index in cleared:
        mol.GetAtomWithIdx(index).SetIsAromatic(False)
    if cleared:
        Chem.SetConjugation(mol)
        Chem.SetHybridization(mol)
        Chem.AssignStereochemistry(mol, cleanIt=True, force=True)


def false_centres(mol: Chem.Mol) -> set[int]:
    """Atoms with three neighbours alike."""
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False, includeChirality=False))
    around = [[ranks[neighbour.GetIdx()] for neighbour in atom.GetNeighbors()] for atom in mol.GetAtoms()]
    return {k for k, like in enumerate(around) if max(map(like.count, like), default=0) > 2}


def without_maps(mol: Chem.Mol) -> Chem.Mol:
    """A copy without atom map numbers, which RDKit would take for a difference."""
    plain = Chem.Mol(mol)
    for atom in plain.GetAtoms():
        atom.SetAtomMapNum(0)
    return plain
