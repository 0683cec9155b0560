"""A long output as many files, its shards, with a manifest beside them that says what each of them holds.

``out-{shard:05d}.sdf.gz`` stands for ``out-00000.sdf.gz``, ``out-00001.sdf.gz``, ..., and ``out.manifest.json`` lists
them. The shards of ``--chunk 2/8`` are every eighth from the second on, and its manifest is
``out.chunk-2-of-8.manifest.json``.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from molscore.files.part import remove_pieces

SHARD = 10_000
"""Molecules, or records of the input, of a shard, where nothing else is asked for."""

LANE = 2**32
"""Numbers of attempts that each shard of new molecules may use; those of shard k begin at k times this."""

MANIFEST = ".manifest.json"


def is_pattern(path: str | os.PathLike[str]) -> bool:
    """Whether a name stands for many files."""
    return "{shard" in str(path)


def check_pattern(path: str | os.PathLike[str], called: str) -> Path:
    """A pattern as a Path.

    Raises:
        ValueError: unless the name of the file, not that of its folder, holds ``{shard}`` once, or with a number of
            digits, and no other brace.
    """
    path = Path(path)
    try:
        fields = [(name, form) for _, name, form, _ in Formatter().parse(path.name) if name is not None]
    except ValueError:
        fields = []
    if [name for name, _ in fields] != ["shard"] or not re.fullmatch(r"(0?[1-9]d?)?", fields[0][1] or ""):
        raise ValueError(f"{called} {path}: the name of a file of many must hold {{shard}} or {{shard:05d}} once")
    if is_pattern(path.parent):
        raise ValueError(f"{called} {path}: {{shard}} belongs into the name of the file, not of its folder")
    return path


def shard_of(pattern: Path, number: int) -> Path:
    """The file of a shard, from 0 on."""
    return pattern.with_name(pattern.name.format(shard=number))


@dataclass(frozen=True)
class Shards:
    """The shards of an output.

    Attributes:
        pattern: their names.
        size: molecules, or records of the input, of each but the last.
        chunk: which part of the run this is, from 1 on, and of how many; None if it is all of it.
    """

    pattern: Path
    size: int = SHARD
    chunk: tuple[int, int] | None = None

    def path(self, number: int) -> Path:
        """The file of a shard, from 0 on."""
        return shard_of(self.pattern, number)

    def own(self, number: int) -> bool:
        """Whether a shard belongs to this part of the run."""
        return self.chunk is None or number % self.chunk[1] == self.chunk[0] - 1

    @property
    def manifest(self) -> Path:
        """The manifest of this part of the run."""
        part = "" if self.chunk is None else ".chunk-{}-of-{}".format(*self.chunk)
        return self.pattern.with_name(f"{self._stem}{part}{MANIFEST}")

    def manifests_of_chunks(self) -> list[Path]:
        """The manifests of all parts of the run that there are."""
        name = re.compile(re.escape(self._stem) + r"\.chunk-[0-9]+-of-[0-9]+" + re.escape(MANIFEST))
        return sorted(path for path in self._folder() if name.fullmatch(path.name))

    def existing(self) -> Iterator[Path]:
        """Files that a run would replace: the manifest, and the shards of this part of the run."""
        before, after = (re.escape(part) for part in re.split(r"\{.*\}", self.pattern.name))
        name = re.compile(f"{before}([0-9]+){after}")
        for path in sorted(self._folder()):
            if path.name == self.manifest.name:
                yield path
            elif (match := name.fullmatch(path.name)) and self.own(number := int(match[1])):
                if self.path(number).name == path.name:
                    yield path

    def clear(self) -> None:
        """Removes what an earlier run left: the manifest first, so that none speaks of what is not there."""
        paths = [self.manifest, *(() if self.chunk else self.manifests_of_chunks()), *self.existing()]
        for path in paths:
            path.unlink(missing_ok=True)
            remove_pieces(path)

    @property
    def _stem(self) -> str:
        return re.split(r"[-_. ]*\{", self.pattern.name)[0] or "shards"

    def _folder(self) -> list[Path]:
        return list(self.pattern.parent.iterdir())


def parse_chunk(text: str) -> tuple[int, int]:
    """``2/8`` as numbers.

    Raises:
        ValueError: if it is no such text, or the first number is not from 1 to the second.
    """
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ValueError(f"--chunk must be a part and their number, such as 1/8 to 8/8, not {text[:40]!r}")
    return int(match[1]), int(match[2])
