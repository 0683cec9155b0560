"""The generator's promises: N molecules, all sound and different, each attempt fixed by (model, seed, index) alone."""

import numpy as np
import pytest
import torch
from rdkit import Chem
from run_length import STEPS

from molscore.chem.validity import REASONS, check
from molscore.generate import MoleculeGenerator, choose_device
from molscore.generate import generator as module
from molscore.model import DiffusionConfig, MoleculeDiffusion


def coordinates(mol: Chem.Mol) -> np.ndarray:
    return mol.GetConformer().GetPositions()


def assert_same(a: list[Chem.Mol], b: list[Chem.Mol], tolerance: float = 1e-3) -> None:
    assert [Chem.MolToSmiles(m) for m in a] == [Chem.MolToSmiles(m) for m in b]
    for x, y in zip(a, b, strict=True):
        assert np.abs(coordinates(x) - coordinates(y)).max() < tolerance


def test_delivers_what_was_asked_for(twelve):
    assert len(twelve.mols) == twelve.manifest["delivered"] == twelve.manifest["requested"] == 12
    for mol in twelve.mols:
        assert check(mol, net_charge=0).ok
        assert len(Chem.GetMolFrags(mol)) == 1
        assert all(atom.GetNumImplicitHs() == 0 and atom.GetNumRadicalElectrons() == 0 for atom in mol.GetAtoms())
        assert mol.GetConformer().Is3D()
    assert len({Chem.MolToSmiles(mol) for mol in twelve.mols}) == 12


def test_every_attempt_is_accounted_for(twelve):
    accepted = [mol.GetIntProp("molscore_index") for mol in twelve.mols]
    rejected = [attempt.index for attempt in twelve.rejects]
    assert sorted(accepted + rejected) == list(range(twelve.manifest["attempts"]))
    assert accepted == sorted(accepted)
    assert sum(twelve.manifest["rejected"].values()) == len(rejected)
    assert {attempt.verdict.reason for attempt in twelve.rejects} <= set(REASONS)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_batch_size_does_not_matter(generator, twelve, batch_size):
    few = generator.generate(4, seed=0, steps=STEPS, batch_size=batch_size)
    assert_same(few.mols, twelve.mols[:4])


def test_another_seed_gives_other_molecules(generator, twelve):
    other = generator.generate(3, seed=1, steps=STEPS)
    assert not {Chem.MolToSmiles(m) for m in other.mols} & {Chem.MolToSmiles(m) for m in twelve.mols}


def test_raw_delivers_the_first_samples_untouched(generator):
    raw = generator.generate(8, seed=0, steps=4, raw=True)
    assert [mol.GetIntProp("molscore_index") for mol in raw.mols] == list(range(8))
    assert not raw.rejects
    assert not all(check(mol).ok for mol in raw.mols), (
        "four steps do not give eight valid molecules: raw must filter nothing"
    )


def test_duplicates_of_earlier_molecules_are_rejected(generator, twelve):
    seen = {Chem.MolToSmiles(Chem.RemoveHs(mol)) for mol in twelve.mols[:1]}
    attempts = list(generator.attempts(1, 0, seen=seen, steps=STEPS))
    first = next(a for a in attempts if a.index == twelve.mols[0].GetIntProp("molscore_index"))
    assert first.verdict.reason == "duplicate"


def test_gives_up_when_nothing_passes(monkeypatch):
    """A model that knows fluorine only cannot make one molecule of three atoms."""
    blank = MoleculeGenerator(MoleculeDiffusion(DiffusionConfig(), [(9, 0)], [0.0, 0.0, 0.0, 1.0]).eval(), "blank")
    monkeypatch.setattr(module, "PATIENCE", (1, 9))
    result = blank.generate(1, steps=2)
    assert result.mols == []
    assert result.manifest["attempts"] == 10
    assert result.manifest["delivered"] == 0


@pytest.mark.parametrize("bad", [{"n": 0}, {"n": 1, "steps": 0}, {"n": 1, "batch_size": 0}, {"n": 1, "sampler": "no"}])
def test_bad_arguments(generator, bad):
    with pytest.raises(ValueError):
        generator.generate(**bad)


def test_unknown_model_and_device():
    with pytest.raises(ValueError, match="bundled models: .*qm9"):
        MoleculeGenerator.from_pretrained("nothing")
    with pytest.raises(ValueError, match="unknown device"):
        choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="0 CUDA devices"):
            choose_device("cuda")
