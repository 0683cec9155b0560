"""The manifest of an output in shards: what made them, and what each that is finished holds. JSON, always whole."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from molscore.files.lock import locked
from molscore.files.output import write_text
from molscore.files.part import KEPT, ResumeError, check_same, journal_of
from molscore.files.shards import Shards

FORMAT = "molscore-manifest-1"

Entry = dict[str, Any]
"""What is known of a finished shard: its number, file and SHA-256, and counts."""


class Manifest:
    """A context manager, which holds the lock on the manifest. It is written at once, and after each shard.

    Args:
        shards: of the output.
        made_with: what decides on the result, JSON values by name.
        resume: go on after an earlier run, or, if this is no part of a run, after its parts; else the shards of an
            earlier run are removed.

    Raises:
        ResumeError: on entry, if there is nothing to resume, or it was made otherwise; all files stay as they are.
        BusyError: on entry, if another run holds the manifest.
    """

    def __init__(self, shards: Shards, made_with: Mapping[str, object], resume: bool = False):
        self.shards, self._resume = shards, resume
        self.made_with = {**made_with, "shard size": shards.size}
        self._own: dict[int, Entry] = {}
        self._parts: dict[int, Entry] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(locked(self.shards.manifest))
            if self._resume:
                self._read()
            else:
                self.shards.clear()
            self._write({})
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, OSError) and self._own and KEPT not in getattr(error, "__notes__", ()):
            error.add_note(KEPT)
        self._open.__exit__(kind, error, traceback)

    def finished(self, number: int) -> Entry | None:
        """What is known of a shard that this run, or one that it goes on after, has finished; None if it is to be made.

        Raises:
            ResumeError: if the file is no longer what it was.
        """
        return self._sound(self._own.get(number))

    def made_by_part(self, number: int) -> Entry | None:
        """The same, of a shard that a part of the run has finished and this run has not yet."""
        return self._sound(self._parts.get(number))

    def add(self, number: int, about: Mapping[str, Any]) -> None:
        """Notes that a shard is in place.

        Args:
            number: of the shard.
            about: counts, JSON values.
        """
        path = self.shards.path(number)
        self._own[number] = {"shard": number, "file": path.name, "sha256": digest_of(path), **about}
        self._write({})

    def close(self, totals: Mapping[str, Any]) -> None:
        """Notes that all is done. The manifests of the parts go: this one says what they said."""
        self._write(totals)
        if self.shards.chunk is None:
            for path in self.shards.manifests_of_chunks():
                path.unlink(missing_ok=True)

    def _read(self) -> None:
        paths = manifests(self.shards)
        for path in paths:
            content = _content(path)
            check_same(path, content["made with"], self.made_with)
            entries = self._own if path == self.shards.manifest else self._parts
            entries |= {entry["shard"]: entry for entry in content["shards"]}

    def _sound(self, entry: Entry | None) -> Entry | None:
        if entry is None:
            return None
        path = self.shards.path(entry["shard"])
        digest, in_work = digest_of(path), journal_of(path).is_file()
        if digest not in (None, entry["sha256"]) and not in_work:
            raise ResumeError(f"{path} has changed since it was made; move it away to have it made again")
        return entry if digest == entry["sha256"] else None

    def _write(self, totals: Mapping[str, Any]) -> None:
        content = {
            "format": FORMAT,
            "made with": self.made_with,
            "chunk": None if self.shards.chunk is None else "{}/{}".format(*self.shards.chunk),
            "complete": bool(totals),
            **totals,
            "shards": [self._own[number] for number in sorted(self._own)],
        }
        write_text(self.shards.manifest, json.dumps(content, indent=1) + "\n", lock=False)


def manifests(shards: Shards) -> list[Path]:
    """The manifests that a run which goes on reads: those of its parts, if it is no part itself, and its own last.

    Raises:
        ResumeError: if there is none.
    """
    own = [shards.manifest] if shards.manifest.is_file() else []
    paths = own if shards.chunk else [*shards.manifests_of_chunks(), *own]
    if not paths:
        raise ResumeError(f"there is nothing to resume: there is no {shards.manifest}; run without --resume")
    return paths


def digest_of(path: Path) -> str | None:
    """SHA-256 of a file; None if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] == FORMAT and isinstance(content["made with"], dict):
            assert all({"shard", "file", "sha256"} <= entry.keys() for entry in content["shards"])
            return content
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError):
        pass
    raise ResumeError(f"{path} is no manifest of this program, or damaged; run without --resume to start anew")
