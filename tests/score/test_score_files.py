"""SDF to SDF: every record in its place, tagged; nothing lost, nothing half-written."""

import gzip

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Chem.rdMolTransforms import TransformConformer
from typer.testing import CliRunner

from molscore.chem import fit
from molscore.chem.io.protein import read_protein
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.cli import app
from molscore.score.files import score_sdf
from molscore.score.score import ATOM_TAG, REASON_TAG, TAGS

FIRST = next(iter(TAGS))


@pytest.fixture
def mixed(tmp_path, drugs):
    """A good record with properties, one that is no record, a salt, a good one without an end."""
    path = tmp_path / "mixed.sdf"
    with SDFWriter(path) as writer:
        writer.write(drugs[0], "aspirin", {"assay": "7.5\nsecond line", FIRST: "old", "note": "a > b"})
    salt = Chem.MolToMolBlock(Chem.MolFromSmiles("CC(=O)[O-].[Na+]"))
    last = Chem.MolToMolBlock(drugs[1])
    path.write_text(f"{path.read_text()}no record\n\n\nat all\n$$$$\n{salt}$$$$\n{last}")
    return path


def test_records_stay_and_get_tags(scorer, mixed, tmp_path):
    seen, out = [], tmp_path / "out.sdf"
    outcome = score_sdf(scorer, mixed, out, on_progress=seen.append)
    assert seen == [1, 2, 3, 4]
    assert len(outcome.scores) == 2 and outcome.reasons == {"unreadable": 1, "disconnected": 1}
    assert "record 2 (line" in outcome.first
    text = outcome.text(out)
    assert "2 of 4 records scored" in text and "1 disconnected" in text
    before, after = list(read_sdf(mixed)), list(read_sdf(out))
    assert [record.mol is None for record in after] == [False, True, False, False]
    assert "at all" in after[1].text and f"<{REASON_TAG}>" in after[1].text
    first = after[0].mol
    assert first.GetProp("_Name") == "aspirin" and first.GetProp("assay") == "7.5\nsecond line"
    assert first.GetProp("note") == "a > b"
    assert after[0].text.count(f"<{FIRST}>") == 1 and float(first.GetProp(FIRST)) > -5
    for old, new in zip(before, after, strict=True):
        assert new.text.startswith(old.text.partition("M  END")[0].rstrip())
    name = ATOM_TAG.removeprefix("atom.dprop.")
    first = next(Chem.SDMolSupplier(str(out), removeHs=False))
    heavy = [atom for atom in first.GetAtoms() if atom.GetAtomicNum() > 1]
    assert all(atom.GetDoubleProp(name) > 0 for atom in heavy)
    assert not any(atom.HasProp(name) for atom in first.GetAtoms() if atom.GetAtomicNum() == 1)
    salt = after[2].mol
    assert salt.GetProp(FIRST) == "" and salt.GetProp(REASON_TAG).startswith("disconnected")


def test_scoring_twice_changes_nothing(scorer, mixed, tmp_path):
    once, twice = tmp_path / "once.sdf.gz", tmp_path / "twice.sdf.gz"
    score_sdf(scorer, mixed, once)
    score_sdf(scorer, once, twice)
    texts = [gzip.open(path, "rt").read() for path in (once, twice)]
    assert texts[0] == texts[1] and texts[0].count("$$$$") == 4


def test_an_empty_file_is_refused_and_nothing_written(scorer, tmp_path):
    empty, out = tmp_path / "empty.sdf", tmp_path / "out.sdf"
    empty.touch()
    with pytest.raises(ValueError, match="holds no record"):
        score_sdf(scorer, empty, out)
    assert list(tmp_path.iterdir()) == [empty]


@pytest.fixture
def peptide(tmp_path):
    """A PDB file."""
    mol, path = Chem.MolFromSequence("GADH"), tmp_path / "peptide.pdb"
    assert EmbedMolecule(mol, randomSeed=7) == 0
    Chem.MolToPDBFile(mol, str(path))
    return path


def test_fits_into_a_protein_stand_beside_the_scores(scorer, mixed, peptide, tmp_path):
    bare, out, again = (tmp_path / f"{name}.sdf" for name in ("bare", "out", "again"))
    score_sdf(scorer, mixed, bare)
    around = read_protein(peptide)
    outcome = score_sdf(scorer, mixed, out, protein=around)
    assert len(outcome.scores) == len(outcome.fits) == 2
    assert "0 of 2 lie in the protein without a clash" in outcome.text(out)
    first, unreadable, flat, last = read_sdf(out)
    for record in (first, last):
        properties = record.mol.GetPropsAsDict()
        assert properties["protein_clashes"] > 0 and properties["protein_closest_ratio"] < 0.75
        assert 0 < properties["protein_overlap_percent"] < 100 and 0 < properties["ligand_buried_percent"] < 100
        assert properties["protein_contacts"] > 5 and "A/ASP 3" in properties["protein_residues"].split(", ")
    for record in (unreadable, flat):
        assert all(f"<{tag}>\n\n" in record.text for tag in fit.TAGS)
    assert [record.mol.GetProp(FIRST) for record in (first, last)] == [
        record.mol.GetProp(FIRST) for record in (list(read_sdf(bare))[k] for k in (0, 3))
    ]
    score_sdf(scorer, out, again, protein=around)
    assert again.read_text() == out.read_text()


def test_poses_apart_from_the_protein_are_not_said_to_lie_in_it(scorer, mixed, tmp_path):
    mol, path = Chem.MolFromSequence("GADH"), tmp_path / "elsewhere.pdb"
    assert EmbedMolecule(mol, randomSeed=7) == 0
    TransformConformer(mol.GetConformer(), np.eye(4) + 100 * np.eye(4, k=3))
    Chem.MolToPDBFile(mol, str(path))
    text = score_sdf(scorer, mixed, tmp_path / "out.sdf", protein=read_protein(path)).text("out.sdf")
    assert "0 of 2 lie in the protein without a clash" in text
    assert "2 of 2 lie apart from the protein: is it theirs" in text


def test_a_record_without_a_score_has_a_fit(peptide, tmp_path):
    mols, out = tmp_path / "salt.sdf", tmp_path / "out.sdf"
    salt = Chem.AddHs(Chem.MolFromSmiles("CC(=O)[O-].[Na+]"))
    assert EmbedMolecule(salt, randomSeed=7) == 0
    with SDFWriter(mols) as writer:
        writer.write(salt, "salt")
    result = CliRunner().invoke(app, ["score", str(mols), "--out", str(out), "--protein", str(peptide)])
    assert result.exit_code == 0, result.output
    assert "protein: 4 residues" in result.stderr and "not scored: 1 disconnected" in result.stderr
    properties = next(read_sdf(out)).mol.GetPropsAsDict()
    assert properties[REASON_TAG].startswith("disconnected") and properties["protein_clashes"] > 0


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [("none.pdb", None, "there is no file"), ("p.txt", "", "must end in .pdb"), ("p.cif", "words", "mmCIF")],
)
def test_a_bad_protein_ends_with_code_2(name, text, complaint, drugs, tmp_path):
    mols, out, path = tmp_path / "mols.sdf", tmp_path / "out.sdf", tmp_path / name
    with SDFWriter(mols) as writer:
        writer.write(drugs[0], "aspirin")
    if text is not None:
        path.write_text(text)
    result = CliRunner().invoke(app, ["score", str(mols), "--out", str(out), "--protein", str(path)])
    assert result.exit_code == 2 and complaint in " ".join(result.stderr.split())
    assert not out.exists()
