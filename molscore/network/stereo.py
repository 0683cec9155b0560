"""Stereo in the network: tags of handedness as pseudoscalars, tags of sides as scalars.

A tag of handedness, ``s = 1`` or ``-1`` for four atoms a, b, c, d, changes its sign in a mirror (e3nn's ``0o``); so
does the volume ``V = u_b . (u_c x u_d)`` of the directions from a to the others. Their product ``s V`` is an invariant:
it says how far the present positions have the handedness they should. And ``s u_c x u_d``, a pseudoscalar times a
pseudovector (``0o x 1e -> 1o``), is a vector: the way in which b must move for ``s V`` to grow. Both enter the features
of the four atoms, so that a mirrored molecule with mirrored tags gets the mirrored score, and enantiomers are
distinguished.

A tag of sides, 1 for cis and -1 for trans, is an invariant of the pair of atoms a, d about a double bond.

Tags are laid out as in `molscore.datasets.batch.MoleculeBatch`.
"""

import torch
from torch import Tensor, nn

from molscore.network import o3
from molscore.network.config import VECTOR
from molscore.network.equivariant import Blocks
from molscore.network.geometry import SOFTENING

WIDTH = 32
"""Hidden channels."""


class Handedness(nn.Module):
    """What tags of handedness add to the features of their atoms. It begins with zeros.

    Args:
        irreps: features of an atom; ``0e`` and ``1o`` are added to.
    """

    def __init__(self, irreps: o3.Irreps):
        super().__init__()
        self.scalars = irreps[0].mul
        self.place = next(k for k, m in enumerate(irreps) if m.ir == VECTOR)
        self.vectors = irreps[self.place].mul
        self.hidden = nn.Sequential(nn.Linear(2, WIDTH), nn.SiLU())
        # For the central atom and for the three others: scalars, and weights of one vector for each channel.
        self.out = nn.Linear(WIDTH, 2 * (self.scalars + self.vectors))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, h: Blocks, x: Tensor, stereo: Tensor) -> Blocks:
        """Blocks ``(B, N, 2l + 1, multiplicity)``, positions ``(B, N, 3)`` and tags ``(B, S, 5)`` to blocks."""
        atoms, code = stereo[..., :4], stereo[..., 4]
        sign = torch.where(code.abs() == 1, code, 0).to(x.dtype)[..., None]
        volume, slopes = volumes(x, atoms)
        features = torch.cat([sign * volume, volume.square()], dim=-1)
        out = (self.out(self.hidden(features)) * sign.square()).unflatten(-1, (2, -1))
        out = out[..., [0, 1, 1, 1], :]  # (B, S, 4, scalars + vectors)
        scalars, weights = out.split([self.scalars, self.vectors], dim=-1)
        vectors = (sign[..., None] * slopes)[..., None] * weights[..., None, :]  # (B, S, 4, 3, vectors)
        h = list(h)
        h[0] = h[0] + to_atoms(scalars[..., None, :], atoms, x.shape[1]).to(h[0].dtype)
        h[self.place] = h[self.place] + to_atoms(vectors, atoms, x.shape[1]).to(h[0].dtype)
        return h


def volumes(x: Tensor, atoms: Tensor) -> tuple[Tensor, Tensor]:
    """Volumes of directions, and the way in which they grow.

    Args:
        x: positions ``(B, N, 3)``.
        atoms: ``(B, S, 4)``.

    Returns:
        ``(B, S, 1)`` volumes ``u_b . (u_c x u_d)``, -1 to 1; ``(B, S, 4, 3)`` their slope along each atom, of the
        directions' own scale: the cross product of the two other directions, and for a minus the sum of the three.
    """
    four = x.gather(1, atoms.flatten(1)[..., None].expand(-1, -1, 3)).unflatten(1, (-1, 4))
    arms = four[..., 1:, :] - four[..., :1, :]
    arms = arms / torch.sqrt(arms.square().sum(-1, keepdim=True) + SOFTENING)
    slopes = torch.linalg.cross(arms[..., [1, 2, 0], :], arms[..., [2, 0, 1], :])
    volume = (arms[..., 0, :] * slopes[..., 0, :]).sum(-1, keepdim=True)
    return volume, torch.cat([-slopes.sum(-2, keepdim=True), slopes], dim=-2)


def to_atoms(values: Tensor, atoms: Tensor, n: int) -> Tensor:
    """Sums ``(B, S, 4, ...)`` over the tags of each of N atoms: ``(B, N, ...)``."""
    own = nn.functional.one_hot(atoms.flatten(1), n).to(values.dtype)
    return (own.transpose(1, 2) @ values.flatten(1, 2).flatten(2)).unflatten(-1, values.shape[3:])


def sides(stereo: Tensor, n: int) -> Tensor:
    """``(B, N, N)`` int64: 1 for two atoms that are cis about a double bond, -1 for trans, else 0."""
    first, last, code = stereo[..., 0], stereo[..., 3], stereo[..., 4]
    side = torch.where(code.abs() == 2, code // 2, 0)
    pairs = torch.zeros(len(stereo), n * n, dtype=torch.int64, device=stereo.device)
    for place in (first * n + last, last * n + first):
        pairs = pairs.scatter_add(1, place, side)
    return pairs.view(-1, n, n)
