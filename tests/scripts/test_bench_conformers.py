"""The conformer benchmark: cells are filled once, failures are counted, settings reach the generator."""

import gzip
import json
import sys
from types import ModuleType

import bench_conformers
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molscore.chem.arrays import MoleculeError

SMILES = ("CCCC(=O)[O-]", "C[C@H](O)CN", "OCc1ccccc1")


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
                mol.SetProp("smiles", "[O-]C(=O)CCC")
            writer.write(mol)
        writer.close()
        file.write("broken\n\n\n nonsense\n$$$$\n")
    return path


@pytest.fixture
def generator(monkeypatch):
    """Stands in for ours: ETKDG, but for one molecule that it refuses. Keeps what it was told."""
    told = []

    class ConformerGenerator:
        @classmethod
        def from_pretrained(cls, name, device="cpu"):
            told.append((name, device))
            return cls()

        def generate(self, smiles, n, seed, steps=5):
            told.append((n, seed, steps))
            if smiles.startswith("[O-]"):
                raise MoleculeError("embedding", "no")
            mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
            rdDistGeom.EmbedMultipleConfs(mol, n, randomSeed=seed + 1)
            for conformer in mol.GetConformers():
                conformer.SetProp("method", "score" if conformer.GetId() else "etkdg")
            return mol

    module = ModuleType("molscore.conformers")
    module.ConformerGenerator = ConformerGenerator
    monkeypatch.setitem(sys.modules, "molscore.conformers", module)
    return told


@pytest.fixture
def words(benchmark, tmp_path):
    return [benchmark, "--counts", 1, 3, "--cores", 1, "--strain", 3, "--out", tmp_path / "cells.json"]


def test_baselines_are_measured_once(command, words, tmp_path, monkeypatch, capsys):
    command(bench_conformers, *words, "--methods", "etkdg", "clustered")
    found = json.loads((tmp_path / "cells.json").read_text())
    assert found["header"]["left_out"] == {"unreadable": 1, "unmatched": 0, "matched_without_bond_orders": 0}
    assert [(row["method"], row["count"]) for row in found["rows"]] == [
        ("etkdg", 1), ("etkdg", 3), ("clustered", 1), ("clustered", 3),
    ]  # fmt: skip
    for row in found["rows"]:
        assert row["molecules"] == len(row["best"]) == 3 and row["failures"] == {}
        assert row["delivered"] == row["asked"] == 3 * row["count"] == row["labels"][row["method"]]
        assert row["wrong_stereo"]["count"] == 0 and row["posebusters"]["total"] == 3 * min(row["count"], 2)
        assert (row["strain"] is None) == (row["count"] == 1)
        assert 0 < row["recall"]["mean"]["value"] < 2
    assert found["differences"] == []
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 2 + 4 and "clustered, 3" in printed.err

    monkeypatch.setattr(bench_conformers, "measure", lambda *_: pytest.fail("measured again"))
    command(bench_conformers, *words, "--methods", "etkdg", "clustered")


def test_a_benchmark_that_is_in_its_ensemble_is_found(benchmark):
    tasks, _ = bench_conformers.read(benchmark, 10, 0)
    assert {task.smiles for task in tasks} == {"[O-]C(=O)CCC", *SMILES[1:]}
    (task,) = (task for task in tasks if task.smiles == SMILES[1])
    mol = Chem.AddHs(Chem.MolFromSmiles(task.smiles))
    rdDistGeom.EmbedMolecule(mol, randomSeed=11)
    best = bench_conformers.recall(bench_conformers.heavy_positions(mol), task.reference, task.correspondences).best
    assert best == pytest.approx([0], abs=1e-3)


def test_ours_is_compared_in_pairs_and_its_failures_count(command, words, generator, tmp_path, capsys):
    command(bench_conformers, *words, "--methods", "etkdg", "score")
    command(bench_conformers, *words, "--methods", "score", "--label", "more", "--settings", "steps=9", "device=gpu")
    found = json.loads((tmp_path / "cells.json").read_text())
    assert len(found["rows"]) == 6 and len(found["differences"]) == 4
    row = next(row for row in found["rows"] if (row["method"], row["count"]) == ("more", 3))
    assert row["failures"] == {"embedding": 1} and row["settings"] == {"steps": 9, "device": "gpu"}
    assert row["labels"] == {"etkdg": 2, "score": 4} and (row["delivered"], row["asked"]) == (6, 9)
    assert row["best"].count(None) == 1 and row["recall"]["failures"] == 1
    assert row["recall"]["coverage"]["2.0"]["value"] <= 2 / 3
    assert all((pair["molecules"], pair["pairs"], pair["less"]) == (3, 2, "etkdg") for pair in found["differences"])
    assert generator[0] == ("conformers", "cpu") and ("conformers", "gpu") in generator
    assert (3, 0, 5) in generator and (3, 0, 9) in generator
    assert "more − etkdg" in capsys.readouterr().out


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
