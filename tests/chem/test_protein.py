"""Proteins: what is read of a file and what is not; and fits whose answers are known."""

import gzip
import warnings
from io import StringIO

import numpy as np
import pytest
from Bio.PDB.mmcifio import MMCIFIO
from Bio.PDB.PDBParser import PDBParser
from posebusters.modules.intermolecular_distance import check_intermolecular_distance
from rdkit import Chem
from rdkit.Chem import rdFreeSASA
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.arrays import MoleculeError
from molscore.chem.embedding.etkdg import embed
from molscore.chem.fit import PROBE, TAGS, fit
from molscore.chem.io.protein import read_protein

DRUG = "CN1CCC[C@H]1c1cccnc1"


def atom(name, residue, number, xyz, *, record="HETATM", chain="A", alternate=" ", occupancy=1.0, element="", code=" "):
    """A line of a PDB file."""
    place = "".join(f"{x:8.3f}" for x in xyz)
    start = f"{record:6}{1:5} {name:<4}{alternate}{residue:>3} {chain}{number:4}{code}   "
    return f"{start}{place}{occupancy:6.2f}{0:6.2f}          {element:>2}\n"


@pytest.fixture(scope="session")
def peptide():
    """Gly-Ala-Asp-His of RDKit's, hydrogens and all, 29 heavy atoms less one."""
    mol = Chem.AddHs(Chem.MolFromSequence("GADH"), addResidueInfo=True)
    assert EmbedMolecule(mol, randomSeed=7) == 0
    return mol


@pytest.fixture(scope="session")
def lines(peptide):
    return [
        line for line in Chem.MolToPDBBlock(peptide).splitlines(keepends=True) if line.startswith(("ATOM", "HETATM"))
    ]


@pytest.fixture
def protein(lines, tmp_path):
    """Function from further lines to what is read of the peptide and them."""

    def read(*more):
        path = tmp_path / "protein.pdb"
        path.write_text("".join([*lines, *more, "END\n"]))
        return read_protein(path)

    return read


def single_atom(symbol, xyz):
    """A molecule of a single atom."""
    mol = Chem.MolFromSmiles(f"[{symbol}]")
    conformer = Chem.Conformer(1)
    conformer.SetAtomPosition(0, [float(x) for x in xyz])
    mol.AddConformer(conformer)
    return mol


def moved(mol, shift):
    copy = Chem.Mol(mol)
    copy.GetConformer().SetPositions(mol.GetConformer().GetPositions() + np.asarray(shift, dtype=float))
    return copy


def as_hetero(mol, number=301):
    """The lines of a ligand, heavy atoms and hydrogens."""
    return [
        atom(f"{a.GetSymbol()}{a.GetIdx()}", "LIG", number, xyz, element=a.GetSymbol())
        for a, xyz in zip(mol.GetAtoms(), mol.GetConformer().GetPositions(), strict=True)
    ]


@pytest.fixture
def rich(lines):
    """Two models, alternate locations, an insertion code, a point mutation, waters, a zinc and a sulfate."""
    extra = [
        atom(" CA", "SER", 4, (9, 9, 9), record="ATOM", element="C", code="B"),
        atom(" OG", "SER", 4, (9, 9, 7), record="ATOM", element="O", code="B", alternate="A", occupancy=0.3),
        atom(" OG", "SER", 4, (9, 9, 11), record="ATOM", element="O", code="B", alternate="B", occupancy=0.7),
        atom(" CB", "THR", 5, (20, 0, 0), record="ATOM", element="C", alternate="A", occupancy=0.6),
        atom(" CB", "VAL", 5, (20, 0, 1), record="ATOM", element="C", alternate="B", occupancy=0.4),
        atom("ZN", "ZN", 201, (30, 0, 0), element="ZN"),
        atom(" S", "SO4", 202, (40, 0, 0), element="S"),
        atom(" O", "HOH", 203, (50, 0, 0), element="O"),
        atom(" O", "HOH", 203, (51, 0, 0), element="O"),
        atom(" OW", "SOL", 204, (52, 0, 0), record="ATOM", element="O"),
    ]
    second = [atom(" CA", "TRP", 9, (70, 0, 0), record="ATOM", element="C")]
    return "".join(["MODEL        1\n", *lines, *extra, "ENDMDL\nMODEL        2\n", *second, "ENDMDL\nEND\n"])


def check_rich(structure):
    assert structure.positions.shape == (33, 3) and structure.positions.dtype == np.float64
    assert 1 not in structure.atomic_numbers
    labels = list(dict.fromkeys(structure.residues.tolist()))
    names = ["A/GLY 1", "A/ALA 2", "A/ASP 3", "A/HIS 4", "A/SER 4B", "A/THR 5", "A/ZN 201", "A/SO4 202"]
    assert labels == names
    assert (
        set(structure.residues[structure.kind == "other"])
        == set(names[-2:])
        == set(structure.residues[structure.inorganic])
    )
    assert structure.positions[structure.residues == "A/SER 4B"].tolist() == [[9, 9, 9], [9, 9, 11]]
    assert structure.atomic_numbers[structure.residues == "A/ZN 201"].tolist() == [30]
    assert structure.text() == "protein: 6 residues, and 2 others: A/ZN 201, A/SO4 202"


@pytest.mark.parametrize("ending", [".pdb", ".ent", ".pdb.gz", ".PDB", ".cif", ".mmcif.gz"])
def test_reading(rich, ending, tmp_path, capfd):
    path, text = tmp_path / f"protein{ending}", rich
    if "cif" in ending:
        mmcif, stream = MMCIFIO(), StringIO()
        mmcif.set_structure(
            PDBParser(QUIET=True).get_structure("rich", StringIO(rich.replace("HOH A 203", "HOH B 203", 1)))
        )
        mmcif.save(stream)
        text = stream.getvalue()
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_rich(read_protein(path))
    assert capfd.readouterr().err == ""


def test_chains_may_lack_names_and_atoms_elements(lines, tmp_path):
    path = tmp_path / "bare.pdb"
    path.write_text("".join(f"{line[:21]} {line[22:54]}\n" for line in lines))
    structure = read_protein(path)
    assert structure.residues[0] == "GLY 1" and len(structure.positions) == 28
    assert structure.text() == "protein: 4 residues"


BAD = {
    "empty.pdb": ("", "Empty file"),
    "words.pdb": ("It was a dark night.\n", "holds no protein"),
    "ligand.pdb": (atom(" C1", "LIG", 1, (0, 0, 0), element="C"), "holds no protein"),
    "trace.pdb": (atom(" CA", "GLY", 1, (0, 0, 0), record="ATOM", element="C"), "atoms N, CA and C"),
    "short.pdb": ("ATOM      1  N   GLY A\n", "too short"),
    "letters.pdb": (atom(" N", "GLY", 1, (0, 0, 0), record="ATOM").replace("0.000", "zero!", 1), "coordinate"),
    "twice.pdb": (2 * atom(" N", "GLY", 1, (0, 0, 0), record="ATOM", element="N"), "defined twice"),
    "unknown.pdb": (atom(" XX", "GLY", 1, (0, 0, 0), record="ATOM"), "columns 77 and 78"),
    "empty.cif": ("", "Empty file"),
    "words.cif": ("It was a dark night.\n", "data_"),
    "small.cif": ("data_x\n_cell.length_a 10\n", "_atom_site.id' is missing"),
    "torn.pdb.gz": (gzip.compress(b"ATOM" * 100)[:-9], "damaged"),
    "plain.pdb.gz": ("ATOM\n", "holds no protein"),  # what is not compressed is read as it is
    "protein.mol2": ("", "must end in .pdb"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_protein_is_refused(name, tmp_path):
    content, complaint = BAD[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=complaint) as caught:
        read_protein(path)
    assert name in str(caught.value)


def test_coordinates_must_be_numbers(lines, tmp_path):
    path = tmp_path / "nan.pdb"
    path.write_text("".join([*lines, atom("ZN", "ZN", 9, (float("nan"), 0, 0), element="ZN")]))
    with pytest.raises(ValueError, match="finite"):
        read_protein(path)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_protein(tmp_path / "none.pdb")


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
