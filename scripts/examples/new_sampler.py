"""A sampler of one's own: DDIM, the first-order exponential integrator of the probability flow.

    z_s = sigma_s / sigma_t z_t + (alpha_s - alpha_t sigma_s / sigma_t) D(z_t, t)

Song, Meng and Ermon, "Denoising diffusion implicit models", ICLR 2021. ``python scripts/examples/new_sampler.py``
"""

from dataclasses import dataclass

from molscore.core.samplers import Sampler, SamplerState


@dataclass(frozen=True)
class DDIM(Sampler):
    """One evaluation of the denoiser a step, no noise."""

    def step(self, denoiser, state, t, s, noise):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = denoiser.sde.marginal(t), denoiser.sde.marginal(s)
        mean, carry = denoiser(state.z, t, state.carry)
        kept = sigma_s / sigma_t
        return SamplerState(kept * state.z + (alpha_s - alpha_t * kept) * mean, carry)


if __name__ == "__main__":
    import numpy as np

    from molscore.model import load, sample_molecules
    from molscore.pretrained import find
    from molscore.testing import check_sampler

    check_sampler(DDIM(), order=1, steps=200)
    streams = [np.random.default_rng(k) for k in range(4)]
    for sample in sample_molecules(load(find("qm9")), [17, 18, 19, 20], streams, steps=30, sampler=DDIM()):
        print(len(sample.positions), "atoms, the least certain of class", sample.atom_probabilities.max(1).min())
