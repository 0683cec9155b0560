"""What would make the host wait for a GPU, counted on a CPU."""

import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._python_dispatch import TorchDispatchMode

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
