"""Wishes for shape and features: their slopes, what they know of symmetries, and RDKit's word on the same poses."""

import pytest
import torch
from rdkit import Chem
from rdkit.Chem import rdShapeAlign
from scipy.spatial.transform import Rotation

from molscore.chem.arrays import from_mol
from molscore.chem.embedding.etkdg import embed
from molscore.chem.hydrogens import without_hydrogens
from molscore.guidance.features import KINDS, FeatureWish, features_of
from molscore.guidance.query import certain
from molscore.guidance.shape import ShapeWish, atoms_of, tanimoto
from molscore.guidance.soft import SoftMolecules

VOCABULARY = [(6, 0), (7, 0), (7, 1), (8, -1), (8, 0), (16, 0), (17, 0)]
T = torch.tensor([0.5])


def molecule(smiles: str, seed: int = 0, hydrogens: bool = False) -> SoftMolecules:
    arrays = from_mol(embed(smiles, seed))
    return certain(arrays if hydrogens else without_hydrogens(arrays))


def soft(count: int = 2, atoms: int = 7, seed: int = 0) -> SoftMolecules:
    """Molecules in the making: any probabilities, padding in the second."""
    torch.manual_seed(seed)
    mask = torch.ones(count, atoms, dtype=torch.bool)
    mask[1:, -2:] = False
    raw = torch.randn(count, atoms, atoms, 4, dtype=torch.float64)
    pairs = mask[:, :, None] & mask[:, None] & ~torch.eye(atoms, dtype=torch.bool)
    return SoftMolecules(
        2 * torch.randn(count, atoms, 3, dtype=torch.float64),
        torch.randn(count, atoms, len(VOCABULARY), dtype=torch.float64).softmax(-1) * mask[..., None],
        (raw + raw.transpose(1, 2)).softmax(-1) * pairs[..., None],
        mask,
        VOCABULARY,
    )


QUERY = "OC(=O)c1ccc(CN)cc1Cl"


def wishes() -> list:
    return [ShapeWish(molecule(QUERY)), FeatureWish(molecule(QUERY))]


@pytest.mark.parametrize("wish", wishes(), ids=lambda wish: type(wish).__name__)
def test_slopes_are_those_of_finite_differences(wish):
    molecules = soft()
    for name in ("positions", "atoms", "bonds")[: 3 if isinstance(wish, FeatureWish) else 1]:
        value = getattr(molecules, name).clone().requires_grad_()
        (slope,) = torch.autograd.grad(wish(molecules._replace(**{name: value}), T).sum(), value)
        direction, step = torch.randn_like(slope) * (slope != 0), 1e-6
        ends = [wish(molecules._replace(**{name: value + sign * step * direction}), T).sum() for sign in (1, -1)]
        measured = (ends[0] - ends[1]) / (2 * step)
        assert float(slope.abs().max()) > 1e-3
        assert float(measured.detach()) == pytest.approx(
            float((slope * direction).sum().detach()), rel=1e-4, abs=1e-6
        ), name


@pytest.mark.parametrize("wish", wishes(), ids=lambda wish: type(wish).__name__)
def test_order_padding_and_batch_mates_do_not_matter(wish):
    molecules = soft()
    energies = wish(molecules, T)
    order = torch.tensor([3, 0, 4, 1, 2])
    small = SoftMolecules(
        molecules.positions[1:, order],
        molecules.atoms[1:, order],
        molecules.bonds[1:, order][:, :, order],
        molecules.mask[1:, order],
        VOCABULARY,
    )
    assert float(wish(small, T)) == pytest.approx(float(energies[1]))
    away = molecules.positions.clone()
    away[1, -2:] += 5
    assert torch.allclose(wish(molecules._replace(positions=away), T), energies)


@pytest.mark.parametrize("kind", [ShapeWish, FeatureWish])
def test_a_copy_is_best_and_both_may_be_turned_together(kind):
    query, other = molecule(QUERY), molecule("CCOC(=O)CCN", 3)
    wish = kind(query)
    assert float(wish(query, T)) == pytest.approx(-wish.strength)
    assert -wish.strength < float(wish(other, T)) < 0
    turn = torch.from_numpy(Rotation.random(random_state=1).as_matrix())
    turned = [mol._replace(positions=mol.positions @ turn.T + 3.0) for mol in (query, other)]
    assert float(kind(turned[0])(turned[1], T)) == pytest.approx(float(wish(other, T)))


@pytest.mark.parametrize("other", ["CCOC(=O)CCN", "c1ccc2[nH]ccc2c1", "CS(=O)(=O)N1CCOCC1", "FC(F)(F)c1ccc(Br)cc1"])
def test_shape_is_that_of_rdkit_for_the_same_pose(other):
    mols = [embed(QUERY), embed(other, 5)]
    for mol in mols:
        positions = mol.GetConformer().GetPositions()
        mol.GetConformer().SetPositions(positions - positions.mean(0))
    options = rdShapeAlign.ShapeInputOptions()
    options.normalize = False
    want, _ = rdShapeAlign.ScoreMol(*mols, options, options)
    first, second = (atoms_of(certain(from_mol(mol))) for mol in mols)
    assert float(tanimoto(first, second)) == pytest.approx(want, abs=2e-3)
    assert 0.1 < want < 0.95


def kinds(smiles: str, hydrogens: bool = False) -> list[str]:
    """For each heavy atom of a SMILES, in its order, the kinds of features that it is."""
    features = features_of(molecule(smiles, hydrogens=hydrogens))[0]
    assert ((features < 1e-9) | (features > 1 - 1e-9)).all()
    heavy = Chem.MolFromSmiles(smiles).GetNumAtoms()
    return ["".join(name[0] + name[1] for k, name in enumerate(KINDS) if row[k]) for row in features[:heavy]]


@pytest.mark.parametrize("hydrogens", [False, True])
@pytest.mark.parametrize(
    ("smiles", "want"),
    [
        ("CCN", ["hy", "", "do"]),
        ("CN(C)C", ["", "", "", ""]),
        ("CCO", ["hy", "", "doac"]),
        ("COC", ["", "ac", ""]),
        ("CC(=O)NC", ["hy", "", "ac", "do", ""]),
        ("c1ccncc1", ["arhy", "arhy", "ar", "acar", "ar", "arhy"]),
        ("C[NH3+]", ["", "doca"]),
        ("CC(=O)[O-]", ["hy", "", "ac", "acan"]),
        ("CC[N+](=O)[O-]", ["hy", "", "", "ac", "ac"]),
        ("CSC", ["hy", "hy", "hy"]),
    ],
)
def test_what_is_a_feature(smiles, want, hydrogens):
    assert kinds(smiles, hydrogens) == want


def test_a_query_without_features_is_refused():
    FeatureWish(molecule("CCC"))
    with pytest.raises(ValueError, match="no feature"):
        FeatureWish(molecule("CN(C)C"))


def test_shape_leaves_the_choice_of_elements_alone():
    molecules = soft()
    atoms = molecules.atoms.clone().requires_grad_()
    positions = molecules.positions.clone().requires_grad_()
    wish = ShapeWish(molecule(QUERY))
    slopes = torch.autograd.grad(
        wish(molecules._replace(atoms=atoms, positions=positions), T).sum(), (positions, atoms), allow_unused=True
    )
    assert slopes[0].abs().max() > 0 and slopes[1] is None
