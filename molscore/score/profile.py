"""The energy profile of a path between two conformers, as a picture: energy, and log-likelihood where there is one."""

import io
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from molscore.files.output import write_bytes
from molscore.files.paths import check_writable
from molscore.score.interpolate import Step
from molscore.score.score import MoleculeScore

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {"mmff": "MMFF94s", "xtb": "GFN2-xTB"}


def draw_profile(
    path: str | os.PathLike[str],
    steps: Sequence[Step],
    scores: Sequence[MoleculeScore] | None = None,
    energy: str = "mmff",
) -> None:
    """Draws the profile of a path, whole or not at all.

    Args:
        path: the file, ending in .png. An existing one is replaced.
        steps, scores, energy: as for `profile`.

    Raises:
        ValueError: for another ending.
        OSError: if the file cannot be written.
    """
    path = check_writable(path, (".png",))
    picture = io.BytesIO()
    profile(steps, scores, energy).savefig(picture, format="png")
    write_bytes(path, picture.getvalue())


def profile(steps: Sequence[Step], scores: Sequence[MoleculeScore] | None = None, energy: str = "mmff") -> "Figure":
    """The profile of a path, as a figure of matplotlib: energies above the lowest, log-likelihoods below them.

    Steps without an energy, as those that are no sound conformers, are gaps in the line, marked and counted.

    Args:
        steps: of `molscore.score.interpolate.interpolate`.
        scores: of their molecules, in order; None for none.
        energy: the method of their energies, ``mmff`` or ``xtb``.
    """
    from matplotlib.figure import Figure

    fractions = np.array([step.fraction for step in steps])
    energies = _numbers([step.energy for step in steps])
    likelihoods = _numbers([score.log_likelihood for score in scores or ()])
    panels = 1 + bool(np.isfinite(likelihoods).any())
    figure = Figure(figsize=(7, 2.8 * panels), layout="constrained")
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    axes[0].plot(fractions, energies, marker="o", color="#1f5f8b")
    axes[0].set_ylabel(f"{NAMES[energy]} energy above\nthe lowest, kcal/mol")
    missing = np.isnan(energies)
    if missing.any():
        reasons = Counter(step.fault.token if step.fault else "no energy" for step in steps if step.energy is None)
        label = ", ".join(f"{reason} {n}" for reason, n in reasons.most_common())
        axes[0].plot(fractions[missing], np.zeros(missing.sum()), "x", color="#b3261e", label=f"left out: {label}")
        axes[0].legend()
    if panels == 2:
        errors = _numbers([score.standard_error for score in scores or ()])
        axes[1].errorbar(fractions, likelihoods, np.nan_to_num(errors), marker="o", capsize=2, color="#c2611a")
        axes[1].set_ylabel("log-likelihood,\nnats per atom")
    axes[-1].set_xlabel(f"fraction of the path; its ends are {steps[-1].to_first:.2f} Å apart (RMSD, best fit)")
    return figure


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)
