"""The life of a worker: tasks in, results or errors out, until the process that started it closes the connection."""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from molscore.workers.threads import one_thread


def serve(connection: Connection, start: Callable[[], Callable[[Any], Any]]) -> None:
    """Runs in a process of its own.

    Args:
        connection: tasks come from it one by one; each is answered with a pair: True and the result, or False and the
            error with the lines where it arose.
        start: makes the function from a task to its result; called when the first task is there.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answers = Answers(start)
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        connection.send_bytes(answers(task))


class Answers:
    """Answers to tasks: pickled pairs, True and the result, or False and the error with the lines where it arose.

    Args:
        start: as for `serve`.
    """

    def __init__(self, start: Callable[[], Callable[[Any], Any]]):
        self._start = start
        self._function: Callable[[Any], Any] | None = None

    def __call__(self, task: Any) -> bytes:
        """The answer to a task."""
        try:
            with one_thread():
                if self._function is None:
                    self._function = self._start()
                result = self._function(task)
                _keep_properties()
                return pickle.dumps((True, result), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            return _failure(error)


def _keep_properties() -> None:
    """Lets RDKit's molecules keep all their properties, and the digits of their coordinates, on their way back."""
    if (chem := sys.modules.get("rdkit.Chem")) is not None:
        options = chem.PropertyPickleOptions
        chem.SetDefaultPickleProperties(int(options.AllProps) | int(options.CoordsAsDouble))


def _failure(error: Exception) -> bytes:
    """The error and the lines where it arose; an error that cannot be pickled becomes a RuntimeError."""
    lines = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    return pickle.dumps((False, (error, lines)))


def _end_with_parent() -> None:
    """Ends this process as soon as the one that started it is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
