"""Attributes of RDKit's objects of parameters, to which its stubs give no types."""

from typing import TypeVar

Parameters = TypeVar("Parameters")


def configured(parameters: Parameters, **settings: bool | int | float) -> Parameters:
    """The same object with its attributes set.

    Raises:
        AttributeError: for an attribute that it does not have.
    """
    for name, value in settings.items():
        setattr(parameters, name, value)
    return parameters
