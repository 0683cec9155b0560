"""Stereo that an input marks and RDKit cannot hold, so that the output record can state it.

While it sanitises, RDKit drops the marks of what it has no perception for: allenes and longer cumulenes, nitrogens that
may invert (and some that cannot: Tröger's base), E in rings of fewer than eight atoms. Of these, the marks of cumulenes
are kept where they can be (`molscore.chem.stereo.cumulene_marks`). Conformers need not have, or in such rings cannot
have, the stereo that the others ask for. A mark that means nothing, because exchanging two neighbours that are alike
gives the same molecule, is not missed.
"""

from collections.abc import Iterator

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcNumBridgeheadAtoms

from molscore.chem.stereo.cumulene_marks import hold_in_place, of_coordinates, of_smiles
from molscore.chem.stereo.cumulenes import chains
from molscore.chem.stereo.tags import AXES
from molscore.chem.thresholds import THRESHOLDS

_NOT_HELD, _OPPOSITE = "_stereo_not_held", "_stereo_opposite"
_NONE = (Chem.BondStereo.STEREONONE, Chem.BondStereo.STEREOANY)
_TRANS = (Chem.BondStereo.STEREOTRANS, Chem.BondStereo.STEREOE)
_WEDGES = (Chem.BondDir.BEGINWEDGE, Chem.BondDir.BEGINDASH)
_SLASHES = (Chem.BondDir.ENDUPRIGHT, Chem.BondDir.ENDDOWNRIGHT)


def not_held(mol: Chem.Mol) -> tuple[str, ...]:
    """The stereo that a molecule of a user's had and that its conformers need not have, in words; atoms from 1.

    Args:
        mol: sanitised: of `molscore.chem.io.smiles.parse_smiles`, or of a mol block, whose wedges and 3-D coordinates
            are looked at. The marks of a SMILES that RDKit read alone are gone.
    """
    noted = mol.GetProp(_NOT_HELD).split("\n") if mol.HasProp(_NOT_HELD) else []
    return tuple(dict.fromkeys([*noted, *_of_block(mol)]))


def opposite(mol: Chem.Mol) -> str | None:
    """What conformers would have the opposite of, a double bond that is E in a small ring; None if there is none."""
    if mol.HasProp(_OPPOSITE):
        return mol.GetProp(_OPPOSITE)
    return next(_twisted_rings(mol), None)


def note_in_place(mol: Chem.Mol, raw: Chem.Mol) -> None:
    """Notes in a molecule the stereo of its cumulenes that its SMILES marks, and which marks it could not hold.

    Args:
        mol: sanitised.
        raw: read from the same SMILES and not sanitised, atoms and bonds in the same order.
    """
    raw = Chem.Mol(raw)
    marked = any(atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in raw.GetAtoms())
    if not marked and all(b.GetBondDir() == Chem.BondDir.NONE and b.GetStereo() in _NONE for b in raw.GetBonds()):
        return
    Chem.SetBondStereoFromDirections(raw)
    graph = _Graph(mol)
    held = {k for chain in graph.rows() if hold_in_place(mol, chain, of_smiles(raw, graph.mol, chain)) for k in chain}
    lost = [*_centres(mol, raw, graph, held), *_bonds(mol, raw, graph), *_directions(mol, raw, graph, held)]
    if lost:
        mol.SetProp(_NOT_HELD, "\n".join(dict.fromkeys(lost)))
    if wrong := next(_trans_in_ring(mol, raw), None):
        mol.SetProp(_OPPOSITE, wrong)


def clear_notes_in_place(mol: Chem.Mol) -> None:
    """Forgets what `note_in_place` wrote of marks that are not held: RDKit's writer would take it for a user's data."""
    for name in (_NOT_HELD, _OPPOSITE):
        mol.ClearProp(name)


def hold_shown_in_place(mol: Chem.Mol) -> None:
    """Notes the stereo of cumulenes that a molecule's coordinates show, every hydrogen an atom, if they are 3-D."""
    if mol.GetNumConformers() and mol.GetConformer().Is3D() and next(chains(mol), None):
        for chain in _Graph(mol).rows():
            hold_in_place(mol, chain, of_coordinates(mol, chain))


class _Graph:
    """Which atoms and branches of a molecule are alike, every hydrogen an atom."""

    def __init__(self, mol: Chem.Mol):
        self.mol = Chem.AddHs(mol)
        for atom in self.mol.GetAtoms():
            atom.SetAtomMapNum(0)
        self.ranks = list(Chem.CanonicalRankAtoms(self.mol, breakTies=False))
        self.rings = [set(ring) for ring in self.mol.GetRingInfo().AtomRings()]
        self.small = [ring for ring in self.rings if len(ring) < THRESHOLDS.stereo.smallest_e_ring]

    def alike(self, index: int, but: tuple[int, ...] = ()) -> set[int]:
        """Neighbours of an atom that are like another of its neighbours."""
        around = [n.GetIdx() for n in self.mol.GetAtomWithIdx(index).GetNeighbors() if n.GetIdx() not in but]
        ranks = [self.ranks[n] for n in around]
        return {n for n, rank in zip(around, ranks, strict=True) if ranks.count(rank) > 1}

    def two_sided(self, index: int, *but: int) -> bool:
        """Whether the end of a double bond shows a side."""
        around = [n for n in self.mol.GetAtomWithIdx(index).GetNeighbors() if n.GetIdx() not in but]
        return 0 < len(around) < 3 and not self.alike(index, but)

    def cumulated(self, index: int, towards: int) -> tuple[int, int, int]:
        """The far end of a row of double bonds that begins with these two atoms, the one before, and the bonds."""
        count = 1
        while following := [
            bond.GetOtherAtomIdx(towards)
            for bond in self.mol.GetAtomWithIdx(towards).GetBonds()
            if bond.GetBondType() == Chem.BondType.DOUBLE and bond.GetOtherAtomIdx(towards) != index
        ]:
            if len(following) > 1 or count > self.mol.GetNumAtoms():
                break
            index, towards, count = towards, following[0], count + 1
        return towards, index, count

    def rows(self) -> list[list[int]]:
        """Atoms of rows of two and more double bonds between carbon atoms that show sides."""
        return [chain for chain in chains(self.mol) if self._ends_show(chain)]

    def _ends_show(self, chain: list[int]) -> bool:
        carbon = all(self.mol.GetAtomWithIdx(chain[k]).GetAtomicNum() == 6 for k in (0, -1))  # not ketenimines
        return carbon and self.two_sided(chain[0], chain[1]) and self.two_sided(chain[-1], chain[-2])


def _doubles(mol: Chem.Mol, index: int) -> list[Chem.Bond]:
    return [bond for bond in mol.GetAtomWithIdx(index).GetBonds() if bond.GetBondType() == Chem.BondType.DOUBLE]


def _name(mol: Chem.Mol, index: int) -> str:
    return f"atom {index + 1} ({mol.GetAtomWithIdx(index).GetSymbol()})"


def _pair(bond: Chem.Bond) -> str:
    return "-".join(str(index + 1) for index in sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())))


def _centres(mol: Chem.Mol, raw: Chem.Mol, graph: _Graph, held: set[int]) -> Iterator[str]:
    """Marks of atoms that are gone and meant something."""
    none = Chem.ChiralType.CHI_UNSPECIFIED
    marked = {atom.GetIdx() for atom in raw.GetAtoms() if atom.GetChiralTag() != none}
    wedged = {bond.GetBeginAtomIdx() for bond in raw.GetBonds() if bond.GetBondDir() in _WEDGES}
    axes = {i for b in mol.GetBonds() if b.GetStereo() in AXES for i in (b.GetBeginAtomIdx(), b.GetEndAtomIdx())}
    for index in sorted((marked | wedged) - axes - held):
        if mol.GetAtomWithIdx(index).GetChiralTag() == none and _means(graph, index, marked - {index}):
            yield _centre(graph, index)


def _centre(graph: _Graph, index: int) -> str:
    what = "mark"
    if len(_doubles(graph.mol, index)) == 2 and graph.mol.GetAtomWithIdx(index).GetDegree() == 2:
        what = "axis of the cumulated double bonds"
    return f"{what} at {_name(graph.mol, index)}"


def _means(graph: _Graph, index: int, others: set[int]) -> bool:
    """Whether a mark at an atom distinguishes two molecules, given the other marked atoms."""
    doubles = _doubles(graph.mol, index)
    if len(doubles) == 2 and graph.mol.GetAtomWithIdx(index).GetDegree() == 2:
        sides = [graph.cumulated(index, bond.GetOtherAtomIdx(index)) for bond in doubles]
        return all(graph.two_sided(end, before) for end, before, _ in sides)
    alike = graph.alike(index)
    if not alike:
        return True
    # Two ways round a ring that are alike: the mark speaks of the ring's sides, if others speak of them too. Of carbon
    # atoms RDKit knows that; the nitrogens among them it drops.
    rings = [ring for ring in graph.rings if index in ring and alike <= ring]
    partners = {other for ring in rings for other in ring & others}
    nitrogen = {graph.mol.GetAtomWithIdx(k).GetAtomicNum() for k in {index, *partners}} - {6}
    return bool(partners and nitrogen) and not any(graph.alike(other) - set().union(*rings) for other in partners)


def _bonds(mol: Chem.Mol, raw: Chem.Mol, graph: _Graph) -> Iterator[str]:
    """Double bonds and axes whose stereo is gone and meant something, small rings aside."""
    for bond, own in zip(raw.GetBonds(), mol.GetBonds(), strict=True):
        if bond.GetStereo() in _NONE or own.GetStereo() not in _NONE:
            continue
        begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if bond.GetStereo() in AXES:
            yield f"axis {_pair(bond)}"
        elif not any({begin, end} <= ring for ring in graph.small):
            if graph.two_sided(begin, end) and graph.two_sided(end, begin):
                yield f"side of the double bond {_pair(bond)}"


def _directions(mol: Chem.Mol, raw: Chem.Mol, graph: _Graph, held: set[int]) -> Iterator[str]:
    """Slashes next to double bonds of which none has stereo: on one side alone, or at the end of a cumulene."""

    def own(bond: Chem.Bond) -> Chem.Bond:
        return mol.GetBondWithIdx(bond.GetIdx())

    for bond in raw.GetBonds():
        if bond.GetBondDir() not in _SLASHES:
            continue
        doubles = [(k, double) for k in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for double in _doubles(raw, k)]
        if any(b.GetStereo() not in _NONE for _, double in doubles for b in (double, own(double))):
            continue
        for index, double in doubles:
            far = double.GetOtherAtomIdx(index)
            end, before, count = graph.cumulated(index, far)
            if not (graph.two_sided(index, far) and graph.two_sided(end, before)):
                continue
            if count > 1 and {index, end} <= held and count % 2:
                continue
            if count > 1:
                yield f"ends of the cumulated double bonds from {_name(raw, min(index, end))}"
            elif not any({index, far} <= ring for ring in graph.small):
                yield f"side of the double bond {_pair(double)}, marked at one end alone"


def _trans_in_ring(mol: Chem.Mol, raw: Chem.Mol) -> Iterator[str]:
    """Double bonds that are marked E in a ring that is too small."""
    for bond in raw.GetBonds():
        if bond.GetStereo() in _NONE or len(bond.GetStereoAtoms()) != 2:
            continue
        pair = {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}
        for ring in mol.GetRingInfo().AtomRings():
            if pair <= set(ring) and len(ring) < THRESHOLDS.stereo.smallest_e_ring:
                outside = sum(index not in ring for index in bond.GetStereoAtoms())
                if (bond.GetStereo() in _TRANS) != (outside % 2 == 1):
                    yield _impossible(bond, len(ring))


def _impossible(bond: Chem.Bond, size: int) -> str:
    return (
        f"the double bond {_pair(bond)} is E in a ring of {size} atoms; conformers could only be Z there, because "
        f"RDKit keeps E only in rings of at least {THRESHOLDS.stereo.smallest_e_ring} atoms"
    )


def _of_block(mol: Chem.Mol) -> Iterator[str]:
    """What is not held of a mol block: wedges that came to nothing, and what its 3-D coordinates show."""
    wedged = [
        bond
        for bond in mol.GetBonds()
        for name in ("_MolFileBondStereo", "_MolFileBondCfg")
        if bond.HasProp(name) and bond.GetIntProp(name) in ((1, 6) if name.endswith("Stereo") else (1, 3))
    ]
    solid = mol.GetNumConformers() > 0 and mol.GetConformer().Is3D()
    if not (wedged or solid):
        return
    graph = _Graph(mol)
    if solid:
        yield from _of_coordinates(mol, graph)
        return
    centres = {bond.GetBeginAtomIdx() for bond in wedged}
    for chain in graph.rows():
        if ends := centres & {*chain[:2], *chain[-2:]}:
            yield f"ends of the cumulated double bonds from {_name(mol, chain[0])}"
            centres -= ends
    axes = {i for b in mol.GetBonds() if b.GetStereo() in AXES for i in (b.GetBeginAtomIdx(), b.GetEndAtomIdx())}
    for index in sorted(centres - axes):
        none = mol.GetAtomWithIdx(index).GetChiralTag() == Chem.ChiralType.CHI_UNSPECIFIED
        if none and _means(graph, index, centres - {index}) and not _doubles(mol, index):
            yield _centre(graph, index)


def _of_coordinates(mol: Chem.Mol, graph: _Graph) -> Iterator[str]:
    for chain in graph.rows():
        if of_coordinates(mol, chain) is None:
            yield f"ends of the cumulated double bonds from {_name(mol, chain[0])}"
    bridgeheads: list[int] = []
    CalcNumBridgeheadAtoms(mol, bridgeheads)  # type: ignore[arg-type]  # RDKit fills a list, which its stubs lack
    x = mol.GetConformer().GetPositions()
    tagged = [k for k in bridgeheads if mol.GetAtomWithIdx(k).GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]
    for index in sorted(bridgeheads):
        atom = mol.GetAtomWithIdx(index)
        none = atom.GetChiralTag() == Chem.ChiralType.CHI_UNSPECIFIED and not atom.GetIsAromatic()
        # A carbon at the other end of a bridge leaves the nitrogen no choice.
        none = none and not any({index, other} <= ring for other in tagged for ring in graph.rings)
        if none and atom.GetAtomicNum() == 7 and atom.GetTotalDegree() == 3 and not graph.alike(index):
            arms = x[[n.GetIdx() for n in atom.GetNeighbors()]] - x[index]
            lengths = np.linalg.norm(arms, axis=1, keepdims=True)
            if abs(np.linalg.det(arms / np.maximum(lengths, 1e-9))) > THRESHOLDS.stereo.flat_centre:
                yield _centre(graph, index)


def _twisted_rings(mol: Chem.Mol) -> Iterator[str]:
    """Double bonds that are E in a ring that is too small by the 3-D coordinates."""
    if not (mol.GetNumConformers() and mol.GetConformer().Is3D()):
        return
    x = mol.GetConformer().GetPositions()
    for ring in mol.GetRingInfo().AtomRings():
        for k in range(len(ring)) if 4 < len(ring) < THRESHOLDS.stereo.smallest_e_ring else ():
            a, b, c, d = (ring[(k + shift) % len(ring)] for shift in range(4))
            bond = mol.GetBondBetweenAtoms(b, c)
            if bond.GetBondType() != Chem.BondType.DOUBLE:
                continue
            axis = x[c] - x[b]
            left, right = np.cross(x[a] - x[b], axis), np.cross(x[d] - x[c], axis)
            if left @ right < 0:
                yield _impossible(bond, len(ring))
