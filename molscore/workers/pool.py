"""`Workers`: processes that turn tasks into results, in the order of the tasks."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from molscore.workers import server
from molscore.workers.serve import serve
from molscore.workers.server import without_ctrl_c
from molscore.workers.threads import one_thread, single_threaded

Task = TypeVar("Task")
Result = TypeVar("Result")

AHEAD = 4
"""Tasks for each worker that `Workers.map` takes from their source before their results are asked for."""

TRIES = 3
"""Workers that may die of one task before it is given up."""


class WorkerError(RuntimeError):
    """Workers died again and again over one task; or, as the cause of another error, the lines where that arose."""


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    connection: Connection
    task: int | None = None


class Workers(Generic[Task, Result]):
    """Processes that turn tasks into results. A context manager: at its end they are gone.

    Args:
        start: called once in each worker; it returns the function from a task to its result. With more than one worker
            it, tasks and results must be picklable.
        workers: how many; they are started when there is something to do.
    """

    def __init__(self, start: Callable[[], Callable[[Task], Result]], workers: int = 1):
        self.number = workers
        self._start = start
        self._function: Callable[[Task], Result] | None = None
        self._queue: deque[int] = deque()
        self._tasks: dict[int, Task] = {}
        self._outcomes: dict[int, tuple[bool, Any]] = {}
        self._deaths: dict[int, int] = {}
        self._workers: list[_Worker] = []
        self._submitted = self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()
        self._workers = []

    @property
    def waiting(self) -> int:
        """Tasks whose results have not been taken."""
        return self._submitted - self._taken

    def submit(self, task: Task) -> None:
        """Adds a task, for a worker that is free, or as soon as one is. A first task waits for a second."""
        self._tasks[self._submitted] = task
        self._queue.append(self._submitted)
        self._submitted += 1
        if self.number > 1 and self._submitted > 1:
            self._assign()

    def result(self) -> Result:
        """The result of the first task whose result has not been taken; waits for it.

        Raises:
            WorkerError: if workers died of it.
            Exception: what the function raised.
        """
        number = self._taken
        if number == self._submitted:
            raise IndexError("every result has been taken")
        self._taken += 1
        if self.number == 1 or self._submitted == 1:
            return self._here(number)
        while number not in self._outcomes:
            busy = {worker.connection: worker for worker in self._workers if worker.task is not None}
            for connection in wait(list(busy)):
                self._receive(busy[connection])  # type: ignore[index]
            self._assign()
        good, outcome = self._outcomes.pop(number)
        if good:
            return outcome
        error, lines = outcome
        raise error from WorkerError(f"in a worker process:\n{lines}")

    def map(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """The results of tasks, which are taken from their source little by little."""
        for task in tasks:
            self.submit(task)
            while self.waiting >= (AHEAD * self.number if self.number > 1 else 1):
                yield self.result()
        while self.waiting:
            yield self.result()

    def _here(self, number: int) -> Result:
        """The result of the next task, in this process: there is one worker, or one task."""
        self._queue.popleft()
        with one_thread():
            if self._function is None:
                self._function = self._start()
            return self._function(self._tasks.pop(number))

    def _assign(self) -> None:
        """Gives the tasks in the queue to workers that are free; starts workers while there are too few."""
        while self._queue:
            worker = next((worker for worker in self._workers if worker.task is None), None)
            if worker is None:
                if len(self._workers) == self.number:
                    return
                worker = self._started()
            worker.task = self._queue.popleft()
            try:
                worker.connection.send(self._tasks[worker.task])
            except OSError:  # it died while it had nothing to do
                self._bury(worker)

    def _receive(self, worker: _Worker) -> None:
        try:
            outcome = worker.connection.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        assert worker.task is not None
        self._outcomes[worker.task] = outcome
        del self._tasks[worker.task]
        worker.task = None

    def _bury(self, worker: _Worker) -> None:
        """Takes a dead worker off the list and puts its task back."""
        number = worker.task
        assert number is not None
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.connection.close()
        self._deaths[number] = self._deaths.get(number, 0) + 1
        if self._deaths[number] == TRIES:
            raise WorkerError(
                f"{TRIES} worker processes died over the same task (the last with exit code "
                f"{worker.process.exitcode}; -9 often means that memory ran out): ask for fewer workers"
            )
        self._queue.appendleft(number)

    def _started(self) -> _Worker:
        here, there = multiprocessing.Pipe()
        with without_ctrl_c(), single_threaded():
            worker = _Worker(self._process(there), here)
            self._workers.append(worker)
        there.close()
        return worker

    def _process(self, connection: Connection) -> BaseProcess:
        """A process that has been started."""
        for method in (methods := server.methods()):
            context: Any = multiprocessing.get_context(method)
            process: BaseProcess = context.Process(target=serve, args=(connection, self._start), daemon=True)
            try:
                process.start()
            except ValueError:  # the fork server takes some 250 tensors in shared memory, others any number
                if method == methods[-1]:
                    raise
            else:
                return process
        raise AssertionError("there is one method at least")


def ready(function: Callable[[Task], Result]) -> Callable[[], Callable[[Task], Result]]:
    """What starts a worker, for a function that needs nothing made."""
    return partial(_itself, function)


def _itself(function: Callable[[Task], Result]) -> Callable[[Task], Result]:
    return function
