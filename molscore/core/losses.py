"""Denoising score matching, elementwise and weighted.

The score of the noised data is the minimiser, at every t, of

    E  lambda(t) (s(z_t, t) - grad log p(z_t | z_0))²,     grad log p(z_t | z_0) = -eps / sigma.

The same error reads, in the noise eps and in the posterior mean D = (z_t + sigma² s) / alpha,

    lambda (s + eps / sigma)²  =  lambda / sigma² (sigma s + eps)²  =  lambda alpha² / sigma⁴ (D - z_0)²,

and it is computed in the second or third form: neither subtracts large numbers at small sigma. The weighting moves
effort between noise levels; at a fixed t it does not move the minimiser. With SNR = alpha² / sigma²:

    name          lambda                         weight of (D - z_0)²     which is
    sigma2        sigma²                         SNR                      the error of the noise (Ho et al. 2020)
    likelihood    g²                             g² SNR / sigma²          a bound on the likelihood (Song et al. 2021b)
    mean          sigma⁴ / alpha²                1                        the error of the posterior mean
    velocity      (alpha² + sigma²) sigma² / alpha²   SNR + 1             the error of v (Salimans and Ho 2022)
    min_snr       min(SNR, 5) sigma⁴ / alpha²    min(SNR, 5)              Min-SNR-5 (Hang et al. 2023)

v = (alpha eps - sigma z_0) / sqrt(alpha² + sigma²). For a VP process that is Salimans and Ho's v and lambda is
sigma² / alpha²; for VE it is the weighting of Karras et al. 2022 at unit data variance.

Source: Vincent, "A connection between score matching and denoising autoencoders", Neural Computation 2011; Song et al.
ICLR 2021; Song et al., "Maximum likelihood training of score-based diffusion models", NeurIPS 2021 (2021b).
"""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from molscore.core.sde import SDE, Score, perturb

Weighting = Callable[[SDE, Tensor], Tensor]
"""lambda(sde, t): the weight of the squared error of the score, of the shape of `t`."""


def sigma2(sde: SDE, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
    """sigma²: the error of the noise (Ho et al. 2020)."""
    _, sigma = sde.marginal(t)
    return sigma**2


def likelihood(sde: SDE, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
    """g²: the integral over t bounds the negative log-likelihood (Song et al. 2021b)."""
    return sde.diffusion(t) ** 2


def mean(sde: SDE, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
    """sigma⁴ / alpha²: the plain error of the posterior mean."""
    alpha, sigma = sde.marginal(t)
    return sigma**4 / alpha**2


def velocity(sde: SDE, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
    """(alpha² + sigma²) sigma² / alpha²: the error of v (Salimans and Ho 2022), SNR + 1 on the posterior mean."""
    alpha, sigma = sde.marginal(t)
    return (alpha**2 + sigma**2) * sigma**2 / alpha**2


def min_snr(sde: SDE, t: Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
    """min(SNR, 5) sigma⁴ / alpha²: the error of the posterior mean under a clipped SNR (Hang et al. 2023)."""
    return sde.log_snr(t).exp().clamp(max=5.0) * mean(sde, t)


WEIGHTINGS: dict[str, Weighting] = {
    "sigma2": sigma2,
    "likelihood": likelihood,
    "mean": mean,
    "velocity": velocity,
    "min_snr": min_snr,
}


def _weight(sde: SDE, t: Tensor, weighting: str) -> Tensor:
    if weighting not in WEIGHTINGS:
        raise ValueError(f"unknown weighting {weighting!r}; choose one of {', '.join(WEIGHTINGS)}")
    return WEIGHTINGS[weighting](sde, t)


def weighted_score_error(
    sde: SDE,
    score: Float[Tensor, "*shape"],
    noise: Float[Tensor, "*shape"],
    t: Float[Tensor, "*#shape"],
    weighting: str = "sigma2",
) -> Float[Tensor, "*shape"]:
    """lambda (s + noise / sigma)², elementwise, from the value of the score at z_t = alpha z_0 + sigma noise.

    Args:
        sde: the noising process.
        score: the model's score at z_t.
        noise: the standard normal noise in z_t.
        t: times in (0, 1], where sigma > 0; they broadcast against `score`.
        weighting: a name in `WEIGHTINGS`.

    Returns:
        The loss of every element, of the shape of `score`.

    Raises:
        ValueError: the weighting is unknown.
    """
    _, sigma = sde.marginal(t)
    return _weight(sde, t, weighting) / sigma**2 * (sigma * score + noise) ** 2


def weighted_mean_error(
    sde: SDE,
    mean: Float[Tensor, "*shape"],
    z0: Float[Tensor, "*shape"],
    t: Float[Tensor, "*#shape"],
    weighting: str = "sigma2",
) -> Float[Tensor, "*shape"]:
    """The same error from the model's posterior mean: lambda alpha² / sigma⁴ (mean - z_0)², elementwise.

    For a model that predicts the mean this is `weighted_score_error` of `score_from_mean(...)`, without the rounding of
    the way there and back.

    Args:
        sde: the noising process.
        mean: the model's E[z_0 | z_t].
        z0: clean data, like `mean`.
        t: times in (0, 1], where sigma > 0; they broadcast against `mean`.
        weighting: a name in `WEIGHTINGS`.

    Returns:
        The loss of every element, of the shape of `mean`.

    Raises:
        ValueError: the weighting is unknown.
    """
    alpha, sigma = sde.marginal(t)
    return _weight(sde, t, weighting) * alpha**2 / sigma**4 * (mean - z0) ** 2


def denoising_loss(
    sde: SDE,
    score: Score,
    z0: Float[Tensor, "*shape"],
    t: Float[Tensor, "*#shape"],
    noise: Float[Tensor, "*shape"],
    weighting: str = "sigma2",
) -> Float[Tensor, "*shape"]:
    """The denoising score-matching loss of a score function, elementwise.

    Args:
        sde: the noising process.
        score: `score(z_t, t)`.
        z0: clean data, `(N, ...)`.
        t: times in (0, 1], where sigma > 0; they broadcast against `z0`.
        noise: standard normal, like `z0`.
        weighting: a name in `WEIGHTINGS`.

    Returns:
        The loss of every element, of the shape of `z0`. Its mean over data, times and noise is the objective.

    Raises:
        ValueError: the weighting is unknown.
    """
    return weighted_score_error(sde, score(perturb(sde, z0, t, noise), t), noise, t, weighting)
