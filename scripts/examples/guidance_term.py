"""A guidance term of one's own: compact molecules, by the energy of their radius of gyration.

``python scripts/examples/guidance_term.py`` prints the mean radius without guidance and with it.
"""

import numpy as np

from molscore.core.guidance import Guided
from molscore.model import load, sample_molecules
from molscore.pretrained import find


def compact(denoiser, strength=4.0):
    """The denoiser, guided towards small radii: energy = strength x mean squared distance from the centre, Å²."""
    scale, mask = denoiser.model.config.position_scale, denoiser.mask[..., None]

    def energy(mean, t):
        x = denoiser.layout.unpack(mean).x * scale
        centre = (x * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        return strength * ((x - centre) * mask).square().sum((1, 2)) / mask.sum((1, 2))

    return Guided(denoiser, energy)


def radii(guide=None, n=8, atoms=18, steps=30):
    """Radii of gyration, Å, of molecules of the model qm9, of the same seeds with and without guidance."""
    streams = [np.random.default_rng(k) for k in range(n)]
    samples = sample_molecules(load(find("qm9")), [atoms] * n, streams, steps=steps, guide=guide)
    return [float(np.sqrt(((s.positions - s.positions.mean(0)) ** 2).sum(1).mean())) for s in samples]


if __name__ == "__main__":
    print(f"{np.mean(radii()):.2f} Å without guidance, {np.mean(radii(compact)):.2f} Å with it")
