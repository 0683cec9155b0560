"""The tally of an evaluation: what is kept of the records once they have been assessed, one by one.

The numbers of their attempts, of which none may come twice, are kept on disk.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from molscore.chem.arrays import MoleculeArrays
from molscore.chem.forcefield.strain import Strain
from molscore.chem.properties import Packed
from molscore.evaluate.compare.composition import Portrait
from molscore.evaluate.compare.geometry import MEASURES, Distance, compare, count, interpolate_floor
from molscore.evaluate.compare.internal_coordinates import Coordinates
from molscore.evaluate.compare.reference import Reference
from molscore.evaluate.molecules import busters
from molscore.evaluate.molecules.assess import Assessment
from molscore.evaluate.molecules.conformers import Ensembles
from molscore.evaluate.rates import Rate
from molscore.files.ondisk import Numbers
from molscore.files.shards import ATTEMPTS

SHOWN_FAULTS = 5
"""Unreadable records that are described in the notes; the others are counted."""

TOGETHER = 64
"""Molecules whose coordinates are counted together."""


@dataclass
class Tally:
    """Counters, and small rows of the valid molecules.

    Attributes:
        reference: to count coordinates for; None without one.
        xtb: connected molecules to keep, the first ones.
        records: so many.
        smiles, stereo: of the valid ones.
        portraits: the same.
        strains: relaxation energies with MMFF94s.
        mols: the connected molecules that are kept.
        arrays: the valid ones, if they were asked for.
        ensembles: the records as conformers.
    """

    reference: Reference | None
    xtb: int = 0
    records: int = 0
    smiles: list[str] = field(default_factory=list)
    stereo: set[str] = field(default_factory=set)
    portraits: list[Portrait] = field(default_factory=list)
    strains: list[Strain] = field(default_factory=list)
    mols: list[Packed] = field(default_factory=list)
    arrays: list[MoleculeArrays] = field(default_factory=list)
    ensembles: Ensembles = field(default_factory=Ensembles)

    def __post_init__(self) -> None:
        self._is: Counter[str] = Counter()
        self._stable: Counter[str] = Counter()
        self._attempts = Numbers()
        self._faults: list[str] = []
        self._unread = 0
        self._hydrogens: bool | None = None
        self._busted = self._passed = 0
        self._failures: Counter[str] = Counter()
        self._waiting: list[dict[str, Coordinates]] = []
        self._counts: dict[str, np.ndarray] = {}

    def add(self, one: Assessment) -> None:
        """Adds a record."""
        self.records += 1
        self._is.update(name for name in ("readable", "sanitised", "connected", "valid") if getattr(one, name))
        for name, atoms in (("explicit", one.explicit), ("distance", one.distance)):
            if atoms is not None:
                stable, n = atoms
                parts = {"stable": stable, "atoms": n, "whole": 0 < n == stable, "judged": 1}
                self._stable.update({f"{name} {part}": int(value) for part, value in parts.items()})
        if one.attempt is not None:
            self._attempts.add(one.attempt)
        if one.fault is not None:
            self._unread += 1
            if len(self._faults) < SHOWN_FAULTS:
                self._faults.append(one.fault)
        if one.hydrogens is not None:
            self._hydrogens = bool(self._hydrogens) or one.hydrogens
        if one.conformer is not None:
            self.ensembles.add(one.conformer)
        if one.posebusters is not None:
            self._busted += 1
            self._passed += all(one.posebusters.values())
            self._failures.update(name for name, ok in one.posebusters.items() if not ok)
        if one.strain is not None:
            self.strains.append(one.strain)
        if one.mol is not None and len(self.mols) < self.xtb:
            self.mols.append(one.mol)
        if one.arrays is not None:
            self.arrays.append(one.arrays)
        if one.smiles is not None and one.portrait is not None:
            self.smiles.append(one.smiles[0])
            self.stereo.add(one.smiles[1])
            self.portraits.append(one.portrait)
        if one.coordinates is not None:
            self._waiting.append(one.coordinates)
            if len(self._waiting) == TOGETHER:
                self._count()

    @property
    def readable(self) -> int:
        """Records that are 3-D molecules."""
        return self._is["readable"]

    def validity(self) -> dict[str, Rate]:
        """How many are delivered, readable, sanitised, connected, valid."""
        rates = {}
        if self.records and len(self._attempts) == self.records:  # each of its own number
            made = sum(
                last % ATTEMPTS + 1 for last in self._attempts.greatest(ATTEMPTS)
            )  # of each shard, up to its last
            rates["delivered"] = Rate(self.records, made, "attempts")
        names = {"readable": "readable", "sanitised": "sanitised", "valid_connected": "connected", "valid": "valid"}
        return rates | {name: Rate(self._is[key], self.records, "records") for name, key in names.items()}

    def stability(self) -> dict[str, Rate]:
        """Atoms of a record that cannot be read are unstable in both protocols, if their number is known."""
        rates = {}
        for name, of in (("explicit", ""), ("distance", " of H, C, N, O, F")):
            stable, atoms, whole, judged = (self._stable[f"{name} {k}"] for k in ("stable", "atoms", "whole", "judged"))
            of = of if judged < self.records else ""
            rates[f"atoms_stable_{name}"] = Rate(stable, atoms, "atoms")
            rates[f"molecules_stable_{name}"] = Rate(whole, judged, f"records{of}")
        return rates

    def posebusters(self, config: str) -> tuple[dict[str, Rate], dict[str, Rate]]:
        """The rates of records that pass every check, and the rate of each check."""
        rates = {
            "posebusters": Rate(self._passed, self._busted, "sanitised records"),
            "posebusters_of_all": Rate(self._passed, self.records, "records"),
        }
        names = busters.check_names(config)
        return rates, {n: Rate(self._busted - self._failures[n], self._busted, "sanitised records") for n in names}

    def distances(self) -> dict[str, Distance]:
        """Distances to the reference, if there is one."""
        if self.reference is None:
            return {}
        self._count()
        distances = {}
        for kind, distributions in self.reference.distributions.items():
            for name in MEASURES:
                floors = self.reference.floors[f"{kind}_{name}"]
                floor = interpolate_floor(self.reference.floor_sizes, floors, len(self.smiles))
                distances[f"{kind}_{name}"] = compare(self._counts[kind], distributions, kind, name, floor)
        return distances

    def notes(self, few: int) -> tuple[str, ...]:
        """What a reader should know; ``few`` valid molecules say little of distances."""
        notes = []
        if self._hydrogens is False:
            notes.append(
                "no record has hydrogen atoms. Hydrogens must be explicit; an atom that lacks one counts as a radical. "
                "Add them, with positions, and evaluate again."
            )
        if self._unread:
            notes.append(f"{self._unread:,} of the records could not be read as 3-D molecules and count as invalid:")
            notes += [f"  {fault}" for fault in self._faults]
            more = self._unread - len(self._faults)
            notes += [f"  and {more:,} more"] if more else []
        if self.reference is not None and len(self.smiles) < few:
            notes.append(f"only {len(self.smiles)} valid molecules: their distances to the reference say little")
        return tuple(notes)

    def _count(self) -> None:
        """Counts the coordinates that wait, on the grids of the reference."""
        assert self.reference is not None
        waiting, self._waiting = self._waiting, []
        for kind, distributions in self.reference.distributions.items():
            parts = [(one[kind].molecule, one[kind].code, one[kind].value) for one in waiting]
            empty = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
            joined = Coordinates(*(np.concatenate(column) for column in zip(empty, *parts, strict=True)))
            counts = count(joined, distributions.codes, kind)
            self._counts[kind] = self._counts[kind] + counts if kind in self._counts else counts
