"""What can be made at all: certain to be impossible, or not refused."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.checks.filters import MoleculeFilter
from molscore.chem.made_sizes import made_sizes
from molscore.chem.parts import KeptPart
from molscore.chem.possible import always_matches, check_possible
from molscore.chem.wishes import keep

VOCABULARY = [(6, 0), (7, 0), (7, 1), (8, 0), (9, 0), (17, 0)]


def part_of(smiles: str) -> KeptPart:
    part = keep(scaffold=smiles)
    assert part is not None
    return part


def checked(n=1, smiles=None, elements=None, must=(), must_not=(), most=40, **more):
    part = None if smiles is None else part_of(smiles)
    sizes = np.ones(most + 1) if part is None else made_sizes(part, np.ones(most + 1), elements=elements)
    check_possible(n, part, elements, VOCABULARY, sizes, MoleculeFilter(None, must, must_not))


@pytest.mark.parametrize(
    ("smiles", "elements", "number"),
    [
        ("c1ccc([*:1])cc1", ("F",), 1),
        ("c1ccc([*:1])cc1", ("F", "Cl"), 2),
        ("c1cc([*:1])ccc1[*:2]", ("F", "Cl"), 4),
        ("CC([*:1])(C)C", ("F", "Cl"), 2),
        ("CCC([*:1])N", ("F",), 4),  # one bond or two, and a centre of either hand
        ("c1ccccc1", ("F",), 2**6 - 1),
    ],
)
def test_halogens_make_few_molecules(smiles, elements, number):
    """At most so many; what the symmetry of the part makes the same counts as two."""
    checked(number, smiles, elements)
    with pytest.raises(ValueError, match=f"is {number} at most"):
        checked(number + 1, smiles, elements)
    checked(1000, smiles, (*elements, "C"))


def test_halogens_alone_make_no_molecule_and_join_nothing():
    with pytest.raises(ValueError, match="two atoms at most"):
        checked(elements=("F", "Cl"))
    lead = Chem.AddHs(Chem.MolFromSmiles("CCc1ccccc1CCO"))
    assert EmbedMolecule(lead, randomSeed=7) == 0
    rest = keep(replace="c1ccccc1", lead=lead)
    with pytest.raises(ValueError, match="nothing joins fragments"):
        check_possible(1, rest, ("F",), VOCABULARY, np.ones(41), MoleculeFilter())


def test_halogens_are_no_more_than_there_are_bonds_to_make():
    part = part_of("c1cc([*:1])ccc1[*:2]")
    assert np.flatnonzero(made_sizes(part, np.ones(41), elements=("F",))).tolist() == [8]
    assert np.flatnonzero(made_sizes(part_of("c1ccccc1"), np.ones(41), elements=("F",))).tolist() == list(range(7, 13))
    with pytest.raises(ValueError, match="2 atoms can be made at most, not 5"):
        made_sizes(part, np.ones(41), atoms=(5, 6), elements=("F",))


@pytest.mark.parametrize(
    ("smarts", "elements", "words"),
    [
        ("[Si]", None, "needs Si, which is not made; made are C, Cl, F, N, O"),
        ("[#7]", ("C", "O"), "needs N"),
        ("C(=O)N", ("C",), "needs O"),
        ("c1ccc2ccccc2c1", None, "10 heavy atoms, and what is made has 9 at most"),
        ("[Si]\n[B] boron", None, "nothing can match 2 patterns"),
    ],
)
def test_what_nothing_can_match_is_refused(smarts, elements, words):
    with pytest.raises(ValueError, match=words):
        checked(elements=elements, must=[smarts], most=9)


@pytest.mark.parametrize("smarts", ["[#7,#8]", "[!#6]", "[$(N)]", "[Si]\nC", "*~*", "[#1]"])
def test_what_something_may_match_is_not(smarts):
    checked(elements=("C",), must=[smarts], most=9)


def test_the_part_may_have_what_must_match():
    checked(smiles="NC(=O)c1ccc([*:1])cc1", elements=("C",), must=["C(=O)N"])
    with pytest.raises(ValueError, match="needs N"):
        checked(smiles="NC(=O)c1ccc([*:1])cc1", elements=("C",), must=["NC.NC"])


@pytest.mark.parametrize(
    ("smiles", "smarts", "always"),
    [
        ("NC(=O)c1ccc([*:1])cc1", "C=O", True),
        ("NC(=O)c1ccc([*:1])cc1", "[NH2]", True),
        ("NC(=O)c1ccc([*:1])cc1", "c1ccccc1", True),
        ("NC(=O)c1ccc([*:1])cc1", "[cH]", True),
        ("NC(=O)c1ccc([*:1])cc1", "[OH]", False),
        ("NC(=O)c1ccccc1", "[NH2]", False),  # it may grow
        ("NC(=O)c1ccccc1", "C=O", False),  # and close an aromatic ring
        ("[*:1]C=C[*:2]", "C=C", False),  # likewise
        ("[*:1]C[*:2]", "[CH2]", False),
        ("Cc1ccc([*:1])cc1", "[CH3]", True),
        ("CC[*:1]", "[CH3,CH1]", True),
        ("C[*:1]", "[CH3,CH1]", False),
        ("C[*:1]", "[CX4]", False),  # it may become one of a double bond
        ("C1CC1[*:1]", "[R]", False),  # nothing is said of rings
        ("C1CC1[*:1]", "[$(CC)]", False),  # and of recursive patterns
    ],
)
def test_what_matches_whatever_is_made(smiles, smarts, always):
    part = part_of(smiles)
    assert always_matches(part, Chem.MolFromSmarts(smarts)) == always
    if always:
        with pytest.raises(ValueError, match="leave one of the two out"):
            checked(smiles=smiles, must_not=[f"{smarts} its name"])
    else:
        checked(smiles=smiles, must_not=[smarts])
