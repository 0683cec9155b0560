"""Bonds and angles of metals and hypervalent atoms from crystals and electron diffraction, where GFN2-xTB may be wrong.

GFN2-xTB makes Hg-C of dimethylmercury 2.34 Å, 0.25 too long, S-F of pentafluorosulfanylbenzene 1.66, 0.08 too long, and
bends what is linear at mercury.
Means of Allen et al., J. Chem. Soc. Perkin Trans. 2 1987, S1, and Orpen et al., J. Chem. Soc. Dalton Trans. 1989, S1,
and for small molecules electron diffraction in the gas (Landolt-Börnstein II/7, II/15). The tolerance covers axial and
equatorial, bridging and terminal, and the spread between compounds; with metals it is 0.12 Å at least.
"""

from functools import cache

from rdkit import Chem

LENGTHS = (
    ("[#16X6]-[F]", 1.58, 0.08),
    ("[#16X6]-[#6]", 1.81, 0.09),
    ("[#16X4;v4]-[F]", 1.62, 0.11),  # SF4: 1.545 equatorial, 1.646 axial; DAST alike
    ("[#16X4;v4]-[#7]", 1.65, 0.10),
    ("[#16X4;v4]-[#8]", 1.82, 0.12),
    ("[#16X4;v4]-[#6]", 1.80, 0.09),
    ("[#15X5,#15X6]-[F]", 1.58, 0.08),
    ("[#15X5]-[Cl]", 2.07, 0.12),
    ("[#15X5]-[#6]", 1.90, 0.12),
    ("[#15X5]-[#8]", 1.64, 0.10),
    ("[#53]=[#8]", 1.82, 0.10),
    ("[#53;X3,X4,X5]-[#8]", 2.13, 0.25),  # I-OH 1.95, I-OAc 2.15, trans to carbon 2.3
    ("[#53;X2,X3,X4,X5]-[#6a]", 2.10, 0.09),
    ("[#53;X2,X3]-[#6X2]", 2.03, 0.10),
    ("[#53X3]-[#6X4]", 2.22, 0.12),
    ("[#53X2]=[#6]", 2.06, 0.12),
    ("[#53X3]-[Cl]", 2.48, 0.12),
    ("[#53;X3,X5]-[F]", 1.95, 0.14),
    ("[#53X3]-[#7]", 2.20, 0.15),
    ("[#53]-[#53X2]", 2.92, 0.15),
    ("[#16X3;v4]-[#6]", 1.80, 0.10),  # sulfoxides 1.81, sulfonium ions 1.79
    ("[#16;X2,X3,X4]-[H]", 1.35, 0.08),  # thiols 1.34, H3S+ 1.358; GFN2-xTB draws those of S=C out to 1.5
    ("[#5X4-]-[#8]", 1.475, 0.08),  # tetrahedral boronates 1.47; GFN2-xTB 1.59
    ("[#34X2]-[#6X4]", 1.96, 0.08),  # dimethyl selenide 1.943, mean of crystals 1.970
    ("[#17X4]~[#8X1]", 1.43, 0.08),
    ("[#17X4]-[#8X2]", 1.66, 0.10),
    ("[Hg]-[#6]", 2.09, 0.12),
    ("[Hg]-[Cl]", 2.30, 0.12),
    ("[Hg]-[#16]", 2.36, 0.12),
    ("[Zn]-[#6]", 1.95, 0.12),
    ("[Zn]-[#8]", 1.94, 0.18),
    ("[Al]-[#6]", 1.97, 0.12),
    ("[Ga]-[#6]", 1.98, 0.12),
    ("[Ti]-[#8]", 1.80, 0.12),
    ("[Mg]-[#6]", 2.12, 0.12),
    ("[Mg]-[Br]", 2.38, 0.14),
    ("[Li]-[#6]", 2.08, 0.20),
    ("[Os]=[#8]", 1.71, 0.12),
    ("[W]-[#6]", 2.14, 0.12),
    ("[Cr]=[#8]", 1.58, 0.12),
    ("[Cr;$(*=[#8])]-[Cl]", 2.13, 0.12),  # chromyl; 2.33 with three chlorides
    ("[Au]-[Cl]", 2.28, 0.12),
    ("[Au]<-[#15]", 2.23, 0.12),
    ("[Pd,Pt]-[Cl]", 2.31, 0.12),
    ("[Pd,Pt]<-[#7]", 2.04, 0.12),
    ("[Pt]-[#8]", 2.02, 0.12),
    ("[Sn]-[#6]", 2.15, 0.12),
    ("[Sn]-[H]", 1.71, 0.12),
)
"""SMARTS of a bond, its length in Å, and the tolerance."""

ANGLES = (
    ("*~[HgX2,AuX2]~*", ((155.0, 180.0),)),
    ("[#6]-[ZnX2]-[#6]", ((155.0, 180.0),)),
    ("[#8]-[ZnX2]-[#8]", ((90.0, 180.0),)),  # carboxylates hold on with one oxygen or with two
    ("[#53]~[#53X2]~[#53]", ((155.0, 180.0),)),
    ("*~[#53X2]~*", ((82.0, 112.0),)),
    ("*~[#53X3;v5]~*", ((80.0, 114.0),)),  # pyramid
    ("*~[#53X3]~*", ((68.0, 105.0), (150.0, 180.0))),  # T
    ("*~[#53;X4,X5]~*", ((68.0, 108.0), (140.0, 180.0))),
    ("*~[#16X4;v4]~*", ((78.0, 115.0), (155.0, 180.0))),  # seesaw
    ("[#15]-[#8X2;!R]-[#5]", ((118.0, 142.0),)),  # boron phosphate 132.7, borophosphates 120 to 137
    ("[#6]-[#8X2;!R]-[#5X3]", ((108.0, 132.0),)),  # trimethyl borate 121; GFN2-xTB opens those of borinates to 140
    ("[#6]~[#16X3]-[H]", ((88.0, 112.0),)),  # pyramid, as of sulfonium ions
    ("[#53;X3,X4,X5]-[#8]-[#6,#16]", ((95.0, 128.0),)),
    ("*~[PdX4,PtX4]~*", ((70.0, 110.0), (155.0, 180.0))),
    ("[!#1;!#5;!#6;!#7;!#8;!#9;!#14;!#15;!#16;!#17;!#34;!#35;!#53]~[#7,#8]~[!#1]", ((80.0, 180.0),)),  # soft
)
"""SMARTS of an angle and the ranges in degrees that it may have."""


@cache
def patterns() -> tuple[tuple[Chem.Mol, float, float], ...]:
    """`LENGTHS` with the SMARTS read."""
    return tuple((Chem.MolFromSmarts(smarts), length, tolerance) for smarts, length, tolerance in LENGTHS)


def lengths(mol: Chem.Mol) -> dict[frozenset[int], tuple[float, float]]:
    """The limits in Å of the bonds of a molecule that the literature knows."""
    known: dict[frozenset[int], tuple[float, float]] = {}
    for pattern, length, tolerance in patterns():
        for match in mol.GetSubstructMatches(pattern, maxMatches=10_000):
            known.setdefault(frozenset(match), (length - tolerance, length + tolerance))
    return known


@cache
def angle_patterns() -> tuple[tuple[Chem.Mol, tuple[tuple[float, float], ...]], ...]:
    """`ANGLES` with the SMARTS read."""
    return tuple((Chem.MolFromSmarts(smarts), ranges) for smarts, ranges in ANGLES)


def angles(mol: Chem.Mol) -> dict[tuple[int, ...], tuple[tuple[float, float], ...]]:
    """The ranges of the angles of a molecule that the literature knows, by their atoms in both directions."""
    known: dict[tuple[int, ...], tuple[tuple[float, float], ...]] = {}
    for pattern, ranges in angle_patterns():
        for match in mol.GetSubstructMatches(pattern, uniquify=False, maxMatches=10_000):
            known.setdefault(match, ranges)
            known.setdefault(match[::-1], ranges)
    return known
