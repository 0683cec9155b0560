"""The ends of cumulated double bonds are perpendicular, or in one plane, as their number asks."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdMolTransforms import GetDihedralDeg

from molscore.chem.embedding.etkdg import etkdg_in_place
from molscore.chem.forcefield.minimise import minimise
from molscore.chem.forcefield.settle import settle_in_place
from molscore.chem.forcefield.springs import settle_by_table_in_place
from molscore.chem.geometry import expected, table_fault
from molscore.chem.stereo.cumulenes import cumulenes

CROSSED = {
    "CC=C=CC": (0, 1, 3, 4),
    "OCC=C=C": (1, 2, 4, 9),
    "C=C=C": (3, 0, 2, 5),
    "CC(C)=C=C(C(=O)O)c1ccccc1": (0, 1, 4, 5),
    "CC=C=C=C=CC": (0, 1, 5, 6),
    "CC=C=NC": (0, 1, 3, 4),
    "CC=C=Nc1ccccc1": (0, 1, 3, 4),
    "CC=C=[N+](C)C": (0, 1, 3, 4),
    "CC(C)=[N+]=C(C)C": (0, 1, 4, 5),
    "C1CCCCCC=C=CCCCCC1": (5, 6, 8, 9),
    "OB(O)C=C=CC": (1, 3, 5, 6),
}
PLANAR = {"CC=C=C=CC": (0, 1, 4, 5), "OCC=C=C=CC(C)C": (1, 2, 5, 6), "CC=C=C=C=C=CC": (0, 1, 6, 7)}
STRAINED = {"C1CCCC=C=CCC1": (3, 4, 6, 7), "C1CCCC=C=CCCC1": (3, 4, 6, 7)}
FREE = [
    "CN=C=NC",
    "CC=C=O",
    "CN=C=O",
    "O=C=O",
    "CN=[N+]=[N-]",
    "CC=[N+]=[N-]",
    "C1CC=C=CCC1",
    "CC=CC=CC",
    "CS(C)(=O)=O",
]


def minimum_in_place(mol):
    mol.GetConformer().SetPositions(minimise(mol).positions)


def by_table_in_place(mol):
    settle_by_table_in_place(mol, expected(mol))


def settled(smiles, way, seed=2):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert etkdg_in_place(mol, seed)
    way(mol)
    return mol


WAYS = [settle_in_place, by_table_in_place, minimum_in_place]


@pytest.mark.parametrize(
    ("smiles", "way"),
    [
        (s, way) for s in [*CROSSED, *PLANAR] for way in WAYS if not ("B" in s and way is minimum_in_place)
    ],  # UFF serves it
)
def test_ends_are_turned_as_the_number_of_atoms_between_them_asks(smiles, way):
    mol = settled(smiles, way)
    angle = GetDihedralDeg(mol.GetConformer(), *(CROSSED | PLANAR)[smiles])
    if smiles in CROSSED:
        assert abs(angle) == pytest.approx(90, abs=6)
    else:
        assert abs(np.sin(np.radians(angle))) < np.sin(np.radians(6))
    assert table_fault(mol, expected(mol)) is None


@pytest.mark.parametrize("smiles", STRAINED)
@pytest.mark.parametrize("way", WAYS)
def test_small_rings_turn_them_less(smiles, way):
    angle = GetDihedralDeg(settled(smiles, way).GetConformer(), *STRAINED[smiles])
    assert 60 <= abs(angle) <= 120


@pytest.mark.parametrize("smiles", FREE)
def test_what_turns_freely_or_has_no_room_is_left_alone(smiles):
    assert not len(cumulenes(Chem.AddHs(Chem.MolFromSmiles(smiles))).atoms)


@pytest.mark.parametrize(("smiles", "good"), [("CC=C=CC", 90), ("CC=C=C=CC", 0)])
def test_the_judge_sees_ends_that_are_turned(smiles, good):
    mol = settled(smiles, settle_in_place)
    wanted = expected(mol)
    a, b, c, d = wanted.cumulenes.atoms[0].tolist()
    for turn, fault in ((0, False), (30, True), (90, True), (180, False), (-45, True)):
        other, place = Chem.Mol(mol), mol.GetConformer().GetPositions()
        axis = (place[c] - place[b]) / np.linalg.norm(place[c] - place[b])
        far = [n.GetIdx() for n in mol.GetAtomWithIdx(c).GetNeighbors()]
        moved = {k for end in far for k in _beyond(mol, end, c)}
        for k in moved:
            v, t = place[k] - place[c], np.radians(turn)
            place[k] = place[c] + v * np.cos(t) + np.cross(axis, v) * np.sin(t) + axis * (axis @ v) * (1 - np.cos(t))
        other.GetConformer().SetPositions(place)
        result = table_fault(other, wanted)
        assert (result is not None) == fault, turn
        assert not fault or result[0] == "cumulene"


def _beyond(mol, index, end):
    """Atoms that hang on the end of a cumulene by this neighbour; none if it belongs to the cumulene."""
    if mol.GetBondBetweenAtoms(index, end).GetBondType() == Chem.BondType.DOUBLE:
        return set()
    reached, new = set(), {index}
    while new:
        reached |= new
        new = {n.GetIdx() for k in new for n in mol.GetAtomWithIdx(k).GetNeighbors()} - reached - {end}
    return reached
