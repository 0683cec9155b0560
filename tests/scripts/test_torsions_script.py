"""The script that compares torsions with those of crystals."""

import json

import numpy as np
import torsions
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdMolTransforms

SMILES = ["CCOc1ccccc1", "CNC(=O)CC", "CCNS(=O)(=O)C", "OCCCO"]


def embedded(smiles, n=1):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = 7
    rdDistGeom.EmbedMultipleConfs(mol, n, parameters)
    return mol


def test_rare_angles_are_counted_once_for_each_bond():
    """An ether's two neighbours in the ring are one bond; a conformer turned upright is a quarter of four."""
    mol = embedded("CCOc1ccccc1", 4)
    ring, carbon = mol.GetSubstructMatch(Chem.MolFromSmarts("c(:c)-O")), 1
    for k, angle in enumerate((0.0, 10.0, 90.0, 180.0)):
        rdMolTransforms.SetDihedralDeg(mol.GetConformer(k), ring[1], ring[0], ring[2], carbon, angle)
    found = torsions.motifs([mol], seed=0)
    name = next(iter(torsions.MOTIFS))
    assert found[name]["torsions"] == 4 and found[name]["molecules"] == 1
    assert found[name]["share"]["value"] == 0.25
    assert found["secondary amide, cis"]["torsions"] == 0 and found["secondary amide, cis"]["share"] is None


def test_distances_weigh_molecules_alike():
    """Ten conformers at 60° are one molecule, and so is one at 180°: half the weight each, whatever their number."""
    ours = {"type": [np.full(10, 60.0), np.array([180.0])]}
    crystals = {"type": [np.array([60.0]), np.array([60.0])], "seldom": [np.array([1.0])]}
    found = torsions.distances(ours, crystals, least=2)
    assert list(found) == ["type"] and found["type"] == {"distance": 60.0, "molecules": 2}
    assert torsions.distances(crystals, crystals, least=1)["type"]["distance"] == 0


def test_the_command(command, tmp_path, capsys):
    """Crystals are as far from themselves as nothing; the second call measures nothing again."""
    path, out = tmp_path / "known.sdf", tmp_path / "torsions.json"
    with Chem.SDWriter(str(path)) as writer:
        for smiles in SMILES:
            writer.write(embedded(smiles))
    words = [path, "--methods", "etkdg", "--n", 3, "--least", 1, "--out", out]
    command(torsions, *words)
    first = json.loads(out.read_text())
    rows = {row["method"]: row for row in first["rows"]}
    assert set(rows) == {"crystals", "etkdg"} and rows["etkdg"]["conformers"] == 12
    assert all(value["distance"] == 0 for value in rows["crystals"]["types"].values())
    assert rows["etkdg"]["types"] and "aryl alkyl ether" in capsys.readouterr().out
    command(torsions, *words)
    assert json.loads(out.read_text()) == first


def test_a_table_without_types():
    """Of few molecules there may be none that enough have."""
    row = {"motifs": {name: {"share": None, "torsions": 0, "molecules": 0} for name in torsions.MOTIFS}, "types": {}}
    text = torsions.markdown([row | {"method": name} for name in ("crystals", "score")])
    assert text.splitlines()[-1] == "| median of all | – |" and "| – , n" not in text
