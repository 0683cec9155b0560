"""Training by several processes of this machine's CPUs, one thread each, which share every batch.

They exchange gradients through gloo. Other machines and GPUs are for a launcher: `molscore.train.__main__`.
"""

import logging
import signal
import uuid
from pathlib import Path
from typing import Literal

import torch

from molscore import workers as processes
from molscore.files.signals import Terminated
from molscore.train.config import TrainConfig, check
from molscore.train.loop import train


class TrainingError(RuntimeError):
    """A process failed, and took the others with it."""


LEAST = 8_000
"""Pairs of atoms for which a process pays: with fewer, what all of them do alike takes the most of a step."""


def count(wanted: int | Literal["auto"], config: TrainConfig) -> int:
    """The number of processes: one on a GPU; else what is wanted, or as many as have cores and enough to do.

    Raises:
        ValueError: for a number out of bounds, or several for a GPU.
    """
    device = "cuda" if torch.accelerator.is_available() else "cpu"
    number = processes.count(wanted, device)
    return max(1, min(number, config.pair_budget // LEAST)) if wanted == "auto" else number


def train_together(
    config: TrainConfig, number: int, resume: bool = False, quiet: bool = False, init_from: str | None = None
) -> Path:
    """`molscore.train.loop.train` in so many processes; with one, in this.

    Raises:
        TrainingError: in place of what a process of several raised; the message is its own.
    """
    if number == 1:
        return train(config, resume, quiet, init_from)
    check(config, resume, init_from)
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = config.model_copy(update={"threads": 1})
    launch = LaunchConfig(
        1, 1, number, run_id=str(uuid.uuid4()), rdzv_backend="c10d", rdzv_endpoint="localhost:0", max_restarts=0
    )
    logging.getLogger("torch.distributed.elastic").setLevel(logging.ERROR)
    with processes.single_threaded():
        try:
            results = elastic_launch(launch, train)(config, resume, quiet, init_from)
        except SignalException as stop:
            raise (Terminated if stop.sigval == signal.SIGTERM else KeyboardInterrupt) from None
        except ChildFailedError as error:
            _, failure = error.get_first_failure()
            message = failure.message
            raise TrainingError(message["message"] if isinstance(message, dict) else message) from error
    return Path(results[0])
