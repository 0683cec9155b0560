"""The result of a run over a file of molecules, counted record by record, and its summary."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from molscore.files.summary import listed, place, stopped

LISTED = 10
"""Problems that the summary names; the others it counts."""

COUNTS = (
    *("records", "molecules", "short", "exhausted", "unranked", "not_held", "conformers", "fallbacks", "relaxations"),
    *("failed", "dropped", "problems", "filtered", "first_filtered"),
)
"""What a manifest says of a shard, by the names of the attributes."""


@dataclass
class ConformerRun:
    """What a run over a file made, with the earlier runs that it resumed.

    Attributes:
        records: read.
        kept: of them, those that an earlier run had finished.
        changed: those that an earlier run had finished, but that have changed since, and were made again.
        molecules: records with a conformer at least.
        conformers: written, by method.
        short: ensembles with fewer conformers than asked for, for another reason than window or rmsd.
        exhausted: ensembles with fewer conformers than asked for, because further ones would repeat them.
        unranked: conformers without an energy, whose rank is the order of making.
        not_held: ensembles with stereo in the input that the conformers need not have.
        fallbacks: why ETKDGv3 made conformers, ensembles by reason.
        relaxations: conformers that could not be relaxed as asked for, by the relaxation used instead.
        filtered: records without a conformer because the user's filter left them out.
        first_filtered: why the first of them was, in words; none if there is none.
        failed: other records without a conformer, by reason.
        dropped: rejected conformers, by reason.
        problems: the first of what failed, in words.
        interrupted: what stopped the run, if the user did: Ctrl-C, or SIGTERM.
        in_place: whether the file is where it was asked for. A run that was stopped leaves what stood there.
        shards: how many are finished; None for a single file.
    """

    records: int = 0
    kept: int = 0
    changed: int = 0
    molecules: int = 0
    conformers: Counter[str] = field(default_factory=Counter)
    short: int = 0
    exhausted: int = 0
    unranked: int = 0
    not_held: int = 0
    filtered: int = 0
    first_filtered: list[str] = field(default_factory=list)
    fallbacks: Counter[str] = field(default_factory=Counter)
    relaxations: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    interrupted: KeyboardInterrupt | None = None
    in_place: bool = True
    shards: int | None = None

    @property
    def complete(self) -> bool:
        """Whether every record has all the conformers that were asked for, as far as the filter wants them."""
        return not (self.failed or self.short or self.interrupted)

    def count(self, number: int, about: Mapping[str, Any]) -> None:
        """Adds a record.

        Args:
            number: of the record.
            about: JSON values: ``line``, ``name``; ``methods``, ``dropped``, ``fallbacks``, ``relaxations``,
                ``rankings`` (counts by word); ``short``, ``exhausted``, ``not_held`` (counts); ``reason`` and
                ``detail`` if there is no conformer.
        """
        self.records += 1
        self.molecules += bool(about["methods"])
        for name in ("short", "exhausted", "not_held"):
            setattr(self, name, getattr(self, name) + about[name])
        self.unranked += about["rankings"].get("none", 0)
        self.conformers.update(about["methods"])
        for name in ("dropped", "fallbacks", "relaxations"):
            getattr(self, name).update(about[name])
        if about.get("reason") == "filter":
            self.filtered += 1
            self.first_filtered = self.first_filtered or [f"{_words(number, about)}: {about['detail']}"]
        elif "reason" in about:
            self.failed[about["reason"]] += 1
            if len(self.problems) < LISTED:
                self.problems.append(f"{_words(number, about)}: {about['reason']}: {about['detail']}")

    def counts(self) -> dict[str, Any]:
        """The counts for a manifest."""
        return {name: dict(value) if isinstance(value := getattr(self, name), Counter) else value for name in COUNTS}

    def add(self, counts: Mapping[str, Any]) -> None:
        """Adds the records of a shard, `counts`."""
        for name in COUNTS:
            if isinstance(value := getattr(self, name), Counter):
                value.update(counts[name])
            else:
                setattr(self, name, value + counts[name])
        self.problems, self.first_filtered = self.problems[:LISTED], self.first_filtered[:1]

    def text(self, out: object) -> str:
        """The summary for the user."""
        where = place(out, self.in_place, self.shards)
        lines = [f"{self.conformers.total()} conformers of {self.molecules} of {self.records} molecules {where}"]
        if self.changed:
            lines.append(f"{self.changed} records of the input have changed since; they were made again")
        if made := self.conformers["etkdg"]:
            lines.append(f"made by ETKDGv3: {made}")
            lines[-1] += f"; ensembles by reason: {listed(self.fallbacks)}" if self.fallbacks else ""
        if self.relaxations:
            lines.append(f"relaxed otherwise than asked for (relaxation_reason says why): {listed(self.relaxations)}")
        if self.dropped:
            lines.append(f"rejected geometries: {listed(self.dropped)}")
        if self.unranked:
            lines.append(f"{self.unranked} conformers have no energy: their rank is the order of making")
        if self.not_held:
            lines.append(f"stereo of the input that could not be held: {self.not_held} (stereo_not_held says which)")
        if self.exhausted:
            lines.append(
                f"ensembles without further distinct conformers: {self.exhausted}; --fill repeats some up to --n"
            )
        if self.short:
            lines.append(f"ensembles with fewer conformers than asked for: {self.short}")
        if self.filtered:
            lines.append(f"left out by the filter: {self.filtered} molecules; --problems FILE says why, the first:")
            lines += [f"  {words}" for words in self.first_filtered]
        if self.failed:
            lines.append(f"without a conformer: {listed(self.failed)}")
            lines += [f"  {problem}" for problem in self.problems]
            if (more := self.failed.total() - len(self.problems)) > 0:
                lines.append(f"  and {more} more; --problems FILE lists them all")
        if self.interrupted:
            lines.append(stopped(out))
        return "\n".join(lines)


def _words(number: int, about: Mapping[str, Any]) -> str:
    """Where a record stands, in words."""
    return f"record {number}, line {about['line']}" + (f" ({about['name']})" if about["name"] else "")
