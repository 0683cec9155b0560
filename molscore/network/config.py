"""Sizes of the network, checked before there is one. Imports no torch."""

import re
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from molscore.network import o3

SCALAR, VECTOR = o3.Irrep(0, 1), o3.Irrep(1, -1)

_NOTATION = re.compile(r"\s*([1-9]\d{0,3}x)?[0-4][eo](\s*\+\s*([1-9]\d{0,3}x)?[0-4][eo]){0,9}\s*", re.ASCII)


def hidden_irreps(text: str | o3.Irreps) -> o3.Irreps:
    """Irreps of an atom's features.

    Raises:
        ValueError: if the text is no irreps, or too large ones, if the scalars are not exactly one block, in front, no
            block of vectors follows, or an irrep comes twice.
    """
    if isinstance(text, str) and text and not _NOTATION.fullmatch(text):
        raise ValueError(
            f"'{text[:60]}' is not e3nn's notation of irreps, such as '128x0e + 32x1o', with multiplicities below "
            "10,000 and l up to 4"
        )
    irreps = o3.Irreps(text)
    kinds = [m.ir for m in irreps]
    if kinds[:1] != [SCALAR] or VECTOR not in kinds or len(set(kinds)) < len(kinds):
        raise ValueError(
            f"hidden irreps must begin with their only 0e block, hold 1o, without which no atom can move, and name "
            f"each irrep once, e.g. '128x0e + 32x1o', not '{irreps}'"
        )
    return irreps


class NetworkConfig(BaseModel):
    """Sizes of the network.

    Attributes:
        irreps: features of an atom, in e3nn's notation, ``0e`` first.
        pair_channels: invariants of a pair.
        layers: message-passing layers.
        heads: attention heads; divides every multiplicity in ``irreps``.
        radial: radial basis functions of a distance.
        vectors: vectors per atom whose dot products enter the pair messages.
        condition_channels: channels of the embedding of times and size.
        energy: the displacement is minus the gradient of an energy, so that the score is a gradient too. A training
            step then takes second derivatives, which ``torch.compile`` cannot.
        stereo: the network reads the tags of stereo, see `molscore.network.stereo`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    irreps: str = "192x0e + 32x1o"
    pair_channels: int = Field(default=48, ge=1, le=4096)
    layers: int = Field(default=5, ge=1, le=256)
    heads: int = Field(default=8, ge=1, le=1024)
    radial: int = Field(default=12, ge=1, le=1024)
    vectors: int = Field(default=8, ge=0, le=1024)
    condition_channels: int = Field(default=128, ge=1, le=16384)
    energy: bool = False
    stereo: bool = False

    @field_validator("irreps")
    @classmethod
    def _known(cls, text: str) -> str:
        hidden_irreps(text)
        return text

    @model_validator(mode="after")
    def _divided(self) -> Self:
        if any(m.mul % self.heads for m in hidden_irreps(self.irreps)):
            raise ValueError(f"every multiplicity of irreps='{self.irreps}' must be a multiple of heads={self.heads}")
        return self
