"""A process that has done the imports, and from which workers are forked: they start at once and share its memory.

It is `multiprocessing`'s fork server. The command line starts it first of all, and it imports beside the command. In
other people's programs, which may have settings of their own for that server, workers are spawned.
"""

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker

from molscore.workers.threads import single_threaded

_prepared = False


def prepare(*modules: str) -> None:
    """Starts the server, where the system has one.

    Args:
        modules: what workers will need.
    """
    global _prepared
    if _prepared or "forkserver" not in multiprocessing.get_all_start_methods():
        return
    forkserver.set_forkserver_preload(["molscore.workers.preload", *modules])
    with single_threaded(), without_ctrl_c():
        forkserver.ensure_running()
    _prepared = True


def methods() -> list[str]:
    """The ways to start a worker, best first."""
    return ["forkserver", "spawn"] if _prepared else ["spawn"]


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Within the block processes are started that Ctrl-C does not reach, from their first moment on."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # which would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
