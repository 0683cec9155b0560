"""Bonds that must be made: what the probabilities of bonds are, given that an atom gets so many of them at least.

The network gives each bond a probability p_j of its own. Of independent bonds of which at least k are made, bond j is
made with probability

    p_j P(at least k - 1 of the others) / P(at least k of all),

sums over the Poisson binomial distribution (Chen & Liu, Statistica Sinica 7, 875, 1997). So the posterior mean of the
bonds is one of molecules that have them, as far as the network's bonds are independent.
"""

import torch
from torch import Tensor

LEAST = 1e-4
"""Probability of a bond that may be made, at least: where the network sees none, its likeliest one is made."""


def at_least(p: Tensor, k: Tensor) -> Tensor:
    """Probabilities of independent events, given that so many of them happen at least.

    Args:
        p: ``(R, N)``, in [0, 1]; 0 is an event that cannot happen.
        k: ``(R,)`` int, from 0 to the number of events that can happen.

    Returns:
        ``(R, N)``.
    """
    rows, n = p.shape
    own = p.double()
    own = torch.where(own > 0, own.clamp(LEAST, 1 - LEAST), 0)
    counts = int(k.max()) + 1 if rows else 1
    numbers = own.new_zeros(rows, n, counts)  # of the others: how probable it is that 0, 1, ... of them happen
    numbers[..., 0] = 1
    for m in range(n):
        q = own[:, m, None].repeat(1, n)
        q[:, m] = 0
        more = torch.nn.functional.pad(numbers[..., :-1], (1, 0))
        numbers = torch.lerp(numbers, more, q[..., None])
    below = torch.nn.functional.pad(numbers.cumsum(-1), (1, 0))  # fewer than 0, 1, ... of them

    def tail(least: Tensor) -> Tensor:
        return 1 - below.gather(-1, least.clamp(min=0).expand(n, rows).T[..., None]).squeeze(-1)

    happens, not_ = own * tail(k - 1), (1 - own) * tail(k)
    total = happens + not_
    return torch.where(own > 0, happens / total.clamp(min=torch.finfo(total.dtype).tiny), 0).to(p)


def with_bonds(logits: Tensor, least: Tensor, made: Tensor) -> Tensor:
    """Logits of bonds with which atoms get as many bonds to what is made as they must.

    Args:
        logits: ``(B, N, N, L)``, symmetric; the first class is no bond.
        least: ``(B, N)`` int, bonds that an atom that is given must get.
        made: ``(B, N)`` bool, atoms that are made.
    """
    b, i = torch.where(least > 0)
    possible = made[b]
    k = torch.minimum(least[b, i], possible.sum(1))
    logs = logits[b, i].double().log_softmax(-1)
    before = torch.where(possible, -torch.expm1(logs[..., 0]), 0)
    after = at_least(before, k).clamp(max=1 - LEAST)
    none, some = torch.log1p(-after), after.clamp(min=LEAST).log()
    bonds = logs[..., 1:].log_softmax(-1) + some[..., None]
    new = torch.where(possible[..., None], torch.cat([none[..., None], bonds], dim=-1), logs).to(logits)
    logits = logits.clone()
    logits[b, i] = new
    logits[b, :, i] = new
    return logits
