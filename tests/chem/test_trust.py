"""Where force fields are trusted, corrected, or replaced by the table; and the settling by the table alone."""

import numpy as np
import pytest
from rdkit import Chem
from scipy.optimize import check_grad

from molscore.chem.embedding.distance_bounds import corrected_bounds
from molscore.chem.embedding.etkdg import etkdg_in_place
from molscore.chem.forcefield.minimise import energies, minimise
from molscore.chem.forcefield.settle import settle_hydrogens_in_place, settle_in_place
from molscore.chem.forcefield.springs import settle_by_table_in_place, springs
from molscore.chem.forcefield.trust import trust
from molscore.chem.geometry import expected, table_fault


def whole(smiles):
    return Chem.AddHs(Chem.MolFromSmiles(smiles))


def embedded(smiles, seed=1):
    mol = whole(smiles)
    assert etkdg_in_place(mol, seed, random=True, bounds=corrected_bounds(mol, expected(mol)))
    return mol


@pytest.mark.parametrize(
    ("smiles", "field", "corrected"),
    [
        ("CCO", "mmff94s", 0),
        ("CC(=O)Nc1ccc(O)cc1", "mmff94s", 0),
        ("CS(=O)(=O)N1CCOCC1", "mmff94s", 0),
        ("CN=C=S", "mmff94s", 1),
        ("S=C=Nc1ccccc1", "mmff94s", 1),
        ("CC#[N+][O-]", "mmff94s", 1),
        ("CC#CC#CC", "mmff94s", 1),
        ("FS(F)(F)(F)(F)c1ccccc1", None, 0),
        ("O=C1OI(O)c2ccccc12", None, 0),
        ("C[I+]c1ccccc1", None, 0),
        ("FP(F)(F)(F)F", None, 0),
        ("Cl[Pt](Cl)(N)N", None, 0),
    ],
)
def test_what_is_trusted(smiles, field, corrected):
    mol = whole(smiles)
    trusted = trust(mol, expected(mol))
    assert (trusted.field, bool(trusted.lengths)) == (field, bool(corrected))


@pytest.mark.parametrize("smiles", ["C[Al](C)C", "CC[Al](CC)CC", "[Li]CCCC", "C[Ga](C)C", "N#[N+]c1ccccc1", "[O][O]"])
def test_corrections_leave_room(smiles):
    """RDKit raises where a lower bound is above an upper one, by a rounding error even."""
    mol = whole(smiles)
    trusted = trust(mol, expected(mol))
    assert all(low < high for *_, low, high in (*trusted.lengths, *trusted.angles))
    assert trusted.field is None or settle_in_place(embedded(smiles)) == trusted.field


@pytest.mark.parametrize(
    "smiles", ["O=c1cccc[nH]1", "Cc1ccc2nnnn2n1", "O=C1N(c2ccccc2)[Se]c2ccccc12", "c1cc[se]c1", "CC(=O)c1ccn(C)c1"]
)
def test_force_fields_leave_the_molecule_as_it_is(smiles):
    """RDKit's typing for MMFF94s changes aromatic bonds, and so what the molecule is, in its argument."""
    mol = embedded(smiles)
    before, wanted = mol.ToBinary(Chem.PropertyPickleOptions.NoProps), expected(mol)
    energies(mol)
    minimise(mol)
    trust(mol, wanted)
    assert mol.ToBinary(Chem.PropertyPickleOptions.NoProps) == before
    aromatic = [bond.GetIsAromatic() for bond in mol.GetBonds()]
    settle_hydrogens_in_place(mol)
    settle_in_place(mol)
    assert [bond.GetIsAromatic() for bond in mol.GetBonds()] == aromatic


def test_boron_is_held_flat_in_uff():
    mol = whole("OB1OCc2ccccc12")
    trusted = trust(mol, expected(mol))
    assert trusted.field == "uff" and [row[1] for row in trusted.planes] == [1]


@pytest.mark.parametrize(
    ("smiles", "atoms", "known"),
    [
        ("CN=C=S", (2, 3), 1.57),
        ("CC#[N+][O-]", (1, 2), 1.16),
        ("CC#[N+][O-]", (2, 3), 1.22),
        ("CC#CC#CC", (2, 3), 1.38),
    ],
)
@pytest.mark.parametrize("way", [settle_in_place, lambda mol: mol.GetConformer().SetPositions(minimise(mol).positions)])
def test_what_mmff_has_from_its_empirical_rule_is_corrected(smiles, atoms, known, way):
    mol = embedded(smiles)
    way(mol)
    x = mol.GetConformer().GetPositions()
    assert np.linalg.norm(x[atoms[0]] - x[atoms[1]]) == pytest.approx(known, abs=0.05)


def test_energies_of_a_minimum_are_those_of_mmff_as_it_is():
    plain, corrected = (minimise(embedded(smiles)) for smiles in ("CCO", "CN=C=S"))
    assert plain.after < plain.before and np.isfinite(corrected.after)


@pytest.mark.parametrize(
    ("smiles", "longest"),
    [
        ("C[n+]1cccc(-c2nc3ccccc3[nH]2)c1", 1.51),
        ("c1cc[n+](-c2nc3ccccc3[nH]2)cc1", 1.50),
        ("O=C([O-])c1cc[n+](-c2ccccc2)cc1", 1.56),
        ("O=c1c(-c2ccccc2)c([O-])[n+](Cc2cncnc2)c2ccccn12", 1.53),
        ("Cc1c(CCOP(=O)([O-])[O-])sc[n+]1Cc1cnc(C(F)(F)F)nc1N", 1.56),
    ],
)
def test_charges_do_not_draw_bonds_of_rings_out(smiles, longest):
    mol = embedded(smiles)
    settle_in_place(mol)
    x, pattern = mol.GetConformer().GetPositions(), Chem.MolFromSmarts("[c,n][c,n,C]")
    bonds = np.array(mol.GetSubstructMatches(pattern))
    assert np.linalg.norm(x[bonds[:, 0]] - x[bonds[:, 1]], axis=1).max() < longest


@pytest.mark.parametrize(
    "smiles", ["FS(F)(F)(F)(F)C", "C[C@H](F)/C=C/Cl", "CC#CC", "OB1OCc2ccccc12", "F[Xe]F", "CC=C=CC"]
)
def test_springs_have_the_gradient_of_their_energy(smiles):
    mol = embedded(smiles)
    terms, random = springs(mol, expected(mol)), np.random.default_rng(0)
    x = mol.GetConformer().GetPositions().ravel() + random.normal(0, 0.1, 3 * mol.GetNumAtoms())
    scale = np.linalg.norm(terms.energy(x)[1])
    assert check_grad(lambda y: terms.energy(y)[0], lambda y: terms.energy(y)[1], x) < 1e-4 * scale + 1e-4


@pytest.mark.parametrize("smiles", ["CC(=O)Nc1ccccc1", "FB(F)c1ccccc1", "C[C@H](O)[C@@H](F)Cl", "C1CC2CCC1C2"])
def test_springs_put_a_shaken_geometry_right_and_keep_its_stereo(smiles):
    mol = embedded(smiles)
    wanted = expected(mol)
    Chem.AssignStereochemistryFrom3D(mol)
    before = Chem.MolToSmiles(mol)
    x = mol.GetConformer().GetPositions()
    mol.GetConformer().SetPositions(x + np.random.default_rng(0).normal(0, 0.15, x.shape))
    assert table_fault(mol, wanted)
    settle_by_table_in_place(mol, wanted)
    assert table_fault(mol, wanted) is None
    Chem.AssignStereochemistryFrom3D(mol)
    assert Chem.MolToSmiles(mol) == before


def test_bounds_are_corrected_only_where_they_are_wrong():
    for smiles, wrong in (("CCO", False), ("c1ccccc1C(=O)N", False), ("FS(F)(F)(F)(F)C", True), ("ClI(Cl)C", True)):
        mol = whole(smiles)
        bounds = corrected_bounds(mol, expected(mol))
        assert (bounds is not None) == wrong
    i, j = 0, 1  # chlorine and iodine of the last
    assert bounds[i, j] == pytest.approx(2.47, abs=0.05) and bounds[i, j] - bounds[j, i] < 0.05


@pytest.mark.parametrize("smiles", ["C[Si]#[Si]C", "CC[Si]#[Si]CC"])
def test_ranges_of_straight_angles_end_at_180(smiles):
    """RDKit raises for more."""
    mol = embedded(smiles)
    settle_in_place(mol, 50, window=15.0, stiffness=0.02)
    assert np.isfinite(mol.GetConformer().GetPositions()).all()
