"""The table of bond lengths and angles, and what stands in for it: against values from the literature."""

from dataclasses import astuple

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.geometry import expected
from molscore.chem.geometry.expected import unknown_metal_bond
from molscore.chem.geometry.table import Row, Table, parse, table, to_text

# Å, from electron diffraction, microwave or X-ray work as the CRC Handbook, Allen et al. (J. Chem. Soc. Perkin Trans.
# 2, S1, 1987) and the Cambridge Structural Database give them.
LENGTHS = {
    ("CC", 0, 1): 1.53,
    ("C=C", 0, 1): 1.34,
    ("C#C", 0, 1): 1.20,
    ("c1ccccc1", 0, 1): 1.39,
    ("C=O", 0, 1): 1.21,
    ("CO", 0, 1): 1.42,
    ("CN", 0, 1): 1.47,
    ("CC#N", 1, 2): 1.15,
    ("CF", 0, 1): 1.37,
    ("CCl", 0, 1): 1.78,
    ("CBr", 0, 1): 1.94,
    ("Ic1ccccc1", 0, 1): 2.10,
    ("CSC", 0, 1): 1.80,
    ("CS(C)(=O)=O", 1, 3): 1.44,
    ("CS(C)=O", 1, 3): 1.49,
    ("COP(=O)(OC)OC", 2, 3): 1.47,
    ("COP(=O)(OC)OC", 1, 2): 1.58,
    ("FS(F)(F)(F)(F)c1ccccc1", 0, 1): 1.58,
    ("CN=C=S", 2, 3): 1.58,
    ("CC#[N+][O-]", 1, 2): 1.16,
    ("CC#[N+][O-]", 2, 3): 1.22,
    ("C[N+]#[C-]", 1, 2): 1.17,
    ("CN=[N+]=[N-]", 2, 3): 1.13,
    ("CN=[N+]=[N-]", 1, 2): 1.22,
    ("C=[N+]=[N-]", 1, 2): 1.13,
    ("O=I(=O)c1ccccc1", 0, 1): 1.80,
    ("CC(=O)OI(OC(C)=O)c1ccccc1", 3, 4): 2.16,
    ("OB(O)c1ccccc1", 0, 1): 1.36,
    ("OB(O)c1ccccc1", 1, 3): 1.56,
    ("FP(F)(F)(F)F", 0, 1): 1.55,
    ("F[Si-](F)(F)(F)F", 0, 1): 1.62,
    ("C[Si](C)(C)C", 0, 1): 1.87,
    ("C[Se]C", 0, 1): 1.95,
    ("C[Te]C", 0, 1): 2.14,
    ("C[Sn](C)(C)C", 0, 1): 2.14,
    ("C[Hg]C", 0, 1): 2.09,
    ("COCl(=O)(=O)=O", 2, 3): 1.42,
    ("C[N+](=O)[O-]", 1, 2): 1.22,
    ("CN(C)[O]", 1, 3): 1.28,
    ("COOC", 1, 2): 1.45,
    ("CSSC", 1, 2): 2.04,
    ("CC(N)=O", 1, 2): 1.36,
    ("[NH3][Pt@SP1](Cl)(Cl)[NH3]", 1, 2): 2.33,
    ("C[SiH]=[SiH]C", 1, 2): 2.15,
    ("CP=PC", 1, 2): 2.03,
    ("C[As]=[As]C", 1, 2): 2.27,
    ("C[GeH]=[GeH]C", 1, 2): 2.27,
    ("C[Sb]=[Sb]C", 1, 2): 2.64,
    ("C=[Ge](C)C", 0, 1): 1.80,
    ("C[Si](C)=S", 1, 3): 1.95,
    ("CP1P(C)P1C", 1, 2): 2.20,
    ("P12P3P1P23", 0, 1): 2.21,
    ("OI(=O)=O", 0, 1): 1.90,
    ("OI(=O)=O", 1, 2): 1.80,
    ("[O-]I(=O)(=O)=O", 0, 1): 1.78,
}


@pytest.mark.parametrize(("smiles", "i", "j"), LENGTHS)
def test_lengths_are_those_of_the_literature(smiles, i, j):
    wanted = expected(Chem.AddHs(Chem.MolFromSmiles(smiles)))
    row = np.flatnonzero((np.sort(wanted.bonds) == sorted((i, j))).all(1))[0]
    known = LENGTHS[smiles, i, j]
    assert wanted.lengths[row] == pytest.approx(known, abs=0.07)
    assert wanted.shortest[row] < known < wanted.longest[row]
    assert wanted.longest[row] - wanted.shortest[row] < 0.75


# Å, means over crystals (Crystallography Open Database, as the tables of AceDRG 334 give them); methyllithium from its
# microwave spectra.
METALS_AND_HYPERVALENT = {
    ("[Li]C", 0, 1): 1.96,
    ("C[Mg](Cl)(<-O(C)C)<-O(C)C", 1, 2): 2.35,
    ("C=[Mo](OC)(OC)=Nc1ccccc1", 1, 2): 1.89,
    ("C=[W](OC)(OC)=Nc1ccccc1", 1, 2): 1.89,
    ("Cl[Rh](<-P(C)(C)C)(<-P(C)(C)C)<-n1ccccc1", 1, 10): 2.08,
    ("C[Te](C)(Cl)Cl", 1, 3): 2.50,
    ("F[Te](F)(c1ccccc1)c1ccccc1", 0, 1): 1.98,
    ("FI(F)c1ccccc1", 0, 1): 2.01,
    ("Cl[Te](Cl)(c1ccccc1)c1ccccc1", 0, 1): 2.50,
    ("C[Se](C)(Cl)Cl", 1, 3): 2.37,
    ("ClI(Cl)c1ccccc1", 0, 1): 2.47,
    ("FS(F)(F)(F)(F)c1ccccc1", 0, 1): 1.58,
    ("Cl[Au]<-P(C)(C)C", 0, 1): 2.28,
    ("[NH3][Pt@SP1](Cl)(Cl)[NH3]", 1, 2): 2.32,
    ("C[Hg]C", 0, 1): 2.09,
}


@pytest.mark.parametrize(("smiles", "i", "j"), METALS_AND_HYPERVALENT)
def test_bonds_of_metals_and_hypervalent_atoms_are_means_over_crystals(smiles, i, j):
    wanted = expected(Chem.AddHs(Chem.MolFromSmiles(smiles)))
    row = np.flatnonzero((np.sort(wanted.bonds) == sorted((i, j))).all(1))[0]
    assert wanted.lengths[row] == pytest.approx(METALS_AND_HYPERVALENT[smiles, i, j], abs=0.03)


@pytest.mark.parametrize(("i", "j", "known"), [(2, 3, 2.27), (3, 4, 1.935)])
def test_ranges_hold_what_a_ligand_does_to_the_one_across(i, j, known):
    """The hydroxide of 2-iodosobenzoic acid makes I-O of the ring 0.1 Å longer than in iodobenzene diacetate."""
    wanted = expected(Chem.AddHs(Chem.MolFromSmiles("O=C1OI(O)c2ccccc12")))
    row = np.flatnonzero((np.sort(wanted.bonds) == (i, j)).all(1))[0]
    assert wanted.shortest[row] < known < wanted.longest[row]


# Degrees.
ANGLES = {
    ("O", 1, 0, 2): 104.5,
    ("CC", 0, 1, 5): 110,
    ("C=C", 1, 0, 2): 121,
    ("CC#N", 0, 1, 2): 180,
    ("C1CC1", 0, 1, 2): 60,
    ("C1CCC1", 0, 1, 2): 89,
    ("CSC", 0, 1, 2): 99,
    ("COC", 0, 1, 2): 111.5,
    ("CN=C=S", 1, 2, 3): 177,
    ("CN=[N+]=[N-]", 1, 2, 3): 173,
    ("CC#[N+][O-]", 1, 2, 3): 180,
    ("CS(C)(=O)=O", 3, 1, 4): 119,
    ("FS(F)(F)(F)(F)C", 0, 1, 2): 90,
    ("c1ccccc1[I+]c1ccccc1", 5, 6, 7): 96,
    ("O=C1OI(O)c2ccccc12", 2, 3, 4): 168,
    ("C[Hg]C", 0, 1, 2): 180,
    ("CN=C=O", 0, 1, 2): 140,
    ("CN=C=S", 0, 1, 2): 147,
    ("C[Si](C)(C)O[Si](C)(C)C", 1, 4, 5): 149,
    ("CN=CC", 0, 1, 2): 117,
}


@pytest.mark.parametrize(("smiles", "i", "j", "k"), ANGLES)
def test_angles_are_those_of_the_literature(smiles, i, j, k):
    wanted = expected(Chem.AddHs(Chem.MolFromSmiles(smiles)))
    rows = (wanted.angles[:, 1] == j) & (np.sort(wanted.angles[:, [0, 2]]) == sorted((i, k))).all(1)
    row = np.flatnonzero(rows)[0]
    known = ANGLES[smiles, i, j, k]
    if smiles.startswith("FS"):
        assert wanted.degrees[row] in (90, 180)
    else:
        assert wanted.degrees[row] == pytest.approx(known, abs=14 if j in wanted.shaped else 6)
    assert wanted.least[row] < known < wanted.greatest[row]


def test_the_table_is_statistics_in_order():
    known = table()
    assert (len(known.bonds), len(known.angles)) == (4, 5)
    assert all(1000 < sum(map(len, levels)) < 10_000 for levels in (known.bonds, known.angles))
    for levels, least, greatest in ((known.bonds, 0.6, 3.5), (known.angles, 20, 180)):
        rows = np.array([astuple(row) for level in levels for row in level.values()])
        assert (rows[:, 0] <= rows[:, 1]).all() and (rows[:, 1] <= rows[:, 2]).all()
        assert rows[:, 0].min() > least and rows[:, 1].max() <= greatest and (rows[:, 3] >= 1).all()


def test_a_table_survives_its_text():
    small = Table(
        ({"C4-C4/0": Row(1.5, 1.53, 1.6, 12)}, {}, {}, {}), ({}, {}, {"C4/0:": Row(100, 109.5, 120, 3)}, {}, {})
    )
    assert parse(to_text(small, "for a test, in Å")) == small


@pytest.mark.parametrize(("smiles", "known"), [("C[Po]C", 2.2), ("C[At]", 2.2)])
def test_types_that_nobody_knows_have_a_length_from_radii(smiles, known):
    wanted = expected(Chem.AddHs(Chem.MolFromSmiles(smiles)))
    heavy = wanted.lengths[: Chem.MolFromSmiles(smiles).GetNumBonds()]
    assert heavy == pytest.approx(known, abs=0.2)
    assert wanted.longest[: len(heavy)] - heavy == pytest.approx(0.2)
    assert (wanted.degrees > 90).all()


@pytest.mark.parametrize(
    ("smiles", "known"),
    [
        ("C[Zn]C", True),
        ("C[Hg]Cl", True),
        ("CC[Al](CC)CC", True),
        ("Cl[Pt]1(Cl)<-[NH2]CC[NH2]->1", True),
        ("[Na+]", True),
        ("CCO", True),
        ("C[Sn](C)(C)C", True),
        ("C[W](C)(C)(C)(C)C", False),
        ("C[Nb](C)(C)(C)C", False),
        ("C[Zn]I(C)C", False),
        ("[Ca]C", False),
        ("CS[Ti](SC)(SC)SC", False),
    ],
)
def test_bonds_of_metals_are_known_or_not(smiles, known):
    assert (unknown_metal_bond(Chem.AddHs(Chem.MolFromSmiles(smiles, sanitize=True))) is None) == known
