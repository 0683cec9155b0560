"""Everything that is computed for one record by itself, so that workers can share the records."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TypeVar

from molscore.chem.forcefield.strain import Strain, relaxation_energy
from molscore.chem.io.sdf_reader import Record
from molscore.chem.properties import Packed, packed, unpacked
from molscore.evaluate.molecules.busters import bust
from molscore.evaluate.molecules.records import Judgement, judge
from molscore.workers import Workers, ready

Task = TypeVar("Task")
Result = TypeVar("Result")

TOGETHER = 8
"""Records in a task."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """What is computed of one record.

    Attributes:
        judgement: whether it is a molecule.
        posebusters: check to passed; None if they were not run.
        strain: relaxation energy with MMFF94s; None if it was not asked for, or there is no connected molecule.
    """

    judgement: Judgement
    posebusters: dict[str, bool] | None = None
    strain: Strain | None = None


def assess(records: Sequence[Record], posebusters: str | None, relaxation: bool, workers: int) -> Iterator[Assessment]:
    """Assesses records, in their order; arguments as for `molscore.evaluate.evaluation.evaluate`."""
    tasks = ((replace(record, mol=None, text=""), packed(record.mol)) for record in records)
    yield from _shared(partial(_assess, posebusters, relaxation), tasks, workers)


def xtb_strains(judgements: Iterable[Judgement], most: int, workers: int) -> Iterator[Strain]:
    """Relaxation energies with GFN2-xTB of the first `most` connected molecules."""
    connected = (judgement.mol for judgement in judgements if judgement.mol is not None and judgement.connected)
    yield from _shared(_relax, map(packed, islice(connected, most)), workers)


def _shared(function: Callable[[list[Task]], list[Result]], tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    source = iter(tasks)
    with Workers(ready(function), workers) as pool:
        for results in pool.map(iter(lambda: list(islice(source, TOGETHER)), [])):
            yield from results


def _assess(posebusters: str | None, relaxation: bool, records: list[tuple[Record, Packed | None]]) -> list[Assessment]:
    assessments = []
    for record, packed_mol in records:
        judgement = judge(replace(record, mol=unpacked(packed_mol)))
        checks = strain = None
        if (mol := judgement.mol) is not None:
            checks = bust(mol, posebusters) if posebusters else None
            strain = relaxation_energy(mol) if relaxation and judgement.connected else None
        assessments.append(Assessment(judgement, checks, strain))
    return assessments


def _relax(mols: list[Packed]) -> list[Strain]:
    return [relaxation_energy(unpacked(mol), "xtb") for mol in mols]
