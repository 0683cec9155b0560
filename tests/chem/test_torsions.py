"""Torsions that crystals hardly show."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdMolTransforms

from molscore.chem.ensemble import heavy_atoms, heavy_positions
from molscore.chem.torsions import torsions

NONE = np.array([], dtype=np.int64)
CHAIN = "CCOc1ccccc1CNC(=O)CCS(=O)(=O)NCC"


def embedded(smiles, n=8):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    parameters = rdDistGeom.KDG()  # knows no profiles
    parameters.randomSeed = 3
    rdDistGeom.EmbedMultipleConfs(mol, n, parameters)
    return mol, heavy_atoms(mol)


def dihedrals(mol, heavy, atoms):
    return np.array(
        [
            [rdMolTransforms.GetDihedralDeg(c, *heavy[list(four)].tolist()) % 360 for four in atoms]
            for c in mol.GetConformers()
        ]
    )


def test_angles_are_those_of_rdkit():
    mol, heavy = embedded(CHAIN)
    known = torsions(mol, heavy, NONE)
    found = known.angles(heavy_positions(mol)) - dihedrals(mol, heavy, known.atoms)
    assert len(known.atoms) == 10 and np.abs((found + 180) % 360 - 180).max() < 1e-9


def test_potentials_are_those_of_the_profiles():
    """V of RDKit's coefficients at the angle itself, within what a grid of two degrees rounds."""
    mol, heavy = embedded(CHAIN)
    known, place = torsions(mol, heavy, NONE), {int(i): k for k, i in enumerate(heavy)}
    potentials, tried = known.potentials(heavy_positions(mol)), 0
    for torsion in rdDistGeom.GetExperimentalTorsions(mol, rdDistGeom.ETKDGv3()):
        four = [place.get(i) for i in torsion["atomIndices"]]
        for t, atoms in enumerate(known.atoms.tolist()):
            if atoms == four:
                tried += 1
                grid = profile(torsion, np.arange(0, 360, 0.5))
                exact = profile(torsion, dihedrals(mol, heavy, [four])[:, 0]) - grid.min()
                np.testing.assert_allclose(potentials[:, t], exact, atol=2.4 * np.abs(np.diff(grid)).max() + 1e-9)
    assert tried == len(known.atoms)


def profile(torsion, angles):
    """RDKit's sum of cosines at angles in degrees."""
    heights, signs = (np.array(list(torsion[name])) for name in ("V", "signs"))
    orders = np.arange(1, len(heights) + 1)
    return (heights * (1 + signs * np.cos(orders * np.radians(angles)[:, None]))).sum(-1)


def test_turned_about_single_bonds_alone():
    """Afterwards no torsion is beyond the limit; bonds, angles and handedness are as before; what was good stays."""
    mol, heavy = embedded("C[C@H](O)COc1ccccc1C[C@@H](N)C(=O)NCCS(=O)(=O)NCC")
    known, x = torsions(mol, heavy, NONE), heavy_positions(mol)
    y = known.turned(x, 4.0)
    before, after = known.potentials(x), known.potentials(y)
    assert (before > 4).any() and (after <= 4).all()
    near = Chem.GetDistanceMatrix(mol)[np.ix_(heavy, heavy)] <= 2
    gaps = [np.linalg.norm(z[:, :, None] - z[:, None], axis=-1)[:, near] for z in (x, y)]
    np.testing.assert_allclose(*gaps, atol=1e-9)
    np.testing.assert_allclose(after[before <= 4], before[before <= 4])
    tagged = Chem.Mol(mol)
    for conformer, z in zip(tagged.GetConformers(), y, strict=True):
        for atom, place in zip(heavy.tolist(), z.tolist(), strict=True):
            conformer.SetAtomPosition(atom, place)
        single = Chem.RemoveHs(Chem.Mol(tagged, confId=conformer.GetId()))
        Chem.AssignStereochemistryFrom3D(single)
        assert Chem.MolToSmiles(single) == Chem.MolToSmiles(Chem.MolFromSmiles(Chem.MolToSmiles(Chem.RemoveHs(mol))))


@pytest.mark.parametrize(
    ("smiles", "four", "angle", "near"),
    [
        ("COc1ccccc1", (3, 2, 1, 0), 80, (0, 180)),  # anisole lies in the plane of its ring
        ("CNC(C)=O", (4, 2, 1, 0), 70, (0,)),  # a secondary amide is trans
        ("CNS(=O)(=O)C", (5, 2, 1, 0), 175, (60, 300)),  # and a sulfonamide gauche
    ],
)
def test_known_preferences(smiles, four, angle, near):
    mol, heavy = embedded(smiles, 1)
    rdMolTransforms.SetDihedralDeg(mol.GetConformer(), *four, angle)
    y = torsions(mol, heavy, NONE).turned(heavy_positions(mol), 4.0)
    for atom, place in zip(heavy.tolist(), y[0].tolist(), strict=True):
        mol.GetConformer().SetAtomPosition(atom, place)
    turned = rdMolTransforms.GetDihedralDeg(mol.GetConformer(), *four)
    assert min(abs((turned - x + 180) % 360 - 180) for x in near) < 31


def test_what_is_held_stays():
    """Not even by rounding; a bond between two held ends is left out."""
    mol, heavy = embedded(CHAIN)
    x = heavy_positions(mol)
    for held in ([0, 1, 2], [9, 10, 11], [0, 19 - 3], list(range(len(heavy)))):
        known = torsions(mol, heavy, np.array(held))
        y = known.turned(x, 0.5)
        assert (y[:, held] == x[:, held]).all() and not known.moving[:, held].any()
    assert len(known.atoms) == 0 and (y == x).all()


def test_rings_and_molecules_without_bonds():
    for smiles in ("C1CCCCC1", "C", "CC"):
        mol, heavy = embedded(smiles, 1)
        known = torsions(mol, heavy, NONE)
        assert len(known.atoms) == 0 and (known.turned(heavy_positions(mol), 0) == heavy_positions(mol)).all()
