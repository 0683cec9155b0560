"""From one conformer to another: the ends are the conformers, the path is made of molecules."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from rdkit import Chem

import molscore.score.interpolate as interpolate_module
from molscore.chem.arrays import MoleculeError, isomeric_smiles
from molscore.chem.checks.validity import Fault, check
from molscore.chem.forcefield.minimise import energies
from molscore.score import MoleculeScore
from molscore.score.interpolate import great_circle, interpolate
from molscore.score.profile import draw_profile, profile

SMILES = "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O"


@pytest.fixture(scope="module")
def ends(conformer):
    """Two conformers; the second in another order of atoms, elsewhere."""
    first, last = conformer(SMILES, seed=1), conformer(SMILES, seed=4)
    order = np.random.default_rng(0).permutation(last.GetNumAtoms()).tolist()
    last = Chem.RenumberAtoms(last, order)
    last.GetConformer().SetPositions(last.GetConformer().GetPositions() @ np.diag([-1.0, -1.0, 1.0]) + 7)
    return first, last


@pytest.fixture(scope="module")
def path(scorer, ends):
    return interpolate(scorer.model, *ends, n=5)


def test_the_ends_are_the_conformers(path, ends):
    assert [step.fraction for step in path] == [0, 0.25, 0.5, 0.75, 1]
    assert path[0].to_first < 0.02 and path[-1].to_last < 0.02
    apart = path[0].to_last
    assert apart > 0.5 and path[-1].to_first == pytest.approx(apart, abs=0.02)
    heavy = Chem.RemoveHs(ends[0]).GetConformer().GetPositions()
    np.testing.assert_allclose(
        (x := path[0].mol.GetConformer().GetPositions()[: len(heavy)]) - x.mean(0), heavy - heavy.mean(0), atol=0.05
    )


def test_the_path_is_made_of_the_same_molecule(path, ends):
    assert {isomeric_smiles(step.mol) for step in path} == {isomeric_smiles(ends[0])}
    distances = [step.to_first for step in path]
    assert distances == sorted(distances)
    for step in path:
        lengths = [
            (
                step.mol.GetConformer().GetAtomPosition(b.GetBeginAtomIdx())
                - step.mol.GetConformer().GetAtomPosition(b.GetEndAtomIdx())
            ).Length()
            for b in step.mol.GetBonds()
        ]
        assert 0.8 < min(lengths) and max(lengths) < 1.8
        assert set(step.properties()) >= {"fraction", "strain_kcal_per_mol"}


def test_energies_are_those_of_the_sound_molecules(path):
    assert [step.fault is None for step in path] == [check(step.mol) is None for step in path]
    absolute = [None if step.fault else energies(step.mol)[0] for step in path]
    lowest = min(energy for energy in absolute if energy is not None)
    assert [step.energy for step in path] == [None if energy is None else energy - lowest for energy in absolute]
    assert path[0].energy is not None and path[-1].energy is not None
    assert path[1].properties()["relative_energy_kcal_per_mol"] == path[1].energy


def test_the_profile_leaves_a_gap_where_a_molecule_is_not_sound(path, tmp_path):
    clash = Fault("clash", "atoms 1 and 9 are 0.5 Å apart")
    known = [replace(step, energy=energy, fault=None) for step, energy in zip(path, (0, 4.5, 9, 8, 1), strict=True)]
    steps = [*known[:2], replace(known[2], energy=None, fault=clash), replace(known[3], energy=None), known[4]]
    scores = [MoleculeScore(1.0 - k, 0.1) for k in range(4)] + [MoleculeScore(reason="why: not")]
    energy, likelihood = profile(steps, scores).axes
    drawn = energy.lines[0].get_ydata()
    assert np.isnan(drawn).tolist() == [False, False, True, True, False] and np.nanmin(drawn) == 0
    assert drawn[[0, 1, 4]].tolist() == [0, 4.5, 1]
    assert energy.get_legend().get_texts()[0].get_text() == "left out: clash 1, no energy 1"
    assert energy.lines[1].get_xdata().tolist() == [0.5, 0.75]
    assert "MMFF94s" in energy.get_ylabel() and "kcal/mol" in energy.get_ylabel()
    assert "nats per atom" in likelihood.get_ylabel() and "Å" in likelihood.get_xlabel()
    assert np.isnan(likelihood.lines[0].get_ydata()).tolist() == [False] * 4 + [True]
    assert len(profile(steps, energy="xtb").axes) == 1
    assert steps[2].properties()["not_sound"].startswith("clash: ")
    draw_profile(tmp_path / "p.png", steps, scores)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="png"):
        draw_profile(tmp_path / "p.sdf", steps)


def test_another_isomer_on_the_way_is_not_sound(scorer, ends, monkeypatch):
    """Where the positions say another stereo isomer, the step says so, and has no energy."""
    mirror = interpolate_module.complete
    monkeypatch.setattr(
        interpolate_module, "complete", lambda arrays: mirror(replace(arrays, positions=arrays.positions * [1, 1, -1]))
    )
    for step in interpolate(scorer.model, *ends, n=2, steps=5):
        assert step.fault.token == "stereo" and step.energy is None


def test_other_molecules_and_too_few_steps_are_refused(scorer, ends, conformer):
    for other in (conformer("CC(C)Cc1ccc(cc1)[C@H](C)C(=O)O"), conformer("CC(C)Cc1ccc(cc1)CCC(=O)O")):
        with pytest.raises(MoleculeError, match="no conformers of one molecule"):
            interpolate(scorer.model, ends[0], other)
    with pytest.raises(ValueError, match="from 2 to"):
        interpolate(scorer.model, *ends, n=1)


def test_great_circle():
    a, b = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0])
    points = great_circle(a, b, torch.linspace(0, 1, 3))
    torch.testing.assert_close(points, torch.tensor([[2, 0], [3 / 2**0.5, 3 / 2**0.5], [0, 4]]), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(great_circle(a, 2 * a, torch.tensor([0.5])), 1.5 * a[None])
