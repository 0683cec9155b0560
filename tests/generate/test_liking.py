"""Molecules like a query in shape: where they start, what is made, and what is refused."""

import numpy as np
import pytest
from rdkit import Chem
from run_length import STEPS

from molscore.chem.embedding.etkdg import embed
from molscore.chem.shape import SPREAD, ShapeQuery
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.liking import JITTER, Likeness


@pytest.fixture(scope="module")
def druglike() -> MoleculeGenerator:
    return MoleculeGenerator.from_pretrained("druglike", device="cpu")


@pytest.fixture(scope="module")
def query() -> Chem.Mol:
    """A rod, away from the origin."""
    mol = embed("CCCCc1ccc(CCCN)cc1")
    conformer = mol.GetConformer()
    conformer.SetPositions(conformer.GetPositions() + [20.0, -5.0, 3.0])
    return mol


@pytest.fixture(scope="module")
def shape(query) -> Likeness:
    return Likeness(ShapeQuery(query))


def extent(mols) -> float:
    """Mean length of the longest axis, Å: deviation of the heavy atoms along it."""
    heavy = [m.GetConformer().GetPositions()[[a.GetAtomicNum() > 1 for a in m.GetAtoms()]] for m in mols]
    return float(np.mean([np.sqrt(np.linalg.eigvalsh(np.cov(x.T))[-1]) for x in heavy]))


@pytest.mark.parametrize("n", [9, 14, 20])
def test_atoms_start_at_those_of_the_query(shape, n):
    places = shape.query.heavy.arrays.positions
    x = np.array([shape.start(n, np.random.default_rng(k)) for k in range(50)])
    assert np.abs(x.mean(1)).max() < 1e-6
    nearest = np.linalg.norm(x[:, :, None] - places, axis=-1)
    if n >= len(places):  # each has one
        assert nearest.min(1).max() < 8 * JITTER
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(x.reshape(-1, 3).T))[-1])
    assert spread == pytest.approx(np.sqrt(np.linalg.eigvalsh(np.cov(places.T))[-1]), rel=0.1)


def test_what_is_made_has_the_shape_and_not_the_graph(druglike, query):
    """Unguided molecules of these sizes are no rods."""
    mols = druglike.generate(6, 3, steps=STEPS, like=query).mols
    others = druglike.generate(6, 3, steps=STEPS, atoms=(12, 16)).mols
    assert extent(mols) > extent(others) + 0.3
    judge = ShapeQuery(query)
    for mol in mols:
        own = judge.aligned(mol)[1]
        assert mol.GetDoubleProp("like_shape") == pytest.approx(own.shape, abs=0.01)
        assert mol.GetDoubleProp("like_similarity") < 0.6 and 0 <= mol.GetDoubleProp("like_color") <= 1
        assert abs(len(Chem.RemoveHs(mol).GetAtoms()) - len(judge.heavy)) <= SPREAD
    alike = [np.mean([judge.aligned(mol)[1].shape for mol in some]) for some in (mols, others)]
    assert alike[0] > alike[1] + 0.05
    centre = query.GetConformer().GetPositions().mean(0)
    assert all(np.linalg.norm(mol.GetConformer().GetPositions().mean(0) - centre) < 2 for mol in mols)


def test_noise_is_the_dial(druglike, query):
    near, far = (
        np.mean([m.GetDoubleProp("like_shape") for m in druglike.generate(6, 1, steps=STEPS, like=query, noise=x).mols])
        for x in (0.4, 1.0)
    )
    assert near > far


def test_a_molecule_depends_on_its_number_alone(druglike, query):
    one, many = (
        druglike.generate(n, 2, steps=6, raw=True, like=query, batch_size=4, features=True).mols for n in (1, 5)
    )
    again = druglike.generate(5, 2, steps=6, raw=True, like=query, batch_size=4, features=True, workers=2).mols
    for a, b in ((one[0], many[0]), *zip(many, again, strict=True)):
        assert (a.GetConformer().GetPositions() == b.GetConformer().GetPositions()).all()


def test_particles_follow_the_query(druglike, query):
    mols = druglike.generate(2, 1, steps=8, raw=True, like=query, particles=2).mols
    assert len(mols) == 2


def test_a_core_is_grown_towards_a_shape(druglike, query):
    """Positions that are kept stay; the frame is theirs."""
    mols = druglike.generate(2, 0, steps=STEPS, like=query, scaffold="c1ccccc1", lead=query, raw=True).mols
    ring = query.GetConformer().GetPositions()[[a.GetIsAromatic() for a in query.GetAtoms()]]
    for mol in mols:
        x = mol.GetConformer().GetPositions()
        assert np.linalg.norm(x[:, None] - ring, axis=-1).min(0).max() < 0.01


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"features": True}, "features goes with like"),
        ({"like": "QUERY", "near": "QUERY"}, "give one of them"),
        ({"like": Chem.MolFromSmiles("CCO")}, "no 3-D positions"),
        ({"like": "FLUORINE", "features": True}, "no feature"),
    ],
)
def test_misuse(query, choices, message):
    flat = embed("CN(C)C")
    given = {"QUERY": query, "FLUORINE": flat}
    with pytest.raises(ValueError, match=message):
        GenerationOptions(**{k: given.get(v, v) if isinstance(v, str) else v for k, v in choices.items()})


def test_what_a_model_cannot_make_is_refused(druglike, generator, query):
    with pytest.raises(ValueError, match="hydrogens as atoms"):
        generator.generate(1, like=query)
    large = embed("C" * 120)
    with pytest.raises(ValueError, match="like has 120 heavy atoms"):
        druglike.generate(1, like=large)
