"""Runs a function in a process of its own: for limits, locks and signals that must not meet the tests themselves."""

import multiprocessing
import os
import resource
from collections.abc import Callable
from typing import Any

FORK = multiprocessing.get_context("fork")


def start(function: Callable[..., Any], *words: Any) -> multiprocessing.Process:
    """A child that runs the function and leaves without cleaning up after the parent's tests."""

    def run() -> None:
        try:
            function(*words)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", flush=True)
            os._exit(1)
        os._exit(0)

    process = FORK.Process(target=run)
    process.start()
    return process


def full_disk(limit: int) -> None:
    """From now on no file of this process grows beyond so many bytes: writing fails as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
