"""Workers that are processes of this machine, each at one end of a pipe."""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from molscore.workers import server
from molscore.workers.crew import DiedError
from molscore.workers.serve import serve
from molscore.workers.server import without_ctrl_c
from molscore.workers.threads import single_threaded


class Process:
    """A worker process. It has started as soon as it takes tasks from its pipe."""

    def __init__(self, process: BaseProcess, connection: Connection):
        self.connection, self.process = connection, process
        self.busy = False

    def send(self, task: Any) -> None:
        self.busy = True
        try:
            self.connection.send(task)
        except OSError:  # it died while it had nothing to do
            raise DiedError(self._death()) from None

    def receive(self) -> Any:
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            raise DiedError(self._death()) from None
        self.busy = False
        return answer

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()

    def _death(self) -> str:
        self.process.kill()
        self.process.join()
        code = self.process.exitcode
        return f"the last with exit code {code}; -9 often means that memory ran out: ask for fewer workers"


class Processes:
    """Starts worker processes.

    Args:
        start: as for `molscore.workers.Workers`.
    """

    def __init__(self, start: Callable[[], Callable[[Any], Any]]):
        self._start = start

    def start(self) -> Process:
        here, there = multiprocessing.Pipe()
        with without_ctrl_c(), single_threaded():
            worker = Process(self._process(there), here)
        there.close()
        return worker

    def wait(self, workers: Sequence[Process]) -> list[Process]:
        by_connection: dict[Any, Process] = {worker.connection: worker for worker in workers}
        return [by_connection[connection] for connection in wait(list(by_connection))]

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
