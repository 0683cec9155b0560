"""The conformer benchmark: cells are filled once, failures are counted, settings reach the generator."""

import argparse
import gzip
import importlib.util
import json

import bench_conformers
import pytest
from conformer_methods import METHODS, same_atoms
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdMolTransforms

from molscore.evaluate.ensembles import stereo_kept

SMILES = ("CC[O-]", "C[C@H](O)CN", "OCc1ccccc1")


@pytest.fixture
def benchmark(tmp_path):
    """Three known conformations, one with its SMILES as a property, and a record that is no molecule."""
    path = tmp_path / "known.sdf.gz"
    with gzip.open(path, "wt") as file:
        writer = Chem.SDWriter(file)
        for smiles in SMILES:
            mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
            assert rdDistGeom.EmbedMolecule(mol, randomSeed=11) == 0
            if smiles == SMILES[0]:
                mol.SetProp("smiles", "[O-]CC")
            writer.write(mol)
        writer.close()
        file.write("broken\n\n\n nonsense\n$$$$\n")
    return path


@pytest.fixture
def words(benchmark, tmp_path):
    return [benchmark, "--counts", 1, 3, "--cores", 1, "--strain", 3, "--out", tmp_path / "cells.json"]


def test_baselines_are_measured_once(command, words, tmp_path, monkeypatch, capsys):
    command(bench_conformers, *words, "--methods", "etkdg", "clustered")
    results = json.loads((tmp_path / "cells.json").read_text())
    assert results["header"]["left_out"] == {"unreadable": 1, "unmatched": 0, "matched_without_bond_orders": 0}
    assert [(row["method"], row["count"]) for row in results["rows"]] == [
        ("etkdg", 1), ("etkdg", 3), ("clustered", 1), ("clustered", 3),
    ]  # fmt: skip
    for row in results["rows"]:
        assert row["molecules"] == len(row["best"]) == 3 and row["failures"] == {}
        assert row["delivered"] == row["asked"] == 3 * row["count"] == row["labels"][row["method"]]
        assert row["wrong_stereo"]["count"] == 0 and row["posebusters"]["total"] == 3 * min(row["count"], 2)
        assert (row["strain"] is None) == (row["count"] == 1)
        assert 0 < row["recall"]["mean"]["value"] < 2
    assert results["differences"] == []
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 2 + 4 and "clustered, 3" in printed.err

    monkeypatch.setattr(bench_conformers, "measure", lambda *_: pytest.fail("measured again"))
    command(bench_conformers, *words, "--methods", "etkdg", "clustered")


def test_a_benchmark_that_is_in_its_ensemble_is_found(benchmark):
    tasks, _ = bench_conformers.read(benchmark, 10, 0)
    assert {task.smiles for task in tasks} == {"[O-]CC", *SMILES[1:]}
    (task,) = (task for task in tasks if task.smiles == SMILES[1])
    mol = Chem.AddHs(Chem.MolFromSmiles(task.smiles))
    rdDistGeom.EmbedMolecule(mol, randomSeed=11)
    best = bench_conformers.recall(bench_conformers.heavy_positions(mol), task.reference, task.correspondences).best
    assert best == pytest.approx([0], abs=1e-3)


def test_ours_is_compared_in_pairs_and_its_failures_count(command, words, tmp_path, capsys):
    """Three heavy atoms are too few for the model: ETKDGv3 makes them, or without a fall-back nobody."""
    command(bench_conformers, *words, "--methods", "etkdg", "score", "--timed", 1)
    command(
        bench_conformers, *words, "--methods", "score", "--label", "alone", "--settings", "fallback=false", "steps=5"
    )
    results = json.loads((tmp_path / "cells.json").read_text())
    assert len(results["rows"]) == 6 and len(results["differences"]) == 4
    cells = {(row["method"], row["count"]): row for row in results["rows"]}
    assert cells["score", 3]["labels"] == {"etkdg": 1, "score": 6} and cells["score", 3]["failures"] == {}
    row = cells["alone", 3]
    assert row["failures"] == {"too_small": 1} and row["settings"] == {"steps": 5, "fallback": False}
    assert row["labels"] == {"score": row["delivered"]} and (row["delivered"], row["asked"]) == (5, 9)
    assert row["best"].count(None) == 1 and row["recall"]["failures"] == 1
    assert row["recall"]["coverage"]["2.0"]["value"] <= 2 / 3
    for name, pairs in (("score", 3), ("alone", 2)):
        compared = [pair for pair in results["differences"] if pair["method"] == name]
        assert all((pair["molecules"], pair["pairs"], pair["less"]) == (3, pairs, "etkdg") for pair in compared)
    for (name, _), row in cells.items():
        assert (row["seconds_per_conformer"] is None) == (name == "alone") == ("seconds_per_molecule" not in row)
    assert "alone − etkdg" in capsys.readouterr().out


def test_what_cannot_be_judged_is_a_failure(benchmark):
    tasks, _ = bench_conformers.read(benchmark, 10, 0)
    task = next(task for task in tasks if task.smiles == SMILES[1])
    other, none = Chem.AddHs(Chem.MolFromSmiles("OCCCN")), Chem.MolFromSmiles(task.smiles)
    rdDistGeom.EmbedMolecule(other, randomSeed=1)
    assert bench_conformers.unusable(other, task) == "other_atoms"
    assert bench_conformers.unusable(none, task) == "no_conformer"
    broken = Chem.AddHs(none)
    rdDistGeom.EmbedMolecule(broken, randomSeed=1)
    assert bench_conformers.unusable(broken, task) is None
    broken.GetConformer().SetAtomPosition(0, [float("nan")] * 3)
    assert bench_conformers.unusable(broken, task) == "not_finite"


@pytest.mark.parametrize("wrong", [["--settings", "steps"], ["--label", "etkdg"]])
def test_misuse_is_told(command, words, wrong, capsys):
    with pytest.raises(SystemExit):
        command(bench_conformers, *words, *wrong)
    assert "key=value" in capsys.readouterr().err


def test_peers_make_the_molecules_that_they_are_given():
    words = argparse.Namespace(seed=0, cores=1)
    asked = ["C[C@H](O)C(=O)NCc1ccccc1", "C/C=C\\C(=O)OCCO"]
    names = ["etkdg", "mmff"] + ["conforge"] * (importlib.util.find_spec("CDPL") is not None)
    for name in names:
        for mol, smiles in zip(METHODS[name](words)(asked, 4), asked, strict=True):
            assert 0 < mol.GetNumConformers() <= 4 and stereo_kept(mol, smiles) == [True] * mol.GetNumConformers()
            lengths = [rdMolTransforms.GetBondLength(mol.GetConformer(0), *ends(bond)) for bond in mol.GetBonds()]
            assert 0.9 < min(lengths) and max(lengths) < 1.6, name


def ends(bond):
    return bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()


def test_atoms_of_another_program_are_found():
    """Methanol whose hydrogens stand in other places."""
    mol = Chem.AddHs(Chem.MolFromSmiles("CO"))
    hydrogen = [True, False, True, False, True, True]
    neighbours = [[3], [2, 4, 5, 3], [1], [0, 1], [1], [1]]
    order = same_atoms(mol, hydrogen, neighbours)
    assert order[:2] == [1, 3] and sorted(order[2:5]) == [2, 4, 5] and order[5] == 0
