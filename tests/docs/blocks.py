"""The code blocks of a page, as commands and programs."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
HERE = re.compile(r"cat > (\S+) <<END")


class Command(NamedTuple):
    """A line of a shell."""

    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)


class File(NamedTuple):
    """A file that a page makes with ``cat > NAME <<END``."""

    name: str
    text: str


class Program(NamedTuple):
    """A block of Python."""

    text: str


def blocks(page: Path) -> Iterator[Command | File | Program]:
    """What a page tells its readers to run, in order; a block without a language, or of text, is not run."""
    for language, text in FENCE.findall(page.read_text()):
        if language == "python":
            yield Program(text)
        elif language == "bash":
            yield from commands(text)
        elif language != "text":
            raise ValueError(f"{page}: a block is of bash, python or text, not {language!r}")


def commands(text: str) -> Iterator[Command | File]:
    """The commands of a block of bash."""
    lines = iter(re.sub(r"\s+# .*", "", text).replace("\\\n", " ").splitlines())
    for line in lines:
        if here := HERE.fullmatch(line):
            yield File(here[1], "".join(f"{line}\n" for line in iter(lambda: next(lines), "END")))
            continue
        for part in line.split(" && "):
            if part.strip():
                yield Command(part)
