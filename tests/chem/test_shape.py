"""Molecules laid over a query."""

import pickle

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdShapeAlign
from scipy.spatial.transform import Rotation

from molscore.chem.arrays import MoleculeError
from molscore.chem.embedding.etkdg import embed_ensemble
from molscore.chem.shape import ShapeQuery


def embedded(smiles: str, count: int = 1, seed: int = 1) -> Chem.Mol:
    return embed_ensemble(Chem.MolFromSmiles(smiles), count, seed)


def moved(mol: Chem.Mol, seed: int, shift=(30.0, -4.0, 7.0)) -> Chem.Mol:
    copy = Chem.Mol(mol)
    for conformer in copy.GetConformers():
        turn = Rotation.random(random_state=seed).as_matrix()
        conformer.SetPositions(conformer.GetPositions() @ turn.T + shift)
    return copy


@pytest.fixture(scope="module")
def mol() -> Chem.Mol:
    return moved(embedded("CNCCc1ccc(O)cc1"), 9)


@pytest.mark.parametrize("features", [False, True])
def test_a_molecule_finds_itself_from_anywhere(mol, features):
    query = ShapeQuery(mol, features)
    for seed in range(6):
        laid, overlap = query.aligned(moved(mol, seed, (0, 0, 0)))
        assert (
            overlap.shape > 0.999
            and overlap.color > 0.99
            and query.value(overlap) == pytest.approx(1 + features, abs=0.01)
        )
        apart = laid.GetConformer().GetPositions() - mol.GetConformer().GetPositions()
        assert np.linalg.norm(apart, axis=1).max() < 0.1


def test_the_best_conformer_lies_where_its_overlap_says(mol):
    """The numbers are those of RDKit for the positions that come out."""
    other, query = embedded("OCCCCc1ccncc1", 5), ShapeQuery(mol)
    laid, overlap = query.aligned(other)
    options = rdShapeAlign.ShapeInputOptions()
    options.normalize = False
    there = rdShapeAlign.ScoreMol(mol, laid, options, options)
    assert (overlap.shape, overlap.color) == pytest.approx(there, abs=1e-3) and 0.4 < overlap.shape < 1
    each = [query.aligned(Chem.Mol(other, False, c.GetId()))[1].shape for c in other.GetConformers()]
    assert overlap.shape == max(each) > min(each)


def test_features_decide_between_equal_shapes(mol):
    """Toluene upon pyridine's kin: by shape alone the nitrogen does not matter."""
    query = ShapeQuery(embedded("Cc1ccncc1"), features=True)
    own, other = (query.aligned(embedded(smiles)) for smiles in ("Cc1ccncc1", "Cc1ccccc1"))
    assert own[1].color > other[1].color + 0.2 and abs(own[1].shape - other[1].shape) < 0.1


def test_a_query_survives_the_way_to_a_worker(mol):
    query = ShapeQuery(mol)
    again, other = pickle.loads(pickle.dumps(query)), embedded("CCCCO")
    assert again.aligned(other)[1] == query.aligned(other)[1]


@pytest.mark.parametrize("smiles", ["[H][H]", "[Fe]"])
def test_what_has_no_shape(mol, smiles):
    nothing = Chem.AddHs(Chem.MolFromSmiles(smiles))
    conformer = Chem.Conformer(nothing.GetNumAtoms())
    conformer.Set3D(True)
    nothing.AddConformer(conformer)
    with pytest.raises(MoleculeError, match="no_shape"):
        ShapeQuery(mol).aligned(nothing)
    with pytest.raises(ValueError, match="like: "):
        ShapeQuery(nothing)


def test_flat_molecules_are_refused(mol):
    with pytest.raises(ValueError, match="no 3-D positions"):
        ShapeQuery(Chem.MolFromSmiles("CCO"))
    with pytest.raises(MoleculeError, match="no_3d"):
        ShapeQuery(mol).aligned(Chem.MolFromSmiles("CCO"))
