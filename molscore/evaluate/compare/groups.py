"""Functional groups: in which share of the molecules does each occur?

The definitions are SMARTS on molecules with explicit hydrogens. A molecule counts for each group that it has.
"""

from collections.abc import Mapping
from functools import cache
from math import fsum

from rdkit import Chem

GROUPS = {
    "alkene": "[CX3;!a]=[CX3;!a]",
    "alkyne": "[CX2]#[CX2]",
    "aromatic ring": "a",
    "alcohol": "[OX2H][CX4]",
    "enol or phenol": "[OX2H][$(C=[#6]),c]",
    "ether": "[OX2;!r3;!$(OC=[O,N])]([#6])[#6]",
    "epoxide": "[OX2r3]",
    "aziridine": "[#7r3]",
    "cyclopropane": "[CX4]1[CX4][CX4]1",
    "primary amine": "[NX3H2][CX4]",
    "secondary amine": "[NX3H1;!r3]([CX4])[CX4]",
    "tertiary amine": "[NX3H0;!r3]([CX4])([CX4])[CX4]",
    "enamine or aniline": "[NX3;!$(NC=[O,N])][$(C=[#6]),c]",
    "amide": "[NX3][CX3](=[OX1])[#6,#1]",
    "carbamate or urea": "[NX3][CX3](=[OX1])[O,NX3]",
    "ester": "[#6][OX2][CX3](=[OX1])[#6,#1]",
    "carboxylic acid": "[CX3](=[OX1])[OX2H]",
    "aldehyde": "[$([CX3H1](=[OX1])[#6]),$([CX3H2]=[OX1])]",
    "ketone": "[#6][CX3](=[OX1])[#6]",
    "nitrile": "[CX2]#[NX1]",
    "imine": "[CX3;!a]=[NX2;!a;!$(N[O,N])]",
    "oxime or hydrazone": "[CX3;!a]=[NX2;!a][O,N]",
    "N-N or N-O single bond": "[NX3;!a]-[NX3,OX2;!a]",
    "fluoride": "F[#6]",
    "ammonium": "[NX4+]",
}  # fmt: skip


@cache
def _patterns() -> dict[str, Chem.Mol]:
    return {name: Chem.MolFromSmarts(smarts) for name, smarts in GROUPS.items()}


def groups_of(mol: Chem.Mol) -> tuple[str, ...]:
    """The groups of `GROUPS` that a sanitised molecule with explicit hydrogens has."""
    return tuple(name for name, pattern in _patterns().items() if mol.HasSubstructMatch(pattern))


def mean_difference(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Mean absolute difference of two tables of figures; what one lacks counts 0 there.

    Args:
        a, b: name -> figure, not both empty.
    """
    names = a.keys() | b.keys()
    return fsum(abs(a.get(name, 0.0) - b.get(name, 0.0)) for name in names) / len(names)  # in any order the same
