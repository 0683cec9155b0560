"""What experiment and DFT know of bond lengths and angles: for each environment the range of nearly all examples.

Ligands of protein crystals are sometimes refined badly or not at all: molecules whose bonds between heavy atoms deviate
from the medians of their environments by more than 0.035 Å (root mean square) are left out first.

An environment with at least 20 examples then has a range: from its 2.5 % to its 97.5 % quantile, at least the outermost
example on either side left out, and a tolerance on top. The tolerances are chosen such that less than 0.1 % of the
reference's own lengths and angles lie outside; `outside` measures that.
"""

import gzip
import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rdkit import Chem

from judge.environments import Graph, Measured, measure

ENOUGH = 20
"""Examples without which an environment says nothing."""

TOLERANCE = {"bond": 0.08, "angle": 10.0}
"""Å and degrees beyond the quantiles."""

QUANTILE = 0.025

BADLY_REFINED = 0.035
"""Å: root mean square deviation of a molecule's bonds from the medians of their environments."""


class Range(NamedTuple):
    """The number of examples of an environment, its median and its limits, tolerance included."""

    count: int
    median: float
    low: float
    high: float


class Reference:
    """Ranges by kind and environment."""

    def __init__(self, ranges: dict[str, Range]) -> None:
        self.ranges = ranges

    def find(self, measured: Measured) -> Range | None:
        """The range of the finest environment that has one."""
        keys = (key(measured.kind, environment) for environment in measured.environments)
        return next((self.ranges[k] for k in keys if k in self.ranges), None)

    def limits(self, measured: Measured) -> tuple[float, float] | None:
        """Lowest and highest plausible value, if enough is known."""
        entry = self.find(measured)
        return (entry.low, entry.high) if entry else None

    def write(self, path: Path) -> None:
        """As JSON, so that the same reference need not be read again."""
        path.write_text(json.dumps(self.ranges))

    @classmethod
    def read(cls, path: Path) -> "Reference":
        """What `write` wrote."""
        return cls({k: Range(*v) for k, v in json.loads(path.read_text()).items()})

    @classmethod
    def build(cls, paths: Sequence[Path]) -> "Reference":
        """From SDF files of molecules with hydrogens; they are read twice."""
        reference = cls(ranges(mol for path in paths for mol in molecules(path)))
        return cls(
            ranges(mol for path in paths for mol in molecules(path) if reference.deviation(mol) <= BADLY_REFINED)
        )

    def deviation(self, mol: Chem.Mol) -> float:
        """Root mean square deviation, Å, of the bonds between heavy atoms from the medians of their environments."""
        heavy = [m for m in measure(mol, mol.GetConformer().GetPositions()) if m.kind == "bond" and heavy_bond(mol, m)]
        known = [(m.value, limits.median) for m in heavy if (limits := self.find(m))]
        return float(np.sqrt(np.mean([(value - median) ** 2 for value, median in known]))) if known else 0.0


def heavy_bond(mol: Chem.Mol, measured: Measured) -> bool:
    """Whether no hydrogen takes part."""
    return all(mol.GetAtomWithIdx(i).GetAtomicNum() > 1 for i in measured.atoms)


def ranges(examples: Iterable[Chem.Mol]) -> dict[str, Range]:
    """Of every environment with enough examples."""
    values: dict[str, array] = defaultdict(lambda: array("f"))
    for mol in examples:
        for measured in measure(mol, mol.GetConformer().GetPositions()):
            for environment in measured.environments:
                values[key(measured.kind, environment)].append(measured.value)
    return {k: summarise(k, np.array(v)) for k, v in values.items() if len(v) >= ENOUGH}


def key(kind: str, environment: tuple) -> str:
    """Kind and environment as text."""
    return f"{kind} {environment}"


def summarise(name: str, values: np.ndarray) -> Range:
    """The range of an environment's examples."""
    ordered = np.sort(values)
    left_out = max(1, round(QUANTILE * len(ordered)))
    tolerance = TOLERANCE[name.split()[0]]
    low, high = ordered[left_out] - tolerance, ordered[-1 - left_out] + tolerance
    return Range(len(ordered), *(round(float(x), 4) for x in (np.median(ordered), low, high)))


def outside(reference: Reference, molecules: Iterable[Chem.Mol]) -> dict[str, dict[str, int]]:
    """Of the reference's own molecules: lengths and angles outside their ranges, without a range, and all."""
    counts = {kind: Counter() for kind in TOLERANCE} | {"molecule": Counter()}
    for mol in molecules:
        bad = False
        graph = Graph(mol)
        for measured in measure(mol, mol.GetConformer().GetPositions(), graph):
            limits = reference.find(measured)
            counts[measured.kind]["all"] += 1
            if limits is None:
                counts[measured.kind]["without"] += 1
            elif not limits.low <= measured.value <= limits.high:
                counts[measured.kind]["outside"] += 1
                bad = True
        counts["molecule"]["all"] += 1
        counts["molecule"]["outside"] += bad
    return {kind: dict(count) for kind, count in counts.items()}


def molecules(path: Path) -> Iterator[Chem.Mol]:
    """Of an SDF file, may be gzipped, hydrogens kept; what RDKit cannot read is left out."""
    opened = gzip.open(path) if path.suffix == ".gz" else open(path, "rb")
    with opened as file:
        for mol in Chem.ForwardSDMolSupplier(file, removeHs=False):
            if mol is not None and mol.GetNumConformers():
                yield mol
