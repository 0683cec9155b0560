"""Building blocks on e3nn irreps: linear map, normalisation with adaptive modulation, products, gated update.

The features of an atom are irreps such as ``128x0e + 16x1o``, kept as a list of blocks, one for each irrep, of shape
``(..., 2l + 1, multiplicity)``: the channels come last, so that a linear map of a block is one matrix product. The
first block holds the scalars (``0e``). Everything here acts on one atom at a time, so nothing depends on batch mates,
and no statistics are kept between calls: batch normalisation would remember averages of the training noise levels, from
which the evolving batch of a sampler drifts away.

Source: Geiger & Smidt, "e3nn: Euclidean Neural Networks", arXiv:2207.09453.
"""

import torch
from torch import Tensor, nn

from molscore.network import o3
from molscore.network.config import SCALAR
from molscore.network.linear import Linear, linear

EPS = 1e-5

Blocks = list[Tensor]
"""One tensor ``(..., 2l + 1, multiplicity)`` for each block of some irreps."""


class EquivariantLinear(nn.Module):
    """Mixes the channels of each irrep: one matrix per irrep, no bias; e3nn's `o3.Linear`, channels last.

    Args:
        irreps_in: blocks of the input; those of one irrep are read as one.
        irreps_out: blocks of the output.

    Raises:
        ValueError: if an irrep of the output is not among those of the input.
    """

    def __init__(self, irreps_in: o3.Irreps, irreps_out: o3.Irreps):
        super().__init__()
        irreps_in, irreps_out = o3.Irreps(irreps_in), o3.Irreps(irreps_out)
        self.sources = [[k for k, m in enumerate(irreps_in) if m.ir == out.ir] for out in irreps_out]
        missing = [str(m.ir) for m, source in zip(irreps_out, self.sources, strict=True) if not source]
        if missing:
            raise ValueError(f"no block of '{irreps_in}' leads to {', '.join(missing)} in '{irreps_out}'")
        fans = [sum(irreps_in[k].mul for k in source) for source in self.sources]
        self.weights = nn.ParameterList(
            nn.Parameter(_normal(out.mul, fan)) for out, fan in zip(irreps_out, fans, strict=True)
        )

    def forward(self, h: Blocks) -> Blocks:
        """Blocks of ``irreps_in`` to blocks of ``irreps_out``."""
        joined = [h[s[0]] if len(s) == 1 else torch.cat([h[k] for k in s], dim=-1) for s in self.sources]
        return [linear(x, w) for x, w in zip(joined, self.weights, strict=True)]


def _normal(mul: int, fan: int) -> Tensor:
    """Normal numbers of variance ``1 / fan``; none on the device ``meta``, where torch loads its compiler for them."""
    weight = torch.empty(mul, fan)
    return weight if weight.is_meta else weight.normal_().div_(fan**0.5)


class EquivariantNorm(nn.Module):
    """Layer normalisation of the scalars and root-mean-square normalisation of every other block, per atom.

    Then scale and shift from a per-molecule condition ``c``: ``h -> (1 + a(c)) h + b(c)``, where only scalars are
    shifted and the components of one channel share one scale (adaptive normalisation, Peebles & Xie, arXiv:2212.09748).
    """

    def __init__(self, irreps: o3.Irreps, condition_channels: int):
        super().__init__()
        self.channels = [m.mul for m in irreps]
        self.linear = nn.Linear(condition_channels, sum(self.channels) + self.channels[0])
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, h: Blocks, condition: Tensor) -> Blocks:
        """Blocks ``(B, N, ...)``, ``condition (B, C)`` to blocks of the same shapes."""
        modulation = self.linear(condition)[:, None, None].to(h[0].dtype)
        *scales, shift = modulation.split([*self.channels, self.channels[0]], dim=-1)
        scalars = torch.addcmul(shift, nn.functional.layer_norm(h[0], h[0].shape[-1:]), 1 + scales[0])
        # The mean square of a block is taken over channels, but summed over components.
        rest = []
        for x, scale in zip(h[1:], scales[1:], strict=True):
            dim = x.shape[-2]
            rest.append(nn.functional.rms_norm(x, x.shape[-2:], eps=EPS / dim) * ((1 + scale) / dim**0.5))
        return [scalars, *rest]


class ChannelProduct(nn.Module):
    """Tensor products of two features, channel by channel: ``A_u x B_u -> ir`` for each path.

    Outer products contracted with e3nn's Wigner 3j symbols, scaled so that components stay of order one; the scalar of
    two equal irreps is their dot product over the root of its length. The symbols are kept in float64, whatever e3nn's
    default: rounded to float32 they are equivariant to 1e-7 only.

    Args:
        factors: irreps of both factors, all of one multiplicity.
        paths: ``(block of A, block of B, ir of the result)``.
    """

    def __init__(self, factors: o3.Irreps, paths: list[tuple[int, int, o3.Irrep]]):
        super().__init__()
        self.paths = [(i, j, ir == SCALAR) for i, j, ir in paths]
        for k, (i, j, ir) in enumerate(paths):
            if ir != SCALAR:
                with torch.device("cpu"):  # e3nn remembers them: they must be numbers also where a module has none
                    symbol = o3.wigner_3j(factors[i].ir.l, factors[j].ir.l, ir.l, dtype=torch.float64) * ir.dim**0.5
                self.register_buffer(f"symbol_{k}", symbol.flatten(0, 1).T.contiguous(), persistent=False)

    def forward(self, a: Blocks, b: Blocks) -> Blocks:
        """Blocks of ``factors`` twice to a block for each path."""
        out = []
        for k, (i, j, scalar) in enumerate(self.paths):
            if scalar:
                out.append((a[i] * b[j]).sum(-2, keepdim=True) / a[i].shape[-2] ** 0.5)
            else:
                outer = (a[i][..., :, None, :] * b[j][..., None, :, :]).flatten(-3, -2)
                out.append(getattr(self, f"symbol_{k}").to(outer.dtype) @ outer)
        return out


class GatedUpdate(nn.Module):
    """Feed-forward update of one atom: invariants through an MLP, tensors mixed and gated by its output.

    Two linear maps ``A, B`` of the features are multiplied channel by channel with e3nn's tensor product; the scalars
    among the products (for vectors, their dot products) join the MLP's input, the others join the mixed tensors.
    """

    def __init__(self, irreps: o3.Irreps, widening: int = 2):
        super().__init__()
        n_scalars, tensors = irreps[0].mul, o3.Irreps(irreps[1:])
        mul = min(m.mul for m in tensors)
        factors = o3.Irreps([(mul, m.ir) for m in tensors])
        wanted = [m.ir for m in irreps]
        paths = [(i, j, ir) for i, a in enumerate(factors) for j, b in enumerate(factors) for ir in a.ir.products(b.ir)]
        paths = sorted((p for p in paths if p[0] <= p[1] and p[2] in wanted), key=lambda p: p[2] != SCALAR)
        self.left, self.right = EquivariantLinear(tensors, factors), EquivariantLinear(tensors, factors)
        self.product = ChannelProduct(factors, paths)
        self.n_invariant = sum(ir == SCALAR for _, _, ir in paths)
        self.channels = [m.mul for m in irreps]
        width = widening * n_scalars
        self.mlp = nn.Sequential(
            Linear(n_scalars + mul * self.n_invariant, width), nn.SiLU(), Linear(width, sum(self.channels))
        )
        products = o3.Irreps([(mul, ir) for _, _, ir in paths if ir != SCALAR])
        self.mix = EquivariantLinear(o3.Irreps([*tensors, *products]), tensors)

    def forward(self, h: Blocks) -> Blocks:
        """Blocks to an update of the same shapes."""
        scalars, *tensors = h
        products = self.product(self.left(tensors), self.right(tensors))
        invariant, others = products[: self.n_invariant], products[self.n_invariant :]
        out, *gates = self.mlp(torch.cat([scalars, *invariant], dim=-1)).to(scalars.dtype).split(self.channels, dim=-1)
        mixed = self.mix([*tensors, *others])
        return [out, *(x * gate for x, gate in zip(mixed, gates, strict=True))]
