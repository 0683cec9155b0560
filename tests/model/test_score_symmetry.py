"""The score of a molecule turns with it, and belongs to it alone.

All parameters are generic and all times real: from nearly clean to nearly noise.
"""

import pytest
import torch

from molscore.core.denoiser import score_from_mean
from molscore.model.features import Prediction
from molscore.network.geometry import centre

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10}
"""Of the largest number in a score; of 1 for probabilities."""

pytestmark = pytest.mark.parametrize(
    ("features", "times"),
    [("vectors", (0.01, 0.1)), ("vectors", (0.36, 0.6)), ("vectors", (0.98, 0.99)), ("all", (0.36, 0.6))],
)


@torch.no_grad()
def score(model, state):
    """Score of the coordinates; probabilities of atom and bond classes."""
    out = state.asked(model)
    s = score_from_mean(model.sde, state.x, state.times[:, :1, None], out.positions)
    return [s, out.atom_logits.softmax(-1), out.bond_logits.softmax(-1)]


def real(parts, mask):
    """What is said of atoms and of pairs of atoms; no padding."""
    s, a, e = parts
    return [s[mask], a[mask], e[mask[:, :, None] & mask[:, None]]]


def assert_same(got, expected):
    for y, z in zip(got, expected, strict=True):
        assert z.std() > 0.01, "a constant would pass any comparison"
        torch.testing.assert_close(y, z, rtol=0, atol=TOLERANCE[z.dtype] * float(z.abs().max()))


def orthogonal(determinant: int, dtype: torch.dtype) -> torch.Tensor:
    q, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64))
    return (q * torch.linalg.det(q).sign() * determinant).to(dtype)


def turned(state, q):
    previous = state.previous._replace(positions=state.previous.positions @ q.T)
    return state._replace(x=state.x @ q.T, previous=previous)


@pytest.mark.parametrize("determinant", [1, -1], ids=["rotation", "reflection"])
def test_rotated_or_mirrored_molecules(build, state, dtype, features, times, determinant):
    """Nothing given to the model is a pseudoscalar, so it is equivariant under mirrors as well."""
    model = build(features, dtype)
    given, q = state(model, times), orthogonal(determinant, dtype)
    s, a, e = real(score(model, given), given.mask)
    assert_same(real(score(model, turned(given, q)), given.mask), [s @ q.T, a, e])


def test_translated_molecules(build, state, dtype, features, times):
    """The state lives on the zero-mean subspace, and the score stays there."""
    model = build(features, dtype)
    given = state(model, times)
    expected = score(model, given)
    moved = given._replace(x=centre(given.x + 3, given.mask))
    assert_same(real(score(model, moved), given.mask), real(expected, given.mask))
    assert expected[0].sum(1).abs().max() < TOLERANCE[dtype] * expected[0].abs().max()
    assert (expected[0][~given.mask] == 0).all()


def test_permuted_atoms(build, state, dtype, features, times):
    model = build(features, dtype)
    given, order = state(model, times), torch.tensor([3, 0, 7, 5, 1, 6, 2, 4])

    def permuted(x, a, e):
        return x[:, order], a[:, order], e[:, order][:, :, order]

    x, a, e, mask, t, previous = given
    again = type(given)(*permuted(x, a, e), mask[:, order], t, Prediction(*permuted(*previous)))
    expected = permuted(*score(model, given))
    assert_same(real(score(model, again), again.mask), real(expected, again.mask))


@pytest.mark.parametrize("padded", [None, 12], ids=["alone", "more padding"])
def test_neither_batch_mates_nor_padding_matter(build, state, dtype, features, times, padded):
    """Every molecule of a batch by itself, in a frame of its own size or a larger one with rubbish in the padding."""
    model = build(features, dtype)
    given = state(model, times)
    expected = score(model, given)
    for row, n in enumerate(given.mask.sum(1).tolist()):
        alone = state(model, times, sizes=(n,), padded=padded or n, seed=9)
        alone.x[0, :n], alone.a[0, :n], alone.e[0, :n, :n] = given.x[row, :n], given.a[row, :n], given.e[row, :n, :n]
        for own, source in zip(alone.previous[:2], given.previous[:2], strict=True):
            own[0, :n] = source[row, :n]
        alone.previous.bond_logits[0, :n, :n] = given.previous.bond_logits[row, :n, :n]
        rows = slice(row, row + 1)
        assert_same(real(score(model, alone), alone.mask), real([y[rows] for y in expected], given.mask[rows]))


def test_bonds_are_symmetric(build, state, dtype, features, times):
    model = build(features, dtype)
    given = state(model, times)
    _, _, e = score(model, given)
    pairs = given.mask[:, :, None] & given.mask[:, None]
    assert_same([e.transpose(1, 2)[pairs]], [e[pairs]])
