"""What the network sees beside noisy positions, and what it says: none of it depends on how the positions lie.

By Bayes' rule ``p(c | z_t) ∝ exp(alpha z_c / sigma²) p(c | all else)``: the first factor, the likelihood of a class, is
known and is one of the features; the network learns the second.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from molscore.core.sde import SDE
from molscore.model.config import DiffusionConfig
from molscore.model.state import Times, pair_mask
from molscore.model.walks import walk_features
from molscore.reprs import short_repr

MAX_EVIDENCE = 50.0
"""Bound on ``alpha / sigma²`` in the classes' likelihood: beyond it a class is known."""


class Prediction(NamedTuple):
    """Posterior means: ``positions (B, N, 3)`` in scaled units, class probabilities as logits."""

    positions: Tensor
    atom_logits: Tensor
    bond_logits: Tensor

    def __repr__(self) -> str:
        return short_repr(self)


class Features(NamedTuple):
    """Position-independent inputs of the network.

    Attributes:
        positions: ``(B, N, 3)``, those of the previous prediction, or zeros.
        atoms: ``(B, N, C)``.
        pairs: ``(B, N, N, C')``.
        atom_logits, bond_logits: the likelihood of each class, ``(B, N, K)`` and ``(B, N, N, L)``.
    """

    positions: Tensor
    atoms: Tensor
    pairs: Tensor
    atom_logits: Tensor
    bond_logits: Tensor

    def __repr__(self) -> str:
        return short_repr(self)


def class_features(
    config: DiffusionConfig,
    sde: SDE,
    a: Tensor,
    e: Tensor,
    mask: Tensor,
    times: Times,
    previous: Prediction | None,
) -> Features:
    """Features of noisy classes.

    Args:
        config: of the model.
        sde: the noising process.
        a, e: noisy or given classes, see `molscore.model.state.MoleculeState`; the diagonal of ``e`` is not looked at:
            an atom has no bond to itself, and that the network is shown as if noised like the rest, without the noise.
        mask: ``(B, N)`` bool.
        times: of every atom.
        previous: the last prediction, if there is one. What is given is its own.
    """
    scale = config.category_scale
    (alpha, sigma), (alpha_e, sigma_e) = (
        tuple(y[..., None].to(a.dtype) for y in sde.marginal(t)) for t in (times.graph, times.pairs)
    )
    given, given_e = (times.graph == 0)[..., None], (times.pairs == 0)[..., None]
    a, e = torch.where(given, alpha * a, a), torch.where(given_e, alpha_e * e, e)
    own = torch.eye(a.shape[1], dtype=torch.bool, device=a.device)[..., None]
    none = scale * (torch.arange(e.shape[-1], device=e.device) == 0).to(e.dtype)
    e = torch.where(own, alpha_e * none, e)
    strength, strength_e = ((scale * x / y**2).clamp(max=MAX_EVIDENCE) for x, y in ((alpha, sigma), (alpha_e, sigma_e)))
    unit, unit_e = ((x**2 + y**2).rsqrt() for x, y in ((alpha, sigma), (alpha_e, sigma_e)))
    atom_logits, bond_logits = strength * a, strength_e * e
    if previous is None:
        positions = a.new_zeros(*a.shape[:2], 3)
        before = positions, softmax(atom_logits) * given.to(a.dtype), softmax(bond_logits) * given_e.to(a.dtype)
    else:
        before = previous.positions, softmax(previous.atom_logits), softmax(previous.bond_logits)
    walked = walk_features(before[2], pair_mask(mask), config.walks) if config.walks else ()
    atoms = torch.cat([unit * a, softmax(atom_logits), before[1], *walked[:1]], dim=-1)
    pairs = torch.cat([unit_e * e, softmax(bond_logits), before[2], *walked[1:]], dim=-1)
    return Features(before[0], atoms, pairs, atom_logits, bond_logits)


def softmax(logits: Tensor) -> Tensor:
    """Over the last axis: a short one, which PyTorch's own takes many times as long for on CPUs as a first one."""
    return logits.movedim(-1, 0).contiguous().softmax(0).movedim(0, -1)
