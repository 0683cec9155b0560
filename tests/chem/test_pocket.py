"""Pockets: sites as users write them, what is left out, roles of atoms, free volume."""

import numpy as np
import pytest
from proteins import as_hetero, atom, moved, single_atom
from rdkit import Chem

from molscore.chem.io.protein import read_protein
from molscore.chem.pocket.receptor import find_pocket
from molscore.chem.pocket.roles import roles
from molscore.chem.pocket.site import read_site
from molscore.chem.pocket.volume import SPACING, buriedness, free_volume

DRUG = "CN1CCC[C@H]1c1cccnc1"
CENTRE = np.array([40.0, 10.0, -5.0])


def sphere(n, radius):
    k = np.arange(n)
    z, angle = 1 - (2 * k + 1) / n, np.pi * (3 - np.sqrt(5)) * k
    return radius * np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)


@pytest.fixture(scope="module")
def cavity():
    """Lines of a hollow ball of alanine carbons, a cavity of 7 Å less their size, and a backbone for Bio.PDB."""
    shells = [CENTRE + sphere(280, 8.0), CENTRE + sphere(400, 10.5)]
    rows = [atom(" CB", "ALA", k + 10, x, record="ATOM", element="C") for k, x in enumerate(np.concatenate(shells))]
    backbone = [
        atom(f" {name}", "GLY", 1, CENTRE + (12.5 + 1.45 * k, 0, 0), record="ATOM", element=name[0])
        for k, name in enumerate(["N", "CA", "C"])
    ]
    return backbone + rows


@pytest.fixture
def structure(cavity, tmp_path):
    def read(*more):
        path = tmp_path / "cavity.pdb"
        path.write_text("".join([*cavity, *more, "END\n"]))
        return read_protein(path)

    return read


def named(point):
    return ",".join(f"{x:.2f}" for x in point)


def test_the_volume_of_a_ball(structure):
    pocket = find_pocket(structure(), read_site(named(CENTRE), structure()))
    assert pocket.volume.cubic_angstrom == pytest.approx(4 / 3 * np.pi * 5**3, rel=0.1)
    assert pocket.volume.buried.min() > 0.7
    assert pocket.heavy_atoms == pytest.approx(41, abs=5)
    weights = pocket.sizes(np.r_[0, np.ones(60)])
    assert abs(int(weights.argmax()) - pocket.heavy_atoms) < 1 and weights[0] == 0 and weights[10] < 0.01
    assert pocket.sizes(np.r_[0, np.ones(14)]).argmax() == 14 and pocket.sizes(np.ones(61), 0.1)[5] > 0


def test_sites_as_users_write_them(structure, embed, tmp_path):
    protein = structure()
    ligand = moved(embed(DRUG), CENTRE)
    path = tmp_path / "ligand.sdf"
    Chem.MolToMolFile(ligand, str(path))
    by_file, by_mol = read_site(str(path), protein), read_site(ligand, protein)
    assert len(by_file.points) == 12 and np.allclose(by_file.points, by_mol.points, atol=1e-3)
    assert np.allclose(read_site("40, 10,-5e0", protein).centre, CENTRE)
    two = read_site("A:10,A:289", protein)
    assert np.allclose(two.centre, protein.positions[np.isin(protein.residues, ["A/ALA 10", "A/ALA 289"])].mean(0))


def test_insertion_codes_are_residues_of_their_own(structure):
    more = [atom(" CB", "ALA", 12, CENTRE + (3, 8, 8), record="ATOM", element="C", code="B")]
    protein = structure(*more)
    assert np.allclose(read_site("A:12B", protein).centre, CENTRE + (3, 8, 8))
    assert not np.allclose(read_site("A:12", protein).centre, CENTRE + (3, 8, 8))


BAD_SITES = {
    "A:999": "no residue A:999; chain 'A' has 681 residues from 1 to 689",
    "Q:12": "no residue Q:12; the chains are 'A'",
    "somewhere": "not understood; it is a file of a ligand",
    "1,2": "not understood",
    "400,0,0": "outside the structure",
    "40,24,-5": "in solvent",
}


@pytest.mark.parametrize("text", BAD_SITES)
def test_sites_that_are_none(text, structure):
    protein = structure()
    with pytest.raises(ValueError, match=BAD_SITES[text]):
        find_pocket(protein, read_site(text, protein))


def test_a_wall_is_no_site(structure):
    protein, methane = structure(), single_atom("CH4", CENTRE + (0, 9.25, 0))
    with pytest.raises(ValueError, match="inside the protein"):
        find_pocket(protein, read_site(methane, protein))


def test_sites_need_a_ligand_in_space(structure, tmp_path):
    protein = structure()
    with pytest.raises(FileNotFoundError):
        read_site(str(tmp_path / "none.sdf"), protein)
    (tmp_path / "empty.sdf").write_text("")
    with pytest.raises(ValueError, match="no molecule"):
        read_site(str(tmp_path / "empty.sdf"), protein)
    (tmp_path / "flat.sdf").write_text(Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")) + "$$$$\n")
    with pytest.raises(ValueError, match="no 3-D coordinates"):
        read_site(str(tmp_path / "flat.sdf"), protein)


def test_the_ligand_goes_and_cofactors_metals_and_ions_stay(structure, embed):
    ligand = moved(embed(DRUG), CENTRE)
    zinc = atom("ZN", "ZN", 901, CENTRE + (0, 0, 6.2), element="ZN")
    heme = atom(" C1", "HEM", 902, CENTRE + (0, 5.5, 0), element="C")
    water = atom(" O", "HOH", 903, CENTRE + (0, 0, 1), element="O")
    bare, full = structure(), structure(*as_hetero(ligand, 801), zinc, heme, water)
    for site in (read_site(ligand, full), read_site(named(CENTRE), full)):
        pocket = find_pocket(full, site)
        assert pocket.left_out == ("A/LIG 801",) and pocket.waters == 1
        assert {"A/ZN 901", "A/HEM 902"} <= set(pocket.residues.tolist())
        assert "A/LIG 801" not in pocket.protein.residues and "A/LIG 801" not in pocket.residues
        text = pocket.text()
        assert all(word in text for word in ("A/ZN 901", "left out, as they lie in the site: A/LIG 801", "1 waters"))
    assert find_pocket(bare, read_site(named(CENTRE), bare)).left_out == ()
    elsewhere = structure(*as_hetero(moved(embed(DRUG), CENTRE + (0, 0, 18)), 801))
    assert find_pocket(elsewhere, read_site(named(CENTRE), elsewhere)).left_out == ()


def test_volume_turns_with_the_protein(structure):
    protein = structure()
    metal = np.zeros(len(protein.positions), dtype=bool)
    here = free_volume(CENTRE[None], 9.0, protein.positions, metal)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    there = free_volume(CENTRE[None] @ rotation.T, 9.0, protein.positions @ rotation.T, metal)
    assert there.cubic_angstrom == pytest.approx(here.cubic_angstrom, rel=0.05)
    assert np.linalg.norm(there.points.mean(0) - rotation @ CENTRE) < 0.3 * SPACING


def test_half_a_space_covers_half_of_the_rays():
    wall = np.stack(np.meshgrid(np.arange(-15, 16.0), np.arange(-15, 16.0), [0.0]), axis=-1).reshape(-1, 3)
    near, far = buriedness(np.array([[0, 0, 3.0], [0, 0, 30.0]]), wall)
    assert (1 - 3 / 9) / 2 < near < 0.5 and far == 0


def _roles(mol):
    """Roles of the heavy atoms of a peptide of RDKit's, and which hydrogens each has."""
    heavy = [a for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    infos = [a.GetPDBResidueInfo() for a in heavy]
    x = mol.GetConformer().GetPositions()
    found = roles(
        x[[a.GetIdx() for a in heavy]],
        np.array([a.GetAtomicNum() for a in heavy]),
        np.array([f"A/{i.GetResidueName().strip()} {i.GetResidueNumber()}" for i in infos]),
        np.array([i.GetName().strip() for i in infos]),
    )
    hydrogens = [[x[b.GetIdx()] - x[a.GetIdx()] for b in a.GetNeighbors() if b.GetAtomicNum() == 1] for a in heavy]
    return [(i.GetResidueName().strip(), i.GetName().strip()) for i in infos], found, hydrogens


@pytest.fixture(scope="module")
def all_twenty():
    from rdkit.Chem.rdDistGeom import EmbedMolecule
    from rdkit.Chem.rdForceFieldHelpers import MMFFOptimizeMolecule

    mol = Chem.AddHs(Chem.MolFromSequence("GNQRHWKSTYDEMCPFAVLIG"), addResidueInfo=True)
    assert EmbedMolecule(mol, randomSeed=7, useRandomCoords=True) == 0
    MMFFOptimizeMolecule(mol, maxIters=500)
    return _roles(mol)


def test_directions_of_donors_are_those_of_their_hydrogens(all_twenty):
    names, found, hydrogens = all_twenty
    polar, checked = found.polar, 0
    for k, name in enumerate(names):
        rows = (polar.atoms == k) & polar.donor & ~polar.acceptor
        if name[0] == "ARG" or name == ("LYS", "NZ") or k == 0 or not rows.any():
            continue  # RDKit's guanidine is neutral, and not flat; ammonium turns
        assert hydrogens[k], name
        for bond in hydrogens[k]:
            cosines = polar.directions[rows] @ (bond / np.linalg.norm(bond))
            assert cosines.max() > 0.7, name
            checked += 1
    assert checked >= 20


def test_roles_by_element_agree_with_those_by_name(all_twenty):
    names, found, hydrogens = all_twenty
    donors, acceptors = (set(found.polar.atoms[kind].tolist()) for kind in (found.polar.donor, found.polar.acceptor))
    for k, (residue, name) in enumerate(names):
        if name[0] == "N" and (residue, name) not in (("HIS", "ND1"), ("HIS", "NE2")):
            assert (k in donors) == bool(hydrogens[k]) and k not in acceptors, (residue, name)
        if name[0] == "O":
            assert k in acceptors
            assert (k in donors) == (residue in ("SER", "THR", "TYR") and name[:2] in ("OG", "OH")), (residue, name)
        if name[0] in "CS":
            assert k not in donors | acceptors
    greasy = {names[k] for k in np.flatnonzero(found.hydrophobe)}
    assert {("PHE", "CZ"), ("LEU", "CD1"), ("MET", "SD"), ("ALA", "CB")} <= greasy
    assert not {("SER", "CB"), ("GLY", "CA"), ("ASP", "CG"), ("TYR", "CZ")} & greasy
    assert found.charge.sum() == pytest.approx(-2 + 2 + (-0.5 if ("GLY", "OXT") in names else 0))


def test_a_cofactor_by_its_elements(embed):
    mol = Chem.RemoveHs(embed("OP(=O)(O)OCC(=O)Nc1ccc(O)cc1C#N"))
    numbers = np.array([a.GetAtomicNum() for a in mol.GetAtoms()])
    found = roles(
        mol.GetConformer().GetPositions(),
        numbers,
        np.array(["A/LIG 1"] * len(numbers)),
        np.array([f"X{k}" for k in range(len(numbers))]),
    )
    donors, acceptors = (set(found.polar.atoms[kind].tolist()) for kind in (found.polar.donor, found.polar.acceptor))
    phosphate, ester, carbonyl, amide, phenol, nitrile = {0, 2, 3}, 4, 7, 8, 13, 17
    assert phosphate | {ester, carbonyl, phenol, nitrile} <= acceptors
    assert {phenol, amide} <= donors and not donors & (phosphate | {carbonyl, nitrile})
    assert found.charge[[0, 2, 3]].tolist() == [-0.5] * 3
    metal = roles(np.zeros((1, 3)), np.array([30]), np.array(["A/ZN 1"]), np.array(["ZN"]))
    assert metal.metal.tolist() == [True] and metal.charge.tolist() == [2.0] and metal.polar.donor.tolist() == [True]
