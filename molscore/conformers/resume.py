"""What an earlier run left, taken over record by record without being read into memory.

The last molecule may not be all there: it is left out and made again.
"""

import gzip
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from molscore.chem.io.sdf_text import data_items
from molscore.chem.io.sdf_writer import SDFWriter, part_of

_ABOUT = {"molscore_index", "molscore_model", "molscore_seed", "molscore_options"}


class Held(NamedTuple):
    """Records of an earlier run.

    Attributes:
        path: where they are: a file that goes once they are taken over, unless it is the finished one.
        last: number of the last record that is there for certain.
        finished: whether the file is one that was put in its place, not one that was being written.
    """

    path: Path
    last: int
    finished: bool

    def copy_to(self, writer: SDFWriter) -> int:
        """Writes the records up to `last`, and returns its number."""
        for text, about in _records(self.path):
            if int(about["index"]) <= self.last:
                writer.copy(text, {})
        writer.flush()
        if not self.finished:
            self.path.unlink()
        return self.last


def held(out: Path, made_with: Mapping[str, str]) -> Held:
    """Finds what an earlier run left: a file that was being written, or the one that an interrupted run put in place.

    Args:
        out: the file that is to be.
        made_with: model, seed and options that the records must name.

    Raises:
        ValueError: if there is nothing to resume, or it was made otherwise.
    """
    part = part_of(out)
    before = part.with_name(f"{part.name}.before")
    if part.is_file() and not before.is_file():
        os.replace(part, before)  # the new part takes its name
    path = before if before.is_file() else out
    if not path.is_file():
        raise ValueError(f"there is no {out} to resume; run without --resume first")
    last = previous = 0
    for _, about in _records(path):
        if not {"index", "model", "seed", "options"} <= about.keys() or not about["index"].isdigit():
            raise ValueError(f"{out}: not conformers that molscore made; they cannot be resumed")
        if any(about[name] != value for name, value in made_with.items()):
            words = ", ".join(f"{name} {about[name]}" for name in made_with)
            raise ValueError(f"{out} was made with {words}; resume with the same")
        if int(about["index"]) != last:
            previous, last = last, int(about["index"])
    return Held(path, previous, path == out)


def _records(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Text of each whole record, without ``$$$$``, and what it says of its making."""
    lines: list[str] = []
    try:
        with (gzip.open if path.name.removesuffix(".part.before").endswith(".gz") else open)(
            path, "rt", encoding="utf-8", newline="\n"
        ) as file:
            for line in file:
                if line.startswith("$$$$"):
                    text = "".join(lines)
                    about = {item.name: item.value for item in data_items(text)}
                    yield text, {name.removeprefix("molscore_"): x for name, x in about.items() if name in _ABOUT}
                    lines = []
                else:
                    lines.append(line)
    except (EOFError, OSError, zlib.error, UnicodeDecodeError):  # the end of a file that was being written
        return
