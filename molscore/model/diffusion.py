"""`MoleculeDiffusion`: the one place where an SDE meets molecules.

A molecule of N atoms is one flat state ``z = [x, a, e]``: coordinates ``x (N, 3)`` in units of ``position_scale`` Å, on
the subspace of zero centre of mass; atom classes ``a (N, K)`` and bond classes ``e (N, N, 4)`` as one-hot vectors. All
of it is noised by the same variance-preserving SDE, each part on its own clock::

    z_t = alpha(tau) z_0 + sigma(tau) eps,      tau = t_x ^ power for coordinates,  tau = t_g for the graph.

With ``power`` > 1 the coordinates lose their shape more slowly than the classes. The network returns the posterior mean
of the coordinates and the probabilities of the classes; both are ``E[z_0 | z_t]``, hence the score
``(alpha E[z_0 | z_t] - z_t) / sigma²``.

* Coordinates: ``E[x_0 | z_t] = alpha x_t + sigma F``, so that the network's task is of order one at every noise level,
  and the denoising loss in its velocity weighting is the plain squared error of ``F`` (Salimans & Ho,
  arXiv:2202.00512).
* Classes: by Bayes' rule ``p(c | z_t) ∝ exp(alpha z_c / sigma²) p(c | all else)``; the first factor is known, the
  network learns the second. Cross-entropy on the classes has the same minimiser as denoising score matching (Dieleman
  et al., "Continuous diffusion for categorical data", arXiv:2211.15089).
* Self-conditioning (Chen et al., arXiv:2208.04202): the network sees its previous prediction.
* Options that proved no gain so far (data/benchmarks/ablations.json): a scale of the one-hot vectors, which is a shift
  of the graph's noise (Hoogeboom et al.); fake atoms (`fakes`); coordinates noisier than their clock says, so that the
  network learns to mend its own errors (Ning et al., arXiv:2301.11706; FlowMol3's geometry distortion,
  arXiv:2508.12629).

Sources: Song et al., arXiv:2011.13456; Hoogeboom et al., EDM, arXiv:2203.17003; Huang et al., JODO, arXiv:2305.12347;
Vignac et al., MiDi, arXiv:2302.09048 (a clock for each part).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from molscore.core.losses import weighted_mean_error
from molscore.core.sde import CosineVP, perturb
from molscore.datasets.batch import MoleculeBatch
from molscore.model.config import DiffusionConfig
from molscore.model.fakes import FAKE, add_fakes
from molscore.model.state import pair_mask, symmetric
from molscore.model.walks import walk_features
from molscore.network.geometry import centre
from molscore.network.network import EquivariantScoreNetwork

BOND_CLASSES = 4
"""No bond, single, double, triple: the class of a bond is its kekulised order."""

MAX_EVIDENCE = 50.0
"""Bound on ``alpha / sigma²`` in the classes' likelihood: beyond it a class is known."""


class Prediction(NamedTuple):
    """Posterior means: ``positions (B, N, 3)`` in scaled units, class probabilities as logits."""

    positions: Tensor
    atom_logits: Tensor
    bond_logits: Tensor


class Evidence(NamedTuple):
    """The network's inputs that do not hang on noisy positions, and the likelihood of each class as logits."""

    positions: Tensor
    atoms: Tensor
    pairs: Tensor
    atom_logits: Tensor
    bond_logits: Tensor


class MoleculeDiffusion(nn.Module):
    """A diffusion of molecules and the network that reverses it.

    Args:
        config: schedule, losses and network.
        vocabulary: (atomic number, formal charge) of each atom class.
        size_probabilities: probability of each number of atoms, from 0 on.
    """

    def __init__(
        self,
        config: DiffusionConfig,
        vocabulary: Sequence[tuple[int, int]],
        size_probabilities: Sequence[float] | Tensor,
    ):
        super().__init__()
        self.config = config
        self.vocabulary = [(int(z), int(q)) for z, q in vocabulary]
        self.sde = CosineVP(sigma_min=config.sigma_min, alpha_min=config.alpha_min)
        k, c = len(self.classes), BOND_CLASSES
        inputs = 3 * k + config.walks, 3 * c + config.walks
        self.network = without_batch_norm(EquivariantScoreNetwork(config.network, *inputs, k, c))
        self.record: dict[str, Any] = {}
        self.register_buffer("posterior", None, persistent=False)  # of the last layer's weights, see `posterior`
        self.register_buffer("size_probabilities", torch.as_tensor(size_probabilities, dtype=torch.float32))

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

    def position_clock(self, t: Tensor) -> Tensor:
        """The coordinates' own time at graph time ``t``."""
        return t**self.config.position_power

    def predict(
        self,
        x: Tensor,
        a: Tensor,
        e: Tensor,
        mask: Tensor,
        clocks: Tensor,
        previous: Prediction | None,
        stereo: Tensor | None = None,
    ) -> Prediction:
        """One evaluation of the network.

        Args:
            x, a, e: noisy state, ``(B, N, 3)``, ``(B, N, K)``, ``(B, N, N, 4)``; ``e`` symmetric, on the diagonal
                ``alpha`` times the clean "no bond", as `loss` makes it: an atom has no bond to itself.
            mask: ``(B, N)`` bool.
            clocks: ``(B, 2)``, the SDE's times of coordinates and graph.
            previous: the last prediction, if there is one.
            stereo: ``(B, S, 5)`` tags of molecules whose graphs are known; None if there are none.

        Returns:
            The posterior means; coordinates centred, bonds symmetric.
        """
        evidence = self.evidence(a, e, mask, clocks, previous)
        positions, _, *logits = self._evaluate(x, evidence, mask, clocks, stereo, classes=True)
        known = evidence.atom_logits, evidence.bond_logits
        return Prediction(positions, *(found.to(x.dtype) + y for found, y in zip(logits, known, strict=True)))

    def evidence(self, a: Tensor, e: Tensor, mask: Tensor, clocks: Tensor, previous: Prediction | None) -> Evidence:
        """What the network is told beside noisy positions; for a known graph the same at every time. See `predict`."""
        alpha, sigma = (y[:, 1, None, None].to(a.dtype) for y in self.sde.marginal(clocks))
        strength = (self.config.category_scale * alpha / sigma**2).clamp(max=MAX_EVIDENCE)
        atom_logits, bond_logits = strength * a, strength[..., None] * e
        if previous is None:
            known = (clocks[:, 1, None, None] == 0).to(a.dtype)  # a known graph is its own prediction
            positions = a.new_zeros(*a.shape[:2], 3)
            before = positions, atom_logits.softmax(-1) * known, bond_logits.softmax(-1) * known[..., None]
        else:
            before = previous.positions, previous.atom_logits.softmax(-1), previous.bond_logits.softmax(-1)
        walked = walk_features(before[2], pair_mask(mask), self.config.walks) if self.config.walks else ()
        atoms = torch.cat([a, atom_logits.softmax(-1), before[1], *walked[:1]], dim=-1)
        pairs = torch.cat([e, bond_logits.softmax(-1), before[2], *walked[1:]], dim=-1)
        return Evidence(before[0], atoms, pairs, atom_logits, bond_logits)

    def predict_positions(
        self,
        x: Tensor,
        evidence: Evidence,
        mask: Tensor,
        clocks: Tensor,
        stereo: Tensor | None = None,
        change: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """`predict` for the positions alone, with all that does not hang on them made before.

        Args:
            x, mask, clocks, stereo: as for `predict`.
            evidence: of `evidence`.
            change: ``(B, D)``, added to the weights of the last layer, for each molecule its own.

        Returns:
            The posterior mean ``(B, N, 3)``, and the vectors ``(B, N, 3, D)`` of the last layer, see `posterior`.
        """
        positions, vectors, *_ = self._evaluate(x, evidence, mask, clocks, stereo, classes=False, change=change)
        return positions, vectors

    def _evaluate(
        self, x: Tensor, evidence: Evidence, mask: Tensor, clocks: Tensor, stereo: Tensor | None, **options: Any
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """Posterior mean of the positions, vectors of the last layer, the network's logits."""
        stereo = mask.new_zeros(len(x), 0, 5, dtype=torch.int64) if stereo is None else stereo
        alpha, sigma = (y[:, :1, None].to(x.dtype) for y in self.sde.marginal(clocks))
        shift, *logits, vectors = self.network(x, *evidence[:3], mask, clocks, stereo, **options)
        return centre(alpha * x + sigma * shift, mask), vectors, *logits

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
        like = {"device": batch.mask.device, "dtype": self.dtype}
        random = {"generator": generator} | like
        if self.config.fake_atoms:
            batch = add_fakes(batch, self.config.fake_atoms, len(self.vocabulary), generator)
        (b, n), k = batch.mask.shape, len(self.classes)
        # Stratified times: one in each of B equal slices of [0, 1].
        t = (torch.randperm(b, **random) + torch.rand(b, **random)) / b
        noise = [torch.randn(*shape, **random) for shape in ((b, n, 3), (b, n, k), (b, n, n, BOND_CLASSES))]
        if conditioned is None:
            conditioned = bool(torch.rand((), **random) < self.config.self_conditioning)
        count = batch.mask.sum().to(self.dtype)
        positions, atom_classes, bond_classes, mask, stereo = (y[rows] for y in batch)
        x_noise, a_noise, e_noise = (y[rows] for y in noise)
        graph = t
        if self.config.known_graph:
            graph = torch.where(torch.rand(b, **random) < self.config.known_graph, 0, t)
        clocks = torch.stack([self.position_clock(t), graph], dim=-1)[rows]
        x0 = centre(positions.to(self.dtype) / self.config.position_scale, mask)
        scale = self.config.category_scale
        a0, e0 = scale * torch.eye(k, **like)[atom_classes], scale * torch.eye(BOND_CLASSES, **like)[bond_classes]
        x = perturb(self.sde, x0, clocks[:, :1, None], centre(x_noise, mask))
        a = perturb(self.sde, a0, clocks[:, 1:, None], a_noise)
        e = perturb(self.sde, e0, clocks[:, 1:, None, None], symmetric(e_noise))
        if self.training and self.config.distortion:
            _, sigma_x = self.sde.marginal(clocks[:, :1, None])
            x = x + self.config.distortion * sigma_x * centre(torch.randn(b, n, 3, **random)[rows], mask)
        previous = None
        if conditioned:
            with torch.no_grad():
                previous = self.predict(x, a, e, mask, clocks, None, stereo)
        out = self.predict(x, a, e, mask, clocks, previous, stereo)
        atoms, pairs = mask.to(x.dtype), pair_mask(mask).to(x.dtype)
        error = weighted_mean_error(self.sde, out.positions, x0, clocks[:, :1, None], "velocity")
        positions = (error * atoms[..., None]).sum() / (3 * count)
        cross_entropy = nn.functional.cross_entropy
        atom = cross_entropy(out.atom_logits.flatten(0, 1), atom_classes.flatten(), reduction="none") * atoms.flatten()
        bond = cross_entropy(out.bond_logits.flatten(0, 2), bond_classes.flatten(), reduction="none") * pairs.flatten()
        atom, bond = atom.sum() / count, bond.sum() / (2 * count)
        total = positions + self.config.atom_weight * atom + self.config.bond_weight * bond
        return {"loss": total, "positions": positions, "atoms": atom, "bonds": bond}


def last_layer_features(model: MoleculeDiffusion) -> int:
    """How many vectors of an atom the last layer makes its displacement of: the side of the weights' covariance."""
    return model.network.layers[-1].displace.weights[0].shape[1]


def without_batch_norm(network: nn.Module) -> nn.Module:
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
