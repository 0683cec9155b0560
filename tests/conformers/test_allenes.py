"""Conformers of cumulenes, whatever made them: ends where they belong, and the stereo that is marked."""

import pytest
from rdkit.Chem.rdMolTransforms import GetDihedralDeg

# SMILES, four atoms, least and greatest dihedral angle; of marked ones with its sign, else without.
RIGHT = {
    "CC=C=CC": ((0, 1, 3, 4), 80, 100),
    "OCC=C=CC(=O)O": ((1, 2, 4, 5), 80, 100),
    "CC=C=NC": ((0, 1, 3, 4), 80, 100),
    "C1CCCC=C=CCC1": ((3, 4, 6, 7), 60, 120),
    "CC=[C@]=CC": ((0, 1, 3, 4), -100, -80),
    "CC=[C@@]=CC": ((0, 1, 3, 4), 80, 100),
    "C[C@H](O)C=[C@]=CC": ((1, 3, 5, 6), -100, -80),
    "C[C@@H](O)C=[C@]=CC": ((1, 3, 5, 6), -100, -80),
    "C1CCCC=[C@]=CCC1": ((3, 4, 6, 7), -120, -60),
    "C/C=C=C=C/C": ((0, 1, 4, 5), 170, 180),
    "C/C=C=C=C\\C": ((0, 1, 4, 5), 0, 10),
}


@pytest.mark.parametrize("options", [{}, {"method": "etkdg"}, {"relax": "mmff"}], ids=str)
def test_ends_are_where_they_belong(generator, options):
    ensembles = generator.stream(list(RIGHT), 3, steps=6, **options)
    for (smiles, (atoms, least, most)), ensemble in zip(RIGHT.items(), ensembles, strict=True):
        assert ensemble.mol.GetNumConformers() and ensemble.not_held == (), smiles
        for conformer in ensemble.mol.GetConformers():
            angle = GetDihedralDeg(conformer, *atoms)
            assert least <= (angle if "@]" in smiles else abs(angle)) <= most, smiles
