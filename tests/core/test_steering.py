"""Particles steered by a potential, against tilted mixtures that are known in closed form."""

import pytest
import torch
from analytic import DOUBLE, PLANE_MODES, SDES, TWO_MODES, grid, normal, processes, uniform

from molscore.core.denoiser import ScoreDenoiser
from molscore.core.mixture import Mixture
from molscore.core.samplers import EulerMaruyama
from molscore.core.steering import Steered, effective_sample_size, resample


def tilted(target: Mixture, slope: torch.Tensor) -> Mixture:
    """p(x) exp(slope.x): of each component the mean moves by C slope, the log weight by slope.m + slope.C slope / 2."""
    moved = target.means + target.covariances @ slope
    log = target.weights.log() + target.means @ slope + torch.einsum("i,kij,j->k", slope, target.covariances, slope) / 2
    return Mixture(log.softmax(0).tolist(), moved.tolist(), target.covariances.tolist())


GROUPS, PARTICLES = 60, 400


@processes
@pytest.mark.parametrize(
    ("target", "slope"), [(TWO_MODES, [-0.8]), (TWO_MODES, [1.2]), (PLANE_MODES, [-0.6, 0.9])], ids=str
)
def test_steered_particles_of_a_mixture(name, target, slope):
    """Means, second moments and weights within three standard errors, which are those between independent groups."""
    sde, slope = SDES[name], torch.tensor(slope, dtype=DOUBLE)
    denoiser, noise, times = ScoreDenoiser(sde, target.score(sde)), normal(4), grid(name, 60)
    steered = Steered(EulerMaruyama(), lambda posterior, t: posterior.mean @ slope, uniform(5), PARTICLES)
    z = sde.prior(noise(torch.empty(GROUPS * PARTICLES, len(slope), dtype=DOUBLE)))
    state = steered.settled(denoiser, steered.sample(denoiser, z, times, noise), times[-1])
    x = denoiser.mean(state.z, times[-1]).view(GROUPS, PARTICLES, -1)
    wanted = tilted(target, slope)
    mean = wanted.weights @ wanted.means
    outer = wanted.means[:, :, None] * wanted.means[:, None]
    second = torch.einsum("k,kij->ij", wanted.weights, wanted.covariances + outer)
    for values, expected in ((x, mean), ((x[..., :, None] * x[..., None, :]).flatten(2), second.flatten())):
        groups = values.mean(1)
        assert ((groups.mean(0) - expected).abs() < 3 * groups.std(0) / GROUPS**0.5).all()


def test_steering_takes_guidance_of_each_group_alone():
    """A group is what it is, whatever the others are: its particles, its resampling."""
    sde = SDES["cosine"]
    denoiser, times = ScoreDenoiser(sde, TWO_MODES.score(sde)), grid("cosine", 20)

    class Tape:
        """The same numbers for the same rows."""

        def __init__(self, rows: slice):
            self.generator, self.rows = torch.Generator().manual_seed(6), rows

        def __call__(self, z):
            return torch.randn(4 * 50, 1, dtype=DOUBLE, generator=self.generator)[self.rows]

    def run(groups: slice):
        rows = slice(50 * groups.start, 50 * groups.stop)
        generator = torch.Generator().manual_seed(7)
        points = lambda z: torch.rand(4, dtype=DOUBLE, generator=generator)[groups]  # noqa: E731
        noise = Tape(rows)
        steered = Steered(EulerMaruyama(), lambda posterior, t: posterior.mean[:, 0], points, 50, threshold=1.1)
        start = sde.prior(noise(None))
        return steered.settled(denoiser, steered.sample(denoiser, start, times, noise), times[-1]).z

    together = run(slice(0, 4))
    torch.testing.assert_close(run(slice(2, 3)), together[100:150], rtol=0, atol=1e-12)


def test_systematic_resampling_gives_each_particle_its_share():
    weights = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.1, 0.2, 0.3, 0.4]], dtype=DOUBLE)
    places = torch.stack([resample(weights.log(), torch.full((2,), (k + 0.5) / 200, dtype=DOUBLE)) for k in range(200)])
    counts = torch.nn.functional.one_hot(places, 4).sum(2)  # (200, 2, 4)
    shares = 4 * weights
    assert ((counts >= shares.floor()) & (counts <= shares.ceil())).all()
    torch.testing.assert_close(counts.double().mean(0), shares, atol=0.02, rtol=0)
    assert (counts[:, 0, 3] == 0).all()


def test_effective_sample_size():
    log_weights = torch.tensor([[0.0, 0, 0, 0], [0, 0, -1e3, -1e3], [5, -1e3, -1e3, -1e3]], dtype=DOUBLE)
    torch.testing.assert_close(effective_sample_size(log_weights), torch.tensor([4.0, 2, 1], dtype=DOUBLE))
