"""Forked processes cannot use PyTorch's threads: those of the parent are not copied, and work waits for them.

A child that computes with several threads would hang in the first large operation. `check` says so instead. Start
workers afresh (``multiprocessing.get_context("spawn")``, or "forkserver"), or let each have one thread
(``torch.set_num_threads(1)``).

Source: the PyTorch documentation, "Multiprocessing best practices"; GCC bug 58378 (libgomp after fork).
"""

import os
import sys

_threads_of_parent = 1


def _after_fork() -> None:
    global _threads_of_parent
    torch = sys.modules.get("torch")
    _threads_of_parent = max(_threads_of_parent, torch.get_num_threads() if torch is not None else 1)


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing is forked
    os.register_at_fork(after_in_child=_after_fork)


def check() -> None:
    """Called before anything is computed.

    Raises:
        RuntimeError: in a process that was forked from one in which PyTorch had several threads, if it has several.
    """
    torch = sys.modules.get("torch")
    if _threads_of_parent > 1 and torch is not None and torch.get_num_threads() > 1:
        raise RuntimeError(
            "this process was forked from one in which PyTorch has several threads, so it would hang; start workers "
            'with multiprocessing.get_context("spawn"), or call torch.set_num_threads(1) in each'
        )
