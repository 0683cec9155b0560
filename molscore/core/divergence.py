"""What the Jacobian J = ds/dz of a vector field tells: its divergence, and how far the field is from a gradient.

    div s = tr J = E_v [v' J v]                        for probes v with E[v v'] = I (Hutchinson 1989),
    J = S + A,  S = (J + J') / 2,  A = (J - J') / 2;    A = 0 everywhere if and only if s is a gradient,
    |A|² = E_v |A v|²,  |J|² = E_v |J v|²               (Frobenius norms).

Exact traces cost one backward pass for each dimension, estimates one or two for each probe. Probes are the caller's:
Rademacher (+1 or -1) has the least variance among those with independent entries.

Source: Hutchinson, Commun. Stat. Simul. Comput. 18, 1059 (1989); Grathwohl et al., FFJORD, ICLR 2019.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Field = Callable[[Tensor], Tensor]
"""From `(N, ...)` to `(N, ...)`; sample n of the result depends on sample n of the argument alone."""


def exact_divergence(
    field: Field, z: Float[Tensor, "n *shape"], create_graph: bool = False
) -> tuple[Float[Tensor, "n *shape"], Float[Tensor, " n"]]:
    """The field and its divergence, one backward pass for each dimension.

    Args:
        field: the vector field.
        z: where, `(N, ...)`.
        create_graph: keep what a gradient of the divergence needs.

    Returns:
        The field, like `z`, and its divergence `(N,)`.
    """
    with torch.enable_grad():
        z = z if z.requires_grad else z.detach().requires_grad_()
        value = field(z)
        flat, total = value.flatten(1), z.new_zeros(len(z))
        for k in range(flat.shape[1]):
            (row,) = torch.autograd.grad(flat[:, k].sum(), z, retain_graph=True, create_graph=create_graph)
            total = total + row.flatten(1)[:, k]
    return (value, total) if create_graph else (value.detach(), total.detach())


def estimated_divergence(
    field: Field, z: Float[Tensor, "n *shape"], probes: Float[Tensor, "p n *shape"], create_graph: bool = False
) -> tuple[Float[Tensor, "n *shape"], Float[Tensor, "p n"]]:
    """The field and Hutchinson's estimates v' J v of its divergence, one for each probe.

    Args:
        field: the vector field.
        z: where, `(N, ...)`.
        probes: P vectors for each sample, `(P, N, ...)`, with E[v v'] = I on the space that z lives in.
        create_graph: keep what a gradient of the estimates needs.

    Returns:
        The field, like `z`, and the estimates `(P, N)`; their mean over probes is unbiased.
    """
    with torch.enable_grad():
        z = z if z.requires_grad else z.detach().requires_grad_()
        value = field(z)
        products = []
        for probe in probes:
            (row,) = torch.autograd.grad((value * probe).sum(), z, retain_graph=True, create_graph=create_graph)
            products.append((row * probe).flatten(1).sum(1))
    estimates = torch.stack(products)
    return (value, estimates) if create_graph else (value.detach(), estimates.detach())


def rotation(
    field: Field, z: Float[Tensor, "n *shape"], probes: Float[Tensor, "p n *shape"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Estimates of |A|² and |J|²: their ratio, between 0 (a gradient) and 1 (all rotation), tells how far a score is
    from the gradient of any log-density.

    Args:
        field: the vector field, twice differentiable as a program (J v takes two backward passes).
        z: where, `(N, ...)`.
        probes: `(P, N, ...)`, as for `estimated_divergence`.

    Returns:
        `(N,)` and `(N,)`, unbiased; summed over samples, the ratio of the sums is that of the means.
    """
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        value = field(z)
        dummy = torch.zeros_like(value, requires_grad=True)
        (pulled,) = torch.autograd.grad(value, z, dummy, create_graph=True)  # J' dummy, linear in dummy
        skew, whole = z.new_zeros(len(z)), z.new_zeros(len(z))
        for probe in probes:
            (back,) = torch.autograd.grad(value, z, probe, retain_graph=True)  # J' v
            (forth,) = torch.autograd.grad(pulled, dummy, probe, retain_graph=True)  # J v
            skew = skew + ((forth - back) / 2).flatten(1).square().sum(1)
            whole = whole + forth.flatten(1).square().sum(1)
    return skew.detach() / len(probes), whole.detach() / len(probes)


def rademacher(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Probes of +1 and -1, drawn on the generator's device, of the dtype and device of `like`."""
    signs = torch.randint(0, 2, shape, generator=generator, device=generator.device)
    return (2 * signs - 1).to(like)
