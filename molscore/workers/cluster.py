"""Workers on many machines: actors of Ray, of one CPU each.

What starts a worker, and with it the network, is put into Ray's object store once; each node fetches it once. Tasks and
results are those of worker processes, and so is what comes out. A task whose actor or node died is done by another.

Every node needs this package in the same version. Files are written by the process that connects, on its machine.

Source: the Ray documentation, "Actors" and "Fault tolerance"; Moritz et al., OSDI 2018, arXiv:1712.05889.
"""

import os
import pickle
import re
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from molscore.extras import check as check_extra
from molscore.extras import need
from molscore.limits import check
from molscore.versions import version
from molscore.workers.cores import Cluster, WorkerNumber, available
from molscore.workers.crew import DiedError, WorkerError
from molscore.workers.serve import Answers
from molscore.workers.threads import THREADS

PATIENCE = 10.0
"""Seconds within which a cluster must take a connection; Ray itself would try for five minutes."""


def shared(workers: int | Literal["auto"] | None, ray: str | None) -> WorkerNumber:
    """Who is to do the work: `connect` if there is an address of a cluster, else so many workers, by default one."""
    if ray is None:
        return 1 if workers is None else workers
    return connect(ray, workers)


def connect(address: str = "auto", workers: int | Literal["auto"] | None = None) -> Cluster:
    """Connects this process to a cluster, until it ends; a connection that stands is used.

    Args:
        address: ``auto`` for the cluster that runs on this machine or that the environment variable RAY_ADDRESS names,
            and if there is none for one of this machine's cores, which ends with this process; or ``HOST:PORT`` or
            ``ray://HOST:PORT``.
        workers: how many actors are to share the work; by default, and with ``auto``, one for each CPU of the cluster.

    Raises:
        ImportError: if Ray is not installed.
        ValueError: for a number out of bounds, an address that is none, or one at which no cluster answers.
    """
    number = None if workers == "auto" else workers
    if number is not None:
        check("workers", number)
    check_cluster(address)
    ray: Any = need("ray", "ray")
    if not ray.is_initialized():
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        with _own_signals():
            try:
                ray.init(address=address, **options)
            except (ConnectionError, ValueError) as error:
                if address != "auto" or os.environ.get("RAY_ADDRESS"):
                    raise ValueError(f"no Ray cluster at {os.environ.get('RAY_ADDRESS', address)}: {error}") from None
                os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves this machine
                ray.init(num_cpus=number or available(), include_dashboard=False, **options)
    return Cluster(number or max(1, int(ray.cluster_resources().get("CPU", 1))))


def check_cluster(address: str) -> None:
    """Whether Ray is installed, and something answers at the address; takes no connection. Raises as `connect` does."""
    check_extra("ray", "ray", "work on a cluster")
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"a Ray cluster is auto, HOST:PORT or ray://HOST:PORT, not {address!r}")
    try:
        socket.create_connection((host, int(port)), PATIENCE).close()
    except OSError as error:
        raise ValueError(f"no Ray cluster answers at {address} ({error}); `ray status` shows where one runs") from None


@contextmanager
def _own_signals() -> Iterator[None]:
    """Within the block Ray may set handlers of signals; afterwards they are this process's own again."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)


class _Served:
    """What an actor is."""

    def __init__(self, start: Callable[[], Callable[[Any], Any]]):
        self._answers = Answers(start)

    def version(self) -> str:
        """That of the package where the actor is."""
        return version()

    def answer(self, task: bytes) -> bytes:
        """The answer to a task."""
        return self._answers(pickle.loads(task))


class Actor:
    """A worker of a cluster. It begins by telling its version."""

    def __init__(self, ray: Any, handle: Any):
        self._ray, self._handle, self._started = ray, handle, False
        self.pending = handle.version.remote()

    @property
    def busy(self) -> bool:
        return self.pending is not None

    def send(self, task: Any) -> None:
        self.pending = self._handle.answer.remote(pickle.dumps(task, pickle.HIGHEST_PROTOCOL))

    def receive(self) -> Any:
        try:
            answer = self._ray.get(self.pending)
        except self._ray.exceptions.RayError as error:
            raise DiedError(_sentence(error)) from None
        self.pending = None
        if self._started:
            return pickle.loads(answer)
        self._started = True
        if answer != version():
            raise WorkerError(f"a node has molscore {answer}, this process {version()}: install the same on all")
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
        environment = {"env_vars": THREADS}
        self._class = self._ray.remote(_Served).options(num_cpus=1, max_restarts=0, runtime_env=environment)

    def start(self) -> Actor:
        return Actor(self._ray, self._class.remote(self._start))

    def wait(self, workers: Sequence[Actor]) -> list[Actor]:
        answered, _ = self._ray.wait([worker.pending for worker in workers], num_returns=1)
        return [worker for worker in workers if worker.pending in answered]
