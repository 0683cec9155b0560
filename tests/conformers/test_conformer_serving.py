"""Conformers in few steps come from the distilled model; in more, or with a core held, from the model itself."""

import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.conformers import ConformerGenerator, ConformerOptions


@pytest.fixture(scope="module")
def both():
    return ConformerGenerator.from_pretrained(device="cpu")


def test_conformers_come_from_it(both):
    few = both.few_steps
    assert few is not None and few.model.config.sampling.steps == 2 and few.weights != both.weights
    made = both.generate("CCOC(=O)c1ccccc1", n=3, steps=2)
    assert made.manifest["weights"] == few.weights and 0 < made.mols[0].GetNumConformers() <= 3
    assert all(both.serving(ConformerOptions(steps=steps)) is few for steps in (1, 2))


def test_a_distilled_model_of_new_molecules_makes_no_conformers():
    generator = ConformerGenerator.from_pretrained("druglike", device="cpu")
    assert generator.few_steps is None and generator.generate("CCO", n=1).mols[0].GetNumConformers() == 1


def test_all_else_comes_from_the_model(both):
    lead = Chem.AddHs(Chem.MolFromSmiles("CCc1ccccc1"))
    assert EmbedMolecule(lead, randomSeed=1) == 0
    assert both.serving(ConformerOptions()) is both.serving(ConformerOptions(steps=4)) is both
    assert both.serving(ConformerOptions(steps=2, keep="c1ccccc1", lead=lead)) is both
    made = both.generate("CCCc1ccccc1", n=2, keep="c1ccccc1", lead=lead)
    assert made.manifest["weights"] == both.weights and made.mols[0].GetNumConformers() == 2
