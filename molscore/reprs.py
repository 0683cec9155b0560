"""Short reprs: the kind and size of an object, never all its content."""

from typing import Any

from molscore.limits import shown


def short_repr(self: Any) -> str:
    """The ``__repr__`` of a dataclass or named tuple of arrays: ``Times(x=float32(2, 9), graph=float32(2, 9))``."""
    names = getattr(self, "_fields", None) or self.__dataclass_fields__
    return f"{type(self).__name__}({', '.join(f'{name}={short(getattr(self, name))}' for name in names)})"


def changes_repr(self: Any) -> str:
    """The ``__repr__`` of a dataclass of options: those that are not the default."""
    values = [(field, getattr(self, field.name)) for field in self.__dataclass_fields__.values()]
    changed = [f"{field.name}={shown(value)}" for field, value in values if value != field.default]
    return f"{type(self).__name__}({', '.join(changed)})"


def short(value: Any) -> str:
    """Arrays and tensors as type and shape, collections as their length; other long values are cut."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{str(value.dtype).removeprefix('torch.')}{tuple(value.shape)}"
    if type(value) in (list, tuple, dict, set):
        return f"{type(value).__name__} of {len(value)}"
    return shown(value)
