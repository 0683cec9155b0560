"""`MoleculeDiffusion`: the one place where an SDE meets molecules.

A molecule of N atoms has coordinates ``x (N, 3)`` in units of ``position_scale`` Å, atom classes ``a (N, K)`` and bond
classes ``e (N, N, 4)`` as one-hot vectors. All of it is noised by the same SDE, every atom at two diffusion times, one
for its position and one for its class; a bond has the larger of its two atoms', unless it is given::

    z_t = alpha(t) z_0 + sigma(t) eps,      t of a position = (t of the graph) ^ position_power, where both are noised.

With ``position_power`` > 1 the coordinates lose their shape more slowly than the classes. What has time 0 is given: it
is its own mean. Where positions are given the frame is theirs; otherwise the state lies on the subspace of zero centre
of mass. The network returns the posterior mean of the coordinates and the probabilities of the classes; both are
``E[z_0 | z_t]``, from which `molscore.core.denoiser` makes the score.

* Coordinates: ``E[x_0 | z_t] = (alpha x_t + sigma r F) / r²`` with ``r² = alpha² + sigma²`` (1 where variance is
  preserved), so that the network's task is of order one at every noise level, and the denoising loss in its velocity
  weighting is the plain squared error of ``F`` (Salimans & Ho, arXiv:2202.00512; for VE, Karras et al.,
  arXiv:2206.00364, at unit data variance).
* Classes: see `molscore.model.features`. Cross-entropy on the classes has the same minimiser as denoising score
  matching (Dieleman et al., "Continuous diffusion for categorical data", arXiv:2211.15089).
* Self-conditioning (Chen et al., arXiv:2208.04202): the network sees its previous prediction.
* Options that proved no gain so far (data/benchmarks/ablations.json): a scale of the one-hot vectors, which is a shift
  of the graph's noise (Hoogeboom et al.); fake atoms (`fakes`); coordinates noisier than their time says, so that the
  network learns to correct its own errors (Ning et al., arXiv:2301.11706; FlowMol3's geometry distortion,
  arXiv:2508.12629).

Sources: Song et al., arXiv:2011.13456; Hoogeboom et al., EDM, arXiv:2203.17003; Huang et al., JODO, arXiv:2305.12347;
Vignac et al., MiDi, arXiv:2302.09048 (a time for each part).
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from molscore.core.sde import SDE, VE, CosineVP, perturb
from molscore.datasets.batch import MoleculeBatch
from molscore.model.config import DiffusionConfig
from molscore.model.fakes import FAKE
from molscore.model.features import Features, Prediction, class_features
from molscore.model.loss import denoising_loss
from molscore.model.state import MoleculeState, Times
from molscore.network.geometry import centre
from molscore.network.network import EquivariantScoreNetwork

Network = TypeVar("Network", bound=nn.Module)

BOND_CLASSES = 4
"""No bond, single, double, triple: the class of a bond is its kekulised order."""


class MoleculeDiffusion(nn.Module):
    """A diffusion of molecules and the network that reverses it.

    Args:
        config: schedule, losses and network.
        vocabulary: (atomic number, formal charge) of each atom class.
        size_probabilities: probability of each number of atoms, from 0 on.
    """

    posterior: Tensor | None
    size_probabilities: Tensor

    def __init__(
        self,
        config: DiffusionConfig,
        vocabulary: Sequence[tuple[int, int]],
        size_probabilities: Sequence[float] | Tensor,
    ):
        super().__init__()
        self.config = config
        self.vocabulary = [(int(z), int(q)) for z, q in vocabulary]
        self.sde = schedule(config)
        k, c = len(self.classes), BOND_CLASSES
        inputs = 3 * k + config.walks, 3 * c + config.walks
        self.network = without_batch_norm(EquivariantScoreNetwork(config.network, *inputs, k, c))
        self.record: dict[str, Any] = {}
        self.register_buffer("posterior", None, persistent=False)  # of the last layer's weights, see `posterior`
        self.register_buffer("size_probabilities", torch.as_tensor(size_probabilities, dtype=torch.float32))

    def __repr__(self) -> str:
        weights, most = sum(parameter.numel() for parameter in self.parameters()), len(self.size_probabilities) - 1
        atoms = "heavy atoms" if self.implied_hydrogens else "atoms"
        graphs = {0.0: "makes graphs", 1.0: "graphs are given"}.get(
            self.config.graph_conditioned, "graphs are made or given"
        )
        return (
            f"MoleculeDiffusion({weights:,} weights, {len(self.classes)} atom classes, up to {most} {atoms}, {graphs}, "
            f"device='{self.device}')"
        )

    @property
    def classes(self) -> list[tuple[int, int]]:
        """The atom classes K: the vocabulary, and at last fake atoms, if there are any."""
        return [*self.vocabulary, FAKE] if self.config.fake_atoms else self.vocabulary

    @property
    def implied_hydrogens(self) -> bool:
        """Whether the atoms are heavy atoms alone: hydrogen is not in the vocabulary."""
        return all(number != 1 for number, _ in self.vocabulary)

    @property
    def dtype(self) -> torch.dtype:
        """Of weights, state and predictions."""
        return self.size_probabilities.dtype

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        return self.size_probabilities.device

    def position_time(self, t: Tensor) -> Tensor:
        """The coordinates' own time at graph time ``t``."""
        return t**self.config.position_power

    def predict(
        self,
        state: MoleculeState,
        times: Times,
        mask: Tensor,
        previous: Prediction | None = None,
        stereo: Tensor | None = None,
    ) -> Prediction:
        """One evaluation of the network.

        Args:
            state: noisy or given, padded with zeros.
            times: ``(B, N)`` each.
            mask: ``(B, N)`` bool.
            previous: the last prediction, if there is one.
            stereo: ``(B, S, 5)`` tags of molecules whose graphs are given; None if there are none.

        Returns:
            The posterior means; coordinates in their frame, bonds symmetric.
        """
        features = self.features(state.a, state.e, mask, times, previous)
        positions, _, atoms, bonds = self._evaluate(state.x, features, mask, times, stereo, classes=True)
        assert atoms is not None and bonds is not None
        dtype = state.x.dtype
        return Prediction(positions, atoms.to(dtype) + features.atom_logits, bonds.to(dtype) + features.bond_logits)

    def features(
        self, a: Tensor, e: Tensor, mask: Tensor, times: Times, previous: Prediction | None = None
    ) -> Features:
        """The network's position-independent inputs, see `molscore.model.features`; for a given graph always the
        same."""
        return class_features(self.config, self.sde, a, e, mask, times, previous)

    def predict_positions(
        self,
        x: Tensor,
        features: Features,
        mask: Tensor,
        times: Times,
        stereo: Tensor | None = None,
        change: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """`predict` for the positions alone, from features made before.

        Args:
            x: noisy positions ``(B, N, 3)``.
            features: of `features`.
            mask, times, stereo: as for `predict`.
            change: ``(B, D)``, added to the weights of the last layer, for each molecule its own.

        Returns:
            The posterior mean ``(B, N, 3)``, and the vectors ``(B, N, 3, D)`` of the last layer, see `posterior`.
        """
        positions, vectors, *_ = self._evaluate(x, features, mask, times, stereo, classes=False, change=change)
        return positions, vectors

    def _evaluate(
        self, x: Tensor, features: Features, mask: Tensor, times: Times, stereo: Tensor | None, **options: Any
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """Posterior mean of the positions, vectors of the last layer, the network's logits."""
        stereo = mask.new_zeros(len(x), 0, 5, dtype=torch.int64) if stereo is None else stereo
        alpha, sigma = (y[..., None].to(x.dtype) for y in self.sde.marginal(times.x))
        given = (times.x == 0) & mask
        unit = torch.where(given[..., None], 1, (alpha**2 + sigma**2).rsqrt())
        both = torch.stack([times.x, times.graph], dim=-1).to(x.dtype)
        # Where no gradient is wanted PyTorch need not keep account of views, a tenth of the time of a small batch.
        plain = torch.is_grad_enabled() or self.config.network.energy
        with nullcontext() if plain else torch.inference_mode():
            shift, *logits, vectors = self.network(unit * x, *features[:3], mask, both, stereo, **options)
        mean = unit * (alpha * unit * x + sigma * anchored(shift, mask, given))
        mean = torch.where(given[..., None], x, mean) * mask[..., None]
        framed = given.any(1)[:, None, None]
        return torch.where(framed, mean, centre(mean, mask)), vectors.clone(), *logits

    def noised(self, clean: MoleculeState, times: Times, noise: MoleculeState) -> MoleculeState:
        """``alpha z_0 + sigma noise``, part by part; what is given stays clean."""
        parts = zip(clean, (t[..., None] for t in times), noise, strict=True)
        return MoleculeState(*(torch.where(t > 0, perturb(self.sde, z0, t, eps), z0) for z0, t, eps in parts))

    def forward(self, *arguments: Any, **options: Any) -> dict[str, Tensor]:
        """`loss`, under the name that wrappers for several devices call."""
        return self.loss(*arguments, **options)

    def loss(
        self,
        batch: MoleculeBatch,
        generator: torch.Generator | None = None,
        rows: slice = slice(None),
        conditioned: bool | None = None,
    ) -> dict[str, Tensor]:
        """Denoising loss of a batch at random times.

        Args:
            batch: molecules on the model's device; positions in Å.
            generator: source of times and noise, on the same device.
            rows: the part of the batch to compute. Times and noise are those of the whole batch, and so are the numbers
                of atoms that the sums are divided by: the losses of parts add up to the loss of the whole.
            conditioned: show the network a previous prediction. None draws it, and waits for the device to say.

        Returns:
            Scalars: ``loss`` and its parts ``positions`` (velocity error per coordinate), ``atoms`` (cross-entropy per
            atom) and ``bonds`` (cross-entropy per atom, summed over its pairs).
        """
        return denoising_loss(self, batch, generator, rows, conditioned)


def schedule(config: DiffusionConfig) -> SDE:
    """The noising process that a configuration names."""
    if config.sde == "ve":
        return VE(sigma_min=config.sigma_min, sigma_max=config.sigma_max)
    return CosineVP(sigma_min=config.sigma_min, alpha_min=config.alpha_min)


def anchored(shift: Tensor, mask: Tensor, given: Tensor) -> Tensor:
    """Displacements ``(B, N, 3)`` in the frame of the atoms whose positions are given, which do not move on average.

    The network knows displacements but for a common translation. Molecules without given positions are left as they
    are, centred.
    """
    fixed = given[..., None].to(shift.dtype)
    return (shift - (shift * fixed).sum(1, keepdim=True) / fixed.sum(1, keepdim=True).clamp(min=1)) * mask[..., None]


def last_layer_features(model: MoleculeDiffusion) -> int:
    """How many vectors of an atom the last layer makes its displacement of: the side of the weights' covariance."""
    return model.network.last_layer.displace.weights[0].shape[1]


def without_batch_norm(network: Network) -> Network:
    """The network, if no layer of it normalises over the batch.

    A score that depends on batch mates, or on the mean of all noise levels, is none: see
    ``scripts/studies/batch_norm.py``.

    Raises:
        ValueError: if one does; the message names it.
    """
    for name, module in network.named_modules():
        if "BatchNorm" in type(module).__name__:
            raise ValueError(f"layer '{name}' is a {type(module).__name__}; normalise over features instead")
    return network
