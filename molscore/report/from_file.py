"""The report of an SDF file, as `molscore generate` or `molscore conformers` writes it or of any other origin."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from rdkit import Chem, rdBase

from molscore.chem.checks.validity import check
from molscore.chem.io.lines import rereadable
from molscore.chem.io.sdf_reader import Record, read_sdf
from molscore.chem.io.source import check_sdf
from molscore.evaluate.evaluation import evaluate as judge
from molscore.files.paths import check_apart, check_writable
from molscore.report.from_result import as_written
from molscore.report.page import LISTED, write_rows
from molscore.report.rows import Row, make_rows
from molscore.workers import count as count_workers

PROVENANCE = {"model": "molscore_model", "seed": "molscore_seed", "molscore_version": "molscore_version"}
"""Manifest key -> the record property that it comes from."""

MOST_VALUES = 20
"""Different values of such a property that are named."""


def report_file(
    sdf_path: str | os.PathLike[str],
    out_path: str | os.PathLike[str],
    reference: str | os.PathLike[str] | None = "auto",
    evaluate: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    manifest: Mapping[str, Any] | None = None,
    encoding: str | None = None,
    workers: int | Literal["auto"] = 1,
) -> None:
    """Writes the report of an SDF file: evaluates it, then draws it, record by record.

    Records are taken as written, nothing is repaired. One that cannot be read is counted as rejected.

    Args:
        sdf_path: SDF file.
        out_path: the report, ending in .html.
        reference: what to compare with, see ``molscore.evaluate``; None for no comparison.
        evaluate: compute the metrics. Without it the report has none.
        on_progress: called with (done, total) after each record that has been evaluated, or else listed.
        manifest: of the run that made the file (`write_report`), with its rejected attempts by reason as ``rejected``.
            Without these the records that the checks reject are counted.

        encoding: of the file, by default UTF-8.
        workers: as for ``molscore.evaluate``.

    Raises:
        FileNotFoundError: if there is no such SDF file.
        ValueError: if it holds nothing that can be read, is the report to be, or there is no such reference.
        OSError: if the report cannot be written.
    """
    out_path = check_writable(out_path, (".html",))
    check_apart({"out_path": out_path}, {"sdf_path": sdf_path})
    check_sdf(Path(sdf_path))
    name = "standard input" if str(sdf_path) == "-" else Path(sdf_path).name
    with rereadable(sdf_path) as path:
        number = count_workers(workers)
        survey = Survey()
        for record in read_sdf(path, sanitize=False, encoding=encoding):
            survey.add(record)
        if not survey.read:
            reason = f"; the first record is {survey.first_reason}" if survey.records else ""
            raise ValueError(f"{name} holds no molecule that can be read ({survey.records} records{reason})")
        metrics = None
        if evaluate:
            metrics = judge(path, reference, on_progress=on_progress, encoding=encoding, workers=number)
            metrics = replace(metrics, source=name)
        mols = (as_written(r.mol) for r in read_sdf(path, sanitize=False, encoding=encoding) if r.mol is not None)
        faults = survey.unread

        def rows() -> Iterator[Row]:
            for k, row in enumerate(make_rows(islice(mols, LISTED), workers=number), start=1):
                if row.fault is not None:
                    faults[row.fault] += 1
                if on_progress is not None and not evaluate:
                    on_progress(k, survey.read)
                yield row

        def unlisted() -> Iterator[Chem.Mol]:
            with rdBase.BlockLogs():
                for mol in mols:
                    if (fault := check(mol)) is not None:
                        faults[fault.token] += 1
                    yield mol

        facts = {"file": name, "records": survey.records, **survey.provenance(), **(manifest or {})}
        facts.setdefault("rejected", faults)
        title = f"Molecules in {facts['file']}"
        write_rows(out_path, rows(), title=title, manifest=facts, metrics=metrics, unlisted=unlisted())


class Survey:
    """What a file says of itself, counted record by record."""

    def __init__(self) -> None:
        self.records = self.read = 0
        self.first_reason: str | None = None
        self.unread: Counter[str] = Counter()
        self._values = {key: Counter[str]() for key in PROVENANCE}

    def add(self, record: Record) -> None:
        """Counts a record."""
        self.records += 1
        if record.mol is None:
            reason = record.reason or ""
            self.first_reason = self.first_reason or reason
            self.unread[reason.partition(":")[0]] += 1
            return
        self.read += 1
        for key, name in PROVENANCE.items():
            self._values[key][record.mol.GetProp(name) if record.mol.HasProp(name) else "not stated"] += 1

    def provenance(self) -> dict[str, str]:
        """Model, seed and version, where records state them; all of them if they differ."""
        provenance = {}
        for key, values in self._values.items():
            if set(values) != {"not stated"}:
                parts = list(values) if len(values) == 1 else [f"{value} ({n:,})" for value, n in values.items()]
                more = f" and {len(parts) - MOST_VALUES:,} more" if len(parts) > MOST_VALUES else ""
                provenance[key] = ", ".join(parts[:MOST_VALUES]) + more
        return provenance
