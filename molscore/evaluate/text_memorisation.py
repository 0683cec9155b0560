"""Memorisation and coverage as text for a terminal."""

from typing import Any

from molscore.evaluate.figures import Figures


def memorisation_lines(metrics: Figures) -> list[str]:
    """What `molscore.evaluate.memorisation` found, one line a figure; empty if nobody asked."""
    lines = []
    if found := metrics.rediscovery:
        ratio = "-" if found["ratio"] is None else f"{found['ratio']:.2f}"
        lines += [
            f"  training molecules among the valid     {found['training']:,} of {found['training_size']:,}",
            f"  held-out molecules among the valid     {found['heldout']:,} of {found['heldout_size']:,}",
            f"  ratio of these shares {ratio} (1 without memorisation), z {found['z']:.1f}",
        ]
    if found := metrics.memorisation:
        pool = f"{found['training_molecules']:,} training and {found['heldout_molecules']:,} held-out molecules"
        lines.append(f"  compared with {pool}:")
        lines += _graph(found["graph"]) + _conformer(found["conformer"]) + _coverage(found["coverage"])
    head = ["", "Memorisation and coverage (z above 3, for RMSDs below -3, means memorisation)"]
    return head + lines if lines else []


def _graph(found: dict[str, Any] | None) -> list[str]:
    if not found:
        return []
    return [
        f"    nearest graph is a training molecule {100 * found['share']:.2f} %, by chance "
        f"{100 * found['expected']:.2f} %, z {found['z']:.1f}",
        f"    median distance to the nearest training graph {found['nearest']:.3f}, of held-out molecules "
        f"{found['nearest_of_heldout']:.3f}",
    ]


def _conformer(found: dict[str, Any] | None) -> list[str]:
    if not found:
        return []
    sides = []
    for side, label in (("training", "training"), ("heldout", "held-out")):
        rmsd = found[f"{side}_rmsd"]
        sides.append(f"{'-' if rmsd is None else f'{rmsd:.3f} Å'} to {found[f'{side}_matches']:,} {label} molecules")
    z = "too few to compare" if found["z"] is None else f"z {found['z']:.1f}"
    return [f"    same graph, median RMSD {sides[0]}, {sides[1]}, {z}"]


def _coverage(found: dict[str, Any] | None) -> list[str]:
    if not found:
        return []
    ratio = "-" if found["ratio"] is None else f"{found['ratio']:.3f}"
    return [
        f"    coverage of {found['real']:,} held-out molecules by {found['samples']:,} samples {found['value']:.3f}, "
        f"by as many held-out ones {found['fair']:.3f}, ratio {ratio}",
        f"    density {found['density']:.3f}, of held-out ones {found['fair_density']:.3f}",
    ]
