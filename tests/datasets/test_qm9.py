"""Building the QM9 tensor file."""

import csv
import importlib.util
import json
import sys
from collections import Counter

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import to_mol
from molscore.datasets import qm9
from molscore.datasets.qm9 import FILES, SourceError, build_qm9, customary_split
from molscore.datasets.tensorfile import read_tensorfile
from molscore.extras import MissingExtraError

needs_qm9pack = pytest.mark.skipif(importlib.util.find_spec("qm9pack") is None, reason="qm9pack is not installed")

# Molecules by number of atoms in the training split, as the published EDM code lists them (Hoogeboom et al., 2022).
EDM_TRAIN_SIZES = {
    3: 1, 4: 4, 5: 5, 6: 9, 7: 16, 8: 49, 9: 124, 10: 362, 11: 807, 12: 1689, 13: 3060, 14: 5136, 15: 7796, 16: 10644,
    17: 13025, 18: 13364, 19: 13832, 20: 9482, 21: 9970, 22: 3393, 23: 4848, 24: 539, 25: 1506, 26: 48, 27: 266, 29: 25,
}  # fmt: skip


def flat_smiles(arrays) -> str:
    return Chem.MolToSmiles(Chem.RemoveAllHs(to_mol(arrays)), isomericSmiles=False)


def test_build(tmp_path, source, molecules):
    seen = []
    out = tmp_path / "new" / "qm9.safetensors"
    summary = build_qm9(out, source, limit=20, workers=1, on_progress=lambda *step: seen.append(step))
    data = read_tensorfile(out)
    wanted = [Chem.MolToSmiles(Chem.MolFromSmiles(smiles)) for smiles, _, _ in molecules]
    assert [flat_smiles(data.molecule(k)) for k in range(len(data))] == wanted
    assert data.arrays["index"].tolist() == list(range(1, 11))
    np.testing.assert_array_equal(data.arrays["split"], customary_split()[:10])
    assert summary["molecules"] == 10 and summary["dropped"] == {}
    assert summary["bond_origin"] == json.loads(data.metadata["bond_origin"]) == {"smiles": 10}
    assert summary["splits"] == json.loads(data.metadata["splits"])
    assert [8, -1, 1] in summary["vocabulary"] and [7, 1, 1] in summary["vocabulary"]
    assert sum(count for _, _, count in summary["vocabulary"]) == len(data.arrays["atomic_numbers"])
    assert seen == [("reading", 10, 10), ("bonds", 10, 10)]
    assert json.loads(json.dumps(summary)) == summary


def test_fallback_and_dropped_molecules_are_counted(tmp_path, molecules, embedded, fields, write_csv):
    folder = tmp_path / "source"
    folder.mkdir()
    numbers, positions = embedded("O")
    two = np.tile(numbers, 2), np.concatenate([positions, positions + 8.0])
    smiles, numbers, positions = molecules[2]
    rows = [fields(4, smiles, numbers, positions), fields(7, "O.O", *two), fields(8, "OCC", numbers, positions)]
    for name, part in zip(FILES, (rows, [], []), strict=True):
        write_csv(folder / name, part)
    summary = build_qm9(tmp_path / "a", folder, limit=5, workers=1)
    assert summary["bond_origin"] == {"smiles": 1, "perceived": 1}
    assert summary["dropped"] == {"disconnected": 1}
    data = read_tensorfile(tmp_path / "a")
    assert data.arrays["index"].tolist() == [4, 8]
    assert json.loads(data.metadata["dropped"]) == {"disconnected": 1}
    assert data.arrays["split"].tolist() == customary_split()[[0, 2]].tolist() == [0, 1]


def test_workers_change_nothing(tmp_path, source, monkeypatch):
    monkeypatch.setattr(qm9, "BATCH", 4)
    summaries = [build_qm9(tmp_path / f"{n}", source, limit=10, workers=n) for n in (1, 2)]
    first, second = (read_tensorfile(tmp_path / name) for name in ("1", "2"))
    assert summaries[0] == summaries[1] and first.metadata == second.metadata
    for name in first.arrays:
        np.testing.assert_array_equal(first.arrays[name], second.arrays[name])


def replace(old, new):
    return lambda text: text.replace(old, new, 1)


DAMAGE = {
    "cut inside a field": (lambda text: text[:-30], "line has no end"),
    "cut and patched": (lambda text: text[:-30] + "\n", "line 5: unexpected end of data"),
    "cut between fields": (lambda text: text[: text.rindex(',"[')] + "\n", "line 5: not as many fields"),
    "empty": (lambda text: "", "line has no end"),
    "column": (replace("XYZ_Ang", "XYZ_Bohr"), "line 1: no column XYZ_Ang"),
    "no number": (replace("[[", "[[x"), "line 2: could not convert"),
    "not finite": (replace("[[", "[[nan,0,0],["), "line 2: .* not finite"),
    "two coordinates": (replace("[[", "[[1.0,2.0],["), "line 2: .* three coordinates"),
    "brackets": (replace("[[", "["), r"line 2: XYZ_Ang is not of the form"),
    "a point more": (replace("[[", "[[0.,0.,0.],["), "line 2: 5 elements and 6 points"),
    "an element less": (replace("'H',", ""), "line 2: 4 elements and 5 points"),
    "no element": (replace("'H'", "'Q'"), "line 2: 'Q' in Elements is no element"),
    "N_atoms": (replace(",5,", ",6,"), "line 2: 5 elements and 5 points for N_atoms = 6"),
    "Index": (replace(".xyz,4,", ".xyz,3,"), "Index 3 after 3"),
    "binary": (lambda text: text.encode().replace(b"[[", b"\xff\xfe"), "line 2: XYZ_Ang is not of the form"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_and_nothing_is_written(tmp_path, source, damage):
    edit, message = DAMAGE[damage]
    file = source / FILES[0]
    text = edit(file.read_text())
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    out = tmp_path / "out" / "qm9.safetensors"
    out.parent.mkdir()
    out.write_text("an earlier file")
    with pytest.raises(SourceError, match=message) as caught:
        build_qm9(out, source, limit=10, workers=1)
    assert FILES[0] in str(caught.value)
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert out.read_text() == "an earlier file"


def test_the_whole_set_must_be_whole(tmp_path, source):
    with pytest.raises(SourceError, match="10 molecules where QM9 has 130,831"):
        build_qm9(tmp_path / "a", source, workers=1)
    (source / FILES[2]).unlink()
    with pytest.raises(FileNotFoundError, match=FILES[2]):
        build_qm9(tmp_path / "a", source, workers=1)
    assert not (tmp_path / "a").exists()


def test_bad_arguments(tmp_path, source):
    with pytest.raises(ValueError, match="limit must be"):
        build_qm9(tmp_path / "a", source, limit=0)
    with pytest.raises(IsADirectoryError, match="is a folder; name the file"):
        build_qm9(tmp_path, source, limit=1)
    with pytest.raises(FileNotFoundError, match=FILES[0]):
        build_qm9(tmp_path / "a", tmp_path / "nowhere", limit=1)


def test_missing_qm9pack_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "qm9pack", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'molscore3d\[qm9\]'"):
        build_qm9(tmp_path / "a")


def test_split_sizes_and_determinism():
    split = customary_split()
    assert np.bincount(split).tolist() == [100_000, 17_748, 13_083]
    np.random.seed(0)  # the order of the parts, as published: train, valid, test
    train, valid, test = np.split(np.random.permutation(130_831), [100_000, 117_748])
    for part, name in enumerate((train, valid, test)):
        assert (split[name] == part).all()
    np.testing.assert_array_equal(split, customary_split())


@needs_qm9pack
def test_the_first_two_hundred_of_qm9pack(tmp_path):
    summary = build_qm9(tmp_path / "a", limit=200, workers=1)
    assert summary["molecules"] == 200 and summary["bond_origin"] == {"smiles": 200}
    data = read_tensorfile(tmp_path / "a")
    assert data.metadata["source"].startswith("QM9 from qm9pack ")
    assert [flat_smiles(data.molecule(k)) for k in range(5)] == ["C", "N", "O", "C#C", "C#N"]
    lengths = {(8, 2): [], (8, 1): [], (6, 3): []}
    for k in range(len(data)):
        molecule = data.molecule(k)
        for (i, j), order in zip(molecule.bonds, molecule.bond_orders, strict=True):
            first, second = sorted(molecule.atomic_numbers[[i, j]].tolist())
            if first == 6 and (second, int(order)) in lengths:
                lengths[second, int(order)].append(np.linalg.norm(molecule.positions[i] - molecule.positions[j]))
    # Textbook lengths, Å: C=O 1.21, C-O 1.42, C#C 1.20. The means scatter by some 0.02 Å over so few molecules.
    for key, expected in {(8, 2): 1.21, (8, 1): 1.42, (6, 3): 1.20}.items():
        assert np.mean(lengths[key]) == pytest.approx(expected, abs=0.02)


@needs_qm9pack
@pytest.mark.slow
def test_the_split_is_that_of_edm():
    folder, _ = qm9.find_qm9pack()
    sizes = []
    for name in FILES:
        with (folder / name).open(newline="") as stream:
            sizes += [int(row["N_atoms"]) for row in csv.DictReader(stream)]
    assert Counter(np.array(sizes)[customary_split() == 0].tolist()) == EDM_TRAIN_SIZES
