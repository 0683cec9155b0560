"""The result of a run to files, counted attempt by attempt, and its summary."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from molscore.files.summary import by_frequency, listed, place, stopped


@dataclass
class GenerationRun:
    """What a run to files made, with the earlier runs that it resumed.

    Attributes:
        requested, delivered: molecules asked for; molecules in the file, or in the shards that are finished.
        kept: molecules that an earlier run had made.
        attempts: samples, without those behind a finished file that was added to.
        added: whether there was such a file. Its rejected attempts are not all known.
        as_sampled: those attempts whose most probable classes were a valid molecule, unrepaired (duplicates count).
        rejected: rejected attempts by reason, most frequent first.
        interrupted: what stopped the run, if the user did: Ctrl-C, or SIGTERM.
        in_place: whether the file is where it was asked for. A run that was stopped leaves what stood there.
        shards: how many are finished; None for a single file.
    """

    requested: int
    delivered: int = 0
    kept: int = 0
    attempts: int = 0
    added: bool = False
    as_sampled: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    interrupted: KeyboardInterrupt | None = None
    in_place: bool = True
    shards: int | None = None

    def count(self, about: Mapping[str, Any]) -> None:
        """Adds an attempt.

        Args:
            about: JSON values: ``smiles``, None of what was rejected, and then ``reason``; ``plain``, whether it was
                valid as sampled; ``finished`` if it belongs to what an earlier run had finished, whose counts are not
                for this one, but for a molecule that has turned out to be a duplicate.
        """
        self.delivered += about["smiles"] is not None
        if about.get("finished"):
            self.rejected.update(["duplicate"] if about.get("removed") else [])
        else:
            self.attempts += 1
            self.as_sampled += about["plain"]
            if about["smiles"] is None:
                self.rejected[about["reason"]] += 1

    def counts(self) -> dict[str, Any]:
        """The counts for a manifest; those of attempts only where all are known."""
        if self.added:
            return {"delivered": self.delivered}
        return {"delivered": self.delivered, "attempts": self.attempts, "rejected": by_frequency(self.rejected)}

    def add(self, counts: Mapping[str, Any]) -> None:
        """Adds what a manifest says of a shard: `counts`, and ``as_sampled``."""
        self.delivered += counts["delivered"]
        self.add_attempts(counts)

    def add_attempts(self, counts: Mapping[str, Any]) -> None:
        """Adds the attempts alone."""
        self.attempts += counts["attempts"]
        self.as_sampled += counts["as_sampled"]
        self.rejected.update(counts["rejected"])

    def text(self, out: object) -> str:
        """The summary for the user."""
        lines = [f"{self.delivered} of {self.requested} molecules {place(out, self.in_place, self.shards)}"]
        if self.attempts:
            samples = f"{self.attempts} {'further ' if self.added else ''}samples"
            share = f"{self.as_sampled} of {samples} ({self.as_sampled / self.attempts:.0%})"
            lines.append(f"{share} were valid as sampled, before any repair")
        if self.rejected:
            lines.append(f"{self.rejected.total()} rejected: {listed(self.rejected)}")
        if self.interrupted:
            lines.append(stopped(out))
        elif self.delivered < self.requested:
            lines.append(f"gave up after {self.attempts} attempts; {self._advice()}")
        return "\n".join(lines)

    def _advice(self) -> str:
        """What to change, by what most of the samples were rejected for."""
        reason = max(self.rejected, key=lambda name: self.rejected[name], default="")
        if reason == "duplicate":
            return "most had been made before, so few others fit: raise --noise, widen --atoms, or ask for fewer"
        if reason == "filter":
            return "most were left out by filters, SMARTS or --elements: ask for less; --rejects says which"
        if reason == "target":
            return "most missed a target: ask for a range, such as logp=2..3, or for fewer targets at once"
        return "see --rejects for the reasons, or try more --steps"
