"""A cluster of Ray: which one an address means, whether it answers, and the connection. Its workers are `actors`.

Every node needs the same installation. Files are written by the process that connects, on its machine.

Sources: the Ray documentation, "ray.init"; RFC 9113 (HTTP/2), section 3.4, for what the servers of Ray answer with.
"""

import atexit
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import Any, Literal

from molscore.extras import check as check_extra
from molscore.extras import need
from molscore.limits import check
from molscore.workers.cores import Cluster, WorkerNumber, available

PATIENCE = 10.0
"""Seconds within which a cluster must answer; Ray itself would try for five minutes."""

GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""What a client of HTTP/2 begins with: the preface and empty settings."""


def shared(workers: int | Literal["auto"] | None, ray: str | None) -> WorkerNumber:
    """Who is to do the work: `connect` if there is an address of a cluster, else so many workers, by default one."""
    if ray is None:
        return 1 if workers is None else workers
    return connect(ray, workers)


def connect(address: str = "auto", workers: int | Literal["auto"] | None = None) -> Cluster:
    """Connects this process to a cluster, until it ends; a connection that stands is used.

    Args:
        address: ``auto`` for the cluster that the environment variable RAY_ADDRESS names, or that ``ray start`` has
            started on this machine, and if there is none for one of this machine's cores, which ends with this process;
            or ``HOST:PORT`` or ``ray://HOST:PORT``.
        workers: how many actors are to share the work; by default, and with ``auto``, one for each CPU of the cluster.

    Raises:
        ImportError: if Ray is not installed.
        ValueError: for a number out of bounds, an address that is none, or one at which no cluster answers.
    """
    number = None if workers == "auto" else workers
    if number is not None:
        check("workers", number)
    found = check_cluster(address)
    ray: Any = need("ray", "ray")
    if not ray.is_initialized():
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if found is None:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves this machine
            options |= {"num_cpus": number or available(), "include_dashboard": False}
            found = "local"
        elif found == _started():
            found = None  # only so does Ray itself look for the token of that cluster
        atexit.register(ray.shutdown)  # it comes before Ray's own, which waits for messages that nobody would read
        try:
            _undisturbed(partial(ray.init, found, **options))
        except Exception as error:
            raise ValueError(_refusal(found or address, error)) from None
    return Cluster(number or max(1, int(ray.cluster_resources().get("CPU", 1))))


def check_cluster(address: str) -> str | None:
    """Whether Ray is installed, and a cluster answers at the address; takes no connection. Raises as `connect` does.

    Returns:
        The address, that which ``auto`` stands for; None if this process is to start a cluster.
    """
    check_extra("ray", "ray", "work on a cluster")
    started = _started()
    if address != "auto":
        _check_answer(address, address)
        host, _, port = address.rpartition(":")
        return started if host in ("localhost", "127.0.0.1") and started.endswith(f":{port}") else address
    if (named := os.environ.get("RAY_ADDRESS", "")) not in ("", "auto", "local"):
        _check_answer(named, f"{named}, which RAY_ADDRESS names")
        return named
    if named == "local" or not started:
        return None
    try:
        _check_answer(started, started)
    except ValueError:
        return None  # one that was not stopped, but killed
    return started


def _refusal(address: str, error: Exception) -> str:
    """Why there is no connection, and what to look at."""
    if address == "local":
        return f"Ray does not start: {error}"
    advice = "HOST:PORT is for the cluster's own machines, ray://HOST:10001 for others"
    token = "if it asks for a token, set RAY_AUTH_MODE=token"
    return f"the cluster at {address} takes no connection: {error}; {advice}; {token}"


def _started() -> str:
    """The address of the cluster that ``ray start`` last started on this machine, "" if there is none.

    It is in a file. Ray's own ``auto`` looks for other clusters too, such as one that another program runs for itself.
    """
    folder = "/tmp" if sys.platform in ("linux", "darwin") else tempfile.gettempdir()
    try:
        return Path(os.environ.get("RAY_TMPDIR", folder), "ray", "ray_current_cluster").read_text().strip()
    except OSError:
        return ""


def _check_answer(address: str, shown: str) -> None:
    """Raises ValueError unless there is a server of HTTP/2, which those of Ray are."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"a Ray cluster is auto, HOST:PORT or ray://HOST:PORT, not {shown}")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), PATIENCE) as connection:
            if os.environ.get("RAY_USE_TLS", "0") != "0":
                return
            connection.sendall(GREETING)
            if connection.recv(9)[3:4] == GREETING[-6:-5]:  # settings
                return
            error = "what answers there is no Ray"
    except OSError as caught:
        error = str(caught)
    raise ValueError(f"no Ray cluster answers at {shown} ({error}); `ray status` shows where one runs")


def _undisturbed(function: Callable[[], Any]) -> None:
    """Calls a function in a thread of its own, where signals cannot break it off half done; an exception that a handler
    raises here waits for its end.

    Ray handles signals by functions of its own, which end the process three seconds later: they are taken away again.
    The thread lives as long as this process: the processes that Ray starts end with the thread that has started them.
    """
    done: Future[None] = Future()

    def run() -> None:
        try:
            function()
            done.set_result(None)
        except BaseException as error:
            done.set_exception(error)
        threading.Event().wait()

    threading.Thread(target=run, daemon=True).start()
    try:
        done.result()
    except BaseException:
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        raise
    finally:
        wait([done])
        if threading.current_thread() is threading.main_thread():
            for kind in (signal.SIGINT, signal.SIGTERM):
                if (handler := signal.getsignal(kind)) is not None:
                    signal.signal(kind, handler)
