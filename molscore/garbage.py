"""Fewer searches for garbage in programs that begin with large imports."""

import gc

NEW_OBJECTS = 50_000
"""Between two searches. Imports make half a million that stay; with Python's 700, looking through them again and again
is a tenth of starting up."""


def search_less() -> None:
    """Sets that number, for the whole process."""
    gc.set_threshold(NEW_OBJECTS)
