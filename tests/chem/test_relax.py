"""Relaxation: downhill, to a minimum, and never to another molecule."""

import sys

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolAlign

from molscore.chem.forcefield import minimise
from molscore.chem.forcefield.minimise import Minimum
from molscore.chem.forcefield.relax import relax
from molscore.chem.forcefield.strain import relaxation_energy

SMILES = ("C[C@H](N)C(=O)O", "F/C=C\\Cl", "c1ccc2[nH]ccc2c1", "CS(=O)(=O)NC")
METHODS = ["mmff", "xtb"]


def shaken(mol: Chem.Mol, sigma: float, seed: int = 0) -> Chem.Mol:
    copy = Chem.Mol(mol)
    positions = mol.GetConformer().GetPositions()
    copy.GetConformer().SetPositions(positions + np.random.default_rng(seed).normal(scale=sigma, size=positions.shape))
    return copy


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("smiles", SMILES)
def test_downhill_to_the_same_minimum(embed, smiles, method):
    """From two distortions of one conformer to one energy; identity and stereo stay; the input is not touched."""
    if method == "xtb":
        pytest.importorskip("tblite")
    mol = embed(smiles)
    first, second = (relax(shaken(mol, 0.05, seed), method) for seed in (0, 1))
    assert first.reason is second.reason is None
    assert first.gain > 1 and second.gain > 1
    assert first.after == pytest.approx(second.after, abs=0.2)
    assert rdMolAlign.GetBestRMS(Chem.RemoveHs(first.mol), Chem.RemoveHs(second.mol)) < 0.1
    for relaxation in (first, second):
        assert Chem.MolToSmiles(Chem.RemoveHs(relaxation.mol)) == Chem.CanonSmiles(smiles)
    if method == "mmff":
        assert relaxation_energy(first.mol).energy < 0.01
    given = shaken(mol, 0.05)
    before = given.GetConformer().GetPositions()
    relax(given, method)
    np.testing.assert_array_equal(given.GetConformer().GetPositions(), before)


def test_energy_of_xtb_is_the_published_one(embed):
    """GFN2-xTB's energy of water at its minimum is -5.0705 Hartree (xtb 6, `xtb h2o.xyz --opt`)."""
    pytest.importorskip("tblite")
    relaxation = relax(embed("O"), "xtb")
    assert relaxation.after / minimise.HARTREE == pytest.approx(-5.0705, abs=1e-3)
    assert relax(embed("C[NH3+]"), "xtb").reason is None


def test_what_would_become_another_molecule_stays(embed, monkeypatch):
    """A minimiser that mirrors the molecule: its R would be S."""
    mol = embed("C[C@H](N)C(=O)O")
    mirror = mol.GetConformer().GetPositions() * [1, 1, -1]
    monkeypatch.setattr(minimise, "_mmff", lambda copy, fixed: Minimum(mirror, 1.0, 0.0))
    relaxation = relax(mol)
    assert relaxation.reason == "changed" and relaxation.after is None and relaxation.gain is None
    np.testing.assert_array_equal(relaxation.mol.GetConformer().GetPositions(), mol.GetConformer().GetPositions())


def test_reasons(embed):
    assert relax(Chem.AddHs(Chem.MolFromSmiles("CC"))).reason == "no_geometry"
    assert relax(embed("C[Si](C)(C)B(O)O")).reason == "no_parameters"
    lost = embed("CC")
    lost.GetConformer().SetPositions(np.full((8, 3), np.nan))
    assert relax(lost).reason == "no_geometry"
    untouched = relax(embed("CC"), "none")
    assert untouched.reason is None and untouched.gain is None
    with pytest.raises(ValueError, match="choose one of none, mmff, xtb"):
        relax(embed("CC"), "dft")


def test_a_method_that_is_not_installed_says_what_to_do(embed, monkeypatch):
    monkeypatch.setitem(sys.modules, "tblite", None)
    with pytest.raises(ValueError, match=r"pip install 'molscore3d\[xtb\]'"):
        relax(embed("CC"), "xtb")
