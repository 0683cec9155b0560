"""Model cards: what a model is for, what it was trained on, how good it is and what it cannot do, in words."""

from typing import Any, NamedTuple

from molscore import pretrained

MIXTURE = (
    "MOSES (molecules of ZINC; ETKDGv3 and MMFF94s geometries; MIT)",
    "wwPDB Chemical Component Dictionary (experimental, bonds and angles settled; CC0)",
    "CASCADE DFT8K (M06-2X/def2-TZVP minima; MIT)",
    "QM9, through the weights of `qm9`, with which training began",
)


class About(NamedTuple):
    """What no file says of a bundled model.

    Attributes:
        purpose: what it is for.
        data: its training data, each with how the geometries were made and the licence.
        limits: what it cannot do.
    """

    purpose: str
    data: tuple[str, ...]
    limits: tuple[str, ...]


_NO_CHANGES = "protonation and tautomers are as drawn or sampled: nothing is adjusted to a pH"

ABOUT = {
    "qm9": About(
        "new small molecules, hydrogens as atoms; a fast model for trials and comparison with the literature",
        ("QM9 (B3LYP/6-31G(2df,p) minima; Ramakrishnan et al., Sci. Data 1, 140022, 2014; CC0)",),
        ("up to nine heavy atoms of C, N, O and F: no drugs", _NO_CHANGES),
    ),
    "druglike": About(
        "new drug-like molecules",
        MIXTURE,
        ("no metals, no radicals, no macrocycles to speak of; rings of seven atoms come too often", _NO_CHANGES),
    ),
    "conformers": About(
        "conformers of given molecules; log-likelihood and uncertainty of given geometries",
        MIXTURE,
        (
            "no metals, no radicals; for what it does not know `molscore conformers` takes ETKDGv3, and says so",
            "positions of hydrogens are not the model's: they are placed and settled",
            _NO_CHANGES,
        ),
    ),
}

RATES = {
    "valid_connected": "valid and connected",
    "posebusters_of_all": "PoseBusters-valid (mol_fast), of all",
    "unique": "unique, of valid",
    "novel": "novel, of unique",
    "molecules_stable_explicit": "molecules stable",
}
"""Rates of `molscore.evaluate` that a card shows."""


def card(name: str) -> str:
    """The card of a bundled model, or what a file says of itself.

    Raises:
        ValueError: as `molscore.pretrained.about`.
    """
    about = pretrained.about(name)
    known = ABOUT.get(name)
    sections = [f"{name}: {known.purpose}" if known else f"{name}: a model file"]
    sections.append(
        _table({"parameters": f"{about['parameters'] / 1e6:.2f} million", **_scope(about), **_training(about)})
    )
    if known:
        sections.append("Data, with their licences (the weights are under MIT, as the program)\n" + _list(known.data))
    if rates := _rates(about["quality"] or {}):
        sections.append(f"Quality (`molscore info {name} --json` has all figures)\n{_table(rates)}")
    if known:
        sections.append("Limits\n" + _list(known.limits))
    return "\n\n".join(sections)


def _scope(about: dict[str, Any]) -> dict[str, str]:
    """Elements with their charges, and sizes."""
    from rdkit import Chem

    symbols = Chem.GetPeriodicTable()
    charges: dict[str, list[int]] = {}
    for number, charge in about["vocabulary"]:
        charges.setdefault(symbols.GetElementSymbol(number), []).append(charge)
    elements = [
        symbol + "".join(f" {symbol}{'⁺' if charge > 0 else '⁻'}" for charge in found if charge)
        for symbol, found in charges.items()
    ]
    sizes = [size for size, share in enumerate(about["size_probabilities"]) if share > 0]
    counted = "atoms" if "H" in charges else "heavy atoms"
    scope = {"elements": " ".join(elements)}
    return scope | ({counted: f"{sizes[0]} to {sizes[-1]}"} if sizes else {})


def _training(about: dict[str, Any]) -> dict[str, str]:
    record = about.get("record") or {}
    if not {"molecules", "seconds", "hardware"} <= record.keys():
        return {}
    hours = f"{record['seconds'] / 3600:.1f} h on {record['hardware']}"
    return {"training": f"{record['molecules']:,} molecules (repeats counted), {hours}"}


def _rates(quality: dict[str, Any]) -> dict[str, str]:
    """Raw and delivered rates side by side; of a model that scores, how well it tells geometries apart."""
    rates = {}
    if runs := {kind: quality[kind] for kind in ("raw", "delivered") if kind in quality}:
        rates[""] = "   ".join(f"{kind}, n = {run['manifest']['requested']:,}" for kind, run in runs.items())
        for key, words in RATES.items():
            found = [run["metrics"]["rates"].get(key) for run in runs.values()]
            if all(found):
                rates[words] = "   ".join(f"{rate['value']:.1%}".ljust(15) for rate in found).rstrip()
    for row in quality.get("rows", [])[:3]:
        area = row["score_norm"]["area"]
        rates[f"area under the ROC curve of the score norm, {row['task']}"] = f"{area:.2f}"
    return rates


def _table(rows: dict[str, str]) -> str:
    width = max(map(len, rows))
    return "\n".join(f"  {name.ljust(width)}  {value}".rstrip() for name, value in rows.items())


def _list(lines: tuple[str, ...]) -> str:
    return "\n".join(f"  - {line}" for line in lines)
