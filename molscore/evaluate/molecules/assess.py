"""Everything that is computed for one record by itself, so that workers can share the records and none is kept."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays
from molscore.chem.forcefield.strain import Strain, relaxation_energy
from molscore.chem.io.sdf_reader import Record
from molscore.chem.properties import Packed, packed, unpacked
from molscore.evaluate.compare.composition import Portrait, portrait
from molscore.evaluate.compare.internal_coordinates import Coordinates, measure
from molscore.evaluate.molecules.busters import bust
from molscore.evaluate.molecules.conformers import Conformer, conformer_of
from molscore.evaluate.molecules.identity import canonical_smiles
from molscore.evaluate.molecules.records import Judgement, judge
from molscore.evaluate.molecules.stability import distance_stable, explicit_stable
from molscore.workers import Workers, ready

Task = TypeVar("Task")
Result = TypeVar("Result")

TOGETHER = 8
"""Records in a task."""


class Wanted(NamedTuple):
    """What is asked of each record.

    Attributes:
        posebusters: which PoseBusters checks to run; None for none.
        relaxation: a relaxation energy with MMFF94s.
        coordinates: bonds, angles and dihedrals.
        arrays: the molecule itself, if it is valid.
        mol: the molecule itself, if it is connected.
    """

    posebusters: str | None
    relaxation: bool
    coordinates: bool
    arrays: bool
    mol: bool


@dataclass(frozen=True, eq=False)
class Assessment:
    """What is computed of one record.

    Attributes:
        readable, sanitised, connected, valid: see `molscore.evaluate.molecules.records.Judgement`.
        hydrogens: whether it has hydrogen atoms; None if it cannot be read.
        attempt, fault: see there.
        explicit, distance: stable atoms and atoms, by explicit bonds and by distances; None where that says nothing.
        conformer: what it is as one of an ensemble; None if it cannot be read.
        posebusters: check to passed; None if they were not run.
        strain: relaxation energy with MMFF94s; None if it was not asked for, or there is no connected molecule.
        smiles: canonical SMILES of a valid molecule, without and with stereo.
        portrait: of a valid molecule.
        coordinates: of a valid molecule, by kind.
        arrays, mol: if they were asked for.
    """

    readable: bool
    sanitised: bool
    connected: bool
    valid: bool
    hydrogens: bool | None
    attempt: int | None
    fault: str | None
    explicit: tuple[int, int]
    distance: tuple[int, int] | None
    conformer: Conformer | None
    posebusters: dict[str, bool] | None = None
    strain: Strain | None = None
    smiles: tuple[str, str] | None = None
    portrait: Portrait | None = None
    coordinates: dict[str, Coordinates] | None = None
    arrays: MoleculeArrays | None = None
    mol: Packed | None = None


def assess(records: Iterable[Record], wanted: Wanted, workers: int) -> Iterator[Assessment]:
    """Assesses records, in their order, as they come."""
    tasks = ((replace(record, mol=None, text=""), packed(record.mol)) for record in records)
    yield from _shared(partial(_assess, wanted), tasks, workers)


def xtb_strains(mols: Iterable[Packed], workers: int) -> Iterator[Strain]:
    """Relaxation energies of molecules with GFN2-xTB."""
    yield from _shared(_relax, mols, workers)


def _shared(function: Callable[[list[Task]], list[Result]], tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    source = iter(tasks)
    with Workers(ready(function), workers) as pool:
        for results in pool.map(iter(lambda: list(islice(source, TOGETHER)), [])):
            yield from results


def _assess(wanted: Wanted, records: list[tuple[Record, Packed | None]]) -> list[Assessment]:
    assessments = []
    for record, packed_mol in records:
        mol = unpacked(packed_mol)
        assessments.append(assess_one(judge(replace(record, mol=mol)), mol, wanted))
    return assessments


def assess_one(judgement: Judgement, given: Chem.Mol | None, wanted: Wanted) -> Assessment:
    """Assesses one record.

    Args:
        judgement: of the record.
        given: its molecule as it was read.
        wanted: what to compute.
    """
    arrays, mol = judgement.arrays, judgement.mol
    explicit = distance = None
    unstable = (0, judgement.n_atoms)
    if arrays is not None:
        explicit, distance = _counted(explicit_stable(arrays)), _counted(distance_stable(arrays))
    basic = Assessment(
        readable=arrays is not None,
        sanitised=mol is not None,
        connected=judgement.connected,
        valid=judgement.valid,
        hydrogens=None if arrays is None else 1 in arrays.atomic_numbers,
        attempt=judgement.attempt,
        fault=judgement.fault,
        explicit=explicit or unstable,
        distance=unstable if arrays is None else distance,
        conformer=None if given is None else conformer_of(given, judgement),
    )
    if mol is None:
        return basic
    connected = judgement.connected
    more = replace(
        basic,
        posebusters=bust(mol, wanted.posebusters) if wanted.posebusters else None,
        strain=relaxation_energy(mol) if wanted.relaxation and connected else None,
        mol=packed(mol) if wanted.mol and connected else None,
    )
    if not judgement.valid or arrays is None:
        return more
    return replace(
        more,
        smiles=(canonical_smiles(mol), canonical_smiles(mol, stereo=True)),
        portrait=portrait(arrays, mol),
        coordinates=measure([arrays]) if wanted.coordinates else None,
        arrays=arrays if wanted.arrays else None,
    )


def _counted(stable: np.ndarray | None) -> tuple[int, int] | None:
    return None if stable is None else (int(stable.sum()), len(stable))


def _relax(mols: list[Packed]) -> list[Strain]:
    return [relaxation_energy(unpacked(mol), "xtb") for mol in mols]
