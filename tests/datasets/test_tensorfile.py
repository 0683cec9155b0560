"""Writing, reading and refusing tensor files."""

import subprocess
import sys

import numpy as np
import pytest
from child import full_disk, start
from safetensors.numpy import load_file, save_file

from molscore.chem.perceive import perceive
from molscore.datasets.layout import FORMAT, FORMAT_VERSION, SPLITS, TensorFileError
from molscore.datasets.tensorfile import pack, read_tensorfile, write_tensorfile


@pytest.fixture(scope="module")
def parsed(molecules):
    return [perceive(numbers, positions, smiles)[0] for smiles, numbers, positions in molecules]


@pytest.fixture
def arrays(parsed):
    return pack(parsed, split=np.arange(len(parsed)) % 3, index=np.arange(len(parsed)) + 100)


def test_round_trip(tmp_path, parsed, arrays):
    write_tensorfile(tmp_path / "new" / "a.safetensors", arrays, {"source": "here"})
    data = read_tensorfile(tmp_path / "new" / "a.safetensors")
    assert len(data) == len(parsed)
    assert data.metadata["source"] == "here"
    for k, molecule in enumerate(parsed):
        back = data.molecule(k)
        np.testing.assert_array_equal(back.atomic_numbers, molecule.atomic_numbers)
        np.testing.assert_array_equal(back.formal_charges, molecule.formal_charges)
        np.testing.assert_array_equal(back.bonds, molecule.bonds)
        np.testing.assert_array_equal(back.bond_orders, molecule.bond_orders)
        centred = molecule.positions - molecule.positions.mean(axis=0, dtype=np.float64)
        assert np.abs(back.positions - centred).max() <= 0.0005 + 1e-5  # half a stored unit, and float32
    assert data.indices("valid").tolist() == [1, 4, 7]
    assert sorted(np.concatenate([data.indices(name) for name in SPLITS])) == list(range(len(parsed)))
    with pytest.raises(IndexError):
        data.molecule(len(parsed))
    with pytest.raises(ValueError, match="train, valid, test"):
        data.indices("validation")


def test_the_same_molecules_are_the_same_bytes(tmp_path, arrays):
    metadata = {f"text {k}": "é" * k for k in range(8)}
    for k in range(6):  # safetensors writes them in an order that is drawn anew for each file
        write_tensorfile(tmp_path / f"{k}.safetensors", arrays, metadata)
    assert len({(tmp_path / f"{k}.safetensors").read_bytes() for k in range(6)}) == 1
    assert metadata.items() <= read_tensorfile(tmp_path / "0.safetensors").metadata.items()


def test_no_molecules_is_a_file_too(tmp_path):
    write_tensorfile(tmp_path / "a.safetensors", pack([], np.zeros(0), np.zeros(0)), {})
    assert len(read_tensorfile(tmp_path / "a.safetensors")) == 0


def test_too_large_a_molecule_is_refused(parsed):
    far = parsed[0].positions.copy()
    far[0] += 100.0
    molecule = type(parsed[0])(
        parsed[0].atomic_numbers, parsed[0].formal_charges, far, parsed[0].bonds, parsed[0].bond_orders
    )
    with pytest.raises(ValueError, match="molecule 1 .* too large"):
        pack([parsed[0], molecule], np.zeros(2), np.zeros(2))


def test_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="molscore data --help"):
        read_tensorfile(tmp_path / "none.safetensors")


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_truncated_file(tmp_path, arrays, keep):
    path = tmp_path / "a.safetensors"
    write_tensorfile(path, arrays, {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TensorFileError, match="cut short"):
        read_tensorfile(path)


def test_other_files_are_refused(tmp_path, arrays):
    path = tmp_path / "a.safetensors"
    path.write_text("index,smiles\n1,C\n" * 100)
    with pytest.raises(TensorFileError, match="no tensor file"):
        read_tensorfile(path)
    save_file(arrays, path, {"format": "pt"})
    with pytest.raises(TensorFileError, match="'pt'"):
        read_tensorfile(path)
    save_file(arrays, path)
    with pytest.raises(TensorFileError, match="None"):
        read_tensorfile(path)
    save_file(arrays, path, {"format": FORMAT, "format_version": "99"})
    with pytest.raises(TensorFileError, match="version '99'"):
        read_tensorfile(path)


def contradictions():
    def change(name, edit):
        return pytest.param(lambda arrays: arrays | {name: edit(arrays[name].copy())}, id=name)

    def set_first(value):
        def edit(array):
            array[0] = value
            return array

        return edit

    yield change("n_atoms", set_first(200))
    yield change("n_bonds", set_first(0))
    yield change("atomic_numbers", lambda a: a[:-1])
    yield change("formal_charges", lambda a: a.astype(np.int16))
    yield change("positions", lambda a: a[:, :2])
    yield change("bonds", set_first((3, 200)))
    yield change("bond_orders", set_first(4))
    yield change("split", set_first(3))
    yield change("index", lambda a: a[None])
    yield pytest.param(lambda arrays: {k: v for k, v in arrays.items() if k != "split"}, id="missing")


@pytest.mark.parametrize("contradict", list(contradictions()))
def test_contradicting_arrays_are_neither_read_nor_written(tmp_path, arrays, contradict):
    path = tmp_path / "a.safetensors"
    bad = {name: np.ascontiguousarray(array) for name, array in contradict(arrays).items()}
    with pytest.raises(TensorFileError):
        write_tensorfile(path, bad, {})
    assert not list(tmp_path.iterdir())
    save_file(bad, path, {"format": FORMAT, "format_version": FORMAT_VERSION})
    with pytest.raises(TensorFileError, match=r"a\.safetensors"):
        read_tensorfile(path)


def test_a_full_disk_leaves_the_old_file(tmp_path, arrays, capfd):
    path = tmp_path / "a.safetensors"
    write_tensorfile(path, arrays, {"source": "old"})

    def fill():
        full_disk(path.stat().st_size // 2)
        write_tensorfile(path, arrays, {"source": "new"})

    child = start(fill)
    child.join()
    assert child.exitcode == 1 and str(path) in capfd.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]
    assert read_tensorfile(path).metadata["source"] == "old"
    assert set(load_file(path)) == set(arrays)


def test_reading_needs_neither_rdkit_nor_torch(tmp_path, arrays):
    path = tmp_path / "a.safetensors"
    write_tensorfile(path, arrays, {})
    code = (
        "import sys; from molscore.datasets.tensorfile import read_tensorfile; "
        f"assert len(read_tensorfile({str(path)!r})) == {len(arrays['n_atoms'])}; "
        "assert not {'rdkit', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
