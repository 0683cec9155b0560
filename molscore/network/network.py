"""The equivariant graph score network: noisy molecule in, clean molecule predicted.

Features of atoms are e3nn irreps, features of pairs are invariants; both are passed through `Layer`s over the complete
graph. The network sees coordinates, atom classes and bond classes, two diffusion times of every atom (of its position
and of its class) and its own previous prediction (self-conditioning, Chen et al., arXiv:2208.04202), and returns

* a displacement ``F (B, N, 3)``, equivariant and free of net translation, from which the posterior mean of the
  coordinates is built; with an energy head it is ``-grad E``, ``E = sum_i e_i + |y - x|² / 2`` of invariants ``e_i``
  and of the layers' displacement ``y - x`` (Salimans & Ho, "Should EBMs model the energy or the score?", 2021),
* logits of the atom classes ``(B, N, K)`` and of the bond classes ``(B, N, N, L)``, invariant; the bonds symmetric,
* the vectors ``(B, N, 3, D)`` of the last layer, of which its share of the displacement is a linear map: a posterior of
  that map's weights is made from them (`molscore.model.posterior`).

It knows neither SDE nor units; `molscore.model` does.
"""

import math
from functools import partial

import torch
from torch import Tensor, nn

from molscore.network.config import VECTOR, NetworkConfig, hidden_irreps
from molscore.network.geometry import Neighbours, centre, pair_vectors, radial_basis, soft_lengths
from molscore.network.layer import Layer
from molscore.network.linear import Linear
from molscore.network.pairs import CentredLinear, PairNorm, embedded_pairs, hidden_pairs
from molscore.network.stereo import Handedness, sides


class TimeEmbedding(nn.Module):
    """Embeds diffusion times in [0, 1] by Fourier features: those of a molecule with its size, those of its atoms.

    The molecule's are the largest of its atoms' and go through an MLP. What an atom's own times add begins with zeros:
    where all atoms have the same times, the molecule's say all.
    """

    frequencies: Tensor

    def __init__(self, channels: int, scalars: int, frequencies: int = 16):
        super().__init__()
        with torch.device("cpu"):  # no weights: they are numbers also where a module has none
            self.register_buffer("frequencies", math.pi * torch.arange(1, frequencies + 1), persistent=False)
        self.mlp = nn.Sequential(
            nn.Linear(4 * frequencies + 1, channels), nn.SiLU(), nn.Linear(channels, channels), nn.SiLU()
        )
        self.own = nn.Linear(4 * frequencies, scalars, bias=False)
        nn.init.zeros_(self.own.weight)

    def forward(self, times: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """``times (B, N, 2)`` of positions and classes to ``(B, channels)`` of molecules, ``(B, N, scalars)``."""
        waves = self._waves(times)
        largest = torch.where(mask[..., None], times, 0).amax(1)
        size = (mask.sum(1).to(times.dtype)[:, None] + 1).log() - 3
        return self.mlp(torch.cat([self._waves(largest), size], dim=-1)), self.own(waves)

    def _waves(self, times: Tensor) -> Tensor:
        angles = times[..., None] * self.frequencies.to(times.dtype)
        return torch.cat([angles.sin().flatten(-2), angles.cos().flatten(-2)], dim=-1)


class EquivariantScoreNetwork(nn.Module):
    """See the module's text.

    Args:
        config: sizes.
        atom_inputs: channels given per atom.
        pair_inputs: channels given per pair.
        atom_classes: atom classes K.
        bond_classes: bond classes L.
    """

    def __init__(self, config: NetworkConfig, atom_inputs: int, pair_inputs: int, atom_classes: int, bond_classes: int):
        super().__init__()
        irreps = hidden_irreps(config.irreps)
        n_scalars, p, c = irreps[0].mul, config.pair_channels, config.condition_channels
        self.radial, self.tensors = config.radial, [(m.ir.dim, m.mul) for m in irreps[1:]]
        self.vector_block = [m.ir for m in irreps].index(VECTOR)
        self.time = TimeEmbedding(c, n_scalars)
        self.embed_atoms = Linear(atom_inputs + c, n_scalars)
        self.embed_pairs = CentredLinear(pair_inputs + 2 * config.radial, p)
        self.layers = nn.ModuleList(
            Layer(irreps, p, config.heads, config.radial, config.vectors, c) for _ in range(config.layers)
        )
        self.handedness = nn.ModuleList(Handedness(irreps) for _ in range(config.layers if config.stereo else 0))
        self.sides = nn.Parameter(torch.zeros(p)) if config.stereo else None
        self.atom_head = nn.Sequential(
            nn.LayerNorm(n_scalars), Linear(n_scalars, n_scalars), nn.SiLU(), Linear(n_scalars, atom_classes)
        )
        self.pair_ends = nn.Linear(n_scalars, p)
        self.bond_norm = PairNorm(p)
        self.bond_head = nn.Sequential(nn.Linear(p + config.radial, p), nn.SiLU(), Linear(p, bond_classes))
        self.energy_head = nn.Linear(n_scalars, 1) if config.energy else None
        for parameter in (*self.atom_head[-1].parameters(), *self.bond_head[-1].parameters()):
            nn.init.zeros_(parameter)

    @property
    def last_layer(self) -> Layer:
        """The layer whose vectors make the displacement."""
        layer = self.layers[-1]
        assert isinstance(layer, Layer)
        return layer

    def compile_layers(self) -> None:
        """Compiles the layers with ``torch.compile``; they share one graph, which is compiled once for all of them.

        The graph serves any number of molecules and atoms. There is one for each of: with and without gradients, first
        layer and later ones, a single molecule and several.
        """
        limits = torch._dynamo.config
        limits.recompile_limit = max(limits.recompile_limit, 16)
        forward = torch.compile(Layer.forward, dynamic=True)
        for layer in self.layers:
            layer.forward = partial(forward, layer)  # type: ignore[arg-type]  # the list holds layers

    def forward(
        self,
        x: Tensor,
        previous: Tensor,
        atoms: Tensor,
        pairs: Tensor,
        mask: Tensor,
        times: Tensor,
        stereo: Tensor,
        classes: bool = True,
        change: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor]:
        """Predicts displacement, atom logits and bond logits. The same arguments give the same answer: no call leaves a
        trace in the network, so that several threads may ask it at once.

        Args:
            x: noisy positions ``(B, N, 3)``, centred, in units in which they are of order one.
            previous: previously predicted positions ``(B, N, 3)``, or zeros.
            atoms: invariant inputs per atom ``(B, N, atom_inputs)``.
            pairs: invariant inputs per pair ``(B, N, N, pair_inputs)``, symmetric in the atoms.
            mask: ``(B, N)`` bool, True for atoms.
            times: ``(B, N, 2)`` diffusion times of positions and classes, in [0, 1].
            stereo: ``(B, S, 5)`` tags; a network without ``stereo`` does not read them.
            classes: whether logits are wanted. They take a tenth of the time.
            change: ``(B, D)``, for each molecule what to add to the weights that map the last layer's vectors to
                displacements; None adds nothing.

        Returns:
            ``(B, N, 3)``, ``(B, N, K)``, ``(B, N, N, L)``, and the vectors ``(B, N, 3, D)``; padding holds zeros or
            unspecified numbers. None in place of logits that are not wanted.
        """
        if self.energy_head is None:
            y, scalars, e, vectors = self._layers(x, previous, atoms, pairs, mask, times, stereo, change)
            return centre(y - x, mask), *(self._classes(y, scalars, e) if classes else (None, None)), vectors
        wanted = torch.is_grad_enabled()
        with torch.enable_grad():
            x = x if wanted and x.requires_grad else x.detach().requires_grad_()
            y, scalars, e, vectors = self._layers(x, previous, atoms, pairs, mask, times, stereo, change)
            shift = centre(y - x, mask)
            energies = self.energy_head(scalars).squeeze(-1) * mask.to(x.dtype)
            energy = shift.square().sum() / 2 + energies.sum()
            (slope,) = torch.autograd.grad(energy, x, create_graph=wanted)
        out = centre(-slope, mask), *(self._classes(y, scalars, e) if classes else (None, None)), vectors
        if wanted:
            return out
        shift, atom, bond, vectors = out
        atom, bond = (None if y is None else y.detach() for y in (atom, bond))
        return shift.detach(), atom, bond, vectors.detach()

    def _layers(
        self,
        x: Tensor,
        previous: Tensor,
        atoms: Tensor,
        pairs: Tensor,
        mask: Tensor,
        times: Tensor,
        stereo: Tensor,
        change: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Final positions, scalars ``(B, N, C)``, pair features and vectors."""
        condition, own = self.time(times, mask)
        shared = condition[:, None].expand(-1, x.shape[1], -1)
        scalars = (self.embed_atoms(torch.cat([atoms, shared.to(atoms.dtype)], dim=-1)) + own).to(x.dtype)
        h = [scalars[..., None, :], *(x.new_zeros(*x.shape[:2], *shape) for shape in self.tensors)]
        rbf = [radial_basis(soft_lengths(pair_vectors(y)), self.radial) for y in (x, previous)]
        e = embedded_pairs(self.embed_pairs, pairs, torch.cat(rbf))
        # Without tags they say nothing; in training they are asked all the same, lest weights have no gradient.
        tagged = self.sides if stereo.shape[1] > 0 or torch.is_grad_enabled() else None
        if tagged is not None:
            e = e + (tagged - tagged.mean()) * sides(stereo, x.shape[1])[..., None]
        y, neighbours = x, Neighbours.of(mask, x.dtype)
        for k, layer in enumerate(self.layers):
            h = h if tagged is None else self.handedness[k](h, y, stereo)
            h, e, y = layer(h, e, y, neighbours, condition)
        vectors = h[self.vector_block]
        if change is not None:
            y = y + torch.einsum("bnxd,bd->bnx", vectors, change.to(vectors)).to(y.dtype)
        return y, h[0].squeeze(-2), e, vectors

    def _classes(self, y: Tensor, scalars: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        """Atom logits, bond logits."""
        hidden, _, classes = self.bond_head
        assert isinstance(hidden, nn.Linear)
        ends = nn.functional.linear(self.pair_ends(scalars), hidden.weight[:, : e.shape[-1]])
        rbf = radial_basis(soft_lengths(pair_vectors(y)), self.radial)
        e = hidden_pairs(self.bond_norm, hidden, e + e.transpose(1, 2), rbf, ends, ends)
        return self.atom_head(scalars), classes(e)
