"""Checks of output paths, made before the work begins."""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

LONGEST = 240
"""Bytes of a file name: file systems hold 255, and the hidden files beside an output have longer names than it."""

_STREAMS = ("/dev/std", "/dev/fd/", "/proc/")
"""Names of what is open already, be it a regular file."""


def check_writable(path: str | os.PathLike[str], endings: tuple[str, ...] = (".sdf", ".sdf.gz")) -> Path:
    """Checks before the work begins that a file can be written at `path`.

    Args:
        path: the file to be.
        endings: what its name may end in, in upper or lower case; empty for any name.

    Returns:
        `path` as a Path.

    Raises:
        ValueError: if the name does not end in one of `endings`, or is too long.
        OSError: if the folder does not exist or cannot be written to, or if `path` is a folder, a device, a pipe or a
            file that is protected against writing.
    """
    path = Path(path)
    if str(path) == "-":
        raise ValueError("results go to a file, not to standard output: give the name of one in place of -")
    check_regular(path)
    if endings and not path.name.lower().endswith(endings):
        raise ValueError(f"{path}: the name of this file must end in {' or '.join(endings)}")
    target = resolved(path)
    if len(os.fsencode(target.name)) > LONGEST:
        raise ValueError(f"{path}: the name of this file is longer than {LONGEST} bytes")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {target.parent}; make it first")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"{path} is protected against writing and cannot be written to")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{path}: the folder {target.parent} cannot be written to")
    return path


def check_regular(path: Path) -> None:
    """Raises OSError if something other than a regular file is at `path`: a folder, a device, a pipe or a socket."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{path} is a folder; give the name of a file")
    if not stat.S_ISREG(mode) or os.path.abspath(path).startswith(_STREAMS):
        raise OSError(f"{path} is a device or a pipe; results are put in place whole, so give the name of a file")


Named = Mapping[str, str | os.PathLike[str] | None]
"""Files by the name of the option or argument, such as ``--out``; None where there is none."""


def check_free(outputs: Named, hint: str = "") -> None:
    """Raises FileExistsError if one of the outputs is there already; `hint` says what else can be done."""
    for word, path in outputs.items():
        if path is not None and str(path) != "-" and os.path.lexists(path):
            raise FileExistsError(f"{word} {path} exists; --overwrite replaces it{hint}")


def check_apart(outputs: Named, inputs: Named) -> None:
    """Every output must be another file than every input and every other output, by whatever name it goes.

    Args:
        outputs: what a command writes.
        inputs: what it reads, ``-`` for standard input; names of things that are no files do not matter.

    Raises:
        ValueError: if two of them are one file: the same name, a link, another spelling; or as `check_read_once`.
    """
    check_read_once(inputs)
    read = {word: "/dev/stdin" if str(path) == "-" else path for word, path in inputs.items() if path is not None}
    before: dict[str, str | os.PathLike[str]] = {}
    for word, path in outputs.items():
        if path is None or str(path) == "-":
            continue
        for others, harm in ((read, "it would be overwritten"), (before, "one would overwrite the other")):
            for other, name in others.items():
                if same_file(path, name):
                    raise ValueError(f"{word} {path} and {other} {name} are the same file: {harm}; name another file")
        for other, name in read.items():
            if any(same_file(hidden, name) for hidden in hidden_names(path)):
                raise ValueError(f"{other} {name} is a file that {word} {path} needs while it is written; rename it")
        before[word] = path


def check_read_once(inputs: Named) -> None:
    """Raises ValueError if standard input is to be read as two of the inputs."""
    words = [word for word, path in inputs.items() if str(path) == "-"]
    if len(words) > 1:
        raise ValueError(
            f"{' and '.join(words)} are both standard input, which can be read only once; give files for all but one"
        )


def check_alone(outputs: Named) -> None:
    """Raises ValueError if the first of several outputs is standard output: others are made of the file beside them."""
    (option, path), *others = [(word, path) for word, path in outputs.items() if path is not None]
    if str(path) == "-" and others:
        raise ValueError(
            f"{option} - is standard output, beside which {others[0][0]} is not written; name a file for {option}"
        )


def same_file(first: str | os.PathLike[str], second: str | os.PathLike[str]) -> bool:
    """Whether two names lead to one file, or would if there were one."""
    try:
        return os.path.samefile(first, second)
    except (OSError, ValueError):  # one of them is not there, or cannot be looked at
        return os.path.realpath(first) == os.path.realpath(second)


def resolved(path: str | os.PathLike[str]) -> Path:
    """The file that a name leads to, links followed: what is written there leaves the link in place."""
    return Path(os.path.realpath(path))


def beside(path: str | os.PathLike[str], suffix: str) -> Path:
    """A hidden file in the folder of an output."""
    target = resolved(path)
    return target.with_name(f".{target.name}{suffix}")


def hidden_names(path: str | os.PathLike[str]) -> Iterable[Path]:
    """The hidden files that an output has beside it while it is written."""
    return [beside(path, suffix) for suffix in (".tmp", ".lock", ".part", ".journal")]
