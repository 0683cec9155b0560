"""How many records a file seems to hold: for progress bars, so quick rather than exact."""

import gzip
import os
import zlib

_GZIP = b"\x1f\x8b"


def record_count(path: str | os.PathLike[str], form: str) -> int | None:
    """Counts the lines that begin records, or in an SDF file end them.

    Args:
        path: the file, compressed or not.
        form: a key of `molscore.chem.io.source.FORMS`.

    Returns:
        None for what can be read only once, such as a pipe, or not at all.
    """
    if not os.path.isfile(path):
        return None
    if form == "parquet":
        from molscore.chem.io.parquet_rows import parquet_file

        try:
            return int(parquet_file(path).metadata.num_rows)
        except (ValueError, OSError, ImportError):
            return None
    count, last = 0, b""
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            with gzip.open(raw) if packed else raw as lines:
                if form == "sdf":
                    for line in lines:
                        count += line.startswith(b"$$$$")
                        last = line if line.strip() else last
                    return count + bool(last and not last.startswith(b"$$$$"))
                for line in lines:
                    if form == "mol2":
                        count += line.startswith(b"@<TRIPOS>MOLECULE")
                        continue
                    count += bool(line.strip()) and not line.startswith(b"#")
    except (OSError, EOFError, zlib.error):
        return None
    return max(count - (form in ("csv", "tsv")), 0)
