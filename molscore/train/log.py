"""The log of a run: a progress bar, JSON lines, a picture of the curves."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from molscore.files.output import write_text, written


class RunLog:
    """Log of a run. Lines beyond ``step`` in an existing file, of a run that died after its checkpoint, are removed.

    Sums stay on the device, and no process waits for another, until a line is due.

    Args:
        path: JSON-lines file.
        step: where the run goes on.
        steps: where it ends.
        show: show a progress bar on stderr.
        write: write the file (one process of many does).
        reduce: adds a tensor up over all processes; each process brings its part of every value.
    """

    def __init__(
        self,
        path: Path,
        step: int,
        steps: int,
        show: bool,
        write: bool,
        reduce: Callable[[Tensor], Tensor] = lambda tensor: tensor,
    ):
        self.path, self.writes, self.reduce = path, write, reduce
        self.sums: Tensor | None = None
        self.count = 0
        self.last: tuple[int, float] | None = None
        if write:
            kept = [line for line in _read(path) if line["step"] <= step] if step else []
            write_text(path, "".join(json.dumps(line) + "\n" for line in kept))
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), disable=not show)
        self.task = self.progress.add_task("training", total=steps, completed=step)

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()

    def step(
        self, step: int, molecules: int, seconds: float, rate: float, values: dict[str, Tensor], every: int
    ) -> dict[str, float] | None:
        """Takes the values of one step; every ``every`` steps their means become a line.

        Returns:
            The line, the same in every process (its seconds are those of the process that writes), or None.
        """
        stacked = torch.stack(list(values.values()))
        sums = self.sums = stacked if self.sums is None else self.sums + stacked
        self.count += 1
        if self.last is None:
            self.last = (molecules, seconds)
        if step % every:
            return None
        spent = sums.new_tensor([seconds if self.writes else 0.0])
        *totals, elapsed = self.reduce(torch.cat([sums, spent])).tolist()
        line = {"step": step, "molecules": molecules, "seconds": round(elapsed, 2), "learning_rate": rate}
        line |= {name: total / self.count for name, total in zip(values, totals, strict=True)}
        line["molecules_per_second"] = round((molecules - self.last[0]) / max(seconds - self.last[1], 1e-9), 1)
        self.sums, self.count, self.last = None, 0, (molecules, seconds)
        self.write(line)
        text = f"loss {line['loss']:.3f}, {line['molecules_per_second']:.0f} molecules/s"
        self.progress.update(self.task, completed=step, description=text)
        return line | {"seconds": elapsed}

    def write(self, line: Mapping[str, object]) -> None:
        """Appends one line."""
        if self.writes:
            with self.path.open("a") as file:
                file.write(json.dumps(line) + "\n")

    def plot(self, path: Path) -> None:
        """Draws training and validation curves over the molecules seen, as PNG."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        lines = _read(self.path)
        parts = ("positions", "atoms", "bonds")
        figure = Figure(figsize=(12, 3.5))
        figure.subplots_adjust(left=0.06, right=0.99, bottom=0.15, top=0.9, wspace=0.25)
        for axis, part in zip(figure.subplots(1, len(parts)), parts, strict=True):
            for name, chosen in (
                ("training", [(x["molecules"], x[part]) for x in lines if part in x]),
                ("validation (averaged weights)", [(x["molecules"], x["valid"][part]) for x in lines if "valid" in x]),
            ):
                if chosen:
                    axis.plot(*zip(*chosen, strict=True), marker=".", markersize=3, label=name)
            axis.set(title=f"loss: {part}", xlabel="molecules seen", yscale="log")
            axis.legend()
        with written(path) as file:
            FigureCanvasAgg(figure).print_png(file)


def _read(path: Path) -> list[dict[str, Any]]:
    """Lines of a log up to the first that is damaged, as one that was cut off is."""
    lines = []
    for text in path.read_text(errors="replace").splitlines() if path.exists() else []:
        try:
            line = json.loads(text)
            if not all(type(line[name]) in (int, float) for name in ("step", "molecules")):
                break
        except (ValueError, RecursionError, TypeError, KeyError):
            break
        lines.append(line)
    return lines
