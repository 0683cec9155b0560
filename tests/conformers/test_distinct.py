"""Distinct conformers: repeats are left out and said, more are looked for, and single atoms are served."""

import numpy as np
import pytest
from conformers.conftest import positions
from rdkit import Chem
from rdkit.Chem.rdMolTransforms import GetDihedralDeg

from molscore.chem.ensemble import heavy_positions, rmsd_matrix, symmetries

RIGID = [
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "c1ccc2ccccc2c1",
    "C1C2CC3CC1CC(C2)C3",
    "CC(C)(C)C",
    "OB(O)O",
]
FLEXIBLE = ["CCCCO", "CCCCC(=O)NCCc1ccccc1", "OB(O)c1ccccc1CC"]


def of(generator, smiles, n, **options):
    """The one ensemble of a molecule."""
    (ensemble,) = generator.stream(smiles, n, **options)
    return ensemble


def nearest(mol: Chem.Mol) -> float:
    """Å between the two conformers that are most alike."""
    distances = rmsd_matrix(heavy_positions(mol), symmetries(mol))
    return float(distances[np.triu_indices(len(distances), 1)].min(initial=np.inf))


@pytest.mark.parametrize("method", ["score", "etkdg"])
@pytest.mark.parametrize("smiles", RIGID)
def test_repeats_are_left_out(generator, smiles, method):
    ensemble = of(generator, smiles, 5, method=method)
    assert 1 <= ensemble.mol.GetNumConformers() < 5 and nearest(ensemble.mol) >= 0.1
    assert ensemble.exhausted and not ensemble.short and ensemble.dropped["rmsd"] > 0


@pytest.mark.parametrize("smiles", FLEXIBLE)
def test_further_ones_are_looked_for(generator, smiles):
    """As many as were asked for, though among the first there are repeats."""
    ensemble = of(generator, smiles, 4)
    assert ensemble.mol.GetNumConformers() == 4 and nearest(ensemble.mol) >= 0.1
    assert not ensemble.exhausted and not ensemble.short


def test_fill_repeats_and_keeps_the_distinct(generator):
    distinct = of(generator, RIGID[0], 5)
    ensemble = of(generator, RIGID[0], 5, fill=True)
    assert ensemble.mol.GetNumConformers() == 5 and not ensemble.exhausted and not ensemble.short
    assert nearest(ensemble.mol) < 0.1
    np.testing.assert_array_equal(positions(ensemble.mol)[0], positions(distinct.mol)[0])
    some = of(generator, "C1CCCCC1", 12, fill=True)
    assert some.mol.GetNumConformers() == 12
    apart = of(generator, "C1CCCCC1", 12).mol.GetNumConformers()
    kinds = rmsd_matrix(heavy_positions(some.mol), symmetries(some.mol)) < 0.1
    assert len({row.tobytes() for row in kinds}) >= apart > 1


@pytest.mark.parametrize("off", [None, 0.0])
def test_repeats_may_be_kept(generator, off):
    ensemble = of(generator, RIGID[0], 3, rmsd=off)
    assert ensemble.mol.GetNumConformers() == 3 and not ensemble.dropped


@pytest.mark.parametrize(
    "smiles",
    ["[Cu]", "[Na+]", "[He]", "[H][H]", "[H+]", "[2H][2H]", "Cl", "O", "N", "C", "[NH4+]", "[U]", "[Fe+2]", "F"],
)
@pytest.mark.parametrize("method", ["score", "etkdg"])
def test_one_heavy_atom_has_one_conformer(generator, smiles, method):
    ensemble = of(generator, smiles, 3, method=method)
    assert ensemble.mol.GetNumConformers() == 1 and ensemble.exhausted and not ensemble.short
    assert np.isfinite(positions(ensemble.mol)).all()
    x = positions(ensemble.mol)[0]
    assert all(
        0.6 < np.linalg.norm(x[b.GetBeginAtomIdx()] - x[b.GetEndAtomIdx()]) < 1.5 for b in ensemble.mol.GetBonds()
    )
    assert of(generator, smiles, 3, fill=True).mol.GetNumConformers() == 3


@pytest.mark.parametrize("smiles", ["OB(O)c1ccccc1", "CC(=O)O[Zn]OC(C)=O", "C[Si](C)(C)c1ccccc1B(O)O"])
def test_a_rank_without_an_energy_says_so(generator, smiles):
    ensemble = of(generator, smiles, 3)
    count = ensemble.mol.GetNumConformers()
    assert ensemble.rankings == {"none": count}
    for conformer in ensemble.mol.GetConformers():
        assert conformer.GetProp("ranked_by") == "none" and not conformer.HasProp("energy_kcal_per_mol")


def test_a_rank_by_energy_says_by_which(generator):
    ensemble = of(generator, "CCCCO", 3)
    assert ensemble.rankings == {"mmff94s": 3}
    energies = [conformer.GetDoubleProp("energy_kcal_per_mol") for conformer in ensemble.mol.GetConformers()]
    assert energies == sorted(energies)


@pytest.mark.parametrize(
    "smiles, angle",
    [
        ("Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12", 40),
        ("Cc1cccc(C)c1-c1c(C)cccc1C", 40),
        ("Brc1ccccc1-c1ccccc1Br", 40),
        ("c1ccc2c(-c3cccc4ccccc34)cccc2c1", 35),
        ("COc1cccc(OC)c1-c1c(OC)cccc1OC", 35),
    ],
)
def test_no_hindered_biaryl_is_flat(generator, smiles, angle):
    mol = of(generator, smiles, 10).mol
    match = mol.GetSubstructMatch(Chem.MolFromSmarts("a:a(-!@a(:a))"))
    for conformer in mol.GetConformers():
        torsion = GetDihedralDeg(conformer, *match)
        assert angle < abs(torsion) < 180 - angle
    spans = [conformer.GetDoubleProp("relative_energy_kcal_per_mol") for conformer in mol.GetConformers()]
    assert max(spans) < 12
