"""Nothing leaves that no chemist would draw: conformers of molecules that force fields do not know.

Right values are those of the literature, in Å and degrees, not those of the package's table.
"""

import re

import numpy as np
import pytest
from etkdg_conformers import made, measured
from rdkit import Chem

LENGTHS = [
    ("FS(F)(F)(F)(F)c1ccccc1", "FS", 1.58),
    ("FS(F)(F)(F)(F)CC(=O)O", "FS", 1.58),
    ("Cc1ccc(S(F)(F)(F)(F)F)cc1N", "FS", 1.58),
    ("FS(F)(F)(F)(F)c1ccccc1", "Sc", 1.80),
    ("O=I(=O)c1ccccc1", "O=I", 1.80),
    ("O=I(=O)c1cccc(C(=O)O)c1", "O=I", 1.80),
    ("O=Ic1ccccc1", "O=I", 1.85),
    ("O=C1OI(O)c2ccccc12", "Ic", 2.10),
    ("O=C1OI(O)c2ccccc12", "I[O;H1]", 2.00),
    ("O=C1OI(O)c2ccccc12", "cc", 1.39),
    ("O=I1(O)OC(=O)c2ccccc21", "O=I", 1.80),
    ("ClI(Cl)c1ccccc1", "ClI", 2.47),
    ("c1ccc(cc1)[I+]c1ccccc1", "Ic", 2.10),
    ("CC(=O)OI(OC(C)=O)c1ccccc1", "IO", 2.15),
    ("CC(=O)OI1(OC(C)=O)(OC(C)=O)OC(=O)c2ccccc12", "cc", 1.39),
    ("CC(=O)OI1(OC(C)=O)(OC(C)=O)OC(=O)c2ccccc12", "IO", 2.1),
    ("CS(=O)CCCCN=C=S", "C=[S;D1]", 1.57),
    ("S=C=Nc1ccccc1", "C=S", 1.57),
    ("CCN=C=S", "N=C", 1.20),
    ("[O-][N+]#CCCCC", "C#N", 1.16),
    ("[O-][N+]#CCCCC", "[O-]N", 1.22),
    ("[O-][N+]#Cc1c(C)cccc1C", "[O-]N", 1.22),
    ("[C-]#[N+]CC(=O)OCC", "[C-]#N", 1.17),
    ("[N-]=[N+]=NCc1ccccc1", "[N-]=N", 1.14),
    ("CCOC(=O)C=[N+]=[N-]", "[N-]=N", 1.12),
    ("CCOC(=O)C=[N+]=[N-]", "C=N", 1.33),
    ("FP(F)(F)(F)F", "FP", 1.55),
    ("F[Si-](F)(F)(F)F", "FSi", 1.62),
    ("F[Si-](F)(F)(F)c1ccccc1", "Sic", 1.89),
    ("COCl(=O)(=O)=O", "[O-]Cl", 1.41),
    ("[O-][Cl+3]([O-])([O-])[O-]", "OCl", 1.414),
    ("CCOCl(=O)=O", "[O-]Cl", 1.45),
    ("C[Se]CC[C@H](N)C(=O)O", "C[Se]", 1.95),
    ("c1ccc([Te]c2ccccc2)cc1", "c[Te]", 2.12),
    ("C[Te](C)(Cl)Cl", "Cl[Te]", 2.5),
    ("CC1(C)OB(c2ccccc2)OC1(C)C", "CC", 1.54),
    ("OB(O)c1ccccc1", "BO", 1.37),
    ("NS(=O)(=O)c1cccc(B(O)O)c1", "O=S", 1.43),
    ("O=C(O)c1cccc(B(O)O)c1", "O=C", 1.21),
    ("F[B-](F)(F)c1ccccc1", "FB", 1.40),
    ("CN=S(C)(C)=O", "O=S", 1.46),
    ("Cl[Pt@SP3](Cl)([NH3])[NH3]", "Cl[Pt]", 2.32),
    ("Cl[Pt@SP3](Cl)([NH3])[NH3]", "N~[Pt]", 2.05),
    ("C[Hg]c1ccccc1", "C[Hg]", 2.10),
    ("C[Sn](C)(C)c1ccccc1", "C[Sn]", 2.14),
    ("Nc1ccc([As](=O)(O)O)cc1", "c[As]", 1.90),
    ("FS(F)(F)F", "FS", 1.60),
    ("CCN(CC)S(F)(F)F", "NS", 1.64),
    ("CC1(C)OS2(OC(C)(C)c3ccccc32)c2ccccc21", "OS", 1.83),
    ("COS(OC)(c1ccccc1)c1ccccc1", "OS", 1.83),
    ("CCOC(=O)C(C(=O)OCC)=Ic1ccccc1", "C=I", 2.06),
    ("O=C1C(=Ic2ccccc2)C(=O)c2ccccc12", "[#6]=I", 2.06),
    ("F[I](F)(F)(F)F", "FI", 1.86),
    ("F[I](F)F", "FI", 1.95),
    ("CC[Zn]CC", "CZn", 1.95),
    ("CCC[Al](CC)CC", "CAl", 1.96),
    ("C[Al](C)C", "CAl", 1.957),
    ("Cl[Al](Cl)Cl", "ClAl", 2.06),
    ("CCO[Ti](OCC)(OCC)OCC", "OTi", 1.79),
    ("CC[Mg]Br", "BrMg", 2.33),
    ("O=[Cr](=O)(Cl)Cl", "O=Cr", 1.58),
    ("O=[Cr](=O)(Cl)Cl", "ClCr", 2.13),
    ("CP(C)(C)->[Au]Cl", "PAu", 2.235),
    ("Cl[Pt]1(Cl)<-[NH2]CC[NH2]->1", "NPt", 2.04),
    ("F[W](F)(F)(F)(F)F", "FW", 1.83),
    ("[BH3-][S+](CC)CC", "BS", 1.92),
    ("[O][O]", "OO", 1.21),
    ("CN(c1ccccc1)[N]c1ccccc1", "NN", 1.34),
    ("C1C2CC12C(=O)OC", "[CH2][CH]", 1.50),
    ("C1C23CC12C3", "[CH2][CX4H0]", 1.525),
    ("OI(=O)=O", "[O-]I", 1.80),
    ("OI(=O)=O", "[OH]I", 1.90),
    ("[O-]I(=O)(=O)=O", "OI", 1.78),
    ("O[I](O)(O)(O)(O)=O", "[OH]I", 1.89),
    ("CC[SiH]=[SiH]CC", "[Si]=[Si]", 2.15),
    ("CC(C)(C)P=PC(C)(C)C", "P=P", 2.03),
    ("C[As]=[As]C", "[As]=[As]", 2.27),
    ("CP1P(C)P1C", "PP", 2.20),
    ("P12P3P1P23", "PP", 2.21),
]


@pytest.mark.parametrize(("smiles", "bond", "known"), LENGTHS)
def test_bonds_have_their_length(smiles, bond, known):
    pattern = re.sub(r"(?<!\[)(Si|Zn|Al|Ti|Mg|Cr|Au|Pt|W)$", r"~[\1]", bond)
    lengths = measured(made(smiles), re.sub(r"(?<!\[)Si", "[Si]", pattern))
    assert len(lengths) and np.abs(lengths - known).max() < 0.13


ANGLES = [
    ("FS(F)(F)(F)(F)c1ccccc1", "FSF", (90, 180)),
    ("FS(F)(F)(F)(F)CCO", "FSC", (90, 180)),
    ("O=C1OI(O)c2ccccc12", "OIO", (168,)),
    ("O=C1OI(O)c2ccccc12", "OIc", (85,)),
    ("ClI(Cl)c1ccccc1", "ClICl", (177,)),
    ("O=I(=O)c1ccccc1", "O=I=O", (103,)),
    ("c1ccc(cc1)[I+]c1ccccc1", "cIc", (94,)),
    ("CC(=O)OI1(OC(C)=O)(OC(C)=O)OC(=O)c2ccccc12", "OIO", (90, 168)),
    ("FP(F)(F)(F)F", "FPF", (90, 120, 180)),
    ("F[Si-](F)(F)(F)F", "F[Si]F", (90, 120, 180)),
    ("C[Te](C)(Cl)Cl", "ClTeCl", (173,)),
    ("CS(=O)CCCCN=C=S", "N=C=S", (177,)),
    ("[O-][N+]#CCCCC", "O[N+]#C", (180,)),
    ("CN=[N+]=[N-]", "N=[N+]=[N-]", (173,)),
    ("[C-]#[N+]CC(=O)OCC", "[C-]#[N+]C", (180,)),
    ("CCOC(=O)C=[N+]=[N-]", "C=[N+]=[N-]", (178,)),
    ("Cl[Pt@SP3](Cl)([NH3])[NH3]", "Cl[Pt]~N", (90, 180)),
    ("[NH3+][Pt-2](Cl)(Cl)[NH3+]", "Cl[Pt]N", (90, 180)),
    ("CC(=O)O[Hg]c1ccccc1", "O[Hg]c", (176,)),
    ("F[Xe]F", "F[Xe]F", (180,)),
    ("c1ccc([Te]c2ccccc2)cc1", "c[Te]c", (98,)),
    ("O=C=NCc1ccccc1", "CN=C", (140,)),
    ("O=C=Nc1ccc(C)cc1", "cN=C", (140,)),
    ("CC(C)(C)N=C=O", "CN=C", (140,)),
    ("S=C=NCCc1ccccc1", "CN=C", (147,)),
    ("S=C=Nc1ccc(C)cc1", "cN=C", (151,)),
    ("FS(F)(F)F", "FSF", (88, 101.5, 173)),
    ("CCN(CC)S(F)(F)F", "FSN", (90, 99)),
    ("F[Se](F)(F)F", "F[Se]F", (87, 100.6, 169)),
    ("Cl[Te](Cl)(Cl)Cl", "Cl[Te]Cl", (88, 103, 176)),
    ("F[I](F)(F)(F)F", "FIF", (81.9, 89, 164)),
    ("Cl[I](Cl)Cl", "ClICl", (88, 176)),
    ("CC1(C)OS2(OC(C)(C)c3ccccc32)c2ccccc21", "cSc", (106,)),
    ("O=I1(O)OC(=O)c2cc(F)ccc21", "O=Ic", (97,)),
    ("C[Si](C)(C)O[Si](C)(C)C", "[Si]O[Si]", (149,)),
    ("C[Si]1(C)O[Si](C)(C)O[Si](C)(C)O1", "[Si]O[Si]", (132,)),
    ("C[Si]1(C)O[Si](C)(C)O[Si](C)(C)O[Si](C)(C)O1", "[Si]O[Si]", (145,)),
    ("Cl[Pd]1(Cl)<-[NH2]CC[NH2]->1", "[N]~[Pd]~[N]", (83,)),
    ("Cl[Pd]1(Cl)<-[NH2]CC[NH2]->1", "Cl[Pd]Cl", (93,)),
    ("[NH3]->[Pt]1(<-[NH3])OC(=O)C2(CCC2)C(=O)O1", "O[Pt]O", (90,)),
]


@pytest.mark.parametrize(("smiles", "angle", "known"), ANGLES)
def test_angles_are_those_of_the_shape(smiles, angle, known):
    angles = measured(made(smiles), angle.replace("ClTeCl", "Cl[Te]Cl"))
    off = np.abs(angles[:, None] - np.array(known)).min(1)
    assert len(off) and off.max() < 14


BORON = [
    "OB1OCc2cc(F)ccc21",
    "OB1OCc2cc(Oc3ccc(C#N)cc3)ccc21",
    "CC1(C)OB(c2ccccc2)OC1(C)C",
    "OB1C=Cc2ccccc2O1",
    "OB1NN=Cc2ccccc12",
    "CB1Oc2ccccc2O1",
    "CN1CC(=O)OB(c2ccccc2)OC(=O)C1",
    "OB(O)[C@H](C)NC(=O)CNC(=O)c1ccccc1",
    "CB(C)C",
    "C1CCB(C)C1",
]


@pytest.mark.parametrize("smiles", BORON)
@pytest.mark.parametrize("how", ["torsions", "mmff"])
def test_trigonal_boron_is_flat(smiles, how):
    mol = made(smiles, how=how)
    boron = next(atom for atom in mol.GetAtoms() if atom.GetSymbol() == "B")
    for conformer in mol.GetConformers():
        vectors = conformer.GetPositions()[[n.GetIdx() for n in boron.GetNeighbors()]]
        vectors = vectors - conformer.GetPositions()[boron.GetIdx()]
        units = vectors / np.linalg.norm(vectors, axis=1)[:, None]
        cosines = [units[i] @ units[j] for i, j in ((0, 1), (0, 2), (1, 2))]
        assert np.degrees(np.arccos(cosines)).sum() > 358
    assert mol.GetNumConformers()


@pytest.mark.parametrize(
    ("smiles", "across"),
    [
        ("Cl[Pt@SP1](Cl)([NH3])[NH3]", "ClN"),
        ("Cl[Pt@SP2](Cl)([NH3])[NH3]", "ClCl"),
        ("Cl[Pt@SP3](Cl)([NH3])[NH3]", "ClN"),
        ("F[Pd@SP1](Cl)(Br)I", "BrF"),
        ("F[Pd@SP2](Cl)(Br)I", "ClF"),
        ("F[Pd@SP3](Cl)(Br)I", "FI"),
        ("F[Co@OH1](Cl)(Br)(I)(S)O", "FO"),
        ("F[Co@OH2](Cl)(Br)(I)(S)O", "FO"),
        ("F[As@TB1](Cl)(Br)(I)C", "CF"),
    ],
)
def test_tags_of_other_shapes_are_kept(smiles, across):
    mol = made(smiles, 3)
    centre = max(mol.GetAtoms(), key=lambda atom: atom.GetDegree())
    assert mol.GetNumConformers() == 3
    for conformer in mol.GetConformers():
        x = conformer.GetPositions()
        first, *others = (x[n.GetIdx()] - x[centre.GetIdx()] for n in centre.GetNeighbors())
        farthest = [n.GetSymbol() for n in centre.GetNeighbors()][
            1 + int(np.argmin([first @ o / np.linalg.norm(o) for o in others]))
        ]
        assert "".join(sorted((centre.GetNeighbors()[0].GetSymbol(), farthest))) == across
        read = Chem.Mol(mol, False, conformer.GetId())
        Chem.AssignStereochemistryFrom3D(read)
        permutations = {m.GetAtomWithIdx(centre.GetIdx()).GetIntProp("_chiralPermutation") for m in (mol, read)}
        assert len(permutations) == 1


@pytest.mark.parametrize("smiles", ["O=C1N(c2ccccc2)[Se]c2ccccc12", "O=C1N(CC(=O)O)[Se]c2cc(F)ccc12"])
def test_rings_of_selenium_that_are_aromatic_are_flat(smiles):
    mol = made(smiles)
    selenium = next(atom.GetIdx() for atom in mol.GetAtoms() if atom.GetSymbol() == "Se")
    ring = next(list(ring) for ring in mol.GetRingInfo().AtomRings() if selenium in ring)
    for conformer in mol.GetConformers():
        x = conformer.GetPositions()[ring]
        assert np.abs(np.linalg.svd(x - x.mean(0))[1][2]) < 0.25
