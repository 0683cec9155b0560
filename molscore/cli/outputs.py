"""What a command writes, checked before anything heavy loads: names, places, what stands there already."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from molscore.cli.common import complaints
from molscore.files.manifest import manifests
from molscore.files.part import check_begun
from molscore.files.paths import Named, check_alone, check_apart, check_free, check_writable
from molscore.files.shards import (
    SHARD,
    Shards,
    check_apart_from_shards,
    check_braces,
    check_pattern,
    is_pattern,
    parse_chunk,
    shard_of,
)

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
ShardSize = Annotated[int, typer.Option(min=1, help="Molecules, or input records, of each file of {shard}.")]
Chunk = Annotated[
    str | None, typer.Option(metavar="I/N", help="Make every N-th shard, from I on; then --resume without it.")
]
Outputs = Mapping[str, tuple[Path | None, tuple[str, ...]]]
"""Files by the name of the option, with the endings that they may have; None where there is none."""

__all__ = ["SHARD", "Chunk", "Overwrite", "ShardSize", "check_outputs", "check_shards"]


def check_outputs(outputs: Outputs, inputs: Named, overwrite: bool, standard: bool = False) -> None:
    """Ends the program with code 2 if a file cannot be written, is an input, or exists.

    Args:
        outputs: what the command writes.
        inputs: what it reads, as for `check_apart`.
        overwrite: whether files that exist may be replaced, or added to.
        standard: whether the first output may be ``-``, standard output.
    """
    named = {option: path for option, (path, _) in outputs.items() if path is not None}
    with complaints(ValueError, OSError):
        for position, (option, path) in enumerate(named.items()):
            if not (standard and position == 0 and str(path) == "-"):
                check_writable(path, outputs[option][1])
        check_apart(named, inputs)
        if not overwrite:
            check_free(named)


def check_shards(
    outputs: Outputs,
    inputs: Named,
    overwrite: bool,
    resume: bool,
    size: int,
    chunk: str | None,
    grows: bool = False,
) -> tuple[int, int] | None:
    """`check_outputs` for a command whose outputs may have ``{shard}`` in their names, and which may go on.

    Args:
        outputs, inputs, overwrite: as for `check_outputs`.
        resume: whether to go on with what an earlier run left.
        size, chunk: of shards, and which of them, as the user wrote it.
        grows: whether the command can go on with a single file that is complete.

    Returns:
        Which part of the run is wanted, as numbers.
    """
    option, (out, _) = next(iter(outputs.items()))
    assert out is not None
    with complaints(ValueError, OSError):
        part = None if chunk is None else parse_chunk(chunk)
        if str(out) == "-" and resume:
            raise ValueError(f"{option} - is standard output, where there is nothing to resume")
        if resume and overwrite:
            raise ValueError("--resume goes on with an earlier run and --overwrite replaces it: give one of them")
        check_alone({name: path for name, (path, endings) in outputs.items() if name == option or endings == (".csv",)})
        if not is_pattern(out):
            if part is not None:
                raise ValueError(f"--chunk is for many files: write {{shard}} into the name of {option}")
            if size != SHARD:
                raise ValueError(f"--shard-size is for many files: write {{shard}} into the name of {option}")
            check_braces({name: path for name, (path, _) in outputs.items()})
        else:
            patterns = {name: check_pattern(path, name) for name, (path, _) in outputs.items() if path is not None}
            check_apart_from_shards(patterns, inputs)
            if resume:
                manifests(Shards(out, size, part))
            elif not overwrite:
                for name, pattern in patterns.items():
                    if there := next(Shards(pattern, size, part).existing(), None):
                        check_free({name: there}, "; --resume goes on with the run that made it")
            outputs = {name: (path and shard_of(path, 0), endings) for name, (path, endings) in outputs.items()}
    check_outputs(outputs, inputs, overwrite or resume or is_pattern(out), standard=True)
    if resume and not is_pattern(out) and not (grows and out.is_file()):
        with complaints(ValueError):
            check_begun(out)
    return part


def place(out: Path) -> str:
    """An output in words."""
    return "standard output" if str(out) == "-" else str(out)
