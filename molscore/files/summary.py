"""Sentences that the summaries of runs to files have in common."""

from collections import Counter
from collections.abc import Iterable, Mapping


def place(out: object, in_place: bool, shards: int | None) -> str:
    """Where the output is.

    Args:
        out: its name, - for standard output.
        in_place: whether the file is there; else its pieces wait for ``--resume``.
        shards: how many files there are in its place; None for a single one.
    """
    if shards is not None:
        return f"in {shards} {'shard' if shards == 1 else 'shards'}, {out}"
    if str(out) == "-":
        return "written to standard output"
    return f"in {out}" if in_place else f"kept for --resume; nothing was written to {out}"


def stopped(out: object) -> str:
    """The last line of a run that was interrupted."""
    return "interrupted" + ("" if str(out) == "-" else "; the same command with --resume goes on")


def by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts, the greatest first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def listed(counts: Mapping[str, int] | Iterable[str]) -> str:
    """Counts, or how often each word occurs: ``2 duplicate, 1 valence``."""
    return ", ".join(f"{count} {word}" for word, count in by_frequency(Counter(counts)).items())
