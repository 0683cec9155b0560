"""Memorisation and coverage on a made-up population of graphs with made-up conformers."""

from itertools import product

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from small_molecules import embed

from molscore.chem.arrays import MoleculeArrays, from_mol, to_mol
from molscore.chem.hydrogens import without_hydrogens
from molscore.datasets.tensorfile import pack, read_tensorfile, write_tensorfile
from molscore.evaluate.memorisation import heavy_rmsd, memorisation, rediscovery
from molscore.evaluate.molecules.graphs import Environments, heavy_graph
from molscore.evaluate.molecules.identity import canonical_smiles

ENDS = ("C", "N", "O", "F", "C#N", "C=O", "C(C)C", "OC", "NC", "C#C", "C=C", "C1CC1")
MIDDLES = ("C", "CC", "C(C)C", "C(O)C", "COC", "CNC")


def molecule(smiles, seed):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(np.random.default_rng(seed).normal(scale=2, size=(mol.GetNumAtoms(), 3)))
    conformer.Set3D(True)
    mol.AddConformer(conformer)
    return from_mol(mol)


def shaken(arrays, deviation, seed=0):
    noise = np.random.default_rng(seed).normal(scale=deviation, size=arrays.positions.shape)
    fields = (arrays.atomic_numbers, arrays.formal_charges, arrays.positions + noise, arrays.bonds, arrays.bond_orders)
    return MoleculeArrays(*fields)


@pytest.fixture(scope="module")
def population():
    molecules = {}
    for a, middle, b in product(ENDS, MIDDLES, ENDS):
        text = Chem.CanonSmiles(f"{a[::-1] if a == 'OC' else ''}{middle}({b}){a}")
        molecules.setdefault(text, molecule(text, len(molecules)))
    order = np.random.default_rng(0).permutation(sorted(molecules))
    return [molecules[text] for text in order]


@pytest.fixture(scope="module")
def dataset(population, tmp_path_factory):
    path = tmp_path_factory.mktemp("tensors") / "made_up.safetensors"
    split = np.repeat([0, 2], [100, 150])
    write_tensorfile(path, pack(population[:250], split, np.arange(250)), {})
    return read_tensorfile(path)


def test_independent_samples_are_not_accused(population, dataset):
    assert len(population) > 350
    figures = memorisation(population[250:], dataset)
    assert abs(figures["graph"]["z"]) < 3
    assert figures["graph"]["expected"] == pytest.approx(100 / 250)
    assert figures["conformer"]["training_matches"] == figures["conformer"]["heldout_matches"] == 0
    assert figures["conformer"]["z"] is None
    assert figures["coverage"]["ratio"] > 0.8


def test_copies_fire(population, dataset):
    figures = memorisation([shaken(m, 0.01, k) for k, m in enumerate(population[:100])], dataset)
    assert figures["graph"]["z"] > 5 and figures["graph"]["nearest"] == 0
    assert figures["conformer"]["training_matches"] == 100
    assert figures["conformer"]["training_rmsd"] < 0.03


def test_conformers_are_compared_with_those_of_held_out_molecules(population, dataset):
    near, far = ([shaken(m, s, k) for k, m in enumerate(population[80:120])] for s in (0.05, 0.3))
    mixed = memorisation(near[:20] + far[20:], dataset)["conformer"]
    assert (mixed["training_matches"], mixed["heldout_matches"]) == (20, 20)
    assert mixed["z"] < -4 and mixed["training_rmsd"] < mixed["heldout_rmsd"]
    assert abs(memorisation(near, dataset)["conformer"]["z"]) < 3


def test_repetition_is_a_lack_of_coverage_not_memorisation(population, dataset):
    figures = memorisation([population[300]] * 100, dataset)
    assert figures["coverage"]["ratio"] < 0.2
    assert abs(figures["graph"]["z"]) < 3


def test_nothing_valid_is_no_crash(dataset):
    hydrogen = molecule("[H][H]", 0)
    figures = memorisation([hydrogen], dataset)
    assert figures["samples"] == 0 and figures["graph"] is None and figures["coverage"] is None


def test_a_file_without_held_out_molecules_is_an_error(population, tmp_path):
    path = tmp_path / "training.safetensors"
    write_tensorfile(path, pack(population[:30], np.zeros(30), np.arange(30)), {})
    with pytest.raises(ValueError, match="30 training and 0 test molecules"):
        memorisation(population[:3], read_tensorfile(path))


def test_rmsd_knows_symmetry_mirror_images_and_other_molecules():
    arrays = from_mol(embed("CC(C)(N)C(F)=O"))
    mol = heavy_graph(arrays)
    shuffled = Chem.RenumberAtoms(mol, [2, 1, 0, 3, 4, 5, 6])
    assert heavy_rmsd(mol, shuffled) == pytest.approx(0, abs=1e-3)
    mirrored = Chem.Mol(shuffled)
    mirrored.GetConformer().SetPositions(shuffled.GetConformer().GetPositions() * [-1, 1, 1])
    assert heavy_rmsd(mol, mirrored) == pytest.approx(0, abs=1e-3)
    assert heavy_rmsd(mol, heavy_graph(from_mol(embed("CC(C)(O)C(F)=O")))) is None


@pytest.mark.parametrize("smiles", ["CC=N", "c1cc[nH]c1", "C[NH2+]CC(=O)[O-]", "N=C1CCO1"])
def test_the_heavy_graph_is_the_molecule(smiles):
    arrays = molecule(smiles, 1)
    graph = heavy_graph(arrays)
    assert Chem.MolToSmiles(graph) == Chem.CanonSmiles(smiles) == canonical_smiles(to_mol(arrays))
    heavy = arrays.atomic_numbers != 1
    assert np.allclose(graph.GetConformer().GetPositions(), arrays.positions[heavy], atol=1e-6)


def test_distances_are_those_of_rdkit(population):
    graphs = [heavy_graph(arrays) for arrays in population[:40]]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2)
    prints = [generator.GetSparseCountFingerprint(graph) for graph in graphs]
    distances = Environments(graphs[:25]).distances(graphs[20:])
    expected = [1 - np.array(DataStructs.BulkTanimotoSimilarity(x, prints[:25])) for x in prints[20:]]
    assert np.allclose(distances, expected, atol=1e-6)
    assert (np.diag(distances[:5, 20:]) == 0).all()


def test_rediscovery_by_hand():
    training, heldout = np.arange(900, dtype=np.uint64), np.arange(900, 1000, dtype=np.uint64)
    fair = rediscovery(np.array([*range(90), *range(900, 910), 5000], dtype=np.uint64), training, heldout)
    assert (fair["training"], fair["heldout"], fair["ratio"], fair["z"]) == (90, 10, pytest.approx(1), pytest.approx(0))
    copied = rediscovery(np.arange(100, dtype=np.uint64), training, heldout)
    assert copied["ratio"] is None and copied["z"] == pytest.approx(10 / np.sqrt(100 * 0.9 * 0.1))
    assert rediscovery(np.array([7000], dtype=np.uint64), training, heldout)["z"] == 0


def test_a_file_of_heavy_atoms_says_the_same(population, dataset, tmp_path):
    """Whether hydrogens are atoms of the tensor file or implied makes no difference to samples, which have them."""
    path = tmp_path / "heavy.safetensors"
    heavy = [without_hydrogens(dataset.molecule(i)) for i in range(len(dataset))]
    write_tensorfile(path, pack(heavy, dataset.arrays["split"], dataset.arrays["index"]), {})
    file = read_tensorfile(path)
    assert file.implied_hydrogens and not dataset.implied_hydrogens
    samples = [dataset.molecule(i) for i in range(0, 60, 2)] + list(population[250:280])
    first, second = memorisation(samples, dataset), memorisation(samples, file)
    assert first["graph"] == second["graph"] and first["coverage"] == second["coverage"]
    assert first["conformer"]["training_matches"] == second["conformer"]["training_matches"] > 0
