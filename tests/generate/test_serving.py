"""New molecules in few steps come from the distilled model; what is given, guided or finer from the model itself."""

import pytest
from rdkit import Chem

from molscore import pretrained
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.files import generate_sdf
from molscore.model.fingerprint import fingerprint
from molscore.score import MoleculeScorer

PLAIN = [{}, {"atoms": (10, 12)}, {"elements": "C,N,O"}, {"filter": "mw < 900"}, {"raw": True}]
OTHERS = [
    {"steps": None},
    {"steps": 41},
    {"steps": 100},
    {"sampler": "em"},
    {"scaffold": "c1ccc([*:1])cc1"},
    {"targets": ("logp=2",)},
    {"targets": ("logp=2",), "particles": 2},
]


@pytest.fixture(scope="module")
def both():
    return MoleculeGenerator.from_pretrained("druglike", device="cpu")


def test_the_distilled_model_lies_beside_its_own(both):
    few = both.few_steps
    assert few is not None and few.name == both.name and few.weights != both.weights and few.few_steps is None
    assert few.model.vocabulary == both.model.vocabulary and few.model.config.sampling.order == 1
    assert few.model.size_probabilities.tolist() == both.model.size_probabilities.tolist()
    assert few.model.config.sampling.steps < both.model.config.sampling.steps / 2
    assert pretrained.names() == ["conformers", "druglike", "qm9"]


@pytest.mark.parametrize("choices", PLAIN, ids=str)
def test_new_molecules_come_from_it(both, choices):
    for steps in (2, 40):
        assert both.serving(GenerationOptions(steps, **choices)) is both.few_steps


@pytest.mark.parametrize("choices", OTHERS, ids=str)
def test_all_else_comes_from_the_model(both, choices):
    assert both.serving(GenerationOptions(**{"steps": 20} | choices)) is both
    assert MoleculeGenerator(both.model, "mine").serving(GenerationOptions()).model is both.model


def test_records_say_which_it_was(both, tmp_path):
    """In memory and in a file, and the same molecules."""
    made, few = both.generate(2, seed=3, steps=16), both.few_steps
    assert made.manifest["steps"] == 16
    assert {mol.GetProp("molscore_weights") for mol in made.mols} == {fingerprint(few.model)[:16]}
    generate_sdf(both, 2, tmp_path / "two.sdf", 3, GenerationOptions(16))
    read = list(Chem.SDMolSupplier(str(tmp_path / "two.sdf"), removeHs=False))
    assert [mol.GetProp("SMILES") for mol in read] == [mol.GetProp("SMILES") for mol in made.mols]
    assert {mol.GetProp("molscore_weights") for mol in read} == {few.weights}
    streamed = [mol.GetProp("SMILES") for mol in both.stream(2, seed=3, steps=16)]
    assert streamed == [mol.GetProp("SMILES") for mol in made.mols]


def test_what_scores_has_none():
    assert MoleculeScorer.from_pretrained("conformers", device="cpu").few_steps is None
    assert pretrained.few_steps_file("qm9") is None and pretrained.few_steps_file("druglike").is_file()
