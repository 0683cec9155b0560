"""Recall of known conformations against time, of the methods that ``bench_conformers.py --timed`` measured.

    python scripts/recall_plot.py data/benchmarks/conformer_ensembles.json --out data/benchmarks/conformer_recall.png

A point is a method with a number of conformers: median seconds a molecule, and the mean distance of the nearest of them
from the known conformation, with its interval. Methods are joined over the numbers; near the lower left is good.
"""

import argparse
import json
from pathlib import Path

from molscore.files.output import written

NAMES = {
    "score": "molscore",
    "etkdg": "ETKDGv3",
    "mmff": "ETKDGv3 + MMFF94s",
    "clustered": "ETKDGv3, medoids of ten times as many",
    "conforge": "CONFORGE",
}
"""Of methods, in the picture; others have their own."""


def main() -> None:
    """Reads the rows and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measured", type=Path, help="what bench_conformers.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    rows = [row for row in json.loads(words.measured.read_text())["rows"] if row.get("seconds_per_molecule")]
    if not rows:
        parser.error(f"{words.measured} has no row with seconds: measure with --timed")
    draw(rows, words.out)


def draw(rows: list[dict], out: Path) -> None:
    """Writes the picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = sorted((row for row in rows if row["method"] == method), key=lambda row: row["count"])
        x = [row["seconds_per_molecule"]["median"] for row in mine]
        means = [row["recall"]["mean"] for row in mine]
        y = [mean["value"] for mean in means]
        spread = [[m["value"] - m["low"] for m in means], [m["high"] - m["value"] for m in means]]
        axis.errorbar(x, y, spread, marker="o", markersize=4, capsize=2, label=NAMES.get(method, method))
        for row, seconds, mean in zip(mine, x, y, strict=True):
            axis.annotate(
                str(row["count"]), (seconds, mean), textcoords="offset points", xytext=(5, 4), fontsize="small"
            )
    axis.set(xscale="log", xlabel="seconds a molecule, median, one core", ylabel="mean best RMSD, Å")
    axis.grid(alpha=0.3)
    axis.legend(fontsize="small")
    with written(out) as file:
        figure.savefig(file, dpi=150, format="png")
    pyplot.close(figure)


if __name__ == "__main__":
    main()
