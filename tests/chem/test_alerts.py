"""Tags: what is unusual is named, what is common in drugs is not."""

import pytest
from rdkit import Chem

from molscore.chem.alerts import PATTERNS, alerts, unusual

UNUSUAL = {
    "CCOOCC": "peroxide",
    "CN(C)N(C)N(C)C": "heteroatom_chain",
    "CON(C)OC": "heteroatom_chain",
    "C1=C=CCCC1": "ring_allene",
    "C1#CCCCC1": "ring_alkyne",
    "C1=CC=C1": "cyclobutadiene",
    "C1=CO1": "antiaromatic_three_ring",
    "C1=CC1": "cyclopropene",
    "CC(O)(O)C": "gem_diol_or_aminal",
    "CC(=O)Cl": "acyl_halide",
    "CN(C)Cl": "n_halogen",
    "CI(C)C": "hypervalent_halogen",
    "C=C=C=C": "cumulene",
    "C1=CC2=CC=CC2=C1": "pentalene",
    "C1=CC=CC1": "cyclopentadiene",
    "N1C=CC=CC=C1": "cycloheptatriene",
    "C1CCCCCCC1": "medium_ring",
    "CCP": "phosphine",
    "CC=N": "n_h_imine",
    "OC=CC": "enol",
    "C1C2CC12": "fused_small_rings",
    "C12C3C4C1C5C2C3C45": "fused_small_rings",
    "C1CC2=CC1C2": "bredt",
    "C1CC2=CCC1CC2": "bredt",
    "C1CCC2=CCCC1C2": None,
}

DRUGS = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1CCC[C@H]1c1cccnc1",
    "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1",
    "COc1cc2c(cc1OC)C(=O)C(CC1CCN(Cc3ccccc3)CC1)C2",
    "O=[N+]([O-])c1ccccc1",
    "Clc1ccc2nnnn2c1",
    "CNS(=O)(=O)N(C)C",
    "C1CC2CCC1CC2",
    "C1=CC2CCC1CC2",
    "O=C1CC2CCC1C2",
    "C#CCN",
    "CC(=O)C=C(C)O",
    "NC(=N)c1ccccc1",
    "C1=Cc2ccccc2C1",
    "CN1c2ccc(Cl)cc2C(c2ccccc2)=NCC1=O",
    "CC1OCCCCCCCCCCC1=O",
    "CP(C)(C)=O",
    "C=C=CC",
)


@pytest.mark.parametrize(("smiles", "name"), UNUSUAL.items())
def test_unusual(smiles, name):
    mol = Chem.MolFromSmiles(smiles)
    if name is None:
        assert "bredt" not in unusual(mol)
    else:
        assert name in unusual(mol) and unusual(Chem.AddHs(mol)) == unusual(mol)


@pytest.mark.parametrize("smiles", DRUGS)
def test_common_chemistry_is_not_unusual(smiles):
    assert unusual(Chem.MolFromSmiles(smiles)) == []


def test_every_pattern_is_met_by_an_example():
    assert {name for name in UNUSUAL.values() if name} == {*PATTERNS, "fused_small_rings", "bredt"}


def test_alerts_of_the_catalogues():
    assert alerts(Chem.MolFromSmiles("O=C1C=CC(=O)C=C1")) == ["Brenk:chinone_1", "PAINS_A:quinone_A(370)"]
    assert alerts(Chem.MolFromSmiles("Cc1ccccc1C(N)=O")) == []
