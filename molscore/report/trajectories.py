"""Molecules on their way from noise, played in the browser: the same viewer, one file that needs nothing else."""

import os
from collections.abc import Iterable, Mapping
from html import escape
from string import Template
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.io.sdf_text import format_record
from molscore.chem.trajectory import Trajectory
from molscore.files.output import write_text
from molscore.files.paths import check_writable
from molscore.report.depict import draw_formula, first_view, orient
from molscore.report.facts import facts_list
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
        drawing = _drawing(trajectory)
        lots.add(drawing)
        symbols |= set(drawing["symbols"])
        symbols |= {atom.GetSymbol() for atom in trajectory.mol.GetAtoms()} if trajectory.mol else set()
        times.append(np.round(trajectory.times, 4).tolist())
    if not times:
        raise ValueError("there are no trajectories to play")
    body = Template(read("trajectories.html")).substitute(title=escape(title), facts=facts_list(manifest or {}))
    write_text(path, html_page(title, body, {"times": times}, lots, symbols, SCRIPTS))


def _drawing(trajectory: Trajectory) -> dict[str, Any]:
    """JSON values for the browser: ``frames`` in the first view of the molecule, with positions x, y, z, elements,
    charges, and bonds i, j, order of each; ``symbols`` that elements count in; ``sdf``, ``view`` and ``svg`` of the
    molecule, as the pages of reports have them, if there is one."""
    mol = trajectory.mol
    drawing: dict[str, Any] = {"title": trajectory.title, "reason": trajectory.reason}
    if mol is not None and mol.GetNumConformers():
        view = first_view(mol)
        rotation, shift = view[:9].reshape(3, 3), view[9:]
        drawing |= {"view": view.round(5).tolist(), "svg": draw_formula(Chem.Mol(mol))}
        properties = {name: mol.GetProp(name) for name in mol.GetPropNames()}
        drawing |= {"sdf": format_record(mol, trajectory.title, properties), "formula": CalcMolFormula(mol)}
        drawing["SMILES"] = isomeric_smiles(mol)
    else:
        rotation, shift = orient(trajectory.positions[-1])
    numbers = np.unique(trajectory.atomic_numbers)
    table = Chem.GetPeriodicTable()
    drawing["symbols"] = [table.GetElementSymbol(int(number)) for number in numbers]
    elements = np.searchsorted(numbers, trajectory.atomic_numbers)
    places = np.rint(PARTS * (trajectory.positions.astype(float) @ rotation.T + shift)).astype(int)
    bonds = [np.column_stack([*(ij := np.nonzero(np.triu(e, 1))), e[ij]]) for e in trajectory.bond_orders]
    frames = zip(places, elements, trajectory.charges, bonds, strict=True)
    drawing["frames"] = [[part.ravel().tolist() for part in frame] for frame in frames]
    return drawing
