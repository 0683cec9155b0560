"""Fits of molecules into proteins, whose answers are known."""

import numpy as np
import pytest
from posebusters.modules.intermolecular_distance import check_intermolecular_distance
from proteins import as_hetero, atom, moved, single_atom
from rdkit import Chem
from rdkit.Chem import rdFreeSASA

from molscore.chem.arrays import MoleculeError
from molscore.chem.embedding.etkdg import embed
from molscore.chem.fit import PROBE, TAGS, fit
from molscore.chem.io.protein import read_protein

DRUG = "CN1CCC[C@H]1c1cccnc1"


def test_far_away_nothing_happens(protein):
    pose = fit(moved(embed(DRUG), (200, 0, 0)), protein())
    assert (pose.clashes, pose.overlap, pose.buried, pose.contacts, pose.residues) == (0, 0, 0, 0, ())
    assert pose.closest > 40
    assert list(pose.properties()) == list(TAGS) and pose.properties()["protein_residues"] == ""


def test_on_the_protein_it_clashes(protein, peptide):
    around = protein()
    pose = fit(moved(embed(DRUG), around.positions[around.residues == "A/ASP 3"].mean(0)), around)
    assert pose.clashes > 10 and pose.closest < 0.6 and pose.overlap > 0.3 and pose.contacts == 12
    assert "A/ASP 3" in pose.residues
    same = fit(peptide, around)
    assert same.closest < 1e-3 and same.overlap == 1 and same.contacts == 28 and len(same.residues) == 4


@pytest.mark.parametrize("distance", [1.0, 2.0, 2.5, 2.6, 3.0, 3.5, 4.5])
def test_two_carbons(protein, distance):
    around, r = protein(atom(" C", "MTH", 301, (99, 0, 0), element="C")), 1.7
    pose = fit(single_atom("CH4", (99 + distance, 0, 0)), around)
    assert pose.closest == pytest.approx(distance / (2 * r), abs=1e-5)
    assert pose.clashes == (distance < 0.75 * 2 * r)
    x = min(distance / r, 2)
    assert pose.overlap == pytest.approx(1 - 3 * x / 4 + x**3 / 16, abs=0.02)
    assert pose.buried == pytest.approx(max(0, (1 - distance / (2 * (r + PROBE))) / 2), abs=0.005)
    assert pose.contacts == (distance <= 4) and pose.residues == (("A/MTH 301",) if distance <= 4 else ())


@pytest.mark.parametrize(("name", "element"), [("ZN", "ZN"), ("SO4", "O")])
def test_inorganic_atoms_may_come_close(protein, name, element):
    around = protein(atom(element, name, 301, (99, 0, 0), element=element))
    radius = Chem.GetPeriodicTable().GetRcovalent(element.capitalize())
    pose = fit(single_atom("NH3", (101.05, 0, 0)), around)
    assert pose.closest == pytest.approx(2.05 / (radius + 0.71), abs=1e-5) and not pose.clashes
    assert fit(single_atom("NH3", (100.0, 0, 0)), around).clashes == 1


def test_the_metal_of_a_cofactor_is_inorganic_and_its_carbon_is_not(protein):
    around = protein(
        atom("FE", "HEM", 301, (99, 0, 0), element="FE"), atom(" C1", "HEM", 301, (102, 0, 0), element="C")
    )
    assert around.inorganic[-2:].tolist() == [True, False]


def test_the_ligand_itself_is_left_out(protein):
    ligand = moved(embed(DRUG), (6, 6, 0))
    bare, full = protein(), protein(*as_hetero(ligand))
    assert len(full.positions) == len(bare.positions) + 12
    alone = fit(ligand, bare)
    assert fit(ligand, full) == alone
    assert fit(moved(ligand, (0.1, 0.2, 0.1)), full).clashes == fit(moved(ligand, (0.1, 0.2, 0.1)), bare).clashes
    pose = fit(moved(ligand, (1.5, 0, 0)), full)
    assert pose.clashes > 10 and "A/LIG 301" in pose.residues
    larger = protein(*as_hetero(ligand), atom("N99", "LIG", 301, (20, 20, 20), element="N"))
    assert fit(ligand, larger).closest < 0.01


def test_a_residue_of_a_chain_is_never_the_ligand(protein, peptide):
    around = protein()
    with_hydrogens = Chem.Mol(peptide)
    assert fit(with_hydrogens, around).clashes > 28


def test_hydrogens_are_not_looked_at(protein):
    mol, around = moved(embed(DRUG), (3, 4, 0)), protein()
    assert fit(mol, around) == fit(Chem.RemoveHs(mol), around)


def test_turning_both_changes_nothing(lines, tmp_path, protein):
    mol = moved(embed(DRUG), (4, 4, 0))
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    turned = Chem.Mol(mol)
    turned.GetConformer().SetPositions(mol.GetConformer().GetPositions() @ rotation.T + 5)
    path = tmp_path / "turned.pdb"
    places = ([float(line[k : k + 8]) for k in (30, 38, 46)] for line in lines)
    path.write_text(
        "".join(
            line[:30] + "".join(f"{x:8.3f}" for x in rotation @ place + 5) + line[54:]
            for line, place in zip(lines, places, strict=True)
        )
    )
    before, after = fit(mol, protein()), fit(turned, read_protein(path))
    assert before.clashes == after.clashes and before.residues == after.residues
    assert before.closest == pytest.approx(after.closest, abs=1e-3)
    assert before.overlap == pytest.approx(after.overlap, abs=0.01)
    assert before.buried == pytest.approx(after.buried, abs=0.01)


@pytest.mark.parametrize("shift", [(4, 4, 0), (0, 0, 5), (8, 0, 0)])
def test_burial_is_that_of_rdkit(protein, peptide, shift):
    ligand = Chem.RemoveHs(moved(embed(DRUG), shift))
    table = Chem.GetPeriodicTable()

    def area(mol):
        radii = [table.GetRvdw(a.GetAtomicNum()) for a in mol.GetAtoms()]
        options = rdFreeSASA.SASAOpts(rdFreeSASA.SASAAlgorithm.LeeRichards, rdFreeSASA.SASAClassifier.Protor, PROBE)
        rdFreeSASA.CalcSASA(mol, radii, opts=options)
        return sum(float(a.GetProp("SASA")) for a in list(mol.GetAtoms())[: ligand.GetNumAtoms()])

    both = Chem.CombineMols(ligand, Chem.RemoveHs(peptide))
    expected = 1 - area(both) / area(Chem.Mol(ligand))
    assert expected > 0.05
    assert fit(ligand, protein()).buried == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("shift", [(0, 0, 0), (2, 2, 0), (4, 4, 0), (0, 0, 5)])
def test_clashes_are_those_of_posebusters(protein, peptide, shift):
    ligand = moved(embed(DRUG), shift)
    pose, expected = fit(ligand, protein()), check_intermolecular_distance(ligand, peptide)["results"]
    assert pose.clashes == expected["num_pairwise_clashes"]
    assert pose.closest == pytest.approx(expected["most_extreme_relative_distance"], abs=1e-3)


def test_what_does_not_lie_in_space_is_refused(protein):
    around = protein()
    flat = Chem.MolFromSmiles("CC")
    with pytest.raises(MoleculeError, match="no_3d"):
        fit(flat, around)
    with pytest.raises(MoleculeError, match="empty"):
        fit(single_atom("H+", (0, 0, 0)), around)
    for place in (float("nan"), 1e9):
        with pytest.raises(MoleculeError, match="no_3d"):
            fit(single_atom("CH4", (place, 0, 0)), around)


def test_each_conformer_has_its_fit(protein):
    mol = embed(DRUG)
    number = mol.AddConformer(moved(mol, (300, 0, 0)).GetConformer(), assignId=True)
    assert fit(mol, protein()).contacts > 0 and fit(mol, protein(), conformer=number).contacts == 0
