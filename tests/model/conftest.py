"""Models with generic parameters, and noisy states to ask them about."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from molscore.datasets.batch import MoleculeBatch
from molscore.model.config import DiffusionConfig
from molscore.model.diffusion import BOND_CLASSES, MoleculeDiffusion
from molscore.model.features import Prediction
from molscore.model.state import MoleculeState, Times, symmetric
from molscore.network.geometry import centre
from molscore.network.network import NetworkConfig

VOCABULARY = [(1, 0), (6, 0), (7, 1), (8, -1)]
IRREPS = {"vectors": "12x0e + 8x1o", "all": "12x0e + 8x0o + 8x1o + 8x1e + 8x2e"}


class State(NamedTuple):
    """What a model is asked about: the noisy state, its times (positions, graph), the previous prediction."""

    x: Tensor
    a: Tensor
    e: Tensor
    mask: Tensor
    times: Tensor
    previous: Prediction | None

    def asked(self, model: MoleculeDiffusion) -> Prediction:
        """What the model makes of it; all atoms of a molecule have its two times."""
        times = Times.uniform(*self.times.T, self.mask.shape[1])
        return model.predict(MoleculeState(self.x, self.a, self.e), times, self.mask, self.previous)


@cache
def _model(
    features: str = "vectors", dtype: torch.dtype = torch.float32, noise: float = 0.1, stereo: bool = False
) -> MoleculeDiffusion:
    torch.manual_seed(0)
    layers = 3 if features == "all" else 2
    sizes = {"pair_channels": 12, "layers": layers, "heads": 4, "radial": 8, "vectors": 4, "condition_channels": 12}
    sizes["stereo"] = stereo
    config = DiffusionConfig(network=NetworkConfig(irreps=IRREPS[features], **sizes))
    model = MoleculeDiffusion(config, VOCABULARY, torch.tensor([0, 0.25, 0.25, 0.5]))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():  # zeros, which layers begin with, would hide faults
            parameter.add_(noise * torch.randn(parameter.shape, generator=generator))
    return model.to(dtype).eval()


def _batch(sizes=(6, 4, 7), padded: int = 8, seed: int = 1) -> MoleculeBatch:
    """Molecules of random classes and positions."""
    generator = torch.Generator().manual_seed(seed)
    b, n = len(sizes), padded
    mask = torch.arange(n) < torch.tensor(sizes)[:, None]
    pairs = mask[:, :, None] & mask[:, None]
    bonds = torch.randint(BOND_CLASSES, (b, n, n, 1), generator=generator)
    positions = 1.4 * torch.randn(b, n, 3, generator=generator) * mask[..., None]
    atoms = torch.randint(len(VOCABULARY), (b, n), generator=generator) * mask
    stereo = torch.zeros(b, 0, 5, dtype=torch.int64)
    return MoleculeBatch(positions, atoms, symmetric(bonds).squeeze(-1) * pairs, mask, stereo)


@torch.no_grad()
def _state(model: MoleculeDiffusion, times: tuple[float, float] = (0.4, 0.6), seed: int = 1, **shape) -> State:
    """A noisy batch at some times, and what the model first made of it."""
    batch = _batch(seed=seed, **shape)
    generator = torch.Generator().manual_seed(seed)
    mask, dtype = batch.mask, model.dtype
    t = torch.tensor([times], dtype=dtype).expand(len(mask), 2)
    alpha, sigma = model.sde.marginal(t[0])

    def noisy(z: Tensor, noise: Tensor, part: int) -> Tensor:
        return alpha[part] * z.to(dtype) + sigma[part] * noise.to(dtype)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    b, n = mask.shape
    k, c = len(VOCABULARY), BOND_CLASSES
    x = centre(noisy(batch.positions / 1.4, normal(b, n, 3), 0), mask)
    a = noisy(torch.nn.functional.one_hot(batch.atoms, k), normal(b, n, k), 1)
    e = noisy(torch.nn.functional.one_hot(batch.bonds, c), symmetric(normal(b, n, n, c)), 1)
    first = State(x, a, e, mask, t, None)
    return first._replace(previous=first.asked(model))


@pytest.fixture(scope="session")
def build() -> Callable[..., MoleculeDiffusion]:
    """``build(features="vectors", dtype=torch.float32, noise=0.1)``: a small model, the same object at every call."""
    return _model


@pytest.fixture(scope="session")
def state() -> Callable[..., State]:
    return _state


@pytest.fixture(scope="session")
def batch() -> Callable[..., MoleculeBatch]:
    return _batch


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)
