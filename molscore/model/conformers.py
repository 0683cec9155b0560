"""Conformers of given molecules: the reverse SDE of their coordinates, from noise or from a rough first geometry.

With the graph at time 0 (see `conformation`) the score is that of the coordinates alone. Three ways to begin:

* ``noise``: at the end of the noising process, where nothing is left of the data;
* ``harmonic``: at an earlier time, from a draw in which bonded atoms are held by springs, ``p(x) ∝ exp(-sum over bonds
  of 3 |x_i - x_j|² / (2 LENGTH²))`` (the harmonic prior of Jing et al., EigenFold, arXiv:2304.02198);
* given positions, at an earlier time: noised to it and denoised (Meng et al., SDEdit, arXiv:2108.01073).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from molscore.core.samplers import DPMSolver
from molscore.core.sde import perturb
from molscore.core.times import log_snr_grid
from molscore.datasets.batch import MoleculeBatch
from molscore.model.config import SamplingConfig
from molscore.model.conformation import centred_noise, scaled
from molscore.model.denoisers import ConformerDenoiser
from molscore.model.device import sent
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.sampling import sample
from molscore.network.geometry import centre

LENGTH = 1.5
"""Root-mean-square distance of bonded atoms in Å, were there no other bonds."""


@torch.no_grad()
def sample_positions(
    model: MoleculeDiffusion,
    batch: MoleculeBatch,
    streams: Sequence[np.random.Generator],
    *,
    begin: str = "noise",
    given: Tensor | None = None,
    **settings: float,
) -> Tensor:
    """Coordinates for molecules whose graphs are given.

    Args:
        model: one that was trained with given graphs.
        batch: the molecules; their positions matter only if `begin` says so, and where they are `given`.
        streams: one for each molecule, see `molscore.randomness`; all its noise comes from there.
        begin: ``noise``, ``harmonic`` or ``given``, see the module.
        given: ``(B, N)`` bool, atoms whose positions are at time 0: these stay where they are. None is none.
        settings: changes to the model's own `SamplingConfig`: ``steps``, evaluations of the network, of which the last
            is the posterior mean; ``t_start`` and ``t_end``, times of the coordinates between which steps are even in
            log signal-to-noise; ``eta_x``, the share of the reverse SDE's noise, see
            `molscore.core.samplers.DPMSolver`.

    Returns:
        ``(B, N, 3)`` Å, zero in the padding; in the frame of the given atoms' centre, centred where there are none.

    Raises:
        ValueError: for an unknown `begin` or setting, or times that are not in order.
    """
    chosen = SamplingConfig.model_validate(model.config.sampling.model_dump() | settings)
    steps, mask = chosen.steps, batch.mask
    if begin not in ("noise", "harmonic", "given"):
        raise ValueError(f"unknown begin '{begin}'; choose noise, harmonic or given")

    n_atoms, width = mask.sum(1).tolist(), mask.shape[1]
    held = torch.zeros_like(mask) if given is None else given & mask
    framed = held.any(1).tolist()

    def noise(z: Tensor) -> Tensor:
        return sent(centred_noise(n_atoms, width, streams, framed), z)

    first = {"noise": torch.zeros_like, "given": lambda x: x, "harmonic": lambda x: harmonic(model, batch, noise(x))}
    x = scaled(model, batch, given).double()
    start = perturb(model.sde, first[begin](x), torch.full_like(x[:, :1, :1], chosen.t_start), noise(x))
    times = log_snr_grid(model.sde, max(steps - 1, 1), chosen.t_end, chosen.t_start)[:steps].to(x.device)
    if given is not None:  # a time for each atom
        times, start = times[:, None, None, None] * ~held[..., None], torch.where(held[..., None], x, start)
    mean = sample(ConformerDenoiser(model, batch), DPMSolver(chosen.eta_x, chosen.order), times, noise, start).mean
    mean = mean.to(model.dtype)
    return torch.where(held.any(1)[:, None, None], mean, centre(mean, mask)) * model.config.position_scale


def harmonic(model: MoleculeDiffusion, batch: MoleculeBatch, noise: Tensor) -> Tensor:
    """Standard normal ``noise (B, N, 3)`` to a draw in which springs hold bonded atoms, in units of the state."""
    bonded = (batch.bonds > 0).to(noise)
    laplacian = torch.diag_embed(bonded.sum(-1)) - bonded
    stiffness, modes = torch.linalg.eigh(laplacian)
    # Modes of no stiffness are those of the whole molecule, and of the padding.
    width = torch.where(stiffness > 1e-6, stiffness, torch.inf).rsqrt() * LENGTH / 3**0.5
    return (
        centre(modes @ (width[..., None] * (modes.transpose(1, 2) @ noise)), batch.mask) / model.config.position_scale
    )
