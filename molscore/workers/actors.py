"""Workers that are actors of Ray, of one CPU each.

What starts a worker, and with it the network, is put into Ray's object store once; each node fetches it once. Tasks and
results are those of worker processes, and so is what comes out. A task whose actor or node died is done by another.

An actor begins by telling what is installed where it is. Actors run in the processes that Ray has ready: an environment
of their own, with which Ray would have to start others, they do not ask for.

Source: the Ray documentation, "Actors" and "Fault tolerance"; Moritz et al., OSDI 2018, arXiv:1712.05889.
"""

import os
import pickle
import re
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

from molscore.extras import need
from molscore.workers.crew import DiedError, WorkerError
from molscore.workers.installation import differences, installation
from molscore.workers.serve import Answers
from molscore.workers.threads import THREADS


class _Served:
    """What an actor is.

    Args:
        start: a reference to what starts a worker, in a list: so Ray leaves it to the actor to fetch it. PyTorch
            comes with it, and reads the environment when it is imported.
    """

    def __init__(self, start: Sequence[Any]):
        os.environ.update(THREADS)
        self._start, self._answers = start, Answers(self._function)

    def _function(self) -> Callable[[Any], Any]:
        ray: Any = need("ray", "ray")
        start: Callable[[], Callable[[Any], Any]] = ray.get(self._start[0])
        return start()

    def installation(self) -> dict[str, str]:
        """That of the node where the actor is."""
        return installation()

    def answer(self, task: bytes) -> bytes:
        """The answer to a task."""
        return self._answers(pickle.loads(task))


class Actor:
    """A worker of a cluster.

    Its answers are futures: unlike a wait for Ray itself, a wait for them lets the handlers of signals raise what they
    like.
    """

    def __init__(self, ray: Any, handle: Any):
        self._ray, self._handle, self._started = ray, handle, False
        self.pending: futures.Future[Any] | None = handle.installation.remote().future()

    @property
    def busy(self) -> bool:
        return self.pending is not None

    def send(self, task: Any) -> None:
        self.pending = self._handle.answer.remote(pickle.dumps(task, pickle.HIGHEST_PROTOCOL)).future()

    def receive(self) -> Any:
        assert self.pending is not None
        try:
            answer = self.pending.result()
        except self._ray.exceptions.OutOfMemoryError:
            raise DiedError("memory ran out on a node: ask for fewer workers") from None
        except self._ray.exceptions.RayError as error:
            raise DiedError(_sentence(error)) from None
        self.pending = None
        if self._started:
            return pickle.loads(answer)
        self._started = True
        if why := differences(answer):
            raise WorkerError(f"a node of the cluster has {why}: install the same on all")
        return None

    def end(self) -> None:
        self._ray.kill(self._handle)


def _sentence(error: Exception) -> str:
    """The last line of what Ray says of a death: the error that an actor could not be made for, or what killed it."""
    lines = [line.strip() for line in re.sub("\x1b\\[[0-9;]*m", "", str(error)).splitlines()]
    return next((line for line in reversed(lines) if line), type(error).__name__)


class Actors:
    """Starts actors.

    Args:
        start: as for `molscore.workers.Workers`.
    """

    def __init__(self, start: Callable[[], Callable[[Any], Any]]):
        self._ray: Any = need("ray", "ray")
        self._start = self._ray.put(start)
        self._class = self._ray.remote(_Served).options(num_cpus=1, max_restarts=0)

    def start(self) -> Actor:
        return Actor(self._ray, self._class.remote([self._start]))

    def wait(self, workers: Sequence[Actor]) -> list[Actor]:
        pending = [worker.pending for worker in workers if worker.pending is not None]
        answered, _ = futures.wait(pending, return_when=futures.FIRST_COMPLETED)
        return [worker for worker in workers if worker.pending in answered]
