"""What `Workers` asks of those who do the work: processes here (`processes`), or on a cluster (`actors`)."""

from collections.abc import Sequence
from typing import Any, Protocol

TRIES = 3
"""Workers that may die of one task, or before their first, until work is given up."""


class WorkerError(RuntimeError):
    """Workers died again and again over one task; or, as the cause of another error, the lines where that arose."""


class DiedError(Exception):
    """A worker is gone; the message says how, as far as it is known."""


class Worker(Protocol):
    """One who does tasks, one at a time."""

    @property
    def busy(self) -> bool:
        """Whether it cannot be given a task now: it starts, or has one."""

    def send(self, task: Any) -> None:
        """Gives it a task. Raises DiedError if it is gone."""

    def receive(self) -> Any:
        """What it answers: to a task a pair, True and the result or False and the error with its lines; None when it
        has started. Raises DiedError if it is gone."""

    def end(self) -> None:
        """Ends it, whatever it does. May be called twice."""


class Crew(Protocol):
    """Starts workers and listens to them."""

    def start(self) -> Worker:
        """A new worker."""

    def wait(self, workers: Sequence[Any]) -> Sequence[Any]:
        """Those of the given workers that have answered or died; there is one at least when it returns."""
