"""Building blocks on e3nn irreps: normalisation, adaptive modulation, gated update.

The features of an atom are one flat vector in e3nn's layout: first all scalars (``0e``), then the other blocks
``mul x ir``, each stored as ``(mul, ir.dim)``. Everything here acts on one atom at a time, so nothing depends on batch
mates, and no statistics are kept between calls: batch normalisation would remember averages of the training noise
levels, from which the evolving batch of a sampler drifts away.

Source: Geiger & Smidt, "e3nn: Euclidean Neural Networks", arXiv:2207.09453.
"""

import torch
from e3nn import o3
from torch import Tensor, nn

SCALAR, VECTOR = o3.Irrep("0e"), o3.Irrep("1o")
EPS = 1e-5


def split_scalars(irreps: o3.Irreps) -> tuple[int, o3.Irreps]:
    """Number of ``0e`` channels and the irreps that follow them.

    Raises:
        ValueError: if the scalars are not exactly one block, in front, or no block of vectors follows.
    """
    irreps = o3.Irreps(irreps)
    kinds = [m.ir for m in irreps]
    if kinds[:1] != [SCALAR] or kinds.count(SCALAR) != 1 or VECTOR not in kinds:
        raise ValueError(
            f"hidden irreps must begin with their only 0e block and hold 1o, without which no atom can move, "
            f"e.g. '128x0e + 32x1o', not '{irreps}'"
        )
    return irreps[0].mul, o3.Irreps(irreps[1:])


Layout = tuple[tuple[int, int], ...]
"""``(mul, ir.dim)`` of each block: what is left of irreps once only shapes matter (and what torch.compile can read)."""


def layout(irreps: o3.Irreps) -> Layout:
    """Shapes of the blocks of ``irreps``."""
    return tuple((m.mul, m.ir.dim) for m in o3.Irreps(irreps))


def blocks(h: Tensor, shapes: Layout) -> list[Tensor]:
    """Splits flat features ``(..., irreps.dim)`` into one tensor ``(..., mul, ir.dim)`` per block."""
    parts = h.split([mul * dim for mul, dim in shapes], dim=-1)
    return [x.unflatten(-1, shape) for x, shape in zip(parts, shapes, strict=True)]


def scale_channels(h: Tensor, scale: Tensor, shapes: Layout) -> Tensor:
    """Multiplies every channel of ``h (..., irreps.dim)`` by its invariant ``scale (..., irreps.num_irreps)``."""
    scales = scale.split([mul for mul, _ in shapes], dim=-1)
    return torch.cat([(x * s[..., None]).flatten(-2) for x, s in zip(blocks(h, shapes), scales, strict=True)], dim=-1)


class EquivariantNorm(nn.Module):
    """Layer normalisation of the scalars and root-mean-square normalisation of every other block, per atom.

    Then scale and shift from a per-molecule condition ``c``: ``h -> (1 + a(c)) h + b(c)``, where only scalars are
    shifted and the components of one channel share one scale (adaptive normalisation, Peebles & Xie, arXiv:2212.09748).
    """

    def __init__(self, irreps: o3.Irreps, condition_channels: int):
        super().__init__()
        self.n_scalars, tensors = split_scalars(irreps)
        self.tensors, self.n_channels = layout(tensors), o3.Irreps(irreps).num_irreps
        self.linear = nn.Linear(condition_channels, self.n_channels + self.n_scalars)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        """``h (B, N, irreps.dim)``, ``condition (B, C)`` to ``(B, N, irreps.dim)``."""
        h = h.float() if h.dtype == torch.bfloat16 else h
        scale, shift = self.linear(condition)[:, None].to(h.dtype).split([self.n_channels, self.n_scalars], dim=-1)
        scalars = nn.functional.layer_norm(h[..., : self.n_scalars], (self.n_scalars,))
        scalars = scalars * (1 + scale[..., : self.n_scalars]) + shift
        tensors = h[..., self.n_scalars :]
        rms = [x.square().sum(-1, keepdim=True).mean(-2, keepdim=True) for x in blocks(tensors, self.tensors)]
        inverse = [
            torch.rsqrt(r + EPS).squeeze(-1).expand(*r.shape[:-2], mul)
            for r, (mul, _) in zip(rms, self.tensors, strict=True)
        ]
        inverse = torch.cat(inverse, dim=-1)
        tensors = scale_channels(tensors, inverse * (1 + scale[..., self.n_scalars :]), self.tensors)
        return torch.cat([scalars, tensors], dim=-1)


class ChannelProduct(nn.Module):
    """Tensor products of two features, channel by channel: ``A_u x B_u -> ir`` for each path.

    Computed as outer products contracted with e3nn's Wigner 3j symbols (scaled so that components stay of order one).
    The symbols are kept in float64, whatever e3nn's default: rounded to float32 they are equivariant to 1e-7 only.

    Args:
        factors: irreps of both factors, all of one multiplicity.
        paths: ``(block of A, block of B, ir of the result)``.
    """

    def __init__(self, factors: o3.Irreps, paths: list[tuple[int, int, o3.Irrep]]):
        super().__init__()
        self.factors, self.paths = layout(factors), [(i, j) for i, j, _ in paths]
        for k, (i, j, ir) in enumerate(paths):
            symbol = o3.wigner_3j(factors[i].ir.l, factors[j].ir.l, ir.l, dtype=torch.float64) * ir.dim**0.5
            self.register_buffer(f"symbol_{k}", symbol.flatten(0, 1), persistent=False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """``(B, N, factors.dim)`` twice to the concatenated results, flat."""
        a, b = blocks(a, self.factors), blocks(b, self.factors)
        out = []
        for k, (i, j) in enumerate(self.paths):
            outer = (a[i][..., :, None] * b[j][..., None, :]).flatten(-2)
            out.append((outer @ getattr(self, f"symbol_{k}").to(outer.dtype)).to(outer.dtype).flatten(-2))
        return torch.cat(out, dim=-1)


class GatedUpdate(nn.Module):
    """Feed-forward update of one atom: invariants through an MLP, tensors mixed and gated by its output.

    Two linear maps ``A, B`` of the features are multiplied channel by channel with e3nn's tensor product; the scalars
    among the products (for vectors, their dot products) join the MLP's input, the others join the mixed tensors.
    """

    def __init__(self, irreps: o3.Irreps, widening: int = 2):
        super().__init__()
        self.n_scalars, tensors = split_scalars(irreps)
        self.tensors = layout(tensors)
        mul = min(m.mul for m in tensors)
        factors = o3.Irreps([(mul, m.ir) for m in tensors])
        wanted = [SCALAR] + [m.ir for m in tensors]
        paths = [(i, j, ir) for i, a in enumerate(factors) for j, b in enumerate(factors) for ir in a.ir * b.ir]
        paths = sorted((p for p in paths if p[0] <= p[1] and p[2] in wanted), key=lambda p: p[2] != SCALAR)
        self.left, self.right = o3.Linear(irreps, factors), o3.Linear(irreps, factors)
        self.product = ChannelProduct(factors, paths)
        self.n_invariants = mul * sum(ir == SCALAR for _, _, ir in paths)
        products = o3.Irreps([(mul, ir) for _, _, ir in paths if ir != SCALAR])
        n_in, n_out = self.n_scalars + self.n_invariants, self.n_scalars + tensors.num_irreps
        width = widening * self.n_scalars
        self.mlp = nn.Sequential(nn.Linear(n_in, width), nn.SiLU(), nn.Linear(width, n_out))
        self.mix = o3.Linear(tensors + products, tensors)

    def forward(self, h: Tensor) -> Tensor:
        """``(B, N, irreps.dim)`` to an update of the same shape."""
        scalars, tensors = h[..., : self.n_scalars], h[..., self.n_scalars :]
        product = self.product(self.left(h), self.right(h))
        out = self.mlp(torch.cat([scalars, product[..., : self.n_invariants]], dim=-1)).to(h.dtype)
        mixed = self.mix(torch.cat([tensors, product[..., self.n_invariants :]], dim=-1))
        return torch.cat(
            [out[..., : self.n_scalars], scale_channels(mixed, out[..., self.n_scalars :], self.tensors)], dim=-1
        )
