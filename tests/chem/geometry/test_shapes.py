"""How neighbours lie about atoms with many electron pairs and about metals."""

from collections import Counter

import pytest
from rdkit import Chem

from molscore.chem.geometry.shapes import ideal_angles, lone_pairs, shape, unknown_metal


def centre(smiles):
    """The molecule and the first atom that has a shape, else the one of most neighbours."""
    mol = Chem.MolFromSmiles(smiles)
    return mol, max(mol.GetAtoms(), key=lambda atom: (shape(atom) is not None, atom.GetDegree()))


SHAPES = {
    "F[Xe]F": "linear",
    "I[I-]I": "linear",
    "C[Cu-]C": "linear",
    "ClI(Cl)c1ccccc1": "T-shaped",
    "O=C1OI(O)c2ccccc12": "T-shaped",
    "FS(F)(F)F": "see-saw",
    "C[Te](C)(Cl)Cl": "see-saw",
    "O=I1(O)OC(=O)c2ccccc12": "see-saw",
    "F[Xe](F)(F)F": "square planar",
    "Cl[Pt](Cl)(N)N": "square planar",
    "Cl[Pd-2](Cl)(Cl)Cl": "square planar",
    "Cl[Au-](Cl)(Cl)Cl": "square planar",
    "FP(F)(F)(F)F": "trigonal bipyramid",
    "F[Si-](F)(F)(F)F": "trigonal bipyramid",
    "C[Sb](C)(C)(Cl)Cl": "trigonal bipyramid",
    "FI(F)(F)(F)F": "square pyramid",
    "CC(=O)OI1(OC(C)=O)(OC(C)=O)OC(=O)c2ccccc12": "square pyramid",
    "FS(F)(F)(F)(F)C": "octahedron",
    "F[P-](F)(F)(F)(F)F": "octahedron",
    "Cl[Sn-2](Cl)(Cl)(Cl)(Cl)Cl": "octahedron",
    "O=I(=O)c1ccccc1": None,
    "CS(C)(=O)=O": None,
    "C[Si](C)(C)C": None,
    "[O-]Cl(=O)(=O)=O": None,
    "c1ccccc1[I+]C": None,
    "CS(C)=O": None,
    "C[Hg]C": None,
}


@pytest.mark.parametrize("smiles", SHAPES)
def test_shapes_follow_from_electron_pairs(smiles):
    assert shape(centre(smiles)[1]) == SHAPES[smiles]


@pytest.mark.parametrize(("smiles", "pairs"), [("CSC", 2), ("C[S+](C)C", 1), ("C[I+]C", 2), ("CIC", 2), ("CP(C)C", 1)])
def test_lone_pairs(smiles, pairs):
    assert lone_pairs(Chem.MolFromSmiles(smiles).GetAtomWithIdx(1)) == pairs


def across(smiles):
    """Elements of the neighbours that lie across from one another."""
    mol, atom = centre(smiles)
    angles = ideal_angles(mol, atom.GetIdx())
    return sorted(
        "".join(sorted(mol.GetAtomWithIdx(k).GetSymbol() for k in pair)) for pair, a in angles.items() if a > 150
    )


def test_what_attracts_electrons_goes_to_the_axes():
    assert across("CP(F)(F)(F)F") == ["FF"]
    assert across("C[Te](C)(Cl)Cl") == ["ClCl"]
    assert across("ClI(Cl)c1ccccc1") == ["ClCl"]
    assert across("O=S(F)(F)(F)F") == ["FF"]
    assert across("O=C1OI(O)c2ccccc12") == ["OO"]
    assert across("CI(F)(F)(F)F") == ["FF", "FF"]


def test_a_ring_spans_neighbouring_corners():
    mol, atom = centre("C1CO[P]2(O1)(c1ccccc1)OCCO2")
    angles = ideal_angles(mol, atom.GetIdx())
    for ring in mol.GetRingInfo().AtomRings():
        if atom.GetIdx() in ring:
            pair = tuple(sorted(n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() in ring))
            assert angles[pair] == pytest.approx(90)


@pytest.mark.parametrize(("number", "pairs"), [(1, ["BrF", "ClI"]), (2, ["BrI", "ClF"]), (3, ["BrCl", "FI"])])
def test_square_planar_tags_say_what_lies_across(number, pairs):
    """SP1 is a U, SP2 a 4, SP3 a Z (OpenSMILES)."""
    assert across(f"F[Pt@SP{number}](Cl)(Br)I") == pairs


def test_other_tags():
    assert across("F[Co@OH1](Cl)(Br)(I)(S)O") == ["BrS", "ClI", "FO"]
    assert across("F[As@TB1](Cl)(Br)(I)C") == ["CF"]
    counts = Counter(ideal_angles(*(lambda m, a: (m, a.GetIdx()))(*centre("F[As@TB1](Cl)(Br)(I)C"))).values())
    assert counts == {90.0: 6, 120.0: 3, 180.0: 1}


@pytest.mark.parametrize(
    ("smiles", "known"),
    [
        ("Cl[Pt](Cl)(N)N", True),
        ("Cl[Pt@SP1](Cl)(N)N", True),
        ("Cl[Ti](Cl)(Cl)Cl", True),
        ("C[Au]P(C)(C)C", False),
        ("C[Cu-]C", True),
        ("C[Zn]C", True),
        ("CC(=O)O[Zn]OC(C)=O", True),
        ("[Na+].[Cl-]", True),
        ("CCO", True),
        ("C1=CC([Fe]C2C=CC=C2)C=C1", False),
        ("Cl[Cu](Cl)(N)N", False),
        ("C[Pd]Cl", False),
        ("O=[Mn](=O)(=O)[O-]", True),
        ("Cl[Co](Cl)(N)(N)(N)N", True),
        ("[Pt]", True),
        ("Cl[La](Cl)Cl", False),
    ],
)
def test_metals_whose_neighbours_have_no_known_places(smiles, known):
    assert (unknown_metal(Chem.MolFromSmiles(smiles)) is None) == known
