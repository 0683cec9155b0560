"""Memorisation and coverage as text for a terminal."""

from typing import Any

from molscore.evaluate.figures import Figures


def memorisation_lines(metrics: Figures) -> list[str]:
    """Figures of `molscore.evaluate.memorisation`, one a line; empty if they were not asked for."""
    lines = []
    if hits := metrics.rediscovery:
        ratio = "-" if hits["ratio"] is None else f"{hits['ratio']:.2f}"
        lines += [
            f"  training molecules among the valid     {hits['training']:,} of {hits['training_size']:,}",
            f"  held-out molecules among the valid     {hits['heldout']:,} of {hits['heldout_size']:,}",
            f"  ratio of these shares {ratio} (1 without memorisation), z {hits['z']:.1f}",
        ]
    if figures := metrics.memorisation:
        pool = f"{figures['training_molecules']:,} training and {figures['heldout_molecules']:,} held-out molecules"
        lines.append(f"  compared with {pool}:")
        lines += _graph(figures["graph"]) + _conformer(figures["conformer"]) + _coverage(figures["coverage"])
    head = ["", "Memorisation and coverage (z above 3, for RMSDs below -3, means memorisation)"]
    return head + lines if lines else []


def _graph(graph: dict[str, Any] | None) -> list[str]:
    if not graph:
        return []
    return [
        f"    nearest graph is a training molecule {100 * graph['share']:.2f} %, by chance "
        f"{100 * graph['expected']:.2f} %, z {graph['z']:.1f}",
        f"    median distance to the nearest training graph {graph['nearest']:.3f}, of held-out molecules "
        f"{graph['nearest_of_heldout']:.3f}",
    ]


def _conformer(conformer: dict[str, Any] | None) -> list[str]:
    if not conformer:
        return []
    sides = []
    for side, label in (("training", "training"), ("heldout", "held-out")):
        rmsd = conformer[f"{side}_rmsd"]
        sides.append(
            f"{'-' if rmsd is None else f'{rmsd:.3f} Å'} to {conformer[f'{side}_matches']:,} {label} molecules"
        )
    z = "too few to compare" if conformer["z"] is None else f"z {conformer['z']:.1f}"
    return [f"    same graph, median RMSD {sides[0]}, {sides[1]}, {z}"]


def _coverage(coverage: dict[str, Any] | None) -> list[str]:
    if not coverage:
        return []
    ratio = "-" if coverage["ratio"] is None else f"{coverage['ratio']:.3f}"
    return [
        f"    coverage of {coverage['real']:,} held-out molecules by {coverage['samples']:,} samples "
        f"{coverage['value']:.3f}, by as many held-out ones {coverage['fair']:.3f}, ratio {ratio}",
        f"    density {coverage['density']:.3f}, of held-out ones {coverage['fair_density']:.3f}",
    ]
