import pytest
from rdkit import Chem

from molscore.evaluate.compare.composition import differences
from molscore.evaluate.compare.groups import GROUPS, groups_of, mean_difference

EXAMPLES = {
    "C": set(),
    "C=CC": {"alkene"},
    "CC#C": {"alkyne"},
    "c1ccccc1": {"aromatic ring"},
    "CCO": {"alcohol"},
    "Oc1ccccc1": {"aromatic ring", "enol or phenol"},
    "C=CO": {"alkene", "enol or phenol"},
    "COC": {"ether"},
    "C1OC1C": {"epoxide"},
    "C1NC1C": {"aziridine"},
    "C1CC1C": {"cyclopropane"},
    "CN": {"primary amine"},
    "CNC": {"secondary amine"},
    "CN(C)C": {"tertiary amine"},
    "Nc1ccccc1": {"aromatic ring", "enamine or aniline"},
    "CC(N)=O": {"amide"},
    "NC=O": {"amide"},
    "NC(=O)OC": {"carbamate or urea"},
    "CC(=O)OC": {"ester"},
    "CC(O)=O": {"carboxylic acid"},
    "CC=O": {"aldehyde"},
    "CC(C)=O": {"ketone"},
    "CC#N": {"nitrile"},
    "CC=N": {"imine"},
    "CC=NO": {"oxime or hydrazone"},
    "CNNC": {"N-N or N-O single bond"},
    "CF": {"fluoride"},
    "C[NH2+]CC(=O)[O-]": {"ammonium"},
}


@pytest.mark.parametrize("smiles", EXAMPLES)
def test_a_molecule_has_its_groups_and_no_other(smiles):
    assert set(groups_of(Chem.AddHs(Chem.MolFromSmiles(smiles)))) == EXAMPLES[smiles]


def test_every_group_has_an_example():
    assert set().union(*EXAMPLES.values()) == set(GROUPS)


def test_differences_by_hand():
    assert mean_difference({"a": 0.5, "b": 0.25}, {"b": 0.75}) == 0.5
    mine = {"molecules": 1, "elements": {"H": 0.5, "C": 0.5}, "rings_per_molecule": {"3": 1.0}, "groups": {"a": 0.1}}
    other = {"molecules": 1, "elements": {"H": 0.4, "N": 0.6}, "rings_per_molecule": {"3": 0.5}, "groups": {"a": 0.3}}
    assert differences(mine, other) == pytest.approx({"elements": 0.6, "rings": 0.5, "groups": 0.2})
    assert differences(mine, mine) == pytest.approx({"elements": 0, "rings": 0, "groups": 0})
    assert differences({"molecules": 0}, mine) == {}


def test_mean_differences_do_not_depend_on_the_order_of_names():
    """Sets of names are walked in another order in every process."""
    figures = [(10.0**-k, 3.0**-k) for k in range(40)]
    results = set()
    for order in range(20):
        names = [f"{order} {k}" for k in range(40)]
        a, b = ({name: pair[side] for name, pair in zip(names, figures, strict=True)} for side in (0, 1))
        results.add(mean_difference(a, b))
    assert len(results) == 1
