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
from molscore.files.paths import Named, resolved

SHARD = 10_000
"""Molecules, or records of the input, of a shard, where nothing else is asked for."""

ATTEMPTS = 2**32
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


def check_braces(outputs: Named) -> None:
    """Raises ValueError if the name of a single file looks like a pattern."""
    for word, path in outputs.items():
        if path is not None and (match := re.search(r"\{\w*(:\w*)?\}", Path(path).name)):
            raise ValueError(
                f"{word} {path}: {match[0]} is not filled in; write {{shard}} into --out for many files, or no braces"
            )


def shard_of(pattern: Path, number: int) -> Path:
    """The file of a shard, from 0 on."""
    return pattern.with_name(pattern.name.format(shard=number))


def check_apart_from_shards(outputs: Named, inputs: Named) -> None:
    """Raises ValueError if an input is one of the files that a pattern among the outputs stands for, by any name."""
    for word, pattern in outputs.items():
        if pattern is None or not is_pattern(pattern):
            continue
        shards = Shards(Path(pattern))
        for other, path in inputs.items():
            if path is None or str(path) == "-" or not os.path.exists(path):
                continue
            there = resolved(path)
            if there.parent == resolved(shards.pattern.parent) and shards.number(there.name) is not None:
                raise ValueError(
                    f"{word} {pattern} and {other} {path} are the same file: it would be overwritten; name another file"
                )


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

    def number(self, name: str) -> int | None:
        """Which shard has this name of a file; None if none has."""
        before, after = (re.escape(part) for part in re.split(r"\{.*\}", self.pattern.name))
        match = re.fullmatch(f"{before}([0-9]+){after}", name)
        return int(match[1]) if match and self.path(int(match[1])).name == name else None

    def existing(self) -> Iterator[Path]:
        """Files that a run would replace: the manifest, and the shards of this part of the run."""
        for path in sorted(self._folder()):
            number = self.number(path.name)
            if path.name == self.manifest.name or (number is not None and self.own(number)):
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
