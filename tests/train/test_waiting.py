"""Between two lines of the log a training step asks the device for nothing."""

import pytest
import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._python_dispatch import TorchDispatchMode

from molscore.train.loop import train

ANSWERS = ("_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "_unique2", "unique_dim", "equal")
"""Operators whose result, or its shape, must be known to the host."""

METHODS = ("item", "tolist", "numpy", "cpu", "__array__", "__bool__", "__int__", "__float__", "__index__", "nonzero")
"""The same asked of a tensor in Python."""

COPIES = ("tensor", "as_tensor")
"""Numbers of the host made a tensor, in memory that is not pinned: to a GPU that is a copy to wait for."""


class Waits(TorchDispatchMode):
    """Counts the operators, forward and backward, that would make the host wait for a GPU."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        by_mask = name.startswith("index") and any(
            isinstance(x, torch.Tensor) and x.dtype == torch.bool
            for x in (args[1] if len(args) > 1 and isinstance(args[1], (list, tuple)) else ())
        )
        unsized = name == "repeat_interleave" and kwargs.get("output_size") is None
        if name in ANSWERS or by_mask or unsized:
            self.names.append(name)
        return func(*args, **kwargs)


class Questions(TorchFunctionMode):
    """Counts what Python asks of tensors."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if (resolve_name(func) or "").rpartition(".")[2] in METHODS + COPIES:
            self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def waits(config) -> list[str]:
    with Waits() as operators, Questions() as questions:
        train(config, quiet=True)
    return sorted(operators.names + questions.names)


def test_steps_do_not_wait(tiny, tmp_path):
    """Three steps wait as often as nine, namely before the first and after the last; each line of the log once more."""
    once = {"log_every": 100, "checkpoint_every": 100}
    few = waits(tiny(tmp_path / "few", steps=3, **once))
    many = waits(tiny(tmp_path / "many", steps=9, **once))
    assert many == few
    logged = waits(tiny(tmp_path / "logged", steps=9, **once | {"log_every": 3}))
    assert logged.count("tolist") == few.count("tolist") + 3


@pytest.mark.parametrize(
    "question",
    [
        lambda x: float(x.sum()),
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).all()),
        lambda x: x[x > 0],
        lambda x: x.tolist(),
        lambda x: x.cpu(),
        lambda x: torch.nonzero(x),
        lambda x: torch.where(x > 0),
        lambda x: x.long().repeat_interleave(x.long()),
        lambda x: torch.nn.functional.one_hot(x.long()),
        lambda x: x.index_put_((x > 0,), torch.zeros(())),
        lambda x: torch.tensor([1.0, 2.0]),
    ],
)
def test_waiting_is_noticed(question):
    with Waits() as operators, Questions() as questions:
        question(torch.arange(3.0))
    assert operators.names + questions.names
