"""The sampler: from noise at `times[0]` to data at `times[-1]`, one step after another.

A sampler is one method, `step`: from the state at time t to a state at time s <= t. The loop, `Sampler.sample`, is
shared by all of them:

* `times` is `(K + 1, ...)`, never rising; `times[k]` broadcasts against the state, even as a time for each element. An
  element whose time stands still over a step (t == s) is left exactly as it is.
* The state keeps its dtype, whatever that of the denoiser, and the coefficients are computed in it.
* `noise(z)` draws a standard normal like `z`, so the caller rules over seeds, masks and symmetries.

The result is a draw at `times[-1]`, noise floor included. For the cleaned state ask the denoiser there.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from molscore.core.denoiser import Denoiser
from molscore.reprs import short_repr

Noise = Callable[[Tensor], Tensor]
"""`noise(z)`: a standard normal like `z`."""

OnStep = Callable[[int, int], None] | None
"""`on_step(k, K)`, called after step k = 1 ... K."""


class SamplerState(NamedTuple):
    """What a step hands to the next.

    Attributes:
        z: the state, `(N, ...)`.
        carry: the denoiser's, see `molscore.core.denoiser`.
        memory: the sampler's own; None before the first step.
    """

    z: Tensor
    carry: Any = None
    memory: Any = None

    def __repr__(self) -> str:
        return short_repr(self)


class Sampler(ABC):
    """A way from noise to data. Those who add one override `step`; see `molscore.testing` for what it has to fulfil."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @abstractmethod
    def step(self, denoiser: Denoiser, state: SamplerState, t: Tensor, s: Tensor, noise: Noise) -> SamplerState:
        """From time t to time s.

        Args:
            denoiser: of the clean state.
            state: at time t.
            t, s: they broadcast against the state, s <= t. What is returned for elements with s == t is not looked at.
            noise: draws a standard normal like its argument.
        """

    def sample(
        self,
        denoiser: Denoiser,
        z: Float[Tensor, "*shape"],
        times: Float[Tensor, "knots ..."],
        noise: Noise,
        *,
        carry: Any = None,
        on_step: OnStep = None,
    ) -> SamplerState:
        """Goes along `times`, see the module.

        Args:
            denoiser: of the clean state.
            z: the state at `times[0]`, `(N, ...)`.
            times: `(K + 1, ...)`, never rising; `times[k]` broadcasts against `z`.
            noise: draws a standard normal like its argument.
            carry: for the denoiser's first call.
            on_step: called with (k, K) after each step.

        Returns:
            The state at `times[-1]`, like `z`, and what it would hand on.

        Raises:
            ValueError: for times that rise, or fewer than two.
        """
        if times.ndim == 0 or len(times) < 2:
            raise ValueError("times must hold at least two knots along its first axis")
        times = times.to(z)
        if (times[1:] > times[:-1]).any():
            raise ValueError("times must never rise: they run from noise (1) down to data (0)")
        state, count = SamplerState(z, carry), len(times) - 1
        for k in range(count):
            t, s = times[k], times[k + 1]
            stepped = self.step(denoiser, state, t, s, noise)
            state = stepped._replace(z=torch.where(t > s, stepped.z, state.z))
            if on_step is not None:
                on_step(k + 1, count)
        return state
