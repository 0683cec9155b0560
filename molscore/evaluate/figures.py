"""The result of an evaluation: every rate with its denominator and interval, every distance with its floor."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from molscore.evaluate.compare.geometry import Distance
from molscore.evaluate.rates import Rate
from molscore.limits import shown

_PLAIN = (
    "differences",
    "relaxation",
    "reference_relaxation",
    "xtb_relaxation",
    "reference_xtb_relaxation",
    "effective_molecules",
    "fcd",
    "rediscovery",
    "memorisation",
    "ensembles",
)
"""Attributes that are plain values already."""


@dataclass(frozen=True)
class Figures:
    """The figures of `molscore.evaluate.metrics.Metrics`.

    Attributes:
        source: what was evaluated.
        reference: name of the reference, None without one.
        reference_description: where it comes from.
        rates: name -> rate; see `molscore.evaluate.text` for what each one means.
        posebusters: check -> rate of the sanitised records; empty if the checks were not run.
        distances: '<bond|angle|dihedral>_<wasserstein|mmd>' -> distance to the reference.
        composition: of the valid records.
        reference_composition: of the reference.
        differences: table of the composition -> one figure for how far it is from the reference's.
        relaxation, reference_relaxation: relaxation energies of valid & connected records, and of the reference.
        xtb_relaxation, reference_xtb_relaxation: the same with GFN2-xTB, of some of them.
        effective_molecules: as how many equally frequent SMILES the valid records are as diverse.
        fcd: Fréchet ChemNet distance; None if it was not asked for.
        rediscovery: training and held-out molecules among the valid ones, if the reference knows both.
        memorisation: comparison with a tensor file of the training, if one was given.
        ensembles: of a file of conformers, see `molscore.evaluate.molecules.conformers.Ensembles.summary`; else None.
        notes: what a reader should know about these figures in particular.
    """

    source: str
    reference: str | None
    reference_description: str | None
    rates: dict[str, Rate]
    posebusters: dict[str, Rate]
    distances: dict[str, Distance]
    composition: dict[str, Any]
    reference_composition: dict[str, Any] | None
    differences: dict[str, float] = field(default_factory=dict)
    relaxation: dict[str, Any] | None = None
    reference_relaxation: dict[str, Any] | None = None
    xtb_relaxation: dict[str, Any] | None = None
    reference_xtb_relaxation: dict[str, Any] | None = None
    effective_molecules: float | None = None
    fcd: dict[str, Any] | None = None
    rediscovery: dict[str, Any] | None = None
    memorisation: dict[str, Any] | None = None
    ensembles: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        valid = self.rates.get("valid")
        counts = "" if valid is None else f", {valid.count:,} of {valid.total:,} valid"
        return f"{type(self).__name__}({shown(self.source)}{counts}, reference {self.reference})"

    def __getitem__(self, name: str) -> Rate:
        return self.rates[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rates)

    def __len__(self) -> int:
        return len(self.rates)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "source": self.source,
            "reference": self.reference,
            "reference_description": self.reference_description,
            "rates": {name: rate.to_dict() for name, rate in self.rates.items()},
            "posebusters": {name: rate.to_dict() for name, rate in self.posebusters.items()},
            "distances": {name: distance.to_dict() for name, distance in self.distances.items()},
            "composition": self.composition,
            "reference_composition": self.reference_composition,
            **{name: getattr(self, name) for name in _PLAIN},
            "notes": list(self.notes),
        }

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Undoes `to_dict`."""

        def rates(part: dict[str, Any]) -> dict[str, Rate]:
            return {name: Rate(rate["count"], rate["total"], rate["of"]) for name, rate in part.items()}

        plain: dict[str, Any] = {name: data.get(name) for name in _PLAIN}
        return cls(
            source=data["source"],
            reference=data["reference"],
            reference_description=data["reference_description"],
            rates=rates(data["rates"]),
            posebusters=rates(data["posebusters"]),
            distances={name: Distance(**distance) for name, distance in data["distances"].items()},
            composition=data["composition"],
            reference_composition=data["reference_composition"],
            **plain,
            notes=tuple(data["notes"]),
        )
