"""Partial relaxations: what is held stays, the rest settles."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdMolTransforms

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.forcefield.minimise import energies
from molscore.chem.forcefield.settle import settle_hydrogens_in_place, settle_in_place
from molscore.chem.forcefield.strain import relaxation_energy

CHAIN = (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5)
"""Torsions of hexane."""


def distorted(mol: Chem.Mol, torsions: dict, noise: float, seed: int = 0) -> Chem.Mol:
    copy = Chem.Mol(mol)
    for atoms, degrees in torsions.items():
        rdMolTransforms.SetDihedralDeg(copy.GetConformer(), *atoms, degrees)
    positions = copy.GetConformer().GetPositions()
    copy.GetConformer().SetPositions(positions + np.random.default_rng(seed).normal(scale=noise, size=positions.shape))
    return copy


def test_bonds_and_angles_settle_and_torsions_stay(embed):
    """A conformation that is no minimum of the force field keeps its torsions; most of the noise's energy goes."""
    torsions = dict(zip(CHAIN, (120.0, -95.0, 140.0), strict=True))
    mol = distorted(embed("CCCCCC"), torsions, noise=0.05)
    before = relaxation_energy(mol).energy
    measured = {atoms: rdMolTransforms.GetDihedralDeg(mol.GetConformer(), *atoms) for atoms in CHAIN}
    settled = Chem.Mol(mol)
    settle_in_place(settled)
    for atoms, degrees in measured.items():
        turned = (rdMolTransforms.GetDihedralDeg(settled.GetConformer(), *atoms) - degrees + 180) % 360 - 180
        assert abs(turned) < 10
    after = relaxation_energy(settled).energy
    assert before > 40 and 2 < after < 15  # eclipsed bonds are left
    lengths = [
        rdMolTransforms.GetBondLength(settled.GetConformer(), b.GetBeginAtomIdx(), b.GetEndAtomIdx())
        for b in settled.GetBonds()
        if 1 not in (b.GetBeginAtom().GetAtomicNum(), b.GetEndAtom().GetAtomicNum())
    ]
    np.testing.assert_allclose(lengths, 1.53, atol=0.03)


def test_stereo_stays(embed):
    mol = distorted(embed("C[C@H](F)/C=C/[C@@H](O)Cl"), {}, noise=0.05)
    settled = Chem.Mol(mol)
    settle_in_place(settled)
    Chem.AssignStereochemistryFrom3D(settled)
    assert isomeric_smiles(settled) == isomeric_smiles(mol)


@pytest.mark.parametrize("smiles", ["OB(O)c1ccccc1", "C[Si](C)(C)c1ccccc1"])
def test_what_mmff_does_not_know_settles_in_uff(smiles):
    """Boron is not in MMFF94s."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    rdDistGeom.EmbedMolecule(mol, randomSeed=1)
    shaken = distorted(mol, {}, noise=0.1)
    hydrogens, whole = Chem.Mol(shaken), Chem.Mol(shaken)
    settle_hydrogens_in_place(hydrogens)
    settle_in_place(whole)
    heavy = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    start = shaken.GetConformer().GetPositions()
    np.testing.assert_array_equal(hydrogens.GetConformer().GetPositions()[heavy], start[heavy])
    assert np.abs(hydrogens.GetConformer().GetPositions() - start).max() > 0.05
    ring = mol.GetSubstructMatch(Chem.MolFromSmarts("c1ccccc1"))
    for i, j in zip(ring, ring[1:], strict=False):
        assert abs(rdMolTransforms.GetBondLength(whole.GetConformer(), i, j) - 1.40) < 0.03


def test_an_atom_that_no_force_field_knows(embed):
    mol = Chem.AddHs(embed("CCO"))
    mol.GetAtomWithIdx(2).SetAtomicNum(118)
    before = mol.GetConformer().GetPositions()
    assert settle_in_place(mol) == "table"
    length = np.linalg.norm(np.diff(mol.GetConformer().GetPositions()[1:3], axis=0))
    assert 2.0 < length < 2.5 and np.linalg.norm(np.diff(before[1:3], axis=0)) < 1.5  # radii of 0.76 and 1.57 Å


@pytest.mark.parametrize("smiles", ["CC(O)CC(=O)NCCc1ccccc1", "OB(O)c1ccccc1CCO"])
def test_conformers_settle_and_are_weighed_as_if_each_were_alone(smiles):
    """One field serves them all; one that is not a number stays, and hinders no other."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert len(rdDistGeom.EmbedMultipleConfs(mol, 4, randomSeed=1)) == 4
    rng = np.random.default_rng(0)
    for conformer in mol.GetConformers():
        conformer.SetPositions(conformer.GetPositions() + rng.normal(scale=0.1, size=(mol.GetNumAtoms(), 3)))
    mol.GetConformer(0).SetPositions(np.full((mol.GetNumAtoms(), 3), np.nan))
    together = Chem.Mol(mol)
    settle_hydrogens_in_place(together, 30)
    weighed = energies(together)
    assert weighed[0] is None
    for k in (1, 2, 3):
        alone = Chem.Mol(mol, False, k)
        settle_hydrogens_in_place(alone, 30)
        x, y = (m.GetConformer(k).GetPositions() for m in (alone, together))
        np.testing.assert_allclose(x, y, atol=1e-6)
        assert np.abs(x - mol.GetConformer(k).GetPositions()).max() > 0.05
        assert weighed[k] == (pytest.approx(energies(alone)[0], abs=1e-6) if "B" not in smiles else None)


def test_conformers_together_settle_as_one_by_one(embed):
    """To the last bit, also where others settle sooner, or are not numbers."""
    mol = embed("OCC(C)CCc1ccncc1")
    for noise in (0.1, 0.02, 0.2, np.nan):
        shaken = distorted(mol, {}, noise=noise, seed=mol.GetNumConformers())
        mol.AddConformer(shaken.GetConformer(0), assignId=True)
    together = Chem.Mol(mol)
    settle_in_place(together)
    for number in range(1, 5):
        alone = Chem.Mol(mol, False, number)
        settle_in_place(alone)
        positions = together.GetConformer(number).GetPositions()
        np.testing.assert_array_equal(positions, alone.GetConformer().GetPositions())
        assert not np.abs(positions - mol.GetConformer(number).GetPositions()).max() < 0.005


def test_it_ends_where_forces_are_small(embed):
    """What has settled is left alone; what has not goes on, and more steps change nothing after that."""
    mol = distorted(embed("OCC(C)CCc1ccncc1"), {}, noise=0.3)
    settle_in_place(mol, 10)
    halfway = energies(mol)[0]
    settle_in_place(mol)
    settled = Chem.Mol(mol)
    settle_in_place(settled)
    assert energies(mol)[0] < halfway - 1
    assert energies(settled)[0] == pytest.approx(energies(mol)[0], abs=1)


def test_a_soft_torsion_yields(embed):
    """Butane, nearly eclipsed: on its way to 65 degrees it turns as far as it may, or further if held softly."""
    turned = {}
    for stiffness in (0.001, 100.0):
        mol = distorted(embed("CCCC"), {(0, 1, 2, 3): 110.0}, noise=0.0)
        settle_in_place(mol, stiffness=stiffness)
        turned[stiffness] = abs(rdMolTransforms.GetDihedralDeg(mol.GetConformer(), 0, 1, 2, 3))
    assert turned[100.0] == pytest.approx(105, abs=1)
    assert turned[0.001] < 80
