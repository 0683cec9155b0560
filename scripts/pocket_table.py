"""What `pocket.py` found in all its pockets together, as figures and as a table."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from completion_verdict import rate
from results import number, percent, table

POSE = "the pose as it is above its UFF minimum, median, kcal/mol"
"""A row of the table."""


def summary(rows: Sequence[dict]) -> dict[str, Any]:
    """Rates over all molecules, medians, and in how many pockets the guided ones score better."""
    guided = [mol for row in rows for mol in row["guided"]]
    crystal = [row["crystal"] for row in rows]
    attempts = sum(row["attempts"] for row in rows)
    pairs, best = ([paired(row["guided"], row["unguided"], kind) for row in rows] for kind in ("vina", "vina_best"))
    docked = [
        (
            statistics.fmean(mol["vina"] for mol in row["guided"] if mol["vina"] is not None),
            statistics.fmean(row["docked"]),
        )
        for row in rows
        if row["docked"] and any(mol["vina"] is not None for mol in row["guided"])
    ]
    return {
        "pockets": len(rows),
        "delivered": len(guided),
        "delivered_of_attempts": rate(len(guided), attempts),
        "rejected": dict(sum((Counter(row["rejected"]) for row in rows), Counter()).most_common()),
        "without_clash": rate(sum(not mol["clashes"] for mol in guided), len(guided)),
        "posecheck_clashes": median(mol["posecheck_clashes"] for mol in guided),
        "posecheck_clashes_crystal": median(mol["posecheck_clashes"] for mol in crystal),
        "busters": rate(sum(not mol["busted"] for mol in guided), len(guided)),
        "busted": dict(Counter(name for mol in guided for name in mol["busted"]).most_common()),
        "strain": median(mol["strain"] for mol in guided),
        "strain_crystal": median(mol["strain"] for mol in crystal),
        "relaxation": median(mol.get("relaxation") for mol in guided),
        "relaxation_crystal": median(mol.get("relaxation") for mol in crystal),
        "vina": median(mol["vina"] for mol in guided),
        "vina_unguided": median(mol["vina"] for row in rows for mol in row["unguided"]),
        "vina_docked": median(score for row in rows for score in row["docked"]),
        "vina_crystal": median(mol["vina"] for mol in crystal),
        "vina_per_heavy_atom": median(mol["vina"] / mol["heavy"] for mol in guided if mol["vina"] is not None),
        "vina_unguided_best": median(mol["vina_best"] for row in rows for mol in row["unguided"]),
        "better_than_unguided": wins(pairs),
        "better_than_unguided_best": wins(best),
        "better_than_docked": wins(docked),
        "docked_in_the_time": sum(len(row["docked"]) for row in rows),
        "recovered": mean(mol["recovered"] for mol in guided),
        "recovered_docked": mean(share for row in rows for share in row["docked_recovered"]),
        "seconds_per_delivered": round(sum(row["seconds"] for row in rows) / max(len(guided), 1), 2),
    }


def wins(pairs: Sequence[tuple[float, float] | None]) -> list[int]:
    """In how many pairs the first is lower, and how many there are."""
    both = [pair for pair in pairs if pair is not None]
    return [sum(a < b for a, b in both), len(both)]


def paired(guided: Sequence[dict], other: Sequence[dict], kind: str) -> tuple[float, float] | None:
    """Mean scores over the pairs in which both have one."""
    pairs = zip(guided[: len(other)], other, strict=True)
    both = [(a["vina"], b[kind]) for a, b in pairs if None not in (a["vina"], b[kind])]
    return tuple(map(statistics.fmean, zip(*both, strict=True))) if both else None


def median(values: Any) -> float | None:
    """To two decimals, of those that there are."""
    kept = [value for value in values if value is not None]
    return round(statistics.median(kept), 2) if kept else None


def mean(values: Any) -> float | None:
    """To three decimals, of those that there are."""
    kept = [value for value in values if value is not None]
    return round(statistics.fmean(kept), 3) if kept else None


def markdown(figures: dict[str, Any], tries: int) -> str:
    """The table of the documentation; ``tries`` orientations of what was placed."""

    def value(name: str) -> str:
        return number(figures[name], ".1f")

    def of(name: str) -> str:
        return "{} of {} pockets".format(*figures[name])

    rows = [
        ["delivered of what was sampled", percent(figures["delivered_of_attempts"]), "", "", "", ""],
        ["delivered inside, without a clash", percent(figures["without_clash"]), "", "", "", ""],
        ["PoseBusters `dock`, delivered", percent(figures["busters"]), "", "", "", ""],
        ["PoseCheck clashes, median", value("posecheck_clashes"), "", "", "", value("posecheck_clashes_crystal")],
        ["strain (PoseCheck, UFF), median, kcal/mol", value("strain"), "", "", "", value("strain_crystal")],
        [POSE, value("relaxation"), "", "", "", value("relaxation_crystal")],
        [
            "Vina, minimised in place, median, kcal/mol",
            *(value(f"vina{kind}") for kind in ("", "_unguided", "_unguided_best", "_docked", "_crystal")),
        ],
        [
            "guided better on average",
            "",
            *(of(f"better_than_{kind}") for kind in ("unguided", "unguided_best", "docked")),
            "",
        ],
        [
            "hydrogen bonds of the crystal ligand recovered",
            number(figures["recovered"], ".0%"),
            "",
            "",
            number(figures["recovered_docked"], ".0%"),
            "",
        ],
        ["CPU seconds for each delivered", value("seconds_per_delivered"), "", "", "", ""],
    ]
    if figures["relaxation"] is None:  # measured before this was
        rows = [row for row in rows if row[0] != POSE]
    heads = [
        "guided",
        "unguided, placed",
        f"unguided, best of {tries}",
        "unguided, docked in equal CPU time",
        "crystal",
    ]
    return table(["", *heads], rows)
