"""Histograms of properties beside those of the reference, as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from molscore.evaluate.metrics import Metrics
from molscore.report.columns import LABELS, Value, meaning_of

SHOWN = ("qed", "sa", "logp", "mw", "heavy", "rings", "tpsa", "rotatable", "strain_kcal_per_mol")
"""Properties, by the names of the columns."""

WHOLE = ("heavy", "rings", "rotatable")
BINS = 24
WIDTH, HEIGHT = 260, 110


def histograms_section(rows: Sequence[Mapping[str, Value]], metrics: Metrics | None) -> str:
    """A histogram for each property of `SHOWN` that varies."""
    reference: Mapping[str, Any] = (metrics.reference_composition or {}).get("histograms", {}) if metrics else {}
    figures = []
    for name in SHOWN:
        values = np.array([x for row in rows if isinstance(x := row.get(name), int | float)], dtype=float)
        if len(values) > 1 and values.min() < values.max():
            figures.append(_figure(name, values, reference.get(name)))
    if not figures:
        return ""
    about = f" Line: the reference {escape(str(metrics.reference))}, as shares." if metrics and reference else ""
    text = f"Bars: the molecules listed; what lies beyond an end is counted in the bin there.{about}"
    return f'<section id="histograms"><h2>Distributions</h2><p class="notes">{text}</p>' + (
        f'<div class="figures">{"".join(figures)}</div></section>'
    )


def _figure(name: str, values: np.ndarray, reference: Mapping[str, Any] | None) -> str:
    label, meaning = LABELS[name], meaning_of(name)
    edges = _edges(name, values) if reference is None else np.array(reference["edges"])
    shares = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / len(values)
    outline = None
    if reference is not None:
        counts = np.array(reference["counts"], dtype=float)
        outline = counts / max(counts.sum(), 1)
    top = max(shares.max(), outline.max() if outline is not None else 0) * 1.05
    step, high = WIDTH / len(shares), HEIGHT - 18
    bars = "".join(
        f'<rect x="{k * step + 0.5:.1f}" y="{high * (1 - share / top):.1f}" width="{step - 1:.1f}" '
        f'height="{high * share / top:.1f}"><title>{_bounds(name, edges, k)}: {100 * share:.1f} %</title></rect>'
        for k, share in enumerate(shares)
        if share
    )
    line = ""
    if outline is not None:
        steps = " ".join(f"V{high * (1 - share / top):.1f} h{step:.2f}" for share in outline)
        line = f'<path class="outline" d="M0 {high} {steps} V{high}"/>'
    ends = (
        f'<text x="1" y="{HEIGHT - 4}">{_number(edges[0])}</text>'
        f'<text x="{WIDTH - 1}" y="{HEIGHT - 4}" text-anchor="end">{_number(edges[-1])}</text>'
    )
    median = f"median {_number(float(np.median(values)))}"
    return (
        f"<figure><figcaption><b>{escape(label)}</b> {escape(meaning)}; {median}</figcaption>"
        f'<svg class="histogram" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="histogram of {escape(label)}">'
        f'{bars}{line}<path class="axis" d="M0 {high}h{WIDTH}"/>{ends}</svg></figure>'
    )


def _edges(name: str, values: np.ndarray) -> np.ndarray:
    """Equal bins between the 0.5th and the 99.5th hundredth."""
    low, high = np.percentile(values, [0.5, 99.5])
    if name in WHOLE:
        return np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    return np.linspace(low, high, BINS + 1) if low < high else np.linspace(values.min(), values.max(), BINS + 1)


def _bounds(name: str, edges: np.ndarray, k: int) -> str:
    if name in WHOLE:
        return f"{edges[k] + 0.5:.0f}"
    return f"{_number(edges[k])} to {_number(edges[k + 1])}"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
