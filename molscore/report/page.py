"""The report of a set of molecules as a page: a table and cards, histograms, rejects and metrics."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import chain, islice
from string import Template
from typing import Any

from rdkit import Chem

from molscore.evaluate.metrics import Metrics
from molscore.files.output import write_text
from molscore.files.paths import check_writable
from molscore.report.columns import columns_of
from molscore.report.facts import facts_list, shortfall
from molscore.report.from_result import facts_of, molecules_of
from molscore.report.groups import OF_RECORDS, Item, are_ensembles, items_of, together
from molscore.report.histograms import histograms_section
from molscore.report.rows import Row, make_rows
from molscore.report.shell import Lots, html_page, read
from molscore.report.tables import metrics_section, rejects_section
from molscore.results import Result

LISTED = 20_000
"""Records in the table, at most: the first ones. The others count in the metrics."""

LOT = 25
"""Records that are packed together."""

SCRIPTS = ("records.js", "viewer.js", "smarts.js", "search.js", "chart.js", "cards.js", "columns.js", "table.js")


def write_report(
    path: str | os.PathLike[str],
    mols: Iterable[Chem.Mol] | Result,
    *,
    title: str | None = None,
    manifest: Mapping[str, Any] | None = None,
    metrics: Metrics | None = None,
    rejects: Mapping[str, int] | None = None,
    workers: int = 1,
) -> None:
    """Writes a report, whole or not at all: to a temporary name in the same folder, renamed at the end.

    Args:
        path: the file, ending in .html. An existing one is replaced.
        mols: what `generate` or `score` of a generator, conformer generator or scorer returned; then the report is that
            of the SDF file that it writes. Or molecules, sound or not, with explicit hydrogens and a 3-D conformer;
            they are taken one by one. The first 20,000 are listed; what one of them lacks is said in its row.
        title: heading of the page.
        manifest: how the molecules were made: the keys of `molscore.report.facts.LABELS`, and any others. Values are
            shown as text. None takes that of a result.
        metrics: of ``molscore.evaluate``; None leaves them out.
        rejects: reason -> how many were rejected for it. None takes those of a result, or ``manifest["rejected"]``;
            without either there is no such table. Their denominator is ``manifest["items"]``, ``"attempts"`` or
            ``"records"``, else what was delivered and what was rejected together.
        workers: processes that share the work.

    Raises:
        ValueError: if there are no molecules, or the name does not end in .html.
        OSError: if the file cannot be written.
    """
    path = check_writable(path, (".html",))
    if isinstance(mols, Result):
        manifest = facts_of(mols) if manifest is None else manifest
        mols = molecules_of(mols)
    source, title, manifest = checked(mols), title or "Molecules", manifest or {}
    rows = make_rows(islice(source, LISTED), workers=workers)
    write_rows(path, rows, title=title, manifest=manifest, metrics=metrics, rejects=rejects, unlisted=source)


def write_rows(
    path: str | os.PathLike[str],
    rows: Iterable[Row],
    *,
    title: str,
    manifest: Mapping[str, Any],
    metrics: Metrics | None = None,
    rejects: Mapping[str, int] | None = None,
    unlisted: Iterable[Any] = (),
) -> None:
    """As `write_report`, of the rows to list and of molecules that are only counted."""
    groups, lots, symbols = [], Lots(LOT), set[str]()
    for group in together(rows):
        for row in group:
            lots.add(row.drawing)
            row.drawing = {}
            symbols |= row.symbols
        groups.append(group)
    listed = sum(map(len, groups))
    total = listed + sum(1 for _ in unlisted)
    if not listed:
        raise ValueError("there are no molecules to report on; generate some first")
    facts = {key: value for key, value in manifest.items() if key != "rejected"}
    if not {"delivered", "records"} & facts.keys():
        facts["delivered"] = total
    rejects = manifest.get("rejected") if rejects is None else rejects
    ensembles, items = are_ensembles(groups), items_of(groups)
    of_all = "" if listed == total else f"The first {listed:,} of {total:,} records are listed."
    body = Template(read("page.html")).substitute(
        title=escape(title),
        shortfall=shortfall(facts),
        facts=facts_list(facts),
        heading=_number(len(items), "molecule") + (f", {_number(listed, 'conformer')}" if ensembles else ""),
        shown=of_all,
        histograms="" if ensembles else histograms_section([item.values for item in items], metrics),
        rejects=rejects_section(rejects, facts, total) if rejects is not None else "",
        metrics=metrics_section(metrics) if metrics is not None else "",
    )
    write_text(path, html_page(title, body, _about(items, ensembles), lots, symbols, SCRIPTS))


def checked(mols: Iterable[Chem.Mol]) -> Iterator[Chem.Mol]:
    """The molecules, each of which must be one.

    Raises:
        ValueError: at once if there is none, or for anything else in their place.
    """
    if isinstance(mols, Chem.Mol):
        raise ValueError("one molecule was given where several are expected; put it in a list: [mol]")

    def each() -> Iterator[Chem.Mol]:
        for mol in mols:
            if not isinstance(mol, Chem.Mol):
                raise ValueError(f"expected RDKit molecules, got {type(mol).__name__}")
            yield mol

    source = each()
    first = next(source, None)
    if first is None:
        raise ValueError("there are no molecules to report on; generate some first")
    return chain([first], source)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _about(items: Sequence[Item], ensembles: bool) -> dict[str, Any]:
    """What the table is made of."""
    columns = columns_of(item.values for item in items)
    return {
        "ensembles": ensembles,
        "columns": [column._asdict() for column in columns],
        "items": [[item.values.get(column.key) for column in columns] for item in items],
        "records": [item.records for item in items],
        "conformers": [item.conformers for item in items] if ensembles else [],
        "of_records": OF_RECORDS,
    }
