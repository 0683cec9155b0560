"""Tensor files from SMILES, SDF files and shards."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolTransforms

from molscore.chem.arrays import from_mol, to_mol
from molscore.chem.embed import embed
from molscore.chem.hydrogens import complete
from molscore.chem.strain import relaxation_energy
from molscore.datasets import build as building
from molscore.datasets.build import split_of
from molscore.datasets.sources import SourceError, build_sdf, build_shards, build_smiles
from molscore.datasets.tensorfile import read_tensorfile

SMILES = ("CCO", "c1ccccc1", "CC(=O)N", "OCC", "not a molecule", "C.C", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CCl")
KEPT = [0, 1, 2, 6, 7, 8]  # ethanol comes twice


def smiles_of(mol: Chem.Mol) -> str:
    return Chem.MolToSmiles(Chem.RemoveHs(mol))


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "set.csv"
    path.write_text("name,SMILES\n" + "".join(f"m{k},{smiles}\n" for k, smiles in enumerate(SMILES)))
    return path


@pytest.mark.parametrize("hydrogens", [False, True])
def test_smiles(listed, tmp_path, hydrogens):
    """Every molecule that can be made is there once, the others are counted by reason."""
    out = tmp_path / "set.safetensors"
    found = build_smiles(listed, out, hydrogens=hydrogens, workers=1)
    assert found["dropped"] == {"smiles": 1, "disconnected": 1, "duplicate": 1}
    file = read_tensorfile(out)
    assert found["molecules"] == len(file) == len(KEPT) and sum(found["splits"].values()) == len(KEPT)
    assert file.arrays["index"].tolist() == KEPT
    back = [to_mol(file.molecule(i)) if hydrogens else complete(file.molecule(i)) for i in range(len(file))]
    assert [smiles_of(mol) for mol in back] == [Chem.CanonSmiles(SMILES[k]) for k in KEPT]
    assert (1 in file.arrays["atomic_numbers"]) == hydrogens
    assert not (tmp_path / ".set.safetensors.parts").exists()


def test_the_split_follows_from_the_molecule(listed, tmp_path):
    """In another order, and with hydrogens, each molecule is where it was; the shares are those promised."""
    turned = tmp_path / "turned.smi"
    turned.write_text("".join(f"{smiles} name\n" for smiles in reversed(SMILES)))
    splits = []
    for source, hydrogens in ((listed, False), (turned, True)):
        build_smiles(source, tmp_path / "x.safetensors", hydrogens=hydrogens, workers=1)
        file = read_tensorfile(tmp_path / "x.safetensors")
        mols = [to_mol(file.molecule(i), implied=not hydrogens) for i in range(len(file))]
        splits.append({smiles_of(mol): int(s) for mol, s in zip(mols, file.arrays["split"], strict=True)})
    assert splits[0] == splits[1]
    keys = np.random.default_rng(0).integers(2**63, size=20_000)
    shares = np.bincount(split_of(keys)) / len(keys)
    np.testing.assert_allclose(shares, [0.9, 0.05, 0.05], atol=4 * (0.9 * 0.1 / len(keys)) ** 0.5)


def test_an_interrupted_build_goes_on(listed, tmp_path, monkeypatch):
    """Finished parts are taken up again, unless the items have changed."""
    monkeypatch.setattr(building, "PART", 3)
    out, calls = tmp_path / "set.safetensors", []

    def make(number, smiles, stop=100):
        if number >= stop:
            raise KeyboardInterrupt
        calls.append(number)
        return from_mol(embed("C" * (number + 1)))

    items = list("abcdefgh")
    with pytest.raises(KeyboardInterrupt):
        building.build(items, lambda number, item: make(number, item, stop=7), out, "test", workers=1)
    assert not out.exists()
    building.build(items, lambda number, item: make(number, item), out, "test", workers=1)
    assert calls == [0, 1, 2, 3, 4, 5, 6, 6, 7]
    assert len(read_tensorfile(out)) == 8


def test_several_processes_make_the_same_file(listed, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "PART", 3)
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    assert build_smiles(listed, one, workers=1) == build_smiles(listed, two, workers=2)
    first, second = read_tensorfile(one), read_tensorfile(two)
    assert first.metadata == second.metadata
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name])


def test_sdf(tmp_path):
    """3-D records as they are, with the hydrogens they lack; drawings embedded; bad records counted."""
    bent = embed("CCO", seed=1)
    bare = Chem.RemoveHs(embed("CC(=O)N", seed=1))
    flat = Chem.MolFromSmiles("c1ccccc1O")
    path = tmp_path / "my.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for mol in (bent, bare, flat):
            writer.write(mol)
    path.write_text(path.read_text() + "bad\n\n\nrubbish\n$$$$\n")
    found = build_sdf(path, tmp_path / "x.safetensors", workers=1)
    assert found["molecules"] == 3 and found["dropped"] == {"unreadable": 1}
    file = read_tensorfile(tmp_path / "x.safetensors")
    heavy = bent.GetConformer().GetPositions()[:3]
    np.testing.assert_allclose(file.molecule(0).positions, heavy - heavy.mean(0), atol=2e-3)
    assert [smiles_of(complete(file.molecule(i))) for i in range(3)] == ["CCO", "CC(N)=O", "Oc1ccccc1"]


@pytest.mark.parametrize(("relax", "left"), [("none", (20, 400)), ("torsions", (0.5, 20)), ("mmff", (0, 0.01))])
def test_geometries_are_relaxed_as_asked(tmp_path, relax, left):
    """Butane at 120 degrees, shaken: the energy above the minimum goes, and the torsion stays or not."""
    mol = embed("CCCC", seed=1)
    rdMolTransforms.SetDihedralDeg(mol.GetConformer(), 0, 1, 2, 3, 120.0)
    positions = mol.GetConformer().GetPositions()
    mol.GetConformer().SetPositions(positions + np.random.default_rng(0).normal(scale=0.05, size=positions.shape))
    with Chem.SDWriter(str(tmp_path / "one.sdf")) as writer:
        writer.write(mol)
    build_sdf(tmp_path / "one.sdf", tmp_path / "x.safetensors", relax=relax, hydrogens=True, workers=1)
    file = read_tensorfile(tmp_path / "x.safetensors")
    stored = to_mol(file.molecule(0))
    assert left[0] <= relaxation_energy(stored).energy <= left[1]
    turned = abs(rdMolTransforms.GetDihedralDeg(stored.GetConformer(), 0, 1, 2, 3)) - 120
    assert (abs(turned) < 15) == (relax != "mmff")
    assert ("torsions kept" in file.metadata["source"]) == (relax == "torsions")


def test_a_relaxation_that_is_not_there(listed, tmp_path):
    with pytest.raises(ValueError, match="choose one of none, torsions, mmff, xtb"):
        build_smiles(listed, tmp_path / "x.safetensors", relax="dft")


def test_xtb_goes_beyond_mmff(tmp_path):
    pytest.importorskip("tblite")
    (tmp_path / "a.smi").write_text("CCO\n")
    files = {}
    for relax in ("none", "xtb"):
        build_smiles(tmp_path / "a.smi", tmp_path / "x.safetensors", relax=relax, hydrogens=True, workers=1)
        files[relax] = to_mol(read_tensorfile(tmp_path / "x.safetensors").molecule(0))
    assert relaxation_energy(files["xtb"], "xtb").energy < 0.02 < relaxation_energy(files["none"], "xtb").energy


def test_shards(tmp_path):
    arrays = [from_mol(embed(smiles)) for smiles in ("CCO", "CC#N")]
    shard = {
        "n_atoms": np.array([len(a.atomic_numbers) for a in arrays], np.uint8),
        "n_bonds": np.array([len(a.bond_orders) for a in arrays], np.uint8),
        "z": np.concatenate([a.atomic_numbers for a in arrays]),
        "charge": np.concatenate([a.formal_charges for a in arrays]),
        "pos_mA": np.concatenate([np.rint(1000 * a.positions) for a in arrays]).astype(np.int16),
        "bonds": np.concatenate([a.bonds for a in arrays]).astype(np.uint8)[:, ::-1],
        "order": np.concatenate([a.bond_orders for a in arrays]),
    }
    np.savez(tmp_path / "shard0.npz", **shard)
    build_shards(tmp_path, tmp_path / "x.safetensors", hydrogens=True, workers=1)
    file = read_tensorfile(tmp_path / "x.safetensors")
    assert [smiles_of(to_mol(file.molecule(i))) for i in range(2)] == ["CCO", "CC#N"]
    np.testing.assert_allclose(file.molecule(1).positions, arrays[1].positions - arrays[1].positions.mean(0), atol=2e-3)


def test_sources_that_cannot_be_read(tmp_path):
    (tmp_path / "empty.smi").write_text("\n")
    (tmp_path / "other.csv").write_text("name,InChI\na,b\n")
    (tmp_path / "nothing.sdf").write_text("")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.npz").write_text("no archive")
    out = tmp_path / "x.safetensors"
    for call, path, words in (
        (build_smiles, "empty.smi", "holds no SMILES"),
        (build_smiles, "other.csv", "no column SMILES, only name, InChI"),
        (build_sdf, "nothing.sdf", "no records"),
        (build_shards, ".", "no .npz files"),
        (build_shards, "bad", "a.npz is no shard"),
    ):
        with pytest.raises(SourceError, match=words):
            call(tmp_path / path, out)
    with pytest.raises(ValueError, match="no molecule is left, dropped: {'smiles': 1}"):
        (tmp_path / "bad.smi").write_text("xyz\n")
        build_smiles(tmp_path / "bad.smi", out, workers=1)
    with pytest.raises(IsADirectoryError):
        build_smiles(tmp_path / "bad.smi", tmp_path)
    assert not out.exists()
