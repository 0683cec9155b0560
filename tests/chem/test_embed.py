"""Relaxed conformers from SMILES: one, or several that differ."""

import numpy as np
import pytest
from rdkit import Chem

from molscore.chem.arrays import MoleculeError, assign_stereo_in_place
from molscore.chem.checks.validity import check
from molscore.chem.embedding import etkdg as embedding
from molscore.chem.embedding.etkdg import distinct, embed, embed_ensemble, parse
from molscore.chem.ensemble import heavy_positions, rmsd_matrix, symmetries
from molscore.chem.forcefield.minimise import minimise
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.stereo.tags import tags
from molscore.chem.thresholds import THRESHOLDS
from molscore.randomness import Purpose, rdkit_seed


@pytest.mark.parametrize("smiles", ["CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "F/C=C\\Cl", "C1CC1c1ncc[nH]1"])
def test_a_relaxed_conformer_of_the_molecule_asked_for(smiles):
    mol = embed(smiles, seed=3)
    assert Chem.MolToSmiles(Chem.RemoveHs(mol)) == Chem.CanonSmiles(smiles)
    assert check(mol) is None and relaxation_energy(mol).energy < 0.1
    again, other = embed(smiles, seed=3), embed(smiles, seed=4)
    np.testing.assert_array_equal(mol.GetConformer().GetPositions(), again.GetConformer().GetPositions())
    assert np.abs(mol.GetConformer().GetPositions() - other.GetConformer().GetPositions()).max() > 1e-2


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [("c1ccccc", "smiles"), ("", "smiles"), ("C.C", "disconnected"), ("[Na+].[Cl-]", "disconnected"),
     ("C[Se]C", "no_parameters"), ("C1#CC1", "embedding")],
)  # fmt: skip
def test_reasons_for_which_there_is_none(smiles, reason):
    with pytest.raises(MoleculeError) as caught:
        embed(smiles)
    assert caught.value.reason == reason


def apart(ensemble: Chem.Mol) -> list[Chem.Mol]:
    return [Chem.Mol(ensemble, False, conformer.GetId()) for conformer in ensemble.GetConformers()]


@pytest.mark.parametrize("smiles", ["CCC(F)C=CC(O)CC", "CC1CCC(CCO)CC1", "CC(O)CC(O)CO"])
def test_an_ensemble_differs_in_conformation_alone(smiles):
    """Centres, double bonds and sides of a ring that SMILES leaves open are the same in all conformers."""
    ensemble = embed_ensemble(parse(smiles), 5)
    mols = apart(ensemble)
    assert 3 <= len(mols) <= 5 and all(mol.GetConformer().Is3D() for mol in mols)
    distances = rmsd_matrix(heavy_positions(ensemble), symmetries(ensemble))
    assert distances[np.triu_indices(len(mols), 1)].min() >= THRESHOLDS.embedding.same_conformer
    minima = [minimise(mol) for mol in mols]
    assert all(minimum.before - minimum.after < 0.1 for minimum in minima)
    assert (np.diff([minimum.before for minimum in minima]) >= 0).all()
    for mol in mols:
        assign_stereo_in_place(mol)
        np.testing.assert_array_equal(tags(mol), tags(ensemble))
    assert len(tags(ensemble)) >= 2


def test_an_ensemble_begins_with_the_one_conformer():
    single, several = embed("CCCO", seed=3), embed_ensemble(parse("CCCO"), 4, seed=3)
    only = embed_ensemble(parse("CCCO"), 1, seed=3)
    np.testing.assert_array_equal(only.GetConformer().GetPositions(), single.GetConformer().GetPositions())
    again = embed_ensemble(parse("CCCO"), 4, seed=3)
    np.testing.assert_array_equal(heavy_positions(several), heavy_positions(again))
    nearest = rmsd_matrix(heavy_positions(several), symmetries(several), heavy_positions(single)).min()
    assert several.GetNumConformers() > 1 and nearest < THRESHOLDS.embedding.same_conformer


@pytest.mark.parametrize(
    ("smiles", "n", "most"), [("C", 3, 1), ("c1ccccc1", 3, 1), ("CC(C)(C)c1cc(C(C)(C)C)cc(C(C)(C)C)c1", 4, 2)]
)
def test_there_are_no_more_than_differ(smiles, n, most):
    """Three tert-butyl groups on benzene point the same way or not; which methyl group is which does not count."""
    assert 1 <= embed_ensemble(parse(smiles), n).GetNumConformers() <= most


def test_what_cannot_be_used_is_left_out(monkeypatch):
    """An embedding that fails, or one with the other stereo, does not end the ensemble; the first has to succeed."""
    real = embedding._embed
    made = []

    def some(mol, seed):
        if seed in (rdkit_seed(0, Purpose.EMBEDDING, 1), rdkit_seed(5, Purpose.EMBEDDING)):
            raise MoleculeError("embedding", "no conformer")
        mol, energy = real(mol, seed)
        if seed == rdkit_seed(0, Purpose.EMBEDDING, 2):
            mol.GetConformer().SetPositions(-mol.GetConformer().GetPositions())
            assign_stereo_in_place(mol)
        made.append(mol)
        return mol, energy

    monkeypatch.setattr(embedding, "_embed", some)
    all_differ = THRESHOLDS.embedding.model_copy(update={"same_conformer": 0.0})
    monkeypatch.setattr(embedding, "THRESHOLDS", THRESHOLDS.model_copy(update={"embedding": all_differ}))
    ensemble = embed_ensemble(parse("CC[C@H](F)CCO"), 4)
    assert ensemble.GetNumConformers() == 2 and len(made) == 3
    assert embed_ensemble(parse("CCCCCO"), 4).GetNumConformers() == 3
    with pytest.raises(MoleculeError, match="embedding"):
        embed_ensemble(parse("CCCCCO"), 2, seed=5)
    with pytest.raises(ValueError, match="0 conformers cannot be made"):
        embed_ensemble(parse("CCO"), 0)


def test_distinct_keeps_the_lowest_of_those_that_are_alike():
    gauche, trans = embed("CCCCO", seed=1), embed("CCCCO", seed=2)
    turned = Chem.Mol(gauche)
    turned.GetConformer().SetPositions(gauche.GetConformer().GetPositions()[:, [1, 2, 0]] + 1.0)
    kept = distinct([gauche, trans, turned], [3.0, 2.0, 1.0])
    assert [conformer.GetId() for conformer in kept.GetConformers()] == [0, 1]
    for k, mol in enumerate((turned, trans)):
        np.testing.assert_array_equal(kept.GetConformer(k).GetPositions(), mol.GetConformer().GetPositions())
