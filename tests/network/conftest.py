"""Networks with generic parameters, for both kinds of features: vectors alone, and every irrep up to l = 2."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import nn

from molscore.network.network import EquivariantScoreNetwork, NetworkConfig

IRREPS = {"vectors": "12x0e + 8x1o", "all": "12x0e + 8x0o + 8x1o + 8x1e + 8x2e"}


def _generic(module: nn.Module, seed: int = 0, size: float = 0.1) -> nn.Module:
    """Adds noise to all parameters: zeros, which layers begin with, would hide faults."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(size * torch.randn(parameter.shape, generator=generator).to(parameter))
    return module


@cache
def _network(features: str, dtype: torch.dtype) -> EquivariantScoreNetwork:
    torch.manual_seed(0)
    sizes = {"pair_channels": 12, "layers": 3, "heads": 4, "radial": 8, "vectors": 4, "condition_channels": 12}
    sizes["stereo"] = True
    network = EquivariantScoreNetwork(NetworkConfig(irreps=IRREPS[features], **sizes), 5, 6, 3, 4)
    return _generic(network).to(dtype)


@pytest.fixture(scope="session")
def generic() -> Callable[..., nn.Module]:
    return _generic


@pytest.fixture(params=list(IRREPS))
def network(request, dtype) -> EquivariantScoreNetwork:
    """A network with generic parameters: both kinds of features, in both precisions."""
    return _network(request.param, dtype)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)
