"""Between two lines of the log a training step asks the device for nothing."""

import pytest
import torch
import torch_geometric.utils  # noqa: F401 (loaded at the first batch, where it makes a tensor)
from waits import Questions, Waits

from molscore.train.loop import train


def waits(config) -> list[str]:
    with Waits() as operators, Questions() as questions:
        train(config, quiet=True)
    return sorted(operators.names + questions.names)


def test_steps_do_not_wait(tiny, tmp_path):
    """Three steps wait as often as nine, namely before the first and after the last; each line of the log once more."""
    once = {"log_every": 100, "checkpoint_every": 100}
    few = waits(tiny(tmp_path / "few", steps=3, **once))
    many = waits(tiny(tmp_path / "many", steps=9, **once))
    assert many == few
    logged = waits(tiny(tmp_path / "logged", steps=9, **once | {"log_every": 3}))
    assert logged.count("tolist") == few.count("tolist") + 3


@pytest.mark.parametrize(
    "question",
    [
        lambda x: float(x.sum()),
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).all()),
        lambda x: x[x > 0],
        lambda x: x.tolist(),
        lambda x: x.cpu(),
        lambda x: torch.nonzero(x),
        lambda x: torch.where(x > 0),
        lambda x: x.long().repeat_interleave(x.long()),
        lambda x: torch.nn.functional.one_hot(x.long()),
        lambda x: x.index_put_((x > 0,), torch.zeros(())),
        lambda x: torch.tensor([1.0, 2.0]),
    ],
)
def test_waiting_is_noticed(question):
    with Waits() as operators, Questions() as questions:
        question(torch.arange(3.0))
    assert operators.names + questions.names
