"""What a Python user relies on: errors and molecules that survive a process pool, titles, None, several conformers."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from inspect import getmembers, isclass
from multiprocessing import get_context
from pkgutil import walk_packages

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem

import molscore
from molscore.chem.arrays import MoleculeError
from molscore.chem.embedding.etkdg import embed, parse

SMILES = "CC(=O)OCC(N)=O"


@pytest.fixture(scope="module")
def generator():
    torch.set_num_threads(1)
    return molscore.ConformerGenerator.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def scorer(generator):
    return molscore.MoleculeScorer(generator.model)


@pytest.fixture(scope="module")
def ensemble(generator):
    return generator.generate(f"{SMILES} glycolamide", n=3).mols[0]


def errors() -> list[type[Exception]]:
    kinds = set()
    for module in walk_packages(molscore.__path__, "molscore."):
        if not module.name.endswith("__main__"):
            members = getmembers(import_module(module.name), isclass)
            kinds |= {
                kind for _, kind in members if issubclass(kind, Exception) and kind.__module__.startswith("molscore")
            }
    return sorted(kinds, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", errors(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_error_survives_pickling(kind):
    error = kind("valence", "five bonds at C") if kind is MoleculeError else kind("five bonds at C")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error) and vars(again) == vars(error)


def test_an_error_of_a_worker_reaches_the_parent():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(MoleculeError, match="smiles: RDKit cannot read 'c1ccccc'"):
            list(pool.map(parse, ["CCO", "c1ccccc"], timeout=120))
        echoed = pool.submit(_echo, embed("CCO")).result(timeout=120)
    assert echoed.GetProp("_Name") == "named there"


def _echo(mol: Chem.Mol) -> Chem.Mol:
    mol.SetProp("_Name", "named there")
    return mol


def test_properties_and_positions_survive_pickling(ensemble):
    for mol in (ensemble, Chem.Mol(ensemble)):
        mol.SetProp("note", "a\nb")
        mol.GetAtomWithIdx(0).SetDoubleProp("uncertainty", 0.25)
        again = pickle.loads(pickle.dumps(mol))
        assert again.GetPropsAsDict(True) == mol.GetPropsAsDict(True)
        assert again.GetAtomWithIdx(0).GetDoubleProp("uncertainty") == 0.25
        for after, before in zip(again.GetConformers(), mol.GetConformers(), strict=True):
            assert after.GetPropsAsDict() == before.GetPropsAsDict() and after.GetProp("method")
            np.testing.assert_array_equal(after.GetPositions(), before.GetPositions())


def test_molecules_have_titles(generator, ensemble):
    assert ensemble.GetProp("_Name") == "glycolamide"
    salt = Chem.MolFromSmiles("CCCCC(=O)[O-].[Na+] valerate")
    mols = generator.generate([SMILES, f"{SMILES} amide", salt], n=1).mols
    assert [mol.GetProp("_Name") for mol in mols] == ["molecule_1", "amide", "valerate"]
    made = molscore.MoleculeGenerator.from_pretrained("qm9", device="cpu").generate(2, seed=3, steps=10)
    for mol in made.mols:
        assert mol.GetProp("_Name") == f"molscore_3_{mol.GetProp('molscore_index')}"


def test_what_is_no_molecule_is_an_item_with_a_reason(generator, scorer):
    items = [None, Chem.MolFromSmiles(SMILES), "CCO", b"CCO", 7]
    ensembles = generator.generate(items, n=1, method="etkdg").ensembles
    assert [ensemble.mol.GetNumConformers() for ensemble in ensembles] == [0, 1, 1, 0, 0]
    reasons = [ensemble.reason and ensemble.reason[0] for ensemble in ensembles]
    assert reasons == ["unreadable", None, None, "unreadable", "unreadable"]
    assert "not 7" in ensembles[4].reason[1]
    scores = scorer.score([None, embed(SMILES), "CCO"])
    assert [score.reason and score.reason.partition(":")[0] for score in scores] == ["unreadable", None, "no_3d"]


def test_each_conformer_is_scored_and_none_is_taken_for_all(scorer, ensemble):
    first = Chem.Mol(ensemble, False, ensemble.GetConformer().GetId())
    several, single, none = scorer.score([ensemble, first, None])
    assert several.reason.startswith("several_conformers: 3") and several.log_likelihood is None
    assert "score_conformers" in several.reason
    each = scorer.score_conformers(ensemble)
    assert len(each) == 3 and each[0].log_likelihood == pytest.approx(single.log_likelihood, abs=1e-4)
    assert len({round(score.log_likelihood, 3) for score in each}) == 3


def test_what_is_evaluated_may_be_one_or_many(ensemble):
    one = Chem.Mol(ensemble, False, 0)
    table = pd.DataFrame({"mol": [one, None, "CCO", float("nan")]})
    quick = {"reference": None, "posebusters": None, "relaxation": False}
    for mols, total in ((one, 1), ([one, None], 2), (table, 4), (table["mol"], 4)):
        valid = molscore.evaluate(mols, **quick)["valid"]
        assert (valid.count, valid.total) == (1, total)


def test_conformers_are_evaluated_each(generator):
    made = generator.generate(["CCCCO butanol", None, "CCCCC(=O)N amide"], n=3)
    metrics = molscore.evaluate(made, reference=None, posebusters=None, relaxation=False)
    assert (metrics["valid"].count, metrics["valid"].total) == (6, 7)
    assert metrics.ensembles["molecules"] == 2 and metrics.ensembles["methods"] == {"score": 6}


@pytest.mark.parametrize("seed", [-1, 1.5, 2**128])
def test_a_bad_seed_is_refused_by_all(generator, scorer, seed):
    made = molscore.MoleculeGenerator(generator.model.__class__(*_generating()), "small")
    for ask in (
        lambda: scorer.score([embed("CCCCO")], seed=seed),
        lambda: generator.generate("CCCCO", n=1, seed=seed),
        lambda: generator.stream("CCCCO", n=1, seed=seed),
        lambda: scorer.stream([], seed=seed),
        lambda: made.stream(1, seed=seed),
        lambda: made.generate(1, seed=seed),
    ):
        with pytest.raises(ValueError, match="seed must be a whole number"):
            ask()


def _generating() -> tuple:
    from molscore.model import DiffusionConfig
    from molscore.network.network import NetworkConfig

    small = NetworkConfig(irreps="8x0e + 4x1o", pair_channels=4, layers=1, heads=4)
    return DiffusionConfig(network=small), [(1, 0), (6, 0)], [0.0, 0.0, 0.5, 0.5]


def test_seeds_that_differ_in_high_bits_alone_differ(generator, scorer):
    """A generator of PyTorch on a CPU would take them for one."""
    mol = embed(SMILES)
    scores = [scorer.score([mol], seed=seed)[0] for seed in (1, 1 + 2**32, 1 + 2**64)]
    for name in ("log_likelihood", "score_norm", "score_uncertainty", "position_uncertainty"):
        assert len({getattr(score, name) for score in scores}) == 3, name
    made = [generator.generate(SMILES, n=1, seed=seed).mols[0] for seed in (1, 1 + 2**32, 1 + 2**64)]
    positions = [mol.GetConformer().GetPositions() for mol in made]
    assert not np.allclose(positions[0], positions[1]) and not np.allclose(positions[0], positions[2])
