"""Tensor files from SMILES, SDF files and shards."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolTransforms

from molscore.chem.arrays import MoleculeError, from_mol, to_mol
from molscore.chem.embedding.etkdg import embed
from molscore.chem.ensemble import rmsd_matrix, symmetries
from molscore.chem.forcefield.minimise import minimise
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.hydrogens import complete
from molscore.chem.thresholds import THRESHOLDS
from molscore.datasets import build as building
from molscore.datasets import sources
from molscore.datasets.build import first_of_each, split_of
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
    counts = build_smiles(listed, out, hydrogens=hydrogens, workers=1)
    assert counts["dropped"] == {"smiles": 1, "disconnected": 1, "duplicate": 1}
    file = read_tensorfile(out)
    assert counts["molecules"] == len(file) == len(KEPT) and sum(counts["splits"].values()) == len(KEPT)
    assert file.arrays["index"].tolist() == KEPT
    back = [to_mol(file.molecule(i)) if hydrogens else complete(file.molecule(i)) for i in range(len(file))]
    assert [smiles_of(mol) for mol in back] == [Chem.CanonSmiles(SMILES[k]) for k in KEPT]
    assert (1 in file.arrays["atomic_numbers"]) == hydrogens
    for i, k in enumerate(KEPT):
        positions = from_mol(embed(SMILES[k], seed=k)).positions
        positions = positions if hydrogens else positions[: len(file.molecule(i).atomic_numbers)]
        np.testing.assert_allclose(file.molecule(i).positions, positions - positions.mean(0), atol=6e-4)
    assert counts["distinct"] == len(KEPT)
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


@pytest.mark.parametrize("conformers", [1, 2])
def test_an_interrupted_build_goes_on(listed, tmp_path, monkeypatch, conformers):
    """Finished parts are taken up again, unless the items have changed."""
    monkeypatch.setattr(building, "PART", 3)
    out, calls = tmp_path / "set.safetensors", []

    def make(number, smiles, stop=100):
        if number >= stop:
            raise KeyboardInterrupt
        calls.append(number)
        return [from_mol(embed("C" * (number + 1)))] * conformers

    items, options = list("abcdefgh"), {"workers": 1, "conformers": conformers}
    with pytest.raises(KeyboardInterrupt):
        building.build(items, lambda number, item: make(number, item, stop=7), out, "test", **options)
    assert not out.exists()
    building.build(items, lambda number, item: make(number, item), out, "test", **options)
    assert calls == [0, 1, 2, 3, 4, 5, 6, 6, 7]
    assert read_tensorfile(out).arrays["index"].tolist() == np.repeat(range(8), conformers).tolist()


def test_several_processes_make_the_same_file(listed, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "PART", 3)
    serial, parallel = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    options = {"conformers": 2}
    assert build_smiles(listed, serial, workers=1, **options) == build_smiles(listed, parallel, workers=2, **options)
    first, second = read_tensorfile(serial), read_tensorfile(parallel)
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
    counts = build_sdf(path, tmp_path / "x.safetensors", workers=1)
    assert counts["molecules"] == 3 and counts["dropped"] == {"unreadable": 1}
    file = read_tensorfile(tmp_path / "x.safetensors")
    heavy = bent.GetConformer().GetPositions()[:3]
    np.testing.assert_allclose(file.molecule(0).positions, heavy - heavy.mean(0), atol=2e-3)
    assert [smiles_of(complete(file.molecule(i))) for i in range(3)] == ["CCO", "CC(N)=O", "Oc1ccccc1"]


@pytest.mark.parametrize("hydrogens", [False, True])
def test_several_conformers(tmp_path, hydrogens):
    """Those of a molecule differ, follow one another by energy, and share number, stereo and split."""
    (tmp_path / "set.smi").write_text("CCC(F)C=CC(O)CC\nc1ccccc1\nxyz\nOCCCN\nNCCCO\n")
    out = tmp_path / "set.safetensors"
    summary = build_smiles(tmp_path / "set.smi", out, hydrogens=hydrogens, workers=1, conformers=4)
    file = read_tensorfile(out)
    index = file.arrays["index"]
    assert summary["molecules"] == len(file) and summary["distinct"] == 3 and summary["dropped"]["smiles"] == 1
    numbers, counts = np.unique(index[index != 4], return_counts=True)
    assert numbers.tolist() == [0, 1, 3] and counts[1] == 1 and min(counts[0], counts[2]) >= 2 and max(counts) <= 4
    assert index.tolist() == sorted(index) and np.isin(index, [3, 4]).sum() == 4 and summary["dropped"]["duplicate"] > 0
    assert "up to 4 conformers of a molecule" in file.metadata["source"]
    for number in (0, 3):
        same = np.flatnonzero(index == number)
        molecules = [file.molecule(i) for i in same]
        mols = [to_mol(molecule, implied=not hydrogens) for molecule in molecules]
        assert len({smiles_of(mol) for mol in mols}) == len(set(file.arrays["split"][same])) == 1
        for molecule in molecules:
            np.testing.assert_array_equal(molecule.stereo, molecules[0].stereo)
        positions = np.array([molecule.positions[molecule.atomic_numbers > 1] for molecule in molecules])
        distances = rmsd_matrix(positions, symmetries(mols[0]))
        assert distances[np.triu_indices(len(same), 1)].min() > THRESHOLDS.embedding.same_conformer - 0.001
        if hydrogens:
            assert (np.diff([minimise(mol).after for mol in mols]) > -0.01).all()


def test_one_conformer_is_the_default(listed, tmp_path):
    contents = []
    for options in ({}, {"conformers": 1}):
        build_smiles(listed, tmp_path / "x.safetensors", workers=1, **options)
        file = read_tensorfile(tmp_path / "x.safetensors")
        contents.append((file.metadata, {name: array.tolist() for name, array in file.arrays.items()}))
    assert contents[0] == contents[1] and "conformers" not in contents[0][0]["source"]
    with pytest.raises(ValueError, match="from 1 to 255"):
        build_smiles(listed, tmp_path / "x.safetensors", conformers=0)


def test_the_first_of_each():
    keys = np.array([5, 7, 5, 5, 2, 7])
    kept = {1: [0, 1, 4], 2: [0, 1, 2, 4, 5], 3: [0, 1, 2, 3, 4, 5], 9: [0, 1, 2, 3, 4, 5]}
    for most, places in kept.items():
        assert np.flatnonzero(first_of_each(keys, most)).tolist() == places
    assert len(first_of_each(keys[:0], 1)) == 0


def test_records_of_the_same_molecule_are_conformers(tmp_path):
    """As they are and in the order of the file; a drawing gets as many."""
    butanols = [embed("CCCCO", seed=k) for k in range(4)]
    with Chem.SDWriter(str(tmp_path / "my.sdf")) as writer:
        for mol in (butanols[0], embed("CCN"), butanols[1], butanols[2], Chem.MolFromSmiles("NCCCCO"), butanols[3]):
            writer.write(mol)
    counts = build_sdf(tmp_path / "my.sdf", tmp_path / "x.safetensors", hydrogens=True, workers=1, conformers=3)
    file = read_tensorfile(tmp_path / "x.safetensors")
    index = file.arrays["index"].tolist()
    assert index[:4] == [0, 1, 2, 3] and set(index[4:]) == {4} and 2 <= len(index[4:]) <= 3
    assert counts["dropped"] == {"duplicate": 1} and counts["distinct"] == 3
    for place, mol in zip((0, 2, 3), butanols, strict=False):
        positions = mol.GetConformer().GetPositions()
        np.testing.assert_allclose(file.molecule(place).positions, positions - positions.mean(0), atol=2e-3)
    assert len(set(file.arrays["split"][[0, 2, 3]])) == 1


def test_relaxation_may_make_conformers_alike_or_lose_them(monkeypatch):
    """Two conformers near one minimum become one; one that cannot be relaxed is left out, unless none can."""
    low, high = sorted((embed("CCCCO", seed=k) for k in (1, 2)), key=lambda mol: minimise(mol).after)
    shaken, rng = Chem.Mol(high), np.random.default_rng(0)
    for mol in (high, high, low):
        positions = mol.GetConformer().GetPositions()
        shaken.GetConformer().SetPositions(positions + rng.normal(scale=0.02, size=positions.shape))
        shaken.AddConformer(Chem.Conformer(shaken.GetConformer()), assignId=True)
    shaken.RemoveConformer(0)
    relaxed = sources._relaxed(shaken, "mmff")
    assert len(relaxed) == 2 and len(sources._relaxed(shaken, "none")) == 3
    energies = [minimise(to_mol(arrays)).after for arrays in relaxed]
    assert energies[0] == pytest.approx(minimise(low).after, abs=0.01) and energies[0] < energies[1]

    def only(mol):
        """Settles one conformer alone."""
        if mol.GetConformer().GetId() != settles:
            raise MoleculeError("no_parameters", "")

    monkeypatch.setattr(sources, "settle_in_place", only)
    settles = 2
    assert len(sources._relaxed(shaken, "torsions")) == 1
    settles = 100
    with pytest.raises(MoleculeError, match="no_parameters"):
        sources._relaxed(shaken, "torsions")


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
        (build_smiles, "other.csv", "no column 'smiles', only name, InChI$"),
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
