"""Tags: what is unusual is named, what is common in drugs is not."""

import pytest
from rdkit import Chem

from molscore.chem.checks.alerts import PATTERNS, alerts, extreme, unusual
from molscore.chem.thresholds import THRESHOLDS

UNUSUAL = {
    "CCOOCC": "peroxide",
    "COO": "peroxide",
    "CC(=O)OOC(C)=O": "peroxide",
    "C1OOCO1": "peroxide",
    "CCO[O-]": "peroxide",
    "CC(F)(F)O": "alpha_halo_alcohol",
    "OC1(F)CCCCC1": "alpha_halo_alcohol",
    "CC(F)N(C)C": "alpha_halo_amine",
    "ClCOC": "alpha_halo_ether",
    "CC(O)NC": "hemiaminal",
    "OC1CCCN1C": "hemiaminal",
    "CC(N)NC": "primary_aminal",
    "CC(N)OC": "primary_aminal",
    "CC(O)OC": "open_hemiacetal",
    "C=C(N)N": "ketene_acetal",
    "C=C(OC)N(C)C": "ketene_acetal",
    "CC(C)=C(O)OC": "ketene_acetal",
    "NC=CC": "primary_enamine",
    "NC1=CCCCC1": "primary_enamine",
    "CC(C)=S": "thiocarbonyl",
    "CC=C=O": "ketene",
    "CC#CO": "ynol_or_ynamine",
    "CC#CN(C)C": "ynol_or_ynamine",
    "CC#CBr": "haloalkyne",
    "CC1ON1": "three_ring_of_heteroatoms",
    "CN=O": "nitroso",
    "CSCl": "sulfenyl",
    "CSOC": "sulfenyl",
    "CSN(C)C": "sulfenyl",
    "CS(=O)(=O)Cl": "element_halide",
    "CNC(=O)O": "carbamic_or_carbonic_acid",
    "CC=NC(C)=O": "acylimine",
    "O=C1CC1": "cyclopropanone",
    "CC(=O)C(=O)C(C)=O": "vicinal_tricarbonyl",
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
    "CNC(=C[N+](=O)[O-])NCCSCc1ccc(CN(C)C)o1",
    "CC1=C(C(=O)OC)C(c2ccccc2[N+](=O)[O-])C(C(=O)OC)=C(C)N1",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "Cc1cn(C2CC(O)C(CO)O2)c(=O)[nH]c1=O",
    "FC(F)(F)Oc1ccccc1",
    "FC(F)n1cccc1",
    "OC(C(F)(F)F)c1ccccc1",
    "COC1=C(OC)C(=O)C(C)=CC1=O",
    "CN(C)C=CC(=O)c1ccccc1",
    "NC1=C(C#N)C(c2ccccc2)C(C#N)=C(N)O1",
    "CC1(C)OCC(CO)O1",
    "CC(=O)NC=Cc1ccccc1",
    "NC(N)=S",
    "CS(=O)(=O)F",
    "CC(C)=NO",
    "CC(=O)N=C(N)N",
    "C1N2CN3CN1CN(C2)C3",
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


def test_strain_and_effort_are_tagged():
    assert extreme(15.2, 4.8) == ["high_sa", "high_strain"]
    assert extreme(THRESHOLDS.alerts.high_strain, 2.0) == ["high_strain"]
    assert extreme(None, THRESHOLDS.alerts.high_sa) == ["high_sa"]
    assert extreme(8.0, 3.0) == extreme(None, 1.0) == []
