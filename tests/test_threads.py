"""Several threads share one model: each gets, bit for bit, what it would get alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from rdkit import Chem

import molscore
from molscore.chem.embedding.etkdg import embed
from molscore.score.interpolate import interpolate

THREADS = 4
SMILES = ("CC(=O)OCC(N)=O", "CN1CCC[C@H]1C", "C/C=C/CC(N)CO", "OC1CC1c1ccco1")


@pytest.fixture(scope="module", autouse=True)
def one_thread_each():
    torch.set_num_threads(1)


def together(job, arguments: list) -> list:
    """What a job makes of each argument while others are at work; twice, so that each meets different ones."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(job, arguments + arguments[::-1]))


def assert_same(job, arguments: list, look) -> None:
    alone = [look(job(argument)) for argument in arguments]
    for result, expected in zip(map(look, together(job, arguments)), alone + alone[::-1], strict=True):
        assert len(result) == len(expected) > 0
        for x, y in zip(result, expected, strict=True):
            np.testing.assert_array_equal(x, y)


def positions(mols: list[Chem.Mol]) -> list:
    return [[mol.GetConformer(c.GetId()).GetPositions() for c in mol.GetConformers()] for mol in mols]


def test_scores():
    scorer, mols = molscore.MoleculeScorer.from_pretrained(device="cpu"), [embed(smiles) for smiles in SMILES]

    def numbers(scores):
        return [
            [x.log_likelihood, x.standard_error, x.score_norm, x.score_uncertainty, *x.atom_uncertainty] for x in scores
        ]

    jobs = [([mol], seed) for seed, mol in enumerate(mols)]
    assert_same(lambda job: scorer.score(*job), jobs, numbers)


def test_conformers():
    generator = molscore.ConformerGenerator.from_pretrained(device="cpu")
    assert_same(lambda smiles: generator.generate(smiles, n=2).mols[0], list(SMILES), lambda mol: positions([mol])[0])


def test_molecules():
    generator = molscore.MoleculeGenerator.from_pretrained("druglike", device="cpu")
    assert_same(
        lambda seed: generator.generate(2, seed, steps=20),
        list(range(THREADS)),
        lambda made: [value for mol in made.mols for value in (Chem.MolToSmiles(mol), *positions([mol])[0])],
    )


def test_interpolation():
    model = molscore.MoleculeScorer.from_pretrained(device="cpu").model
    ends = [(embed("CCCCC(N)=O", seed=k), embed("CCCCC(N)=O", seed=k + 10)) for k in range(THREADS)]
    assert_same(
        lambda pair: interpolate(model, *pair, n=3, steps=6), ends, lambda path: positions([step.mol for step in path])
    )


def test_models_keep_nothing_of_a_call():
    """No hook, no buffer and no attribute differs before and after."""
    scorer = molscore.MoleculeScorer.from_pretrained(device="cpu")

    def held():
        return {
            name: (sorted(vars(module)), dict(vars(module)["_forward_hooks"]), list(vars(module)["_buffers"]))
            for name, module in scorer.model.named_modules()
        }

    before = held()
    scorer.score([embed(SMILES[0])])
    assert held() == before
