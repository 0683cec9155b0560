"""Nests of tuples, lists and dictionaries with tensors in them, such as what a denoiser carries."""

from collections.abc import Callable
from typing import Any

from torch import Tensor


def chosen_rows(value: Any, index: Tensor, ndim: int | None = None) -> Any:
    """Rows of every tensor in a nest of tuples, lists and dictionaries; only of those of `ndim` axes, if that is given.

    A tensor of a single row, where there are several, is that of all and stays as it is.
    """

    def rows(x: Tensor) -> Tensor:
        return x if len(x.shape) != (ndim or x.ndim) or x.ndim == 0 or len(x) != len(index) else x[index]

    return _each(value, rows)


def detached(value: Any) -> Any:
    """Every tensor in a nest, without its history."""
    return _each(value, Tensor.detach)


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: _each(item, change) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_each(item, change) for item in value))
    if isinstance(value, tuple | list):
        return type(value)(_each(item, change) for item in value)
    return value
