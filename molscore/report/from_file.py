"""The report of an SDF file, as `molscore generate` writes it or of any other origin."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from rdkit import Chem, rdBase

from molscore.chem.checks.validity import check
from molscore.evaluate.evaluation import evaluate as judge
from molscore.evaluate.molecules.records import read_records
from molscore.files.paths import check_apart, check_writable
from molscore.report.page import write_report

PROVENANCE = {"model": "molscore_model", "seed": "molscore_seed", "molscore_version": "molscore_version"}
"""Manifest key -> the record property that it comes from."""


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
    """Writes the report of an SDF file: reads it, evaluates it, draws it.

    Records are taken as written, nothing is repaired. One that cannot be read is counted as rejected.

    Args:
        sdf_path: SDF file.
        out_path: the report, ending in .html.
        reference: what to compare with, see ``molscore.evaluate``; None for no comparison.
        evaluate: compute the metrics. Without it the report has none.
        on_progress: called with (done, total) after each record that has been evaluated, or else checked.
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
    records = read_records(sdf_path, encoding)
    mols = [_as_written(record.mol) for record in records if record.mol is not None]
    facts = {"file": Path(sdf_path).name, "records": len(records), **_provenance(mols), **(manifest or {})}
    if "rejected" not in facts:
        reasons = (record.reason for record in records if record.mol is None)
        unread = Counter(reason.partition(":")[0] for reason in reasons if reason is not None)
        facts["rejected"] = unread + _faults(mols, None if evaluate else on_progress)
    metrics = None
    if evaluate:
        metrics = replace(judge(records, reference, on_progress=on_progress, workers=workers), source=facts["file"])
    title = f"Molecules in {facts['file']}"
    write_report(out_path, mols, title=title, manifest=facts, metrics=metrics)


def _as_written(mol: Chem.Mol) -> Chem.Mol:
    """No atom may take hydrogens that the record does not have."""
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(True)
    mol.UpdatePropertyCache(strict=False)
    return mol


def _faults(mols: Sequence[Chem.Mol], on_progress: Callable[[int, int], None] | None) -> Counter[str]:
    """Reason -> molecules that the checks reject for it."""
    faults: Counter[str] = Counter()
    with rdBase.BlockLogs():
        for i, mol in enumerate(mols, start=1):
            if (fault := check(mol)) is not None:
                faults[fault.token] += 1
            if on_progress is not None:
                on_progress(i, len(mols))
    return faults


def _provenance(mols: Sequence[Chem.Mol]) -> dict[str, str]:
    """Model, seed and version, where records state them; all of them if they differ."""
    provenance = {}
    for key, name in PROVENANCE.items():
        values = Counter(mol.GetProp(name) if mol.HasProp(name) else "not stated" for mol in mols)
        if set(values) != {"not stated"}:
            parts = values if len(values) == 1 else (f"{value} ({n:,})" for value, n in values.items())
            provenance[key] = ", ".join(parts)

    return provenance
