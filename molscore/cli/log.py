"""``--log FILE``: what a command says on standard error, its options, and how it ended. Later runs are added below."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import TextIOBase
from pathlib import Path
from typing import IO, Any

import typer

from molscore.cli.common import complaints, fail
from molscore.files.paths import check_writable, same_file
from molscore.versions import version


class Tee(TextIOBase):
    """Standard error that is written to a log too.

    Attributes:
        terminal: standard error itself, for what redraws a line, such as a progress bar.
    """

    def __init__(self, terminal: IO[str], log: IO[str]):
        self.terminal, self._log = terminal, log

    def write(self, text: str) -> int:
        """Writes to both. A log that cannot be written is no reason to stop."""
        with suppress(OSError):
            self._log.write(text)
            self._log.flush()
        return self.terminal.write(text)

    def flush(self) -> None:
        """Of standard error; the log is flushed at every write."""
        self.terminal.flush()

    def isatty(self) -> bool:
        """Whether standard error is a terminal."""
        return self.terminal.isatty()

    def fileno(self) -> int:
        """That of standard error."""
        return self.terminal.fileno()

    def writable(self) -> bool:
        """Yes."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of standard error."""
        return getattr(self.terminal, "encoding", "utf-8")


@contextmanager
def logged(path: Path | None, command: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Within the block standard error goes to a log as well; None for no log. Ends with code 2 if it cannot be."""
    if path is None:
        yield
        return
    with complaints(ValueError, OSError):
        check_writable(path, ())
        for name, value in options.items():
            if isinstance(value, (str, Path)) and same_file(path, value):
                fail(f"--log {path} and {name.replace('_', '-')} {value} are the same file; name another")
        log = path.open("a", encoding="utf-8", errors="backslashreplace")
    began, code, terminal = time.monotonic(), 0, sys.stderr
    with log:
        chosen = "".join(f"  {name}: {value}\n" for name, value in options.items() if value not in (None, (), []))
        log.write(f"{_now()} molscore {version()} {command}\n{chosen}")
        sys.stderr = Tee(terminal, log)
        try:
            yield
        except typer.Exit as end:
            code = end.exit_code
            raise
        except BaseException:
            code = 1
            raise
        finally:
            sys.stderr = terminal
            with suppress(OSError):
                log.write(f"{_now()} ended with code {code} after {time.monotonic() - began:.1f} s\n\n")


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S%z")
