"""Bonds and angles of kinds that coarse types mix, or that a force field does not know, against the literature.

Values are means over crystals (Cambridge Structural Database), and electron diffraction and microwave work for small
molecules.
"""

import numpy as np
import pytest
from conformers.test_sound_geometry import made, measured
from rdkit import Chem

from molscore.chem.geometry.types import terms

LENGTHS = [
    ("F[B-]1(F)OC(=O)C(=O)O1", "[#6][#6]", 1.54),
    ("O=C1O[B-]2(OC1=O)OC(=O)C(=O)O2", "[#6][#6]", 1.54),
    ("O=C1O[Pt]2(OC1=O)<-N[C@@H]1CCCC[C@H]1N->2", "[CX3][CX3]", 1.54),
    ("COC(=O)C(=O)OB(C)C", "[CX3][CX3]", 1.54),
    ("CC(=O)C(=O)C[Si](C)(C)C", "[CX3][CX3]", 1.53),
    ("O=[N+]=O", "N=O", 1.15),
    ("O=[N+]([O-])O[N+](=O)[O-]", "[N+][OX2]", 1.49),
    ("C=C[N+]#N", "C[N+]", 1.36),
    ("CCOC(OCC)=C[N+]#N", "[CH1][N+]", 1.34),
    ("c1ccccc1[N+]#N", "c[N+]", 1.40),
    ("F[I+]c1ccccc1", "FI", 1.95),
    ("C1C[Se]1", "CC", 1.50),
    ("CC1C[Se]1", "[CH1][CH2]", 1.50),
    ("C1C[Te]1", "CC", 1.49),
    ("O=C1O[Se]c2ccccc12", "o[se]", 1.88),
    ("c1ccc2c(c1)C[Se]2", "cc", 1.39),
    ("Cc1ccc2c(c1)C[Se]2", "cc", 1.39),
    ("FC(F)(F)S(F)(F)(F)(F)F", "CS", 1.88),
    ("FC(F)(F)S(F)(F)(F)(F)C(F)(F)F", "CS", 1.88),
    ("FC(F)(F)S(F)(F)F", "CS", 1.87),
    ("CCS(F)(F)(F)(F)F", "CS", 1.80),
    ("COC(=O)C=P(c1ccccc1)(c1ccccc1)c1ccccc1", "[CH1][CX3]", 1.42),
    ("CC(=O)C=P(C)(C)C", "[CH1][CX3]", 1.41),
    ("CC(=O)C=S(C)C", "[CH1][CX3]", 1.41),
    ("CC(=O)C=S(C)(C)=O", "[CH1][CX3]", 1.42),
    ("CP1P(C)P(C)P(C)P1C", "PP", 2.21),
]


LENGTHS += [
    ("C[N+](=O)O", "[NX3+]-[OX2H]", 1.31),
    ("C[N+](=O)O", "[NX3+]=[OX1]", 1.21),
    ("O=[N+](O)c1ccccc1", "[NX3+]-[OX2H]", 1.31),
    ("CO[N+](=O)[O-]", "[NX3+]-[OX2]", 1.40),
]


@pytest.mark.parametrize(("smiles", "bond", "known"), LENGTHS)
def test_bonds_are_close_to_the_literature(smiles, bond, known):
    lengths = measured(made(smiles, 1), bond)
    assert len(lengths) and np.abs(lengths - known).max() < 0.045


ANGLES = [
    ("O=P(O)(O)OB(O)Cc1ccccc1", "[#15]O[#5]", 129, 6),
    ("CCB(OC)OC", "[#6]O[#5]", 121, 5),
    ("CP1(=S)SP(C)(=S)S1", "[SX2]P[SX2]", 93, 4),
    ("COc1ccc(cc1)P1(=S)SP(=S)(S1)c1ccc(OC)cc1", "[SX2]P[SX2]", 93, 4),
    ("C[Si]1(C)[Si](C)(C)[Si](C)(C)[Si]1(C)C", "[Si][Si][Si]", 89, 4),
    ("O=[Se]1OC(=O)c2ccccc12", "[OX2][Se]c", 85, 4),
    ("O=[Se]1OC(=O)c2ccccc12", "[Se]OC", 113, 6),
    ("C1=C[AsH]C=C1", "[As]C=C", 111, 4),
    ("C1=C[AsH]C=C1", "C[As]C", 87, 4),
    ("CC(C)O[Ti](Cl)(Cl)Cl", "C[OX2]~[Ti]", 147, 18),
    ("CCO[Ti](OCC)(OCC)OCC", "C[OX2]~[Ti]", 147, 18),
    ("CCO[Zr](OCC)(OCC)OCC", "C[OX2]~[Zr]", 147, 18),
    ("O=[V](OC(C)C)(OC(C)C)OC(C)C", "C[OX2]~[V]", 130, 10),
    ("CCO[W](=O)(=O)OCC", "C[OX2]~[W]", 135, 12),
]


@pytest.mark.parametrize(("smiles", "angle", "known", "room"), ANGLES)
def test_angles_are_close_to_the_literature(smiles, angle, known, room):
    angles = measured(made(smiles, 1), angle)
    assert len(angles) and np.abs(angles - known).max() < room


@pytest.mark.parametrize("smiles", ["C=CC=C", "C=Cc1ccccc1", "CC=CC(=O)C", "O=C1C=CC(=O)C=C1", "CC(=O)C(=C)C"])
def test_dienes_and_enones_have_the_types_that_they_had(smiles):
    keys = [key[0] for key in terms(Chem.AddHs(Chem.MolFromSmiles(smiles))).bond_keys]
    assert not any("C3do" in key or "C3dy" in key for key in keys)


@pytest.mark.parametrize(
    "smiles", ["c1ccc(cc1)P1P(c2ccccc2)P(c2ccccc2)P(c2ccccc2)P1c1ccccc1", "CCP1P(CC)P(CC)P(CC)P1CC"]
)
def test_rings_of_lone_pairs_are_not_flat(smiles):
    mol = made(smiles, 1)
    assert mol.GetNumConformers() == 1
    ring = mol.GetSubstructMatch(Chem.MolFromSmarts("P1PPPP1"))
    x = mol.GetConformer().GetPositions()[list(ring)]
    assert np.linalg.svd(x - x.mean(0))[1][2] > 0.2
