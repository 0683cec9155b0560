"""The report of a set of molecules: one HTML file that needs nothing but a browser.

Nothing in it comes from elsewhere: no script, picture, font or style. The page enforces that by a content security
policy that lets the browser run this package's ``viewer.js`` (by its SHA-256) and load nothing at all.
"""

import json
import os
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape
from importlib import resources
from string import Template
from typing import Any

from rdkit import Chem

from molscore.evaluate.metrics import Metrics
from molscore.files.output import write_text
from molscore.files.paths import check_writable
from molscore.report.depict import elements
from molscore.report.gallery import make_cards
from molscore.report.tables import metrics_section, rejects_table
from molscore.versions import version

LABELS = {
    "requested": "Asked for",
    "asked": "Asked for",
    "delivered": "Delivered",
    "attempts": "Attempts",
    "kept": "From an earlier run",
    "as_sampled": "Valid before any repair",
    "file": "File",
    "records": "Records",
    "model": "Model",
    "seed": "Seed",
    "molscore_version": "molscore version",
    "version": "molscore version",
    "steps": "Steps",
    "sampler": "Sampler",
    "device": "Device",
    "seconds": "Seconds",
}
"""Manifest keys that have a name of their own, in the order they are shown. Others follow under their own name."""


def write_report(
    path: str | os.PathLike[str],
    mols: Iterable[Chem.Mol],
    *,
    title: str,
    manifest: Mapping[str, Any],
    metrics: Metrics | None = None,
    rejects: Mapping[str, int] | None = None,
) -> None:
    """Writes a report, whole or not at all: to a temporary name in the same folder, renamed at the end.

    Args:
        path: the file, ending in .html. An existing one is replaced.
        mols: the molecules, sound or not, with explicit hydrogens and a 3-D conformer; the first 60 are shown. What one
            of them lacks is said on its card.
        title: heading of the page.
        manifest: how the molecules were made: the keys of `LABELS`, and any others. Values are shown as text.
        metrics: of ``molscore.evaluate``; None leaves them out.
        rejects: reason -> how many were rejected for it. None takes ``manifest["rejected"]``; without either there is
            no such table. Their denominator is ``manifest["attempts"]`` or ``manifest["records"]``, else what was
            delivered and what was rejected together.

    Raises:
        ValueError: if there are no molecules, or the name does not end in .html.
        OSError: if the file cannot be written.
    """
    path = check_writable(path, (".html",))
    mols = _molecules(mols)
    facts = {key: value for key, value in manifest.items() if key != "rejected"}
    if not {"delivered", "records"} & facts.keys():
        facts["delivered"] = len(mols)
    rejects = manifest.get("rejected") if rejects is None else rejects
    cards = make_cards(mols)
    looks, gradients = elements(symbol for card in cards for symbol in card.symbols)
    script = _read("viewer.js")
    page = Template(_read("page.html")).substitute(
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        title=escape(title),
        style=_read("style.css"),
        script=script,
        shortfall=_shortfall(facts),
        facts=_facts(facts),
        rejects=_rejects(rejects, facts, len(mols)) if rejects is not None else "",
        metrics=metrics_section(metrics) if metrics is not None else "",
        shown=f"All {len(mols):,}" if len(cards) == len(mols) else f"The first {len(cards)} of {len(mols):,}",
        cards="\n".join(card.html for card in cards),
        elements=looks,
        gradients=gradients,
        version=escape(version()),
    )
    write_text(path, page)


def _molecules(mols: Iterable[Chem.Mol]) -> list[Chem.Mol]:
    if isinstance(mols, Chem.Mol):
        raise ValueError("one molecule was given where several are expected; put it in a list: [mol]")
    mols = list(mols)
    for mol in mols:
        if not isinstance(mol, Chem.Mol):
            raise ValueError(f"expected RDKit molecules, got {type(mol).__name__}")
    if not mols:
        raise ValueError("there are no molecules to report on; generate some first")
    return mols


def _read(name: str) -> str:
    return resources.files("molscore.report").joinpath(name).read_text(encoding="utf-8")


def _shortfall(facts: Mapping[str, Any]) -> str:
    asked, delivered = facts.get("requested", facts.get("asked")), facts.get("delivered")
    if not (isinstance(asked, int) and isinstance(delivered, int) and delivered < asked):
        return ""
    return f'<p class="warning">{delivered:,} molecules were delivered, {asked:,} were asked for.</p>'


def _facts(facts: Mapping[str, Any]) -> str:
    ordered = [key for key in LABELS if key in facts] + [key for key in facts if key not in LABELS]
    return "".join(
        f"<div><dt>{escape(LABELS.get(key, str(key).replace('_', ' ')))}</dt><dd>{escape(_text(facts[key]))}</dd></div>"
        for key in ordered
    )


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, default=str)
    return str(value)


def _rejects(rejects: Mapping[str, int], facts: Mapping[str, Any], delivered: int) -> str:
    if "attempts" not in facts and "records" in facts:
        table = rejects_table(rejects, facts["records"], "records")
        text = "Records that the checks reject. They stay in every denominator, and in the gallery if they can be read."
    else:
        table = rejects_table(rejects, facts.get("attempts", delivered + sum(rejects.values())), "attempts")
        text = "Attempts that were thrown away, by the first check that failed. The molecules below are what was left."
    return f'<section id="rejects"><h2>Rejected, by reason</h2><p>{text}</p>{table}</section>'
