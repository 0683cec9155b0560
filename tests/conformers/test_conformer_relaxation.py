"""What a conformer says of its relaxation, and how a finished one is judged."""

import numpy as np
import pytest
from etkdg_conformers import made
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMultipleConfs

from molscore.chem.ensemble import heavy_positions
from molscore.chem.forcefield.minimise import energies
from molscore.chem.forcefield.settle import settle_hydrogens_in_place, settle_in_place
from molscore.chem.hydrogens import with_hydrogens
from molscore.chem.prepare import whole
from molscore.conformers.build import STIFFNESS, WINDOW, completed, fault, relaxed
from molscore.conformers.target import Target

RELAXATIONS = [
    ("CCO", "torsions", "torsions (mmff94s)", False),
    ("CCO", "mmff", "mmff94s", False),
    ("CCO", "none", "none", False),
    ("OB(O)c1ccccc1", "torsions", "torsions (uff)", False),
    ("OB(O)c1ccccc1", "mmff", "torsions (uff)", True),
    ("FS(F)(F)(F)(F)c1ccccc1", "mmff", "torsions (table)", True),
    ("Cl[Pt@SP3](Cl)([NH3])[NH3]", "mmff", "torsions (table)", True),
    ("O=I(=O)c1ccccc1", "mmff", "torsions (table)", True),
    ("CN=C=S", "mmff", "mmff94s", False),
    ("CC#[N+][O-]", "mmff", "mmff94s", False),
]


@pytest.mark.parametrize(("smiles", "how", "relaxation", "has_reason"), RELAXATIONS)
def test_every_conformer_says_how_it_was_relaxed(smiles, how, relaxation, has_reason):
    mol = made(smiles, how=how) if how != "none" else relaxed(made(smiles), "none")
    assert mol.GetNumConformers()
    for conformer in mol.GetConformers():
        assert conformer.GetProp("relaxation") == relaxation
        assert bool(conformer.GetPropsAsDict().get("relaxation_reason")) == has_reason


def test_faults_of_a_finished_conformer_are_seen():
    """Strict or not, a stretched bond is a fault."""
    mol = made("FS(F)(F)(F)(F)c1ccccc1", 1)
    target = Target(whole(Chem.MolFromSmiles("FS(F)(F)(F)(F)c1ccccc1")).mol)
    conformer = mol.GetConformer()
    assert fault(target, mol, conformer.GetId()) is None
    x = conformer.GetPositions()
    x[0] = x[1] + (x[0] - x[1]) * 1.10 / np.linalg.norm(x[0] - x[1])
    conformer.SetPositions(x)
    assert [fault(target, mol, conformer.GetId(), strict) for strict in (True, False)] == ["bond_length"] * 2


@pytest.mark.parametrize("smiles", ["OCCC(=O)[O-]", "[NH3+]C(CO)C(=O)[O-]", "O=P([O-])([O-])OC[C@@H](O)CO"])
def test_hydrogens_find_the_charges_next_to_them(smiles):
    """Before all atoms settle, where charges are damped: as if they had been minimised to their end first."""
    target = Target(whole(Chem.MolFromSmiles(smiles)).mol)
    placed = Chem.Mol(target.mol)
    EmbedMultipleConfs(placed, 20, randomSeed=3)
    reference = with_hydrogens(target.mol, heavy_positions(placed))
    settle_hydrogens_in_place(reference)
    settle_in_place(reference, window=WINDOW, stiffness=STIFFNESS)
    mol = completed(target, heavy_positions(placed), "torsions")
    assert np.mean(energies(mol)) < np.mean(energies(reference)) + 1
