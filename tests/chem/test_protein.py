"""Proteins: what is read of a file and what is not."""

import gzip
import warnings
from io import StringIO

import numpy as np
import pytest
from Bio.PDB.mmcifio import MMCIFIO
from Bio.PDB.PDBParser import PDBParser
from proteins import atom

from molscore.chem.io.protein import read_protein

DRUG = "CN1CCC[C@H]1c1cccnc1"


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
    assert structure.names[structure.residues == "A/SER 4B"].tolist() == ["CA", "OG"] and structure.waters == 3


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
