"""The header of a page: how the molecules came about."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

LABELS = {
    "requested": "Asked for",
    "asked": "Asked for",
    "items": "Items",
    "delivered": "Delivered",
    "attempts": "Attempts",
    "kept": "From an earlier run",
    "as_sampled": "Valid before any repair",
    "file": "File",
    "records": "Records",
    "model": "Model",
    "seed": "Seed",
    "molscore_version": "molscore version",
    "steps": "Steps",
    "sampler": "Sampler",
    "device": "Device",
    "seconds": "Seconds",
}
"""Manifest keys that have a name of their own, in the order they are shown. Others follow under their own name."""


def shortfall(facts: Mapping[str, Any]) -> str:
    """A warning if fewer molecules were delivered than asked for."""
    asked, delivered = facts.get("requested"), facts.get("delivered")
    if not (isinstance(asked, int) and isinstance(delivered, int) and delivered < asked):
        return ""
    return f'<p class="warning">{delivered:,} molecules were delivered, {asked:,} were asked for.</p>'


def facts_list(facts: Mapping[str, Any]) -> str:
    """The manifest as terms and their values."""
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
