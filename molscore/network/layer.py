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
"""

import torch
from e3nn import o3
from torch import Tensor, nn

from molscore.network.equivariant import EquivariantNorm, GatedUpdate, layout, split_scalars
from molscore.network.geometry import centre, distances_and_directions, radial_basis


class Layer(nn.Module):
    """Equivariant message passing and attention over all pairs of one molecule."""

    def __init__(
        self, irreps: o3.Irreps, pair_channels: int, heads: int, radial: int, vectors: int, condition_channels: int
    ):
        super().__init__()
        n_scalars, tensors = split_scalars(irreps)
        if any(m.mul % heads for m in o3.Irreps(irreps)):
            raise ValueError(f"every multiplicity of '{irreps}' must be a multiple of heads={heads}")
        self.heads, self.radial, self.vectors = heads, radial, vectors
        # Directions feed the blocks that a spherical harmonic can reach: l >= 1 with parity (-1)^l.
        harmonics = o3.Irreps([(m.mul, m.ir) for m in tensors if m.ir.p == (-1) ** m.ir.l and m.ir.l > 0])
        self.n_scalars, self.layout = n_scalars, layout(irreps)
        self.n_weights, self.harmonics = harmonics.num_irreps, [(m.mul, m.ir.l) for m in harmonics]
        self.norm = EquivariantNorm(irreps, condition_channels)
        self.pair_norm = nn.LayerNorm(pair_channels)
        self.ends = nn.Linear(n_scalars, 2 * pair_channels)
        self.pair = nn.Linear(pair_channels + radial + vectors, pair_channels)
        self.vector = o3.Linear(irreps, o3.Irreps([(vectors, "1o")])) if vectors else None
        self.logits = nn.Linear(pair_channels, heads + self.n_weights)
        self.value = o3.Linear(irreps, irreps)
        gathered = o3.Irreps([(n_scalars + pair_channels, "0e")]) + tensors + harmonics
        self.out = o3.Linear(gathered, irreps)
        self.norm_update = EquivariantNorm(irreps, condition_channels)
        self.update = GatedUpdate(irreps)
        self.displace = o3.Linear(irreps, o3.Irreps("1x1o"))
        self.pair_update = nn.Linear(pair_channels, pair_channels)
        nn.init.zeros_(self.pair_update.weight)
        nn.init.zeros_(self.pair_update.bias)

    def forward(
        self, h: Tensor, e: Tensor, x: Tensor, mask: Tensor, condition: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One step.

        Args:
            h: atom features ``(B, N, irreps.dim)``.
            e: pair features ``(B, N, N, P)``.
            x: positions ``(B, N, 3)``, in the network's length unit, centred.
            mask: ``(B, N)`` bool.
            condition: ``(B, C)``, what the whole molecule shares (clocks, size).

        Returns:
            The updated ``h, e, x``.
        """
        g = self.norm(h, condition)
        d, direction = distances_and_directions(x)
        scalars = g[..., : self.n_scalars]
        features = [self.pair_norm(e), radial_basis(d, self.radial).to(e.dtype)]
        if self.vector is not None:
            v = self.vector(g).unflatten(-1, (self.vectors, 3))
            features.append(torch.einsum("bivx,bjvx->bijv", v, v).to(e.dtype))
        left, right = self.ends(scalars).chunk(2, dim=-1)
        m = nn.functional.silu(self.pair(torch.cat(features, -1)) + left[:, :, None] + right[:, None])
        logits, weights = self.logits(m).split([self.heads, self.n_weights], dim=-1)
        gathered = self._gather(g, m, logits, weights, direction, mask)
        h = h + self.out(gathered)
        h = h + self.update(self.norm_update(h, condition))
        x = x + centre(self.displace(h).to(x.dtype), mask)
        return h, e + self.pair_update(m), x

    def _gather(self, g: Tensor, m: Tensor, logits: Tensor, weights: Tensor, direction: Tensor, mask: Tensor) -> Tensor:
        """Sums over neighbours: attended values, pooled messages, weighted spherical harmonics."""
        real = mask.to(m.dtype)
        count = mask.sum(1)[:, None, None].to(g.dtype)
        attention = logits.masked_fill(~mask[:, None, :, None], -1e4).softmax(dim=2).permute(0, 3, 1, 2)
        value = self.value(g).split([mul * dim for mul, dim in self.layout], dim=-1)
        value = [x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in value]
        sizes = [x.shape[-1] for x in value]
        attended = torch.matmul(attention, torch.cat(value, -1).to(attention.dtype)).to(g.dtype).split(sizes, dim=-1)
        attended = [x.transpose(1, 2).flatten(-2) for x in attended]
        pooled = torch.matmul(real[:, None, None], m).squeeze(2).to(g.dtype) / count
        out = [attended[0], pooled, *attended[1:]]
        weights = weights.transpose(2, 3)
        for w, (_, ell) in zip(weights.split([mul for mul, _ in self.harmonics], dim=2), self.harmonics, strict=True):
            y = o3.spherical_harmonics(ell, direction, normalize=False, normalization="component")
            y = (y * real[:, None, :, None]).to(w.dtype)
            out.append((torch.matmul(w, y).to(g.dtype) / count.sqrt()[..., None]).flatten(-2))
        return torch.cat(out, dim=-1)
