"""The tables of the report: rejects by reason, and the metrics with denominators and intervals."""

from collections.abc import Mapping
from html import escape
from typing import Any

from molscore.chem.checks.validity import FAULTS
from molscore.evaluate.compare.geometry import Distance
from molscore.evaluate.metrics import Metrics
from molscore.evaluate.rates import Rate
from molscore.evaluate.text import DISTANCES, RATES, SECTIONS, ensemble_facts

OTHER_FAULTS = {"unreadable": "RDKit cannot read the record"}


def rejects_table(rejects: Mapping[str, int], total: int, of: str) -> str:
    """What was rejected and why, most frequent first.

    Args:
        rejects: reason -> count; the reasons are keys of `FAULTS`.
        total: how many were judged.
        of: what they are, a plural noun.
    """
    counts = sorted(((n, reason) for reason, n in rejects.items() if n), key=lambda item: (-item[0], item[1]))
    number = sum(n for n, _ in counts)
    if not counts:
        return f"<p>None of {total:,} {escape(of)}.</p>"
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(reason)}</code></th><td>{_meaning(reason)}</td>'
        f'<td class="figure">{n:,}</td><td class="figure">{_percent(n, total)}</td></tr>'
        for n, reason in counts
    )
    return (
        f"<p>{number:,} of {total:,} {escape(of)} ({_percent(number, total)} %).</p>"
        f'<table><thead><tr><th>Reason</th><th>Meaning</th><th class="figure">Count</th>'
        f'<th class="figure">% of {escape(of)}</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def rejects_section(rejects: Mapping[str, int], facts: Mapping[str, Any], delivered: int) -> str:
    """What was rejected, by reason, of all attempts, or of the records of a file."""
    if "items" in facts:
        table = rejects_table(rejects, facts["items"], "items")
        text = "Items without a result, which the table does not list."
    elif "attempts" not in facts and "records" in facts:
        table = rejects_table(rejects, facts["records"], "records")
        text = "Records that the checks reject. They stay in every denominator, and in the table if they can be read."
    else:
        table = rejects_table(rejects, facts.get("attempts", delivered + sum(rejects.values())), "attempts")
        text = "Attempts that were thrown away, by the first check that failed. The molecules below are what was left."
    return f'<section id="rejects"><h2>Rejected, by reason</h2><p>{text}</p>{table}</section>'


def _meaning(reason: str) -> str:
    return escape(FAULTS.get(reason) or OTHER_FAULTS.get(reason, ""))


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f}" if total else "–"


def metrics_section(metrics: Metrics) -> str:
    """Everything in `metrics`: rates, PoseBusters check by check, distances, composition, notes."""
    notes = "".join(f"<li>{escape(note.strip())}</li>" for note in metrics.notes)
    return (
        '<section id="metrics"><h2>Metrics</h2>'
        f"{_ensembles(metrics)}{_rates_table(metrics)}{_busters(metrics)}{_distances_table(metrics)}"
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + "<details><summary>All figures as text, with the composition</summary>"
        f"<pre>{escape(metrics.format_text())}</pre></details></section>"
    )


def _ensembles(metrics: Metrics) -> str:
    if metrics.ensembles is None:
        return ""
    facts = ensemble_facts(metrics.ensembles).items()
    rows = "".join(f'<tr><th scope="row">{escape(label)}</th><td>{escape(text)}</td></tr>' for label, text in facts)
    return f"<table><tbody>{rows}</tbody></table>"


RATES_HEAD = (
    '<tr><th></th><th class="figure">%</th><th></th><th class="figure">95 % interval</th>'
    '<th class="figure">Count</th><th>Of</th><th>Meaning</th></tr>'
)


def _rates_table(metrics: Metrics) -> str:
    body = ""
    for title, names in SECTIONS.items():
        present = [name for name in names if name in metrics.rates]
        if present:
            rows = "".join(_rate_row(RATES[name][0], metrics[name], RATES[name][1]) for name in present)
            body += f'<tbody><tr><th colspan="7" class="section">{escape(title)}</th></tr>{rows}</tbody>'
    return f"<table><thead>{RATES_HEAD}</thead>{body}</table>"


def _busters(metrics: Metrics) -> str:
    if not metrics.posebusters:
        return ""
    rows = "".join(_rate_row(name.replace("_", " "), rate) for name, rate in metrics.posebusters.items())
    table = f"<table><thead>{RATES_HEAD}</thead><tbody>{rows}</tbody></table>"
    return f"<details><summary>PoseBusters, check by check</summary>{table}</details>"


def _rate_row(label: str, rate: Rate, meaning: str = "") -> str:
    if rate.value is None or rate.interval is None:
        percent = interval = "–"
        bar = ""
    else:
        low, high = rate.interval
        percent, interval = f"{100 * rate.value:.1f}", f"{100 * low:.1f} – {100 * high:.1f}"
        bar = (
            '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
            '<rect class="all" width="100" height="10"/>'
            f'<rect class="rate" width="{100 * rate.value:.2f}" height="10"/>'
            f'<rect class="interval" x="{100 * low:.2f}" y="3.5" width="{100 * (high - low):.2f}" height="3"/></svg>'
        )
    return (
        f'<tr><th scope="row">{escape(label)}</th><td class="figure">{percent}</td><td>{bar}</td>'
        f'<td class="figure">{interval}</td><td class="figure">{rate.count:,} / {rate.total:,}</td>'
        f'<td>{escape(rate.of)}</td><td class="meaning">{escape(meaning)}</td></tr>'
    )


def _distances_table(metrics: Metrics) -> str:
    if not metrics.distances:
        return ""
    rows = "".join(_distance_row(label, metrics.distances[name]) for name, label in DISTANCES.items())
    about = escape(metrics.reference_description or "")
    return (
        f"<h3>Distance to {escape(metrics.reference or 'the reference')}</h3><p>{about}</p>"
        "<table><thead><tr><th></th>"
        '<th class="figure">Value</th><th class="figure">Floor</th><th>Unit</th><th class="figure">Values compared</th>'
        f'<th class="figure">% of the reference</th></tr></thead><tbody>{rows}</tbody></table>'
        "<p>Floor: what as many molecules sampled from the reference itself score. A perfect generator scores the "
        "floor, not 0.</p>"
    )


def _distance_row(label: str, distance: Distance) -> str:
    value, floor = (f"{x:.2e}" if x is not None else "–" for x in (distance.value, distance.floor))
    return (
        f'<tr><th scope="row">{escape(label)}</th><td class="figure">{value}</td><td class="figure">{floor}</td>'
        f'<td>{escape(distance.unit)}</td><td class="figure">{distance.n_values:,}</td>'
        f'<td class="figure">{100 * distance.coverage:.0f}</td></tr>'
    )
