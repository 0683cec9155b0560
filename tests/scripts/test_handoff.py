"""The examples of handing molecules on: docking, REINVENT 4, ProLIF. Real packages, a protein of a few residues."""

import csv
import io
import json
import math

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_text import format_record

LIGAND = "CC(=O)Nc1ccc(O)cc1"


@pytest.fixture(scope="module")
def protein(tmp_path_factory):
    """Heavy atoms of a folded peptide, as crystal structures have them."""
    mol = Chem.AddHs(Chem.MolFromSequence("GADHKSFW"), addResidueInfo=True)
    assert EmbedMolecule(mol, randomSeed=7, useRandomCoords=True) == 0
    path = tmp_path_factory.mktemp("protein") / "protein.pdb"
    Chem.MolToPDBFile(Chem.RemoveHs(mol), str(path), flavor=2)
    return path


@pytest.fixture(scope="module")
def poses(protein):
    """Docked and scored poses; the center of the box."""
    pytest.importorskip("vina")
    from examples.handoff import dock

    center = Chem.MolFromPDBFile(str(protein)).GetConformer().GetPositions().mean(0)
    out = protein.with_name("scored.sdf")
    words = [f"{LIGAND} paracetamol", str(protein), "--center", *map(str, center), "--out", str(out)]
    dock.main([*words, "--starts", "2", "--poses", "4", "--exhaustiveness", "1"])
    return out, center


def test_from_smiles_to_scored_poses(poses):
    path, center = poses
    records = list(read_sdf(path))
    assert 2 <= len(records) <= 8
    for record in records:
        mol = record.mol
        assert isomeric_smiles(mol) == LIGAND and mol.GetProp("_Name") == "paracetamol"
        assert mol.GetNumAtoms() == 20 and mol.GetConformer().Is3D()
        assert abs(mol.GetConformer().GetPositions() - center).max() < 12
        assert int(mol.GetProp("protein_clashes")) <= 1 and float(mol.GetProp("log_likelihood_nats_per_atom")) > 0
    for start in ("1", "2"):
        energies = [float(r.mol.GetProp("vina_kcal_per_mol")) for r in records if r.mol.GetProp("start_rank") == start]
        assert energies == sorted(energies) and energies[0] < -1


def test_bonds_of_poses_are_sound(poses):
    """Vina turns torsions alone; what it leaves of hydrogens meeko puts back."""
    for record in read_sdf(poses[0]):
        xyz = record.mol.GetConformer().GetPositions()
        ends = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in record.mol.GetBonds()])
        lengths = np.linalg.norm(xyz[ends[:, 0]] - xyz[ends[:, 1]], axis=1)
        assert 0.9 < lengths.min() and lengths.max() < 1.6


def test_prolif_fingerprints_of_poses(poses, protein, tmp_path):
    pytest.importorskip("prolif")
    from examples.handoff import prolif_fingerprint

    first = next(read_sdf(poses[0]))
    (tmp_path / "reference.sdf").write_text(f"{first.text}$$$$\n")
    words = [str(poses[0]), str(protein), "--reference", str(tmp_path / "reference.sdf")]
    prolif_fingerprint.main([*words, "--out", str(tmp_path / "out.csv")])
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert [int(row["record"]) for row in rows] == list(range(1, len(list(read_sdf(poses[0]))) + 1))
    similarities = [float(row["tanimoto_to_reference"]) for row in rows]
    assert similarities[0] == 1 and min(similarities) < 1
    contacts = [name for name, value in rows[0].items() if value == "1" and "." in name]
    assert contacts and {name.partition(".")[0][:3] for name in contacts} <= {
        *("GLY", "ALA", "ASP", "HIS", "LYS", "SER", "PHE", "TRP")
    }


def test_reinvent_component(tmp_path, monkeypatch, capfd):
    pytest.importorskip("rdkit.Chem.rdShapeAlign")
    from examples.handoff import reinvent_score

    mol = Chem.AddHs(Chem.MolFromSmiles("Nc1ccccc1C(=O)O"))
    assert EmbedMolecule(mol, randomSeed=1) == 0
    (tmp_path / "query.sdf").write_text(format_record(mol, "query"))
    monkeypatch.setattr("sys.stdin", io.StringIO('CCCCCC\nnonsense,"\nNc1ccccc1C(=O)O\n\nO\n'))
    reinvent_score.main(["--query", str(tmp_path / "query.sdf"), "--n", "2"])
    result = json.loads(capfd.readouterr().out)
    assert result["version"] == 1 and set(result["payload"]) == {"shape", "log_likelihood"}
    shape, likelihood = result["payload"]["shape"], result["payload"]["log_likelihood"]
    assert [math.isnan(value) for value in shape] == [False, True, False, True, False]
    assert shape[2] > 0.9 > shape[0] > 0 and all(0 <= value <= 1 for value in shape if value == value)
    assert likelihood[2] > 0 and math.isnan(likelihood[4])
