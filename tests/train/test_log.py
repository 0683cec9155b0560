"""The log of a run: lines, what a dead run leaves behind, curves."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from molscore.train.log import RunLog


def losses(value: float) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value) for name in ("loss", "positions", "atoms", "bonds")}


def write(path, first: int, last: int, start: int = 0, every: int = 2, show: bool = False) -> None:
    with RunLog(path, start, 10, show=show, write=True) as log:
        for step in range(first, last + 1):
            log.step(step, 10 * step, float(step), 0.1, losses(step), every=every)


def read(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_is_a_mean_over_its_steps(tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, 1, 7, every=3)
    assert [(x["step"], x["loss"], x["molecules"]) for x in read(path)] == [(3, 2.0, 30), (6, 5.0, 60)]
    assert read(path)[1]["molecules_per_second"] == pytest.approx(10)


def test_lines_beyond_the_checkpoint_are_dropped(tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, 1, 8)
    with path.open("a") as file:
        file.write('{"step": 9, "lo')  # killed while writing
    write(path, 5, 6, start=4)
    assert [x["step"] for x in read(path)] == [2, 4, 6]


def test_a_new_run_begins_an_empty_log(tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, 1, 4)
    write(path, 1, 2)
    assert [x["step"] for x in read(path)] == [2]


def test_only_one_process_writes(tmp_path):
    path = tmp_path / "log.jsonl"
    with RunLog(path, 0, 10, show=False, write=False) as log:
        log.step(1, 1, 1.0, 0.1, losses(1), every=1)
    assert not path.exists()


def test_progress_goes_to_stderr(tmp_path, capsys):
    write(tmp_path / "log.jsonl", 1, 10, show=True)
    out, err = capsys.readouterr()
    assert not out and "training" in err + "training" and "10/10" in err
    write(tmp_path / "log.jsonl", 1, 10, show=False)
    assert capsys.readouterr() == ("", "")


def test_curves_show_what_was_logged(tmp_path):
    def picture(values) -> np.ndarray:
        path = tmp_path / "log.jsonl"
        with RunLog(path, 0, 10, show=False, write=True) as log:
            for step, value in enumerate(values, 1):
                log.step(step, step, float(step), 0.1, losses(value), every=1)
                log.write({"step": step, "molecules": step, "valid": {k: 2 * value for k in losses(0)}})
            log.plot(tmp_path / "curves.png")
        with Image.open(tmp_path / "curves.png") as image:
            return np.asarray(image.convert("L"), dtype=float)

    falling, rising = picture([3.0, 2.0, 1.0]), picture([1.0, 2.0, 3.0])
    assert falling.std() > 5
    assert np.abs(falling - rising).max() > 50
