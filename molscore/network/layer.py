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

Pair features have their channels first, ``(P, B, N, N)``: see `molscore.network.pairs`.
"""

import torch
from torch import Tensor, nn

from molscore.network import o3
from molscore.network.equivariant import SCALAR, Blocks, EquivariantLinear, EquivariantNorm, GatedUpdate
from molscore.network.geometry import centre, harmonic_sum, pair_distances, radial_basis
from molscore.network.pairs import PairLinear, PairNorm, hidden_pairs

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
        self.ends = nn.Linear(n_scalars, 2 * pair_channels)
        self.pair = PairLinear(pair_channels + radial + vectors, pair_channels)
        self.vector = EquivariantLinear(irreps, o3.Irreps(f"{vectors}x1o")) if vectors else None
        self.logits = PairLinear(pair_channels, heads + harmonics.num_irreps)
        self.value = EquivariantLinear(irreps, irreps)
        self.out = EquivariantLinear(o3.Irreps([*irreps, (pair_channels, SCALAR), *harmonics]), irreps)
        self.norm_update = EquivariantNorm(irreps, condition_channels)
        self.update = GatedUpdate(irreps)
        self.displace = EquivariantLinear(irreps, o3.Irreps("1x1o"))
        self.pair_update = PairLinear(pair_channels, pair_channels)
        nn.init.zeros_(self.pair_update.weight)
        nn.init.zeros_(self.pair_update.bias)

    def forward(
        self, h: Blocks, e: Tensor, x: Tensor, mask: Tensor, condition: Tensor
    ) -> tuple[Blocks, Tensor, Tensor]:
        """One step.

        Args:
            h: atom features, blocks ``(B, N, 2l + 1, multiplicity)``.
            e: pair features ``(P, B, N, N)``.
            x: positions ``(B, N, 3)``, in the network's length unit, centred.
            mask: ``(B, N)`` bool.
            condition: ``(B, C)``, what the whole molecule shares (times, size).

        Returns:
            The updated ``h, e, x``.
        """
        g = self.norm(h, condition)
        d = pair_distances(x)
        m = self.messages(g, e, d)
        h = add(h, self.out(self.gather(g, m, x, d, mask)))
        h = add(h, self.update(self.norm_update(h, condition)))
        x = x + centre(self.displace(h)[0].squeeze(-1).to(x.dtype), mask)
        return h, e + self.pair_update(m), x

    def messages(self, g: Blocks, e: Tensor, d: Tensor) -> Tensor:
        """Invariant messages of all pairs, ``(P, B, N, N)``."""
        others = [radial_basis(d, self.radial)]
        if self.vector is not None:
            v = self.vector(g)[0].movedim(-1, 0)
            others.append(v @ v.transpose(-1, -2))
        left, right = self.ends(g[0].squeeze(-2)).movedim(-1, 0).chunk(2)
        return hidden_pairs(self.pair_norm, self.pair, e, others, left, right)

    def gather(self, g: Blocks, m: Tensor, x: Tensor, d: Tensor, mask: Tensor) -> Blocks:
        """Sums over neighbours: attended values, pooled messages, weighted spherical harmonics."""
        logits, weights = self.logits(m).split([self.heads, sum(mul for mul, _ in self.harmonics)])
        real = mask.to(m.dtype)[:, None]
        count = mask.sum(1)[:, None, None, None].to(g[0].dtype)
        # Softmax over the neighbours; its division comes after the sum, where there is less to divide.
        attention = logits.clamp(-MAX_LOGIT, MAX_LOGIT).exp() * real
        # (B, N, 2l + 1, multiplicity) to (heads, B, N, (2l + 1) multiplicity / heads), all blocks side by side.
        value = [v.unflatten(-1, (self.heads, -1)).permute(3, 0, 1, 2, 4) for v in self.value(g)]
        sizes = [v.shape[3:] for v in value]
        flat = [v.flatten(3) for v in value]
        whole = (attention @ torch.cat(flat, dim=-1).to(attention.dtype)) / attention.sum(-1, keepdim=True)
        blocks = whole.split([size.numel() for size in sizes], dim=-1)
        attended = [a.unflatten(-1, s).permute(1, 2, 3, 0, 4).flatten(-2) for a, s in zip(blocks, sizes, strict=True)]
        pooled = (m @ real.transpose(-1, -2)).permute(1, 2, 3, 0) / count
        parts = weights.split([mul for mul, _ in self.harmonics])
        sums = [
            harmonic_sum(w, x, d, mask, ell) / count.sqrt() for w, (_, ell) in zip(parts, self.harmonics, strict=True)
        ]
        return [y.to(g[0].dtype) for y in (*attended, pooled, *sums)]


def add(h: Blocks, update: Blocks) -> Blocks:
    """Block by block."""
    return [x + y for x, y in zip(h, update, strict=True)]
