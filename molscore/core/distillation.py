"""Distillation to few steps by matching moments.

A student G goes from z_t to a clean state, x = G(z_t, t), which is noised to a time s before t and asked about by two
denoisers: the teacher, E[z_0 | z_s] of the data, and a critic, E[x | z_s] of the student's states. If they agree at
every s, the noised states have the same scores, hence the same densities, and so have the clean ones: the student's few
samples are draws from the data. The student follows

    grad = lambda (E[x | z_s] - E[z_0 | z_s]) dx/dG,

and the critic learns by denoising score matching, with x as the data, beside it.

Source: Salimans, Mensink, Heek and Hoogeboom, "Multistep distillation of diffusion models via moment matching", NeurIPS
2024, algorithm 2; the same gradient for one step: Yin et al., "One-step diffusion with distribution matching
distillation", CVPR 2024.
"""

from jaxtyping import Float
from torch import Tensor


def moment_matching(
    output: Float[Tensor, "*shape"],
    critic: Float[Tensor, "*shape"],
    teacher: Float[Tensor, "*shape"],
    weight: Float[Tensor, "*#shape"] | float = 1.0,
) -> Float[Tensor, "*shape"]:
    """What the student is to lower, elementwise; its value means nothing, its gradient is that of the module.

    Args:
        output: the student's x, or the logits of the probabilities that x is: then the step is that of the natural
            gradient, and does not vanish where the student is certain.
        critic, teacher: their posterior means at z_s, as constants.
        weight: lambda.
    """
    return output * (weight * (critic - teacher)).detach()
