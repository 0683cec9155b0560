"""Molecules on their way from noise, played in the browser: the same viewer, one file that needs nothing else."""

import os
from collections.abc import Iterable, Mapping
from html import escape
from string import Template
from typing import Any

import numpy as np
from rdkit import Chem

from molscore.chem.trajectory import Trajectory
from molscore.files.output import write_text
from molscore.files.paths import check_writable
from molscore.report.depict import orient
from molscore.report.facts import facts_list
from molscore.report.rows import Row, make_row
from molscore.report.shell import Lots, html_page, read

SCRIPTS = ("records.js", "viewer.js", "trajectories.js")

PARTS = 100
"""Positions are kept as whole hundredths of an Å."""


def write_trajectories(
    path: str | os.PathLike[str],
    trajectories: Iterable[Trajectory],
    *,
    title: str = "From noise to molecules",
    manifest: Mapping[str, Any] | None = None,
) -> None:
    """Writes a page that plays trajectories, whole or not at all.

    Args:
        path: the file, ending in .html. An existing one is replaced.
        trajectories: such as ``MoleculeGenerator.trajectories`` returns; they are played together.
        title: heading of the page.
        manifest: how they were made, as for `molscore.report.write_report`.

    Raises:
        ValueError: if there are none, or the name does not end in .html.
        OSError: if the file cannot be written.
    """
    path = check_writable(path, (".html",))
    lots, symbols, times = Lots(1), set[str](), list[list[float]]()
    for trajectory in trajectories:
        row = None if trajectory.mol is None else make_row(trajectory.mol, strain=False)
        drawing = _drawing(trajectory, row)
        lots.add(drawing)
        symbols |= {*drawing["symbols"], *(row.symbols if row else ())}
        times.append(np.round(trajectory.times, 4).tolist())
    if not times:
        raise ValueError("there are no trajectories to play")
    body = Template(read("trajectories.html")).substitute(title=escape(title), facts=facts_list(manifest or {}))
    write_text(path, html_page(title, body, {"times": times}, lots, symbols, SCRIPTS))


def _drawing(trajectory: Trajectory, row: Row | None) -> dict[str, Any]:
    """JSON values for the browser: that of a row, and ``frames`` in the first view of the molecule, with positions
    x, y, z, elements, charges, and bonds i, j, order of each; ``symbols`` that elements count in."""
    positions = np.nan_to_num(trajectory.positions.astype(float), posinf=0, neginf=0)
    drawing: dict[str, Any] = {"title": trajectory.title, "reason": trajectory.reason}
    if row is not None:
        drawing |= row.drawing | {name: row.values.get(name) for name in ("formula", "SMILES")}
    view = drawing.get("view")
    rotation, shift = orient(positions[-1]) if view is None else (np.reshape(view[:9], (3, 3)), np.array(view[9:]))
    numbers = np.unique(trajectory.atomic_numbers)
    table = Chem.GetPeriodicTable()
    drawing["symbols"] = [table.GetElementSymbol(int(number)) for number in numbers]
    elements = np.searchsorted(numbers, trajectory.atomic_numbers)
    places = np.rint(PARTS * (positions @ rotation.T + shift)).astype(int)
    bonds = [np.column_stack([*(ij := np.nonzero(np.triu(e, 1))), e[ij]]) for e in trajectory.bond_orders]
    frames = zip(places, elements, trajectory.charges, bonds, strict=True)
    drawing["frames"] = [[part.ravel().tolist() for part in frame] for frame in frames]
    return drawing
