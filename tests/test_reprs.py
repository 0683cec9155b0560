"""Every public object says in a line what it is, and none writes out its arrays."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from rdkit import Chem

import molscore
from molscore import conformers, generate
from molscore.chem.arrays import from_mol
from molscore.chem.checks.validity import Fault
from molscore.chem.embedding.etkdg import embed
from molscore.conformers.ensemble import Ensemble
from molscore.conformers.target import target_of
from molscore.core.denoiser import Denoiser, Posterior, ScoreDenoiser
from molscore.core.guidance import Guided, RePaint, Replaced, Sum
from molscore.core.mixture import Mixture
from molscore.core.samplers import SAMPLERS, DPMSolver, Heun, Langevin, PredictorCorrector, Sampler, SamplerState
from molscore.core.sde import CosineVP
from molscore.generate import Attempt, Generation
from molscore.model.completion import Given
from molscore.model.denoisers import ConformerDenoiser, MoleculeDenoiser
from molscore.model.features import Prediction
from molscore.model.sampling import Sample
from molscore.model.state import MoleculeState, Times
from molscore.reprs import short_repr
from molscore.score import MoleculeScore
from molscore.score.represent import batch_of, represent

LONGEST = 300


@pytest.fixture(scope="module")
def generator():
    return molscore.MoleculeGenerator.from_pretrained("qm9", device="cpu")


@pytest.fixture(scope="module")
def conformer_generator():
    return molscore.ConformerGenerator.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def mol():
    return embed("CC(=O)Oc1ccccc1C(=O)O")


@pytest.fixture(scope="module")
def batch(conformer_generator, mol):
    model = conformer_generator.model
    return batch_of([represent(mol, model).arrays] * 2, model)


def test_generators_and_scorers_say_their_model(generator, conformer_generator):
    assert repr(generator) == "MoleculeGenerator('qm9', device='cpu')"
    assert repr(conformer_generator) == "ConformerGenerator('conformers', device='cpu')"
    assert repr(molscore.MoleculeScorer(conformer_generator.model, "mine")) == "MoleculeScorer('mine', device='cpu')"


def test_models_say_what_they_make(generator, conformer_generator):
    weights = sum(weight.numel() for weight in generator.model.parameters())
    about = f"{len(generator.model.classes)} atom classes, up to 29 atoms, makes graphs, device='cpu'"
    assert repr(generator.model) == f"MoleculeDiffusion({weights:,} weights, {about})"
    assert "heavy atoms, graphs" in repr(conformer_generator.model)
    with torch.device("meta"):
        model = generator.model
        empty = type(model)(model.config, model.vocabulary, model.size_probabilities.tolist())
    assert "device='meta'" in repr(empty)


def test_results_count(conformer_generator, mol):
    passed = Attempt(0, mol, None, False, {"qed": 0.5})
    failed = Attempt(7, None, Fault("valence", "five bonds at C"), True)
    assert repr(passed) == "Attempt(0, passed)" and repr(failed) == "Attempt(7, rejected: valence)"
    assert repr(Generation([mol] * 20, [failed] * 3, {"seed": 0})) == "Generation(20 molecules, 3 attempts rejected)"
    several = Chem.Mol(mol)
    several.AddConformer(Chem.Conformer(mol.GetConformer()), assignId=True)
    assert repr(Ensemble(several, 5)) == "Ensemble(2 of 5 conformers)"
    isomer = Ensemble(Chem.Mol(), 5, isomer=2, isomers=4, reason=("embedding", "no conformer"))
    assert repr(isomer) == "Ensemble(0 of 5 conformers, isomer 2 of 4, embedding)"
    score = MoleculeScore(1.23456, 0.01, 2.5, 0.3, 0.0712, np.zeros(500))
    about = "log-likelihood 1.23 nats per atom, score norm 2.5 / Å, position uncertainty 0.071 Å"
    assert repr(score) == f"MoleculeScore({about})"
    assert repr(MoleculeScore(reason="no_3d: flat")) == "MoleculeScore(not scored: no_3d: flat)"
    metrics = molscore.evaluate([mol], reference=None, posebusters=None, relaxation=False)
    assert repr(metrics) == "Metrics('molecules', 1 of 1 valid, reference None)"
    assert repr(metrics["valid"]) == "Rate(count=1, total=1, of='records')"
    assert repr(replace(metrics, source="a" * 500)).count("a") < 100


def test_targets_say_their_formula(conformer_generator, mol):
    assert repr(target_of(mol, conformer_generator.model)) == "Target(C9H8O4)"
    boron = Chem.AddHs(Chem.MolFromSmiles("[SiH3]CC[Ge]"))
    assert repr(target_of(boron, conformer_generator.model)).startswith("Target(C2H7GeSi, not for the model: ")


def test_options_say_what_was_chosen():
    assert repr(generate.GenerationOptions()) == "GenerationOptions()"
    assert repr(generate.GenerationOptions(steps=50, relax="mmff")) == "GenerationOptions(steps=50, relax='mmff')"
    assert repr(conformers.ConformerOptions(rmsd=None, fill=True)) == "ConformerOptions(rmsd=None, fill=True)"


def test_samplers_say_their_settings():
    assert {name: repr(sampler()) for name, sampler in SAMPLERS.items()} == {
        "em": "EulerMaruyama()",
        "pc": "PredictorCorrector(predictor=EulerMaruyama(), corrector=Langevin(steps=1, snr=0.16, size=None))",
        "ode": "Heun()",
        "dpm": "DPMSolver(eta=1.0, order=2)",
    }
    assert repr(DPMSolver(torch.ones(3, 500))) == "DPMSolver(eta=float32(3, 500), order=2)"
    both = PredictorCorrector(Heun(), DPMSolver(torch.ones(2)))
    assert repr(both).endswith("corrector=DPMSolver(eta=float32(2,), order=2))")
    assert repr(RePaint(Langevin(size=0.1))).startswith("RePaint(sampler=Langevin(")

    class Still(Sampler):
        def step(self, denoiser, state, t, s, noise):
            return state

    assert repr(Still()) == "Still()"
    state = SamplerState(torch.zeros(2, 900), carry=torch.zeros(3), memory=None)
    assert repr(state) == "SamplerState(z=float32(2, 900), carry=float32(3,), memory=None)"


def test_denoisers_say_what_they_denoise(generator, conformer_generator, batch):
    sde, mask = CosineVP(), torch.ones(2, 5, dtype=torch.bool)
    assert repr(MoleculeDenoiser(generator.model, mask)) == "MoleculeDenoiser(2 molecules of up to 5 atoms)"
    conformer = ConformerDenoiser(conformer_generator.model, batch)
    assert repr(conformer) == "ConformerDenoiser(2 molecules of up to 13 atoms)"
    mixture = Mixture([0.5, 0.5], [[0.0, 1.0], [1.0, 0.0]], [torch.eye(2).tolist()] * 2)
    assert repr(mixture) == "Mixture(2 Gaussians, dimension 2)"

    class Zero(Denoiser):
        def __init__(self):
            self.sde = sde

        def denoise(self, z, t, carry):
            return Posterior(torch.zeros_like(z))

    assert repr(Zero()) == f"Zero({sde!r})"
    posterior = Zero()(torch.ones(4, 300), torch.ones(4, 1))
    assert repr(posterior) == "Posterior(mean=float32(4, 300), carry=None)"
    big = torch.ones(4, 300)
    for denoiser in (
        Guided(Zero(), torch.sum, big),
        Replaced(Zero(), big, big > 0),
        Sum([Zero(), Zero()]),
        ScoreDenoiser(sde, torch.sub),
    ):
        assert repr(denoiser).startswith(type(denoiser).__name__) and "tensor" not in repr(denoiser)
        assert len(repr(denoiser)) < LONGEST


def test_what_holds_arrays_tells_their_shapes(batch, mol):
    x, a, e = torch.zeros(2, 40, 3), torch.zeros(2, 40, 9), torch.zeros(2, 40, 40, 4)
    assert (
        repr(MoleculeState(x, a, e))
        == "MoleculeState(x=float32(2, 40, 3), a=float32(2, 40, 9), e=float32(2, 40, 40, 4))"
    )
    times = Times.of_atoms(x[..., 0], x[..., 0])
    assert repr(times) == "Times(x=float32(2, 40), graph=float32(2, 40), pairs=float32(2, 40, 40))"
    every = (
        Prediction(x, a, e),
        Sample(x.numpy(), a.numpy(), e.numpy()),
        from_mol(mol),
        batch,
        Given(batch, batch.mask, batch.mask),
    )
    for value in every:
        text = repr(value)
        assert (
            text.startswith(type(value).__name__) and len(text) < LONGEST and "array" not in text and "\n" not in text
        )


def test_long_values_are_cut():
    class Long(Times):
        __repr__ = short_repr

    assert (
        repr(Long([0] * 900, "b" * 900, None)).startswith("Long(x=list of 900, graph='bbbb")
        and len(repr(Long("b" * 900, 1, 2))) < 200
    )
