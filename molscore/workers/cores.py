"""How many workers there are to be: by default one for each core that this process may use, those of its affinity mask,
and no more than its control group's quota pays for.

Sources: sched_getaffinity(2); "Control Group v2", section CPU, of the Linux documentation (``cpu.max``), and
``cpu.cfs_quota_us`` of version 1.
"""

import math
import multiprocessing
import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, overload

from molscore.limits import check

MOUNT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Cluster:
    """A cluster of Ray that this process is connected to, see `molscore.workers.cluster`.

    Attributes:
        workers: how many of its actors share the work.
    """

    workers: int


WorkerNumber = int | Literal["auto"] | Cluster
"""How many workers: a number, ``auto`` for the cores that this process may use, or those of a cluster."""


@overload
def count(workers: int | Literal["auto"], device: str = "cpu") -> int: ...


@overload
def count(workers: WorkerNumber, device: str = "cpu") -> int | Cluster: ...


def count(workers: WorkerNumber, device: str = "cpu") -> int | Cluster:
    """A number of workers, or the cluster that was given.

    Args:
        workers: a number; or ``auto`` for the cores that this process may use, and 1 in a process that may start no
            others, such as a worker of a `multiprocessing.Pool`.
        device: where a network computes, if there is one; a GPU is served by one process.

    Raises:
        ValueError: for a number out of bounds, or more than 1 where no others can be.
    """
    if isinstance(workers, Cluster):
        if device != "cpu":
            raise ValueError(
                f"the workers of a cluster compute on CPUs; load the model with device='cpu', not {device}"
            )
        return workers
    alone = None
    if device != "cpu":
        alone = "a GPU is served by one process"
    elif multiprocessing.current_process().daemon:
        alone = "this process is a worker itself and can start no others"
    if workers == "auto":
        return 1 if alone else available()
    check("workers", workers)
    if workers > 1 and alone:
        raise ValueError(f"{alone}; leave workers at 1 here")
    return int(workers)


def check_function(function: object, workers: int | Cluster, option: str) -> None:
    """Checks, before the work begins, a function that a user chose.

    Args:
        function: what it is; anything but a function is left to others.
        workers: a number, from `count`, or a cluster, which takes any function.
        option: its name in the message.

    Raises:
        ValueError: if it cannot be sent to other processes, as lambdas and functions inside functions cannot.
    """
    if callable(function) and isinstance(workers, int) and workers > 1:
        try:
            pickle.dumps(function)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ValueError(
                f"{option} cannot be sent to other processes ({error}): define it with def at the top of a module, or "
                "leave workers at 1"
            ) from error


def available() -> int:
    """Cores that this process may use, one at least."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([affinity, *(math.ceil(quota) for quota in quotas())]))


def quotas(mount: Path = MOUNT, groups: Path = Path("/proc/self/cgroup")) -> Iterator[float]:
    """The quotas of this process's control group and of those above it, in cores.

    Args:
        mount: where the control groups are mounted.
        groups: the file that names this process's; a container may see its own as ``/``.
    """
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "cpu", "cpu,cpuacct", "cpuacct,cpu"):
            continue
        root = mount / "cpu" if controllers else mount
        own = root / path.lstrip("/")
        for folder in [own, *own.parents]:
            if not folder.is_relative_to(root):
                break
            if (quota := _quota(folder)) is not None:
                yield quota


def _quota(folder: Path) -> float | None:
    """The quota of a control group in cores, None if it has none."""
    try:
        if (version_2 := folder / "cpu.max").is_file():
            quota, period = version_2.read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if quota.strip() != "max" and int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
