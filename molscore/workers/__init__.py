"""Work over processes of one thread each, here or on many machines (`cluster`). Results come in the order of the tasks.

Threads that share one network spin for one another wherever other programs run too; processes do not. A worker is
started afresh (`server`), computes with one thread, gets tensors through shared memory, and is given a task whenever it
has finished another. What comes out follows from the tasks alone: neither the number of workers nor their speed
changes it. With one worker, or one task, all is done in the calling process, and no other is started.

``workers`` is a number, by default 1, or ``auto`` for as many as there are cores to use. ``ray`` is a cluster in their
place: ``auto`` or an address (`connect`), by default with a worker for each of its CPUs. A script that asks for several
needs ``if __name__ == "__main__":``, as everywhere in `multiprocessing`.

A worker that dies, as one does that the system kills for want of memory, is replaced, and its task is done again.
Ctrl-C is left to the process that started them. They end with it, however it ends.
"""

from molscore.workers.cluster import check_cluster, connect, shared
from molscore.workers.cores import Cluster, WorkerNumber, check_function, count
from molscore.workers.crew import WorkerError
from molscore.workers.pool import AHEAD, Workers, ready
from molscore.workers.server import prepare
from molscore.workers.threads import THREADS, one_thread, single_threaded

__all__ = [
    "AHEAD",
    "THREADS",
    "Cluster",
    "WorkerError",
    "WorkerNumber",
    "Workers",
    "check_cluster",
    "check_function",
    "connect",
    "count",
    "one_thread",
    "prepare",
    "ready",
    "shared",
    "single_threaded",
]
