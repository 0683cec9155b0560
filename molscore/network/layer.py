"""One layer of the score network: pair messages, attention, directions, node update, displacement.

For atoms ``i, j`` with features ``h``, pair features ``e`` and positions ``x``::

    m_ij = silu(A h_i + B h_j + C norm(e_ij) + D rbf(|x_i - x_j|) + E <v_i, v_j>)    invariant pair messages
    a_ij = softmax_j(F m_ij)                                            attention, one logit per head
    h_i += O [ sum_j a_ij V h_j,  sum_j m_ij,  sum_j (W m_ij) Y_l(x_i - x_j) ]     equivariant aggregation
    h_i += gated update(h_i)
    x_i += linear vector of h_i
    e_ij += G m_ij

All sums run over all atoms of the molecule (molecules are small: the graph is complete). Every weight that multiplies a
vector or a spherical harmonic is invariant, so the layer is equivariant under rotation, reflection, translation and
permutation.

Pair features are ``(B, N, N, P)``: see `molscore.network.pairs`.
"""

import torch
from torch import Tensor, nn

from molscore.network import o3
from molscore.network.config import SCALAR
from molscore.network.equivariant import Blocks, EquivariantLinear, EquivariantNorm, GatedUpdate
from molscore.network.geometry import LOG2E, Neighbours, neighbour_basis, pair_vectors, radial_basis, soft_lengths
from molscore.network.linear import Linear, linear
from molscore.network.pairs import CentredLinear, PairNorm, hidden_pairs, updated_pairs

MAX_LOGIT = 30.0
"""Bound on attention logits: e^60 between the most and the least attended neighbour."""


class Layer(nn.Module):
    """Equivariant message passing and attention over all pairs of one molecule.

    Args:
        irreps: features of an atom, as `hidden_irreps` accepts them.
        pair_channels, heads, radial, vectors, condition_channels: see `NetworkConfig`.
    """

    def __init__(
        self, irreps: o3.Irreps, pair_channels: int, heads: int, radial: int, vectors: int, condition_channels: int
    ):
        super().__init__()
        n_scalars, tensors = irreps[0].mul, o3.Irreps(irreps[1:])
        if any(m.mul % heads for m in irreps):
            raise ValueError(f"every multiplicity of '{irreps}' must be a multiple of heads={heads}")
        self.heads, self.radial, self.vectors = heads, radial, vectors
        # Directions feed the blocks that a spherical harmonic can reach: l >= 1 with parity (-1)^l.
        harmonics = o3.Irreps([(m.mul, m.ir) for m in tensors if m.ir.p == (-1) ** m.ir.l and m.ir.l > 0])
        self.harmonics = [(m.mul, m.ir.l) for m in harmonics]
        self.norm = EquivariantNorm(irreps, condition_channels)
        self.pair_norm = PairNorm(pair_channels)
        self.ends = Linear(n_scalars, 2 * pair_channels)
        self.pair = nn.Linear(pair_channels + radial + vectors, pair_channels)
        self.vector = EquivariantLinear(irreps, o3.Irreps(f"{vectors}x1o")) if vectors else None
        self.logits = nn.Linear(pair_channels, heads + harmonics.num_irreps)
        self.value = EquivariantLinear(irreps, irreps)
        attended = o3.Irreps([(m.mul // heads, m.ir) for m in irreps for _ in range(heads)])
        self.out = EquivariantLinear(o3.Irreps([*attended, (pair_channels, SCALAR), *harmonics]), irreps)
        self.norm_update = EquivariantNorm(irreps, condition_channels)
        self.update = GatedUpdate(irreps)
        self.displace = EquivariantLinear(irreps, o3.Irreps("1x1o"))
        self.pair_update = CentredLinear(pair_channels, pair_channels)
        nn.init.zeros_(self.pair_update.weight)
        nn.init.zeros_(self.pair_update.bias)

    def forward(
        self, h: Blocks, e: Tensor, x: Tensor, neighbours: Neighbours, condition: Tensor
    ) -> tuple[Blocks, Tensor, Tensor]:
        """One step.

        Args:
            h: atom features, blocks ``(B, N, 2l + 1, multiplicity)``.
            e: pair features ``(B, N, N, P)``, of zero mean.
            x: positions ``(B, N, 3)``, in the network's length unit; where their origin lies does not matter.
            neighbours: which atoms count.
            condition: ``(B, C)``, what the whole molecule shares (times, size).

        Returns:
            The updated ``h, e, x``.
        """
        g = self.norm(h, condition)
        r = pair_vectors(x)
        d = soft_lengths(r)
        m = self.messages(g, e, d)
        h = add(h, self.out(self.gather(g, m, r, d, neighbours)))
        h = add(h, self.update(self.norm_update(h, condition)))
        x = x + self.displace(h)[0].squeeze(-1).to(x.dtype)
        return h, updated_pairs(self.pair_update, e, m), x

    def messages(self, g: Blocks, e: Tensor, d: Tensor) -> Tensor:
        """Invariant messages of all pairs, ``(B, N, N, P)``."""
        others = radial_basis(d, self.radial)
        if self.vector is not None:
            v = self.vector(g)[0].permute(3, 0, 1, 2).flatten(0, 1)
            others = torch.cat([others, torch.bmm(v, v.mT).view(-1, *d.shape)])
        left, right = self.ends(g[0].squeeze(-2)).chunk(2, dim=-1)
        return hidden_pairs(self.pair_norm, self.pair, e, others, left, right)

    def gather(self, g: Blocks, m: Tensor, r: Tensor, d: Tensor, neighbours: Neighbours) -> Blocks:
        """Sums over neighbours: attended values of each head, pooled messages, weighted spherical harmonics."""
        muls, degrees = zip(*self.harmonics, strict=True)
        sizes = [self.heads, sum(muls)]
        (logits, weights), (logit_bias, weight_bias) = self.logits.weight.split(sizes), self.logits.bias.split(sizes)
        attended = self.attend(g, self.attention(m, logits, logit_bias, neighbours))
        # W acts after the sum: sum_j (W m_ij + b) Y_ij = W sum_j m_ij Y_ij + b sum_j Y_ij.
        basis = neighbour_basis(r, d, neighbours, degrees).to(m.dtype)
        widths = [1, *(2 * ell + 1 for ell in degrees)]
        sums = torch.bmm(basis.flatten(0, 1), m.flatten(0, 1)).view(*m.shape[:2], -1, m.shape[-1])
        pooled, *sums = sums.to(g[0].dtype).split(widths, dim=2)
        _, *totals = basis.sum(-1, keepdim=True).split(widths, dim=2)
        weighted = [
            torch.addcmul(linear(y, w), total, b.to(y.dtype))
            for y, total, w, b in zip(sums, totals, weights.split(muls), weight_bias.split(muls), strict=True)
        ]
        return [*attended, pooled, *(y.to(pooled.dtype) for y in weighted)]

    def attention(self, m: Tensor, weight: Tensor, bias: Tensor, neighbours: Neighbours) -> Tensor:
        """Softmax over the neighbours of one logit per head, ``(heads, B, N, N)``."""
        logits = torch.addmm(bias[:, None], weight, m.flatten(0, 2).T).clamp(-MAX_LOGIT, MAX_LOGIT)
        attention = torch.exp2(logits * LOG2E).unflatten(1, m.shape[:3]) * neighbours.mean[:, 0].to(logits.dtype)
        return attention / attention.sum(-1, keepdim=True)

    def attend(self, g: Blocks, attention: Tensor) -> Blocks:
        """Attended values: of each block of features, a block of each head ``(B, N, 2l + 1, multiplicity / heads)``."""
        # (B, N, 2l + 1, multiplicity) to (heads, B, N, 2l + 1, multiplicity / heads), then all blocks side by side.
        values = [v.unflatten(-1, (self.heads, -1)).permute(3, 0, 1, 2, 4) for v in self.value(g)]
        flat = torch.cat([v.flatten(3) for v in values], dim=-1).to(attention.dtype)
        sums = torch.bmm(attention.flatten(0, 1), flat.flatten(0, 1)).view_as(flat)
        blocks = sums.to(g[0].dtype).split([v.shape[3:].numel() for v in values], dim=-1)
        return [head for s, v in zip(blocks, values, strict=True) for head in s.unflatten(-1, v.shape[3:]).unbind()]


def add(h: Blocks, update: Blocks) -> Blocks:
    """Block by block."""
    return [x + y for x, y in zip(h, update, strict=True)]
