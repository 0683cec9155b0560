import numpy as np
import pytest
from small_molecules import embed, judge_mol, without_atom

from molscore.chem.arrays import MoleculeArrays
from molscore.evaluate.molecules.stability import distance_bond_orders, distance_stable, explicit_stable


def arrays(mol) -> MoleculeArrays:
    return judge_mol(mol).arrays


@pytest.mark.parametrize("smiles", ["C", "CC", "C=C", "C#C", "CC#N", "FCO", "CC(=O)N"])
def test_neutral_molecules_are_stable_by_both_protocols(smiles):
    molecule = arrays(embed(smiles))
    assert explicit_stable(molecule).all()
    assert distance_stable(molecule).all()


def test_methyl_radical_is_unstable_at_carbon_alone():
    radical = arrays(without_atom(embed("C"), 4))
    assert explicit_stable(radical).tolist() == [False, True, True, True]
    assert distance_stable(radical).tolist() == [False, True, True, True]


def test_charges_count_in_the_explicit_protocol_and_not_in_the_distance_table():
    zwitterion = arrays(embed("[NH3+]CC(=O)[O-]"))
    assert explicit_stable(zwitterion).all()
    elements = zwitterion.atomic_numbers[~distance_stable(zwitterion)]
    assert 7 in elements and 8 in elements


def test_an_extra_bond_makes_both_its_ends_unstable():
    water = arrays(embed("O"))
    with_bond = MoleculeArrays(
        water.atomic_numbers,
        water.formal_charges,
        water.positions,
        np.array([[0, 1], [0, 2], [1, 2]]),
        np.array([1, 1, 1], dtype=np.uint8),
    )
    assert explicit_stable(with_bond).tolist() == [True, False, False]


def test_aromatic_rings_have_integer_orders_in_one_protocol_and_lengths_between_two_in_the_other():
    benzene = arrays(embed("c1ccccc1"))
    assert explicit_stable(benzene).all()
    apart = np.linalg.norm(benzene.positions[0] - benzene.positions[1])
    assert apart > 1.39 and not distance_stable(benzene)[:6].any()  # too long for the table's double bond


@pytest.mark.parametrize(
    ("elements", "limits_pm"),
    [((6, 6), (164, 139, 123)), ((6, 7), (157, 134, 119)), ((7, 7), (155, 130, 113)), ((6, 8), (153, 125, 116))],
)
def test_distance_table_changes_order_at_length_plus_margin(elements, limits_pm):
    for order, limit in enumerate(limits_pm, start=1):
        for shift, expected in ((-0.1, order), (+0.1, order - 1)):
            positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, (limit + shift) / 100]])
            assert distance_bond_orders(np.array(elements), positions)[0, 1] == expected
            assert distance_bond_orders(np.array(elements[::-1]), positions)[1, 0] == expected


def test_hydrogens_and_fluorine_never_have_double_bonds():
    positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.3]])
    for pair in ((1, 6), (1, 1), (6, 9), (9, 9)):
        assert distance_bond_orders(np.array(pair), positions).tolist() == [[0, 1], [1, 0]]


def test_distance_table_does_not_speak_of_other_elements():
    assert distance_stable(arrays(embed("CS"))) is None
    assert explicit_stable(arrays(embed("CS"))).all()
