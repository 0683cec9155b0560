"""Histograms of properties before those of the reference, as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from molscore.evaluate.compare.histograms import COUNTED, STRAIN, WHOLE, counts, edges
from molscore.evaluate.metrics import Metrics
from molscore.report.columns import LABELS, Value, meaning_of

SHOWN = (*COUNTED, STRAIN)
"""Properties, by the names of the columns."""

FEW = 300
"""Fewer molecules are drawn in half as many bins."""

WIDTH, HEIGHT = 260, 110


def histograms_section(rows: Sequence[Mapping[str, Value]], metrics: Metrics | None) -> str:
    """A histogram for each property of `SHOWN` that varies, on the grid of the reference where it has one."""
    reference: Mapping[str, Any] = (metrics.reference_composition or {}).get("histograms", {}) if metrics else {}
    figures = []
    for name in SHOWN:
        values = np.array([x for row in rows if isinstance(x := row.get(name), int | float)], dtype=float)
        if len(values) > 1 and (values.min() < values.max() or name in reference):
            figures.append(_figure(name, values, reference.get(name)))
    if not figures:
        return ""
    legend = f"<li>{_key('rect')} the molecules listed</li>"
    if metrics and reference:
        legend += f"<li>{_key('path')} the reference, {escape(str(metrics.reference))}</li>"
    return (
        f'<section id="histograms"><h2>Distributions</h2><ul class="legend">{legend}</ul>'
        '<p class="notes">Heights are shares; what lies beyond an end is counted in the bin there.</p>'
        f'<div class="figures">{"".join(figures)}</div></section>'
    )


def _key(shape: str) -> str:
    """A piece of the figures, for the legend."""
    inside = '<rect width="22" height="12"/>' if shape == "rect" else '<path class="outline" d="M1 12V1h20v11"/>'
    return f'<svg class="histogram key" viewBox="0 0 22 12" aria-hidden="true">{inside}</svg>'


def _figure(name: str, values: np.ndarray, reference: Mapping[str, Any] | None) -> str:
    label, meaning = LABELS[name], meaning_of(name)
    grid = edges(name, values) if reference is None else np.array(reference["edges"])
    shares = counts(values, grid) / len(values)
    other = np.zeros(len(shares)) if reference is None else np.array(reference["counts"], dtype=float)
    other /= max(other.sum(), 1)
    if len(values) < FEW and name not in WHOLE:
        shares, other, grid = shares.reshape(-1, 2).sum(1), other.reshape(-1, 2).sum(1), grid[::2]
    there = np.flatnonzero(shares + other)  # empty bins at the ends are not drawn
    first, last = int(there[0]), int(there[-1]) + 1
    shares, other, grid = shares[first:last], other[first:last], grid[first : last + 1]
    top = max(shares.max(), other.max()) * 1.05
    step, high = WIDTH / len(shares), HEIGHT - 18
    bars = "".join(
        f'<rect x="{k * step + 0.5:.1f}" y="{high * (1 - share / top):.1f}" width="{step - 1:.1f}" '
        f'height="{high * share / top:.1f}"><title>{_bounds(name, grid, k)}: {100 * share:.1f} %'
        f"{'' if reference is None else f', reference {100 * other[k]:.1f} %'}</title></rect>"
        for k, share in enumerate(shares)
        if share
    )
    line = ""
    if reference is not None:
        steps = " ".join(f"V{high * (1 - share / top):.1f} h{step:.2f}" for share in other)
        line = f'<path class="outline" d="M0 {high} {steps} V{high}"/>'
    ends = (
        f'<text x="1" y="{HEIGHT - 4}">{_bounds(name, grid, 0).partition(" to ")[0]}</text>'
        f'<text x="{WIDTH - 1}" y="{HEIGHT - 4}" text-anchor="end">'
        f"{_bounds(name, grid, len(shares) - 1).rpartition(' to ')[2]}</text>"
    )
    median = f"median {_number(float(np.median(values)))}"
    if reference is not None:
        median += f", reference {_number(reference['median'])}"
    return (
        f"<figure><figcaption><b>{escape(label)}</b> {escape(meaning)}; {median}</figcaption>"
        f'<svg class="histogram" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="histogram of {escape(label)}">'
        f'{line}{bars}<path class="axis" d="M0 {high}h{WIDTH}"/>{ends}</svg></figure>'
    )


def _bounds(name: str, grid: np.ndarray, k: int) -> str:
    """What a bin holds."""
    if name not in WHOLE:
        return f"{_number(grid[k])} to {_number(grid[k + 1])}"
    low, high = grid[k] + 0.5, grid[k + 1] - 0.5
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
