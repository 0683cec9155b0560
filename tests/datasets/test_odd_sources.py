"""Sources with molecules that no tensor file can hold, and outputs that would destroy their source."""

import os
import shutil

import numpy as np
import pytest
from rdkit import Chem
from typer.testing import CliRunner

from molscore.cli import app
from molscore.datasets import sources
from molscore.datasets.merge import merge
from molscore.datasets.qm9 import FILES, build_qm9
from molscore.datasets.sources import build_sdf, build_shards, build_smiles
from molscore.datasets.tensorfile import read_tensorfile


def record(smiles: str, **moved: tuple) -> str:
    """An SDF record, heavy atoms in a row; ``a3=(50, 0, 0)`` moves atom 3 there."""
    mol = Chem.MolFromSmiles(smiles, sanitize=False)
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.Set3D(True)
    for k in range(mol.GetNumAtoms()):
        conformer.SetAtomPosition(k, moved.get(f"a{k}", (1.3 * (k % 12), 1.3 * (k // 12 % 12), 1.3 * (k // 144) + 0.1)))
    mol.AddConformer(conformer)
    return Chem.MolToMolBlock(mol, kekulize=False, forceV3000=mol.GetNumAtoms() > 900) + "$$$$\n"


ODD = {
    "256 atoms": (record("C" * 256), "too_large"),
    "1,000 atoms": (record("C" * 1000), "too_large"),
    "an atom at 100 Å": (record("CCO", a2=(100.0, 0, 0)), "too_far_apart"),
    "an atom at 9,999 Å": (record("CCO", a2=(0, 9999.0, 0)), "too_far_apart"),
    "an atom at -50 Å": (record("CO", a1=(0, 0, -70.0)), "too_far_apart"),
    "charge 15": (record("[Fe+15]"), "charge"),
    "charge -15": (record("[Fe-15]"), "charge"),
    "charge 9": (record("[U+9]"), "charge"),
    "no element": (record("*CC"), "unknown_element"),
    "two fragments": (record("C.O"), "disconnected"),
    "five bonds": (record("CC(C)(C)(C)C"), "unreadable"),
    "no number": (record("CCO").replace("1.3000", "   nan", 1), "unreadable"),
    "no record": ("hello\n$$$$\n", "unreadable"),
    "no atoms": ("\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n$$$$\n", "unreadable"),
}
GOOD = record("CCO"), record("CCN")


@pytest.mark.parametrize(("odd", "reason"), ODD.values(), ids=ODD)
def test_an_odd_record_is_counted_and_the_rest_goes_on(tmp_path, odd, reason):
    path = tmp_path / "a.sdf"
    path.write_text(GOOD[0] + odd + GOOD[1])
    counts = build_sdf(path, tmp_path / "o.safetensors", workers=1)
    assert counts["molecules"] == 2 and counts["dropped"] == {reason: 1}
    assert read_tensorfile(tmp_path / "o.safetensors").arrays["index"].tolist() == [0, 2]


def test_hydrogens_count_where_they_are_atoms(tmp_path):
    path = tmp_path / "a.sdf"
    path.write_text(GOOD[0] + record("C" * 120))
    assert build_sdf(path, tmp_path / "o.safetensors", workers=1)["molecules"] == 2
    assert build_sdf(path, tmp_path / "h.safetensors", workers=1, hydrogens=True)["dropped"] == {"too_large": 1}


def test_a_wide_molecule_may_pass_in_the_middle(tmp_path):
    """32 Å from the mean either way: 60 Å from end to end."""
    path = tmp_path / "a.sdf"
    path.write_text(record("CO", a0=(0, 0, 500.0), a1=(60.0, 0, 500.0)))
    build_sdf(path, tmp_path / "o.safetensors", workers=1)
    x = read_tensorfile(tmp_path / "o.safetensors").molecule(0).positions
    np.testing.assert_allclose(x[1] - x[0], (60, 0, 0), atol=1e-3)


def test_smiles_of_what_is_too_large_are_not_embedded(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("CCO\n" + "C" * 5000 + "\nC(\n[Fe+15]\n")
    counts = build_smiles(path, tmp_path / "o.safetensors", workers=1)
    assert counts["molecules"] == 1 and counts["dropped"]["too_large"] == 1


def own_names(path):
    """Names that lead to a file: its own, a relative one, links."""
    (path.parent / "folder").mkdir()
    (path.parent / "link.safetensors").symlink_to(path)
    os.link(path, path.parent / "hard.safetensors")
    return (
        path,
        path.parent / "folder" / ".." / path.name,
        path.parent / "link.safetensors",
        path.parent / "hard.safetensors",
    )


def test_no_command_overwrites_its_source(tmp_path, source):
    sdf, smiles, shard = tmp_path / "a.sdf", tmp_path / "a.smi", tmp_path / "shards" / "a.npz"
    sdf.write_text(GOOD[0])
    smiles.write_text("CCO\n")
    shard.parent.mkdir()
    np.savez(shard, n_atoms=np.array([1]))
    made = tmp_path / "m.safetensors"
    build_sdf(sdf, made, workers=1)
    table = source / FILES[1]
    for path, build in (
        (sdf, lambda out: build_sdf(sdf, out, workers=1)),
        (smiles, lambda out: build_smiles(smiles, out, workers=1)),
        (shard, lambda out: build_shards(shard.parent, out, workers=1)),
        (made, lambda out: merge([made], out)),
        (table, lambda out: build_qm9(out, source, limit=4, workers=1)),
    ):
        before = path.read_bytes()
        for name in own_names(path):
            with pytest.raises(ValueError, match="would be overwritten"):
                build(name)
            assert path.read_bytes() == before and not name.is_symlink() or name.samefile(path)
        shutil.rmtree(path.parent / "folder")
        for name in ("link", "hard"):
            (path.parent / f"{name}.safetensors").unlink()
    words = [["sdf", str(sdf), "--out", str(sdf)], ["moses3d", str(smiles), "--out", str(smiles)]]
    for arguments in [*words, ["merge", str(made), "--out", str(made)]]:
        result = CliRunner().invoke(app, ["data", *arguments])
        assert result.exit_code == 2, result.output
        assert "would be overwritten" in " ".join(result.stderr.split())


def test_damaged_shards(tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    for content in (b"", b"PK\x03\x04", b"\x93NUMPY" + bytes(100), b"text"):
        (folder / "a.npz").write_bytes(content)
        result = CliRunner().invoke(app, ["data", "moses3d", str(folder), "--out", str(tmp_path / "o.safetensors")])
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit), content
        assert "a.npz is no shard" in " ".join(result.stderr.split())


def test_a_shard_that_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "SHARD_BYTES", 2**20)
    np.savez_compressed(tmp_path / "a.npz", **shard(1, order=np.zeros(2**20, np.int64)))
    assert (tmp_path / "a.npz").stat().st_size < 2**14
    with pytest.raises(ValueError, match="a.npz unpacks to 8,3.* split it"):
        build_shards(tmp_path, tmp_path / "o.safetensors", workers=1)


def shard(n: int = 1, **changes: np.ndarray) -> dict[str, np.ndarray]:
    """A shard of molecules N#N."""
    whole = {
        "n_atoms": np.full(n, 2), "n_bonds": np.full(n, 1), "z": np.full(2 * n, 7), "charge": np.zeros(2 * n, int),
        "pos_mA": np.tile([[0, 0, 0], [1200, 0, 0]], (n, 1)), "bonds": np.tile([[0, 1]], (n, 1)),
        "order": np.full(n, 3),
    }  # fmt: skip
    return whole | changes


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"n_atoms": np.array([-2])}, "n_atoms"), ({"n_atoms": np.array([10**15])}, "n_atoms"),
        ({"n_atoms": np.array([3])}, "z has shape"), ({"n_atoms": np.array([[2]])}, "n_atoms"),
        ({"n_atoms": np.array([2.0])}, "n_atoms"), ({"n_bonds": np.array([1, 1])}, "has shape"),
        ({"bonds": np.array([0, 1])}, "bonds has shape"), ({"pos_mA": np.zeros(6)}, "pos_mA has shape"),
        ({"order": np.array(["2"])}, "order has shape"), ({"z": np.array([6, None], object)}, "is no shard"),
    ],
)  # fmt: skip
def test_shards_that_lie(tmp_path, changes, name):
    np.savez(tmp_path / "a.npz", **shard(**changes))
    with pytest.raises(ValueError, match=name):
        build_shards(tmp_path, tmp_path / "o.safetensors", workers=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"bonds": np.array([[0, 1], [0, 9], [0, 1]])}, {"bonds": np.array([[0, 1], [-1, 0], [0, 1]])},
        {"order": np.array([3, 7, 3])}, {"z": np.array([7, 7, 0, 7, 7, 7])}, {"z": np.array([7, 7, 300, 7, 7, 7])},
        {"charge": np.array([0, 0, 99, 0, 0, 0])},
        {"pos_mA": np.array([[0.0, 0, 0], [1200, 0, 0]] * 2 + [[0, 0, 0], [1e9, 0, 0]])},
        {"pos_mA": np.array([[0.0, 0, 0], [1200, 0, 0]] * 2 + [[0, 0, 0], [np.nan, 0, 0]])},
    ],
)  # fmt: skip
def test_an_odd_molecule_of_a_shard_is_counted(tmp_path, changes):
    np.savez(tmp_path / "a.npz", **(shard(3) | changes))
    counts = build_shards(tmp_path, tmp_path / "o.safetensors", workers=1, conformers=3)
    assert counts["molecules"] == 2 and sum(counts["dropped"].values()) == 1


def test_damaged_tables_of_qm9(tmp_path, source):
    path = source / FILES[0]
    whole = path.read_bytes()
    for content in (
        b"",
        b"\n",
        whole[:-20],
        whole[:50],
        b"\xff" * 500 + b"\n",
        b'"' * 10**6 + b"\n",
        whole.replace(b",", b";"),
    ):
        path.write_bytes(content)
        words = ["data", "qm9", "--source", str(source), "--limit", "3", "--out", str(tmp_path / "o.safetensors")]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit), content[:50]
        assert FILES[0] in " ".join(result.stderr.split()).replace(" ", "")
    assert not (tmp_path / "o.safetensors").exists()
