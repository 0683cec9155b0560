"""The network: equivariant, blind to padding and batch mates, and using all that it is given."""

import pytest
import torch
from pydantic import ValidationError

from molscore.network.geometry import centre
from molscore.network.network import EquivariantScoreNetwork, NetworkConfig

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10}
"""Of the largest number of an output."""


def inputs(dtype: torch.dtype, sizes=(6, 4, 7), padded: int = 8, seed: int = 1) -> list[torch.Tensor]:
    """``x, previous, atoms, pairs, mask, times, stereo`` of molecules of some sizes, rubbish in the padding."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    b, n = len(sizes), padded
    mask = torch.arange(n) < torch.tensor(sizes)[:, None]
    pairs = normal(b, n, n, 6)
    times = torch.linspace(0.1, 0.9, 2 * b * n, dtype=torch.float64).reshape(b, n, 2).to(dtype)
    x, previous = centre(normal(b, n, 3), mask), centre(normal(b, n, 3), mask)
    tags = torch.tensor([[0, 1, 2, 3, 1], [1, 3, 0, 2, -1], [2, 0, 1, 3, 2], [0, 0, 0, 0, 0]])
    stereo = torch.stack([tags if size >= 4 else torch.zeros_like(tags) for size in sizes])
    return [x, previous, normal(b, n, 5), pairs + pairs.transpose(1, 2), mask, times, stereo]


def mirrored(stereo: torch.Tensor, determinant: int = -1) -> torch.Tensor:
    """The same tags in a mirror: other handedness, same sides."""
    code = stereo[..., 4]
    return torch.cat([stereo[..., :4], torch.where(code.abs() == 1, determinant * code, code)[..., None]], dim=-1)


def real(outputs: tuple[torch.Tensor, ...], mask: torch.Tensor) -> list[torch.Tensor]:
    """What the outputs say of atoms and of pairs of atoms; no padding."""
    x, a, e, _ = outputs
    return [x[mask], a[mask], e[mask[:, :, None] & mask[:, None]]]


def assert_same(got: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    for y, z in zip(got, expected, strict=True):
        assert z.abs().max() > 0.01, "zeros would pass any comparison"
        torch.testing.assert_close(y, z, rtol=0, atol=TOLERANCE[z.dtype] * float(z.abs().max()))


def orthogonal(determinant: int, dtype: torch.dtype) -> torch.Tensor:
    q, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64))
    return (q * torch.linalg.det(q).sign() * determinant).to(dtype)


@torch.no_grad()
@pytest.mark.parametrize("determinant", [1, -1], ids=["rotation", "reflection"])
def test_rotated_or_mirrored_molecules(network, dtype, determinant):
    """Mirrored molecules with mirrored tags get the mirrored score: handedness enters as pseudoscalars."""
    x, previous, *rest, stereo = inputs(dtype)
    mask, q = rest[2], orthogonal(determinant, dtype)
    shift, a, e = real(network(x, previous, *rest, stereo), mask)
    turned = real(network(x @ q.T, previous @ q.T, *rest, mirrored(stereo, determinant)), mask)
    assert_same(turned, [shift @ q.T, a, e])


@torch.no_grad()
def test_enantiomers_are_told_apart(network, dtype):
    """One geometry under the tags of either enantiomer, or of either side of a double bond: other scores."""
    *rest, stereo = inputs(dtype)
    first = network(*rest, stereo)
    other_side = torch.where(torch.tensor([0, 0, 0, 0, 1]) * stereo.abs() == 2, -stereo, stereo)
    for other in (mirrored(stereo), other_side):
        for y, z in zip(first, network(*rest, other), strict=True):
            assert (y - z).abs().max() > 0.01 * y.abs().max()


@torch.no_grad()
def test_previous_prediction_turns_freely(network, dtype):
    """Only distances of the previous prediction enter, so its frame is its own."""
    x, previous, *rest = inputs(dtype)
    expected = real(network(x, previous, *rest), rest[2])
    assert_same(real(network(x, previous @ orthogonal(-1, dtype).T, *rest), rest[2]), expected)


@torch.no_grad()
def test_translated_molecules(network, dtype):
    x, previous, *rest = inputs(dtype)
    mask = rest[2]
    outputs = network(x, previous, *rest)
    assert_same(real(network(x + 3, previous - 5, *rest), mask), real(outputs, mask))
    net = outputs[0].sum(1).abs().max()
    assert net < TOLERANCE[dtype] * outputs[0].abs().max()
    assert (outputs[0][~mask] == 0).all()


@torch.no_grad()
def test_permuted_atoms(network, dtype):
    x, previous, atoms, pairs, mask, times, stereo = inputs(dtype)
    order = torch.tensor([3, 0, 7, 5, 1, 6, 2, 4])
    a = network(x, previous, atoms, pairs, mask, times, stereo)
    turned = [
        x[:, order],
        previous[:, order],
        atoms[:, order],
        pairs[:, order][:, :, order],
        mask[:, order],
        times[:, order],
    ]
    b = network(*turned, torch.cat([order.argsort()[stereo[..., :4]], stereo[..., 4:]], dim=-1))
    expected = (a[0][:, order], a[1][:, order], a[2][:, order][:, :, order], a[3][:, order])
    assert_same(real(b, mask[:, order]), real(expected, mask[:, order]))


@torch.no_grad()
def test_bonds_are_symmetric(network, dtype):
    *_, mask, _, _ = arguments = inputs(dtype)
    bonds = network(*arguments)[2]
    pairs = mask[:, :, None] & mask[:, None]
    assert_same([bonds.transpose(1, 2)[pairs]], [bonds[pairs]])


@torch.no_grad()
@pytest.mark.parametrize("padded", [None, 12], ids=["alone", "more padding"])
def test_neither_batch_mates_nor_padding_matter(network, dtype, padded):
    """Each molecule of a batch, computed by itself, with no padding or with more of it (rubbish inside)."""
    x, previous, atoms, pairs, mask, times, stereo = inputs(dtype)
    outputs = network(x, previous, atoms, pairs, mask, times, stereo)
    for row, n in enumerate(mask.sum(1).tolist()):
        place = inputs(dtype, sizes=(n,), padded=padded or n, seed=9)
        for tensor, source in zip(place[:3], (x, previous, atoms), strict=True):
            tensor[0, :n] = source[row, :n]
        place[3][0, :n, :n] = pairs[row, :n, :n]
        place[5][0, :n], place[6] = times[row, :n], stereo[row : row + 1, :3]
        expected = real(tuple(y[row : row + 1] for y in outputs), mask[row : row + 1])
        assert_same(real(network(*place), place[4]), expected)


def test_padding_has_no_gradient(network, dtype):
    arguments = inputs(dtype)
    mask = arguments[4]
    for tensor in arguments[:4]:
        tensor.requires_grad_()
    sum((y.square().sum() for y in real(network(*arguments), mask)), torch.zeros(())).backward()
    x, previous, atoms, pairs = arguments[:4]
    for tensor in (x, previous, atoms):
        assert (tensor.grad[~mask] == 0).all() and (tensor.grad[mask] != 0).all()
    assert (pairs.grad[~(mask[:, :, None] & mask[:, None])] == 0).all()


def test_every_output_depends_on_every_input(network, dtype):
    """A network that ignored its times, say, or its previous prediction would be equivariant all the same."""
    x, previous, atoms, pairs, mask, times, stereo = inputs(dtype)
    given = {"x": x, "previous": previous, "atoms": atoms, "pairs": pairs, "times": times}
    for tensor in given.values():
        tensor.requires_grad_()
    generator = torch.Generator().manual_seed(3)
    for output in real(network(x, previous, atoms, pairs, mask, times, stereo), mask):
        weights = torch.randn(output.shape, generator=generator).to(dtype)
        for name, g in zip(
            given, torch.autograd.grad((output * weights).sum(), given.values(), retain_graph=True), strict=True
        ):
            channels = g.flatten(0, -2).abs().amax(0)
            assert (channels > 1e-4).all(), f"{name}: {channels}"


def test_every_parameter_matters(network, dtype):
    """But for maps of blocks that are still zero: atoms begin with scalars alone, and other irreps grow from them."""
    arguments = inputs(dtype)
    network.zero_grad()
    sum((y.square().mean() for y in real(network(*arguments), arguments[4])), torch.zeros(())).backward()
    gradients = {name: p.grad for name, p in network.named_parameters()}
    idle = {name for name, g in gradients.items() if g is None or not g.abs().max() > 1e-9}
    if len(network.tensors) == 1:
        assert not idle  # tags of stereo give vectors to the first layer
    else:
        assert idle and all(".weights." in name for name in idle)
        assert not any(name.endswith(("value.weights.0", "out.weights.0", "displace.weights.0")) for name in idle)


@torch.no_grad()
def test_atoms_far_apart_still_see_each_other(network, dtype):
    x, previous, *rest = inputs(dtype, sizes=(8,))
    far = x.clone()
    far[:, 0] += 30
    moved = far.clone()
    moved[:, 0, 0] += 5
    a, b = network(far, previous, *rest)[0], network(moved, previous, *rest)[0]
    assert (a[0, 1:] - b[0, 1:]).abs().max() > 1e-6


@torch.no_grad()
def test_a_single_atom_stays_where_it_is(network, dtype):
    shift, a, e, _ = network(*inputs(dtype, sizes=(1,), padded=1))
    assert (shift == 0).all() and a.isfinite().all() and e.isfinite().all()


@torch.no_grad()
def test_coinciding_atoms_are_no_singularity(network, dtype):
    x, previous, *rest = inputs(dtype, sizes=(3,), padded=3)
    for y in network(torch.zeros_like(x), torch.zeros_like(previous), *rest):
        assert y.isfinite().all()


def test_fresh_network_predicts_no_class():
    """Zero logits to begin with: the model then starts at Bayes' rule with a uniform prior."""
    arguments = inputs(torch.float32)
    _, a, e, _ = EquivariantScoreNetwork(NetworkConfig(irreps="8x0e + 4x1o", layers=1, heads=4), 5, 6, 3, 4)(*arguments)
    assert (a == 0).all() and (e == 0).all()


@torch.no_grad()
@pytest.mark.parametrize("dtype", ["float32"], indirect=True)
def test_bfloat16_is_close(network, dtype):
    """Mixed precision runs the same network, to bfloat16's three digits."""
    arguments = inputs(dtype)
    with torch.autocast("cpu", torch.bfloat16):
        rough = real(network(*arguments), arguments[4])
    for y, z in zip(rough, real(network(*arguments), arguments[4]), strict=True):
        assert 0 < (y.float() - z).norm() < 0.1 * z.norm()


@pytest.mark.parametrize(
    ("irreps", "complaint"),
    [
        ("8x1o + 8x0e", "begin with"),
        ("8x0e + 8x0e", "begin with"),
        ("8x0e + 6x1o", "multiple of heads"),
        ("8x0e + 8x1e", "1o"),
    ],
)
def test_features_that_cannot_be(irreps, complaint):
    with pytest.raises(ValueError, match=complaint):
        EquivariantScoreNetwork(NetworkConfig(irreps=irreps, heads=4, layers=1), 5, 6, 3, 4)


@pytest.mark.parametrize("wrong", [{"layers": 0}, {"vectors": -1}, {"depth": 3}])
def test_sizes_that_cannot_be(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        NetworkConfig(**wrong)
