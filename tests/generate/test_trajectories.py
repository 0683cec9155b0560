"""Attempts watched on their way: nothing about them changes, and the frames are those of the sampler's steps."""

import numpy as np
import pytest
from run_length import STEPS

from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.model import DiffusionConfig, MoleculeDiffusion


@pytest.mark.parametrize("relax", ["none", "mmff"])
def test_the_molecules_are_those_of_the_run_bit_by_bit(generator, relax):
    run = generator.generate(3, seed=0, steps=STEPS, relax=relax)
    indices = [mol.GetIntProp("molscore_index") for mol in run.mols][::-1]
    watched = generator.trajectories(indices, steps=STEPS, relax=relax)
    for mol, trajectory in zip(run.mols[::-1], watched, strict=True):
        assert trajectory.title == mol.GetProp("_Name") and trajectory.reason is None
        assert np.array_equal(mol.GetConformer().GetPositions(), trajectory.mol.GetConformer().GetPositions())
        assert mol.GetPropsAsDict() == trajectory.mol.GetPropsAsDict()


def test_from_noise_to_the_molecule(generator, twelve):
    """At first a normal cloud of the size that the model says; at last nearly the molecule, elements and bonds too."""
    passed = [mol.GetIntProp("molscore_index") for mol in twelve.mols]
    watched = generator.trajectories(passed, steps=STEPS)
    first = np.concatenate([t.positions[0].ravel() for t in watched])
    assert np.std(first) == pytest.approx(generator.model.config.position_scale, rel=0.15)
    for trajectory in watched:
        assert len(trajectory) == STEPS == len(trajectory.positions)
        assert trajectory.times[0] == 1 and (np.diff(trajectory.times) < 0).all()
        mol = trajectory.mol
        x, n = mol.GetConformer().GetPositions(), mol.GetNumAtoms()
        assert trajectory.positions.shape == (STEPS, n, 3)  # hydrogens are atoms of this model
        assert np.abs(trajectory.positions[-1] - x).max() < 0.3
        assert np.abs(trajectory.positions[0] - x).max() > 1
        assert (trajectory.bond_orders == trajectory.bond_orders.transpose(0, 2, 1)).all()
    finished = [t for t in watched if t.atomic_numbers[-1].tolist() == [a.GetAtomicNum() for a in t.mol.GetAtoms()]]
    assert len(finished) > len(watched) / 2  # the others were repaired


@pytest.mark.parametrize("sampler", ["em", "pc", "ode"])
def test_every_sampler_has_a_frame_for_each_step(generator, sampler):
    (trajectory,) = generator.trajectories([0], steps=5, sampler=sampler)
    assert len(trajectory) == 5 and (np.diff(trajectory.times) < 0).all()


def test_a_rejected_attempt_says_why(generator):
    rejected = generator.generate(4, seed=0, steps=12)
    attempt = rejected.rejects[0]
    (trajectory,) = generator.trajectories([attempt.index], steps=12)
    assert trajectory.reason == attempt.reason


def test_attempts_of_later_windows_and_indices_below_zero(generator):
    (trajectory,) = generator.trajectories([30], steps=2)
    assert trajectory.title == "molscore_0_30"
    assert generator.trajectories([], steps=2) == []
    with pytest.raises(ValueError, match="numbered from 0"):
        generator.trajectories([3, -1])


def test_atoms_that_turn_out_fake_are_left_out():
    vocabulary = [(1, 0), (6, 0), (8, 0)]
    config = {"fake_atoms": 4, "network": {"irreps": "8x0e + 4x1o", "pair_channels": 4, "layers": 1, "heads": 2}}
    model = MoleculeDiffusion(DiffusionConfig.model_validate(config), vocabulary, [0, 0, 0, 1, 1, 1]).eval()
    generator = MoleculeGenerator(model, "small")
    watched = generator.trajectories(range(4), steps=3)
    samples = generator.sample(range(4), options=GenerationOptions(steps=3))
    for trajectory, sample in zip(watched, samples, strict=True):
        assert trajectory.positions.shape == (3, len(sample.positions), 3)
        assert (trajectory.atomic_numbers[-1] > 0).all()
