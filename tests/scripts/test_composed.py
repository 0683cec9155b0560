"""scripts/composed.py: cores of ligands, and a run in a hollow ball."""

import gzip
import json
from pathlib import Path

import composed
import numpy as np
from hollow_ball import CENTRE, write_ball
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule


def embedded(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=1) == 0
    return mol


def test_a_core_is_the_largest_ring_system_where_it_lies():
    """Kekulé bonds are kept, what was cut off is hydrogens now; a nitrogen that lost its substituent has one too."""
    ligand = embedded("CC(=O)Nc1ccc2c(c1)ccn2CC1CC1")
    part = composed.core(ligand)
    assert Chem.MolToSmiles(part) == "c1ccc2[nH]ccc2c1"
    heavy = ligand.GetConformer().GetPositions()[4:13]
    assert {tuple(x) for x in part.GetConformer().GetPositions().tolist()} == {tuple(x) for x in heavy.tolist()}
    assert composed.core(embedded("CCOC1CC1")) is None


def test_the_command(command, tmp_path, capsys):
    """All attempts are counted, as hits or with a reason; a ligand without a ring is left out."""
    data, out = tmp_path / "pockets", tmp_path / "composed.json"
    for name, smiles in (("one", "Oc1ccccc1"), ("two", "CCO")):
        folder = data / name
        folder.mkdir(parents=True)
        ligand, protein = embedded(smiles), folder / f"{name}_protein.pdb"
        places = ligand.GetConformer().GetPositions()
        ligand.GetConformer().SetPositions(places - places.mean(0) + CENTRE)
        packed(write_ball(protein))
        with Chem.SDWriter(str(folder / f"{name}_ligand.sdf")) as writer:
            writer.write(ligand)
        packed(folder / f"{name}_ligand.sdf")
    words = [data, "--attempts", 2, "--steps", 10, "--target", "logp=-9..9", "--out", out]
    command(composed, *words)
    rows = {row["pocket"]: row for row in json.loads(out.read_text())["rows"]}
    assert rows["two"] == {"pocket": "two", "core": None} and rows["one"]["core"] == "c1ccccc1"
    for arm in composed.ARMS:
        assert rows["one"][arm]["hits"] + np.sum(list(rows["one"][arm]["faults"].values())) == 2
    assert "pockets with one" in capsys.readouterr().out
    before = out.stat().st_mtime_ns
    command(composed, *words)
    assert out.stat().st_mtime_ns == before


def packed(path: Path):
    """A file in the place of which its gzipped form stands."""
    Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
