"""Every reason for a rejection: given when it must be, and not given to the sound molecule."""

from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolTransforms

from molscore.chem import geometry
from molscore.chem.arrays import MoleculeArrays, from_mol, isomeric_smiles, to_mol
from molscore.chem.checks.validity import FAULTS, DuplicateFilter, Fault, check, geometry_fault
from molscore.evaluate.molecules.busters import bust


def moved(mol, atoms, by):
    """The molecule with some atoms moved by a vector, Å."""
    positions = mol.GetConformer().GetPositions()
    positions[atoms] += by
    mol.GetConformer().SetPositions(positions)
    return mol


def turned(mol, change, atoms, value):
    getattr(rdMolTransforms, change)(mol.GetConformer(), *atoms, value)
    return mol


def with_orders(mol, changes):
    arrays = from_mol(mol)
    orders = arrays.bond_orders.copy()
    for pair, order in changes.items():
        orders[(arrays.bonds == pair).all(axis=1)] = order
    return replace(arrays, bond_orders=orders)


def without_last_atom(mol):
    a = from_mol(mol)
    keep = (a.bonds != len(a.positions) - 1).all(axis=1)
    atoms = a.atomic_numbers[:-1], a.formal_charges[:-1], a.positions[:-1]
    return MoleculeArrays(*atoms, a.bonds[keep], a.bond_orders[keep])


def without_conformer(mol):
    mol.RemoveAllConformers()
    return mol


def folded(mol, angle):
    """A chain of six with all dihedral angles the same."""
    for i in range(3):
        turned(mol, "SetDihedralDeg", (i, i + 1, i + 2, i + 3), angle)
    return mol


def drawing(mol):
    mol.GetConformer().Set3D(False)
    return mol


def in_one_plane(mol):
    return moved(mol, range(mol.GetNumAtoms()), mol.GetConformer().GetPositions() * (0, 0, -1))


def long_chain(n):
    """A chain of n carbons at random places, with all hydrogens."""
    mol = Chem.AddHs(Chem.MolFromSmiles("C" * n))
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(np.random.default_rng(0).normal(0, 50, (mol.GetNumAtoms(), 3)))
    mol.AddConformer(conformer)
    return mol


def flat_cyclohexane(_):
    """Cyclohexane on a regular hexagon: lengths and angles within tolerance, no pucker."""
    mol = Chem.AddHs(Chem.MolFromSmiles("C1CCCCC1"))
    angles = np.arange(6) * np.pi / 3
    spokes = np.stack([np.cos(angles), np.sin(angles), np.zeros(6)], axis=1)
    hydrogens = np.repeat(2.15 * spokes, 2, axis=0) + np.array([(0, 0, 0.88), (0, 0, -0.88)] * 6)
    conformer = Chem.Conformer(18)
    conformer.SetPositions(np.concatenate([1.52 * spokes, hydrogens]))
    mol.AddConformer(conformer)
    return mol


def raised(mol, atoms, by):
    """The flat molecule with some atoms raised out of its plane, Å."""
    positions = mol.GetConformer().GetPositions()
    return moved(mol, atoms, by * np.linalg.svd(positions - positions.mean(axis=0))[2][2])


def flat_biaryl(mol):
    """The rings turned to 25° of one plane."""
    axis = mol.GetSubstructMatch(Chem.MolFromSmarts("cc-!@cc"))
    return turned(mol, "SetDihedralDeg", axis, 25)


def turned_allene(mol):
    """One end turned by 30°, about the axis of the three carbon atoms."""
    x = mol.GetConformer().GetPositions()
    axis = (x[2] - x[0]) / np.linalg.norm(x[2] - x[0])
    ends = [n.GetIdx() for n in mol.GetAtomWithIdx(2).GetNeighbors() if n.GetAtomicNum() == 1]
    for k in ends:
        arm = x[k] - x[2]
        along = axis * (axis @ arm)
        mol.GetConformer().SetAtomPosition(
            k, x[2] + along + (arm - along) * np.cos(np.pi / 6) + np.cross(axis, arm) * np.sin(np.pi / 6)
        )
    return mol


def nitro_without_charges(mol):
    arrays = with_orders(mol, {(1, 3): 2})
    return replace(arrays, formal_charges=0 * arrays.formal_charges)


# Reason: (a sound molecule, what is done to it). All the rest of the molecule stays sound.
REJECTED = {
    "empty": ("C", lambda mol: Chem.Mol()),
    "bad_arrays": ("C", lambda mol: replace(from_mol(mol), bond_orders=np.ones(3, np.uint8))),
    "unknown_element": ("C", lambda mol: replace(from_mol(mol), atomic_numbers=np.array([0, 1, 1, 1, 1], np.uint8))),
    "unknown_element: dummy": ("C", lambda mol: (mol.GetAtomWithIdx(0).SetAtomicNum(0), mol)[1]),
    "non_finite": ("C", lambda mol: moved(mol, [3], np.nan)),
    "non_finite: arrays": ("C", lambda mol: from_mol(moved(mol, [0], np.inf))),
    "implicit_hydrogens": ("CCO", Chem.RemoveHs),
    "implicit_hydrogens: flat": ("CCO", lambda mol: Chem.MolFromSmiles("CCO")),
    "valence": ("CCO", lambda mol: with_orders(mol, {(0, 1): 2})),
    "valence: nitro": ("C[N+](=O)[O-]", nitro_without_charges),
    "radical": ("CCO", without_last_atom),
    "radical: bond order": ("C=C", lambda mol: with_orders(mol, {(0, 1): 1})),
    "radical: charge": ("CN", lambda mol: replace(from_mol(mol), formal_charges=np.array([0, 1] + [0] * 5, np.int8))),
    "disconnected": ("CCO", lambda mol: Chem.CombineMols(mol, moved(Chem.Mol(mol), range(9), (9, 0, 0)))),
    "net_charge": ("C[NH3+]", lambda mol: mol),
    "inchi": ("C", lambda mol: long_chain(341)),  # 1,025 atoms; the software takes 1,024
    "no_3d": ("CCO", without_conformer),
    "no_3d: drawing": ("CCO", drawing),
    "no_3d: one place": ("O", lambda mol: moved(mol, range(3), -mol.GetConformer().GetPositions())),
    "no_3d: one plane": ("CCO", in_one_plane),
    "clash": ("CCCCCC", lambda mol: folded(mol, 0)),  # first and last carbon at 0.5 Å
    "clash: hydrogens": ("CCCCCC", lambda mol: folded(mol, 35)),
    "bond_length": ("CCO", lambda mol: turned(mol, "SetBondLength", (0, 1), 2.0)),
    "bond_length: short": ("C#N", lambda mol: turned(mol, "SetBondLength", (0, 1), 0.8)),
    "bond_length: hydrogen": ("O", lambda mol: turned(mol, "SetBondLength", (0, 1), 1.3)),
    "bond_angle": ("CCO", lambda mol: turned(mol, "SetAngleDeg", (0, 1, 2), 68)),
    "bond_angle: hydrogen": ("O", lambda mol: turned(mol, "SetAngleDeg", (1, 0, 2), 60)),
    "ring_not_flat": ("c1ccccc1", lambda mol: raised(mol, [0, 6], 0.7)),
    "double_bond_not_flat": ("C=C", lambda mol: turned(mol, "SetDihedralDeg", (2, 0, 1, 4), 50)),
    "flat_biaryl": ("Cc1cccc(C)c1-c1c(C)cccc1C", flat_biaryl),
    "cumulene": ("C=C=C", turned_allene),
    "ring_flat": ("C1CCCCC1", flat_cyclohexane),
}


@pytest.mark.parametrize("case", REJECTED)
def test_a_bad_molecule_is_rejected_for_its_reason_and_the_good_one_passes(embed, case):
    smiles, spoil = REJECTED[case]
    reason = case.split(":")[0]
    if reason != "net_charge":
        assert check(embed(smiles)) is check(from_mol(embed(smiles))) is None
    fault = check(spoil(embed(smiles)), net_charge=0 if reason == "net_charge" else None)
    assert fault.token == reason
    assert fault.detail and str(fault) == f"{reason}: {fault.detail}"


def test_every_reason_has_a_test():
    elsewhere = {
        "duplicate",
        "no_bounds",
        "filter",
        "implied_hydrogens",
        "kept_part",
        "pocket_clash",
        "outside_pocket",
        "target",
    }  # test_filters, test_generator, test_hydrogens, test_parts, test_in_pocket, test_targets_met
    assert {case.split(":")[0] for case in REJECTED} | elsewhere == set(FAULTS)


def test_the_geometry_tolerances_are_those_stated(embed):
    """Just inside and just outside the 0.25 Å of a double bond and what the table knows of a bond."""
    for angle, ok in ((28, True), (33, False)):  # ethene: |z| of the hydrogens is 0.93 Å sin(angle / 2)
        assert (check(turned(embed("C=C"), "SetDihedralDeg", (2, 0, 1, 4), angle)) is None) is ok
    upper = geometry.expected(embed("CCO")).longest[0]
    assert 1.6 < upper < 1.7
    for length, ok in ((upper - 0.01, True), (upper + 0.01, False)):
        assert (check(turned(embed("CCO"), "SetBondLength", (0, 1), length)) is None) is ok


@pytest.mark.parametrize(("angle", "passes"), [(124, True), (117, False)])
def test_without_the_cap_contacts_are_judged_as_posebusters_does(embed, angle, passes):
    """A cis carbonate, as it is and squeezed: methyl carbon and carbonyl's other oxygen."""
    mol = turned(embed("COC(=O)OC"), "SetDihedralDeg", (3, 2, 1, 0), 180.0)
    mol = turned(mol, "SetAngleDeg", (0, 1, 2), angle)
    posebusters = pytest.importorskip("posebusters")
    assert geometry_fault(mol) is None
    fault = geometry_fault(mol, geometry.limits(mol, capped=False))
    assert (fault is None) == passes
    report = posebusters.PoseBusters(config="mol_fast").bust([mol])
    assert report["internal_steric_clash"].all() == passes


def test_net_charge_is_looked_at_only_if_asked(embed):
    assert check(embed("C[NH3+]")) is None
    assert check(embed("C[NH3+]"), net_charge=1) is None
    assert check(embed("[NH3+]CC(=O)[O-]"), net_charge=0) is None


def test_geometry_without_bounds_is_a_rejection_not_a_crash(embed, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("could not smooth bounds")

    monkeypatch.setattr(geometry.bounds, "GetMoleculeBoundsMatrix", refuse)
    assert check(embed("CCO")) == Fault("no_bounds", "RDKit: could not smooth bounds")


def test_the_first_failing_check_wins(embed):
    nowhere = replace(from_mol(embed("CCO")), positions=np.full((9, 3), np.nan, np.float32))
    assert check(replace(nowhere, formal_charges=np.zeros(8, np.int8))).token == "bad_arrays"
    stretched = turned(embed("CCO"), "SetBondLength", (0, 1), 2.0)
    assert check(with_orders(stretched, {(0, 1): 2})).token == "valence"


SOUND = [
    "[H][H]", "O", "C#N", "C#C", "C=C=C", "c1ccccc1", "C1CC1", "C1C2CC12", "C1CN2CCC1CC2", "CC(=O)[O-]",
    "C[N+](=O)[O-]", "CN=[N+]=[N-]", "[C-]#[N+]C", "CS(=O)(=O)N", "c1ccc2[nH]ccc2c1", "CC(=O)Oc1ccccc1C(=O)O",
    "C/C=C\\C", "FC(Cl)(Br)I", "C1=CCC=CC1", "O=C1NC(=O)C=CN1", "OCC(O)C(O)C(O)C(O)CO",
]  # fmt: skip


@pytest.mark.parametrize("smiles", SOUND)
def test_sound_molecules_pass_planar_linear_and_charged_ones_too(embed, smiles):
    assert check(embed(smiles)) is None


def test_checking_alters_nothing(embed):
    mol = to_mol(from_mol(embed("c1ccccc1C")), sanitize=False)
    before = mol.ToBinary()
    check(mol)
    assert mol.ToBinary() == before


def test_duplicates_are_rejected_and_isomers_are_not(embed):
    def smiles_of(smiles: str) -> str:
        return isomeric_smiles(embed(smiles))

    seen = DuplicateFilter()
    new = ("C[C@H](O)F", "C[C@@H](O)F", "C/C=C/F", "C/C=C\\F", "CC(O)=O")
    assert all(seen(smiles_of(smiles)) is None for smiles in new)
    fault = seen(smiles_of("F[C@@H](O)C"))  # the first, written from its other end
    assert fault.token == "duplicate"
    assert "C[C@H](O)F" in fault.detail
    assert DuplicateFilter(seen.seen)(smiles_of("CC(O)=O")).token == "duplicate"
    assert DuplicateFilter()(smiles_of("CC(O)=O")) is None


def test_what_passes_passes_posebusters(embed):
    """Molecules shaken with noise: of those that pass, hardly any fails ``mol_fast``; and some do not pass."""
    rng = np.random.default_rng(0)
    passed, rejected = [], 0
    for smiles in ("CC(=O)OCC", "c1ccccc1CO", "C1CCOC1C=C", "CC(F)C#N", "O=C1CCCN1"):
        arrays = from_mol(embed(smiles))
        for noise in (0.01, 0.02, 0.04, 0.2):
            mol = to_mol(replace(arrays, positions=arrays.positions + rng.normal(0, noise, arrays.positions.shape)))
            if check(mol) is None:
                passed.append(mol)
            else:
                rejected += 1
    assert len(passed) >= 5 and rejected >= 5
    assert np.mean([all(bust(mol).values()) for mol in passed]) >= 0.9
