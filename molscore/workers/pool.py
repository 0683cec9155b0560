"""`Workers`: they turn tasks into results, in the order of the tasks."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from molscore.workers.actors import Actors
from molscore.workers.cores import Cluster
from molscore.workers.crew import TRIES, Crew, DiedError, Worker, WorkerError
from molscore.workers.processes import Processes
from molscore.workers.threads import one_thread

Task = TypeVar("Task")
Result = TypeVar("Result")

AHEAD = 4
"""Tasks for each worker that `Workers.map` takes from their source before their results are asked for."""


class Workers(Generic[Task, Result]):
    """Processes that turn tasks into results. A context manager: at its end they are gone.

    Args:
        start: called once in each worker; it returns the function from a task to its result. With more than one worker
            it, tasks and results must be picklable.
        workers: how many; they are started when there is something to do. Or a cluster, whose actors do it all.
    """

    def __init__(self, start: Callable[[], Callable[[Task], Result]], workers: int | Cluster = 1):
        self.number = workers.workers if isinstance(workers, Cluster) else workers
        self._remote = isinstance(workers, Cluster)
        self._crew: Crew = Actors(start) if self._remote else Processes(start)
        self._start = start
        self._function: Callable[[Task], Result] | None = None
        self._queue: deque[int] = deque()
        self._tasks: dict[int, Task] = {}
        self._outcomes: dict[int, tuple[bool, Any]] = {}
        self._deaths: dict[int | None, int] = {}
        self._workers: dict[Worker, int | None] = {}  # and their tasks
        self._submitted = self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()
        self._workers = {}

    @property
    def waiting(self) -> int:
        """Tasks whose results have not been taken."""
        return self._submitted - self._taken

    def submit(self, task: Task) -> None:
        """Adds a task, for a worker that is free, or as soon as one is. In this process a first waits for a second."""
        self._tasks[self._submitted] = task
        self._queue.append(self._submitted)
        self._submitted += 1
        if not self._alone:
            self._assign()

    @property
    def _alone(self) -> bool:
        """Whether this process does what there is to do: there is one worker, or one task."""
        return not self._remote and (self.number == 1 or self._submitted == 1)

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
        if self._alone:
            return self._here(number)
        while number not in self._outcomes:
            for worker in self._crew.wait([worker for worker in self._workers if worker.busy]):
                self._receive(worker)
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
            while self.waiting >= (1 if self.number == 1 and not self._remote else AHEAD * self.number):
                yield self.result()
        while self.waiting:
            yield self.result()

    def _here(self, number: int) -> Result:
        """The result of the next task, in this process."""
        self._queue.popleft()
        with one_thread():
            if self._function is None:
                self._function = self._start()
            return self._function(self._tasks.pop(number))

    def _assign(self) -> None:
        """Gives the tasks in the queue to workers that are free; starts workers while there are too few."""
        while self._queue:
            worker = next((worker for worker in self._workers if not worker.busy), None)
            if worker is None:
                starting = sum(task is None for task in self._workers.values())
                if len(self._workers) == self.number or starting >= len(self._queue):
                    return
                self._workers[self._crew.start()] = None
                continue
            number = self._workers[worker] = self._queue.popleft()
            try:
                worker.send(self._tasks[number])
            except DiedError as death:
                self._bury(worker, death)

    def _receive(self, worker: Worker) -> None:
        try:
            outcome = worker.receive()
        except DiedError as death:
            self._bury(worker, death)
            return
        number, self._workers[worker] = self._workers[worker], None
        if number is None:  # it has started
            self._deaths.pop(None, None)
        else:
            self._outcomes[number] = outcome
            del self._tasks[number]

    def _bury(self, worker: Worker, death: DiedError) -> None:
        """Takes a dead worker off the list and puts its task back."""
        number = self._workers.pop(worker)
        worker.end()
        self._deaths[number] = self._deaths.get(number, 0) + 1
        if self._deaths[number] == TRIES:
            over = "before their first task" if number is None else "over the same task"
            raise WorkerError(f"{TRIES} workers died {over} ({death})")
        if number is not None:
            self._queue.appendleft(number)


def ready(function: Callable[[Task], Result]) -> Callable[[], Callable[[Task], Result]]:
    """What starts a worker, for a function that needs nothing made."""
    return partial(_itself, function)


def _itself(function: Callable[[Task], Result]) -> Callable[[Task], Result]:
    return function
