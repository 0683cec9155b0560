"""What a long run must look up, on disk: memory does not grow with it.

SQLite keeps each table in a temporary file of its own, from two megabytes on, under ``SQLITE_TMPDIR``, ``TMPDIR`` or
``/var/tmp``. The file has no name, so it goes with the process, however that ends.
"""

import errno
import hashlib
import sqlite3
from collections.abc import Iterator

_UNSAFE = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
"""Nothing of it outlives the process, so nothing need be safe from crashes."""


class _Table:
    def __init__(self, columns: str):
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(f"{_UNSAFE} CREATE TABLE entries ({columns}) WITHOUT ROWID")

    def close(self) -> None:
        """Removes the table."""
        self._database.close()

    def __del__(self) -> None:
        self.close()

    def _run(self, command: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._database.execute(command, values)
        except sqlite3.OperationalError as error:
            raise OSError(
                errno.ENOSPC, f"no room for temporary files: {error}; set TMPDIR to another folder"
            ) from error

    def __len__(self) -> int:
        return int(self._run("SELECT count(*) FROM entries").fetchone()[0])


class Places(_Table):
    """Where the pieces of a file lie: number to first byte and length."""

    def __init__(self) -> None:
        super().__init__("number INTEGER PRIMARY KEY, start INTEGER, length INTEGER")

    def __contains__(self, number: int) -> bool:
        return self._run("SELECT 1 FROM entries WHERE number = ?", number).fetchone() is not None

    def __getitem__(self, number: int) -> tuple[int, int]:
        row = self._run("SELECT start, length FROM entries WHERE number = ?", number).fetchone()
        if row is None:
            raise KeyError(number)
        start, length = row
        return start, length

    def __setitem__(self, number: int, place: tuple[int, int]) -> None:
        self._run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", number, *place)

    def discard(self, number: int) -> None:
        """Forgets a piece, if it is known."""
        self._run("DELETE FROM entries WHERE number = ?", number)

    def __iter__(self) -> Iterator[int]:
        """The numbers in order. Pieces may be added meanwhile: those with greater numbers come too."""
        last: int | None = None
        while rows := self._run(
            "SELECT number FROM entries WHERE ?1 IS NULL OR number > ?1 ORDER BY number LIMIT 1000", last
        ).fetchall():
            for (last,) in rows:
                assert last is not None
                yield last


class Texts(_Table):
    """A set of texts, kept as 128 bits of their BLAKE2 digests: none of 10^12 is taken for another by chance."""

    def __init__(self) -> None:
        super().__init__("digest BLOB PRIMARY KEY")

    def __contains__(self, text: str) -> bool:
        return self._run("SELECT 1 FROM entries WHERE digest = ?", _digest(text)).fetchone() is not None

    def add(self, text: str) -> None:
        """Adds a text, if it is not there."""
        self._run("INSERT OR IGNORE INTO entries VALUES (?)", _digest(text))


class Numbers(_Table):
    """A set of whole numbers from 0 to 2^63 - 1."""

    def __init__(self) -> None:
        super().__init__("number INTEGER PRIMARY KEY")

    def add(self, number: int) -> None:
        """Adds a number, if it is not there."""
        self._run("INSERT OR IGNORE INTO entries VALUES (?)", number)

    def greatest(self, width: int) -> Iterator[int]:
        """The greatest of those from 0 to ``width`` - 1, of those from ``width`` to 2 ``width`` - 1, and so on."""
        for (number,) in self._run("SELECT max(number) FROM entries GROUP BY number / ?", width):
            yield number


class Columns(_Table):
    """Rows of numbers, of which medians are wanted."""

    def __init__(self, *names: str):
        super().__init__(", ".join(["number INTEGER PRIMARY KEY", *names]))
        self._names, self._next = names, 0

    def add(self, *values: float | None) -> None:
        """Adds a row, None where there is no number."""
        places = ", ".join("?" * (1 + len(self._names)))
        self._run(f"INSERT INTO entries VALUES ({places})", self._next, *values)
        self._next += 1

    def zeros(self, name: str) -> int:
        """How many numbers of a column are zero."""
        return int(self._run(f"SELECT count(*) FROM entries WHERE {name} = 0").fetchone()[0])

    def median(self, name: str) -> float | None:
        """The median of a column, of an even number the mean of the middle two; None if it holds no number."""
        (count,) = self._run(f"SELECT count({name}) FROM entries").fetchone()
        middle = f"SELECT {name} AS value FROM entries WHERE {name} IS NOT NULL ORDER BY value LIMIT ? OFFSET ?"
        row = self._run(f"SELECT avg(value) FROM ({middle})", 2 - count % 2, max(count - 1, 0) // 2).fetchone()
        return None if count == 0 else float(row[0])


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
