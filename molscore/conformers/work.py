"""The work on one isomer: what has been proposed and made, what is missing, and the time that it may take."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rdkit import Chem

from molscore.chem.ensemble import heavy_positions, k_medoids
from molscore.chem.properties import set_properties
from molscore.chem.stereo.tags import tags
from molscore.conformers.barriers import leave_barriers
from molscore.conformers.build import completed, embedded, fault
from molscore.conformers.ensemble import Ensemble, SoundConformer, distances, ranked
from molscore.conformers.options import ConformerOptions
from molscore.conformers.reasons import RDKIT, reason_of
from molscore.conformers.target import Target

LEAST, ALONE = 10, 8
"""Proposals of a molecule in a round, at least; the second where one conformer is asked for."""

AT_ONCE, IN_HASTE = 16, 2
"""Proposals, or conformers to complete, of a molecule between two checks of the time; the second if it is limited."""

ROUNDS = 3
"""How often the model, or ETKDGv3, may make as many conformers as are missing."""

REPEATS = 10
"""Conformers in a row that repeat earlier ones, after which a molecule is taken to have no others."""

HOPELESS = 3
"""Conformers in a row that ETKDGv3 fails at, after which it is given up."""

MODEL_SHARE, PROPOSING = 0.6, 0.5
"""Of the time, for the model (the rest is for ETKDGv3); and of the model's, for proposals (the rest completes them)."""


@dataclass
class Work:
    """The work on one isomer.

    Attributes:
        target: the isomer.
        ensemble: the result so far.
        properties: of the input, its title ``_Name`` among them.
        options: the user's.
        limit: seconds that it may take.
        proposed: number of proposals so far.
        pool, numbers: those that are plausible and not used yet, ``(K, n, 3)``, and their numbers ``(K,)``.
        made: conformers so far.
        distinct: positions of the heavy atoms of those that are no repeats.
        repeats: how many in a row repeated earlier ones.
        spent: seconds.
        poses: asked for, in a pocket.
        unwanted: why the filter refused a conformer; "" if it refused none.
    """

    target: Target
    ensemble: Ensemble
    properties: dict[str, Any]
    options: ConformerOptions
    limit: float = math.inf
    proposed: int = 0
    pool: np.ndarray | None = None
    numbers: list[int] = field(default_factory=list)
    made: list[SoundConformer] = field(default_factory=list)
    distinct: list[np.ndarray] = field(default_factory=list)
    repeats: int = 0
    spent: float = 0.0
    poses: int = 0
    unwanted: str = ""

    @property
    def exhausted(self) -> bool:
        """Whether further conformers would be repeats."""
        return self.repeats >= REPEATS or bool(self.made and self._one_atom)

    @property
    def _one_atom(self) -> bool:
        """Whether there is no distance between heavy atoms in which conformers could differ."""
        return bool(self.options.rmsd) and len(self.target.heavy) < 2

    @property
    def missing(self) -> int:
        """Conformers that are still to be made: distinct ones; if there are no more of them, any that may fill."""
        if len(self.distinct) < self.ensemble.asked and not self.exhausted:
            return 1 if self._one_atom else self.ensemble.asked - len(self.distinct)
        return max(self.ensemble.asked - len(self.made), 0) if self.options.fill else 0

    @property
    def fallback(self) -> bool:
        """Whether ETKDGv3 may make conformers."""
        return self.options.fallback or self.options.method == "etkdg"

    @property
    def late(self) -> bool:
        """Whether its time is over."""
        return self.spent >= self.limit

    @property
    def proposable(self) -> bool:
        """Whether the model can and should propose, and has the time."""
        return self.completable and self.spent < self._model_limit * PROPOSING

    @property
    def completable(self) -> bool:
        """Whether conformers of the model are missing, and there is time for them."""
        served = self.target.arrays is not None and self.options.method == "score"
        return served and self.missing > 0 and self.spent < self._model_limit

    @property
    def _model_limit(self) -> float:
        return self.limit * (MODEL_SHARE if self.fallback else 1)

    @property
    def at_once(self) -> int:
        """Conformers to make between two checks of the time."""
        return AT_ONCE if self.limit == math.inf else IN_HASTE

    def round_end(self) -> int:
        """Number of proposals after a round that begins now."""
        least = ALONE if self.ensemble.asked == 1 else LEAST
        return self.proposed + max(math.ceil(self.options.oversampling * self.missing), least)

    def take(self, positions: np.ndarray, numbers: range) -> None:
        """Adds the plausible among geometries of heavy atoms ``(K, n, 3)`` to the pool, mended where that helps."""
        positions = self.target.turned(self.target.reflected(positions))
        good = self.target.plausible(positions)
        if not good.all():
            self.ensemble.dropped["implausible"] += int((~good).sum())
        self.pool = positions[good] if self.pool is None else np.concatenate([self.pool, positions[good]])
        self.numbers += np.array(numbers)[good].tolist()

    def complete(self) -> None:
        """Conformers from the pool: as many as are missing, spread over it; then others in place of what fails."""
        while self.pool is not None and len(self.numbers) and self.completable:
            chosen: Sequence[int] = range(len(self.pool))
            if len(self.pool) > self.missing:
                # Whole thousandths of an Å: rounding errors must not choose between the two ends of a pair.
                chosen = k_medoids(np.rint(1000 * distances(self.target, self.pool)), self.missing)
            taken = np.zeros(len(self.pool), dtype=bool)
            for at in range(0, len(chosen), self.at_once):
                part = list(chosen)[at : at + self.at_once]
                taken[part] = True
                for target, own in self._by_target(part):
                    self._complete(target, own)
                if not self.completable:
                    break
            self.pool = self.pool[~taken]
            self.numbers = [number for number, gone in zip(self.numbers, taken, strict=True) if not gone]

    def _by_target(self, part: Sequence[int]) -> list[tuple[Target, list[int]]]:
        """What is completed together: conformers that hold the same atoms, if they hold any."""
        together: dict[Target, list[int]] = {}
        for k in part:
            together.setdefault(self.target.of_number(self.numbers[k]), []).append(k)
        return list(together.items())

    def _complete(self, target: Target, part: Sequence[int]) -> None:
        assert self.pool is not None
        began = time.monotonic()
        faults: Sequence[str | None] = ()
        try:
            mol = completed(target, self.pool[part], self.options.relax)
            if self.options.relax == "torsions":
                leave_barriers(target, mol)
            faults = [fault(target, mol, conformer.GetId()) for conformer in mol.GetConformers()]
        except RDKIT:
            mol, faults = Chem.Mol(), ()
        self.spent += time.monotonic() - began
        if faults or not len(part):
            self._add("score", [self.numbers[k] for k in part], mol, faults)
        elif len(part) == 1:
            self.ensemble.dropped["rdkit"] += 1
        else:  # one of them may be at fault: each alone
            for k in part:
                self._complete(target, [k])

    def embed(self, seed: int) -> None:
        """Conformers of ETKDGv3 in place of what is missing."""
        if not self.fallback or not self.missing or len(self.made) >= self.ensemble.asked:
            return
        if self.options.method == "score":
            failed = ("failed", f"{self.missing} conformers that the model failed at")
            late = ("late", "the model had no time for more") if self.limit < math.inf and not self.proposable else None
            self.ensemble.reason = self.target.reason or late or failed
        began, fruitless, failure = time.monotonic() - self.spent, 0, None
        for number in range(ROUNDS * self.missing):
            if fruitless == HOPELESS or not self.missing or self.late:
                break
            fruitless += 1
            target = self.target.of_number(number)
            for how in dict.fromkeys((self.options.relax, "none")):  # what RDKit cannot relax, it may still embed
                try:
                    mol = embedded(target, [number], seed, how, lambda: self.limit - (time.monotonic() - began))
                    faults: list[str | None] = [None] * mol.GetNumConformers()
                    if how == "torsions" and leave_barriers(target, mol):
                        ids = [conformer.GetId() for conformer in mol.GetConformers()]
                        faults = [fault(target, mol, index, strict=False) for index in ids]
                except RDKIT as error:
                    failure = reason_of(error)
                    continue
                if mol.GetNumConformers():
                    self._add("etkdg", [number], mol, faults)
                    fruitless = 0
                break
            self.spent = time.monotonic() - began
        if failure and not self.made:
            self.ensemble.reason = failure

    def _add(self, method: str, numbers: Sequence[int], mol: Chem.Mol, faults: Sequence[str | None]) -> None:
        self.ensemble.dropped.update(token for token in faults if token)
        sound = [k for k, token in enumerate(faults) if not token]
        conformers = list(mol.GetConformers())
        for number, conformer in zip(numbers, conformers, strict=True):
            if (held := self.target.of_number(number).held) is not None:
                conformer.SetProp("kept_atoms", " ".join(map(str, held.atoms.tolist())))
                moved = held.displacement(conformer.GetPositions())
                conformer.SetDoubleProp("kept_displacement_angstrom", round(moved, 4))
        self.made += [SoundConformer(method, numbers[k], Chem.Conformer(conformers[k])) for k in sound]
        if not sound:
            return
        new, known = heavy_positions(mol)[sound], len(self.distinct)
        if not self.options.rmsd:
            self.distinct += list(new)
            return
        apart = distances(self.target, new, np.array([*self.distinct, *new]))
        kept = list(range(known))
        for k, x in enumerate(new):
            if (apart[k, kept] < self.options.rmsd).any():
                self.repeats += 1
            else:
                self.distinct.append(x)
                kept.append(known + k)
                self.repeats = 0

    def finish(self) -> None:
        """Ranks what was made, and says why if there is nothing."""
        ensemble = self.ensemble
        self.rank()
        kept = ensemble.mol.GetNumConformers() + ensemble.dropped["window"]
        repeated = self.exhausted or kept + ensemble.dropped["rmsd"] >= ensemble.asked
        ensemble.exhausted = bool(self.made) and kept < ensemble.asked and repeated
        self.conclude()

    def rank(self) -> None:
        """Puts what was made in order."""
        ensemble = self.ensemble
        ensemble.mol = ranked(self.target, self.made, ensemble.asked, self.options, ensemble.dropped)

    def conclude(self, reason: tuple[str, str] | None = None) -> None:
        """Properties of the input, the user's filter, and if there is nothing left the reason, if it is not given."""
        ensemble = self.ensemble
        set_properties(ensemble.mol, self.properties)
        for conformer in ensemble.mol.GetConformers() if ensemble.not_held else ():
            conformer.SetProp("stereo_not_held", "; ".join(ensemble.not_held))
        self._filter()
        if not ensemble.mol.GetNumConformers():
            ensemble.reason = reason or self._why_not()

    def _filter(self) -> None:
        """Leaves out the conformers that the user does not want. The others keep their ranks."""
        if not self.options.wanted.late:
            return
        mol, kept = self.ensemble.mol, Chem.Mol(self.ensemble.mol)
        kept.RemoveAllConformers()
        for conformer in mol.GetConformers():
            single, own = Chem.Mol(mol, False, conformer.GetId()), conformer.GetPropsAsDict()
            if (detail := self.options.wanted.rest(single, own, self.properties)) is None:
                kept.AddConformer(conformer, assignId=True)
            else:
                self.ensemble.dropped["filter"] += 1
                self.unwanted = detail
        self.ensemble.mol = kept

    def _why_not(self) -> tuple[str, str]:
        if self.unwanted:
            return "filter", self.unwanted
        if self.late:
            return "late", f"no conformer within {self.options.seconds} s"
        if self.ensemble.reason and self.ensemble.reason[0] == "rdkit":
            return self.ensemble.reason
        if self.fallback:
            stereo = " with this stereo" if len(tags(self.ensemble.mol)) else ""
            return "embedding", f"ETKDGv3 finds no conformer{stereo}"
        counts = self.ensemble.dropped.most_common()
        return self.target.reason or ("failed", "every proposal failed: " + ", ".join(f"{k} {t}" for t, k in counts))
