"""The outputs of a run, molecules and a CSV file beside them, checked before the work begins."""

from pathlib import Path

from molscore.chem.io.formats import check_output
from molscore.files.paths import Named, check_alone, check_apart, check_writable
from molscore.files.shards import check_apart_from_shards, check_pattern, is_pattern, shard_of
from molscore.limits import check


def check_outputs(
    out: Path,
    beside: dict[str, Path | None],
    source: str | None = None,
    *,
    shard_size: int,
    chunk: tuple[int, int] | None,
) -> bool:
    """Checks what a run is to write.

    Args:
        out: the molecules; ``-`` is standard output.
        beside: CSV files by the name of the argument, None where there is none.
        source: what the run reads, if it is a file.
        shard_size, chunk: as for `molscore.files.shards.Shards`.

    Returns:
        Whether there are many files: ``{shard}`` is in the names.

    Raises:
        ValueError: for a name with another ending, two outputs that are one file, an output that is the input, or a
            part of a run into one file.
        OSError: if a file cannot be written.
    """
    check("shard_size", shard_size)
    outputs: Named = {"out": out, **beside}
    check_alone(outputs)
    many = is_pattern(out)
    if many:
        for name, path in outputs.items():
            if path is not None:
                check_pattern(path, name)
        check_apart_from_shards(outputs, {"source": source})
    elif chunk is not None:
        raise ValueError("a chunk of a run is made of shards: write {shard} into the name of the output")
    first = {name: path and (shard_of(Path(path), 0) if many else path) for name, path in outputs.items()}
    for name, path in first.items():
        if path is not None:
            check_output(path) if name == "out" else check_writable(path, (".csv",))
    check_apart(first, {"source": source})
    return many
