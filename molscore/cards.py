"""Model cards: what a model is for, what it was trained on, how good it is and what it cannot do, in words."""

from typing import Any, NamedTuple

from molscore import pretrained

MIXTURE = (
    "MOSES: molecules of ZINC; ETKDGv3 and MMFF94s geometries",
    "wwPDB Chemical Component Dictionary: experimental; bonds and angles settled",
    "CASCADE DFT8K: M06-2X/def2-TZVP minima",
    "QM9, through the weights of `qm9`, with which training began",
)


class Licence(NamedTuple):
    """The licence of a source of training data.

    Attributes:
        words: in short.
        source: where that is said.
        open_question: what is not known; "" if all is.
    """

    words: str
    source: str
    open_question: str = ""


LICENCES = {
    "QM9": Licence(
        "open data; CC0 is often quoted, but was not confirmed",
        "deposited at figshare, doi:10.6084/m9.figshare.c.978904, with Ramakrishnan et al., Sci. Data 1, 140022 (2014)",
        "figshare's own words on the licence could not be looked up. The copy used, qm9pack 1.0.3 on PyPI, is MIT",
    ),
    "MOSES": Licence(
        "MIT; a part of ZINC",
        "github.com/molecularsets/moses, LICENSE; Polykovskiy et al., Front. Pharmacol. 11, 565644 (2020)",
        "the molecules are chosen from ZINC Clean Leads, so what holds for ZINC holds for them too",
    ),
    "Chemical Component Dictionary": Licence(
        "free of copyright restrictions, for commercial use too",
        "RCSB PDB, Usage Policies, on the data files of the PDB archive",
        "CC0 is often quoted; that wording was not confirmed",
    ),
    "DFT8K": Licence("MIT", "github.com/patonlab/CASCADE, LICENSE; Guan et al., Chem. Sci. 12, 12012 (2021)"),
    "ZINC": Licence(
        "free to use; redistribution not settled",
        "Irwin et al., J. Chem. Inf. Model. 52, 1757 (2012): freely available",
        "no licence that speaks of passing on parts of it was found; ask before you pass on large ones",
    ),
    "ChEMBL": Licence(
        "CC BY-SA 3.0 Unported",
        "the LICENSE beside each release, ftp.ebi.ac.uk/pub/databases/chembl/ChEMBLdb/releases",
        "whether weights are an adaptation of their training data, to be shared alike, is not settled",
    ),
}
"""By source."""


class About(NamedTuple):
    """What no file says of a bundled model.

    Attributes:
        purpose: what it is for.
        data: its training data, each with how the geometries were made; licences are in `LICENCES`.
        limits: what it cannot do.
    """

    purpose: str
    data: tuple[str, ...]
    limits: tuple[str, ...]


_NO_CHANGES = "protonation and tautomers are as drawn or sampled: nothing is adjusted to a pH"

ABOUT = {
    "qm9": About(
        "new small molecules, hydrogens as atoms; a fast model for trials and comparison with the literature",
        ("QM9: B3LYP/6-31G(2df,p) minima",),
        ("up to nine heavy atoms of C, N, O and F: no drugs", _NO_CHANGES),
    ),
    "druglike": About(
        "new drug-like molecules, and the rest of molecules of which a part is given",
        (
            *MIXTURE,
            "ZINC250k, a part: molecules of ZINC, charged ones too; ETKDGv3 and MMFF94s geometries",
            "ChEMBL, a part of the actives of MoleculeACE; ETKDGv3 and MMFF94s geometries",
        ),
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
    sections.append(_table(facts(name)))
    if known:
        sections.append("Data\n" + _list(known.data))
        known_licences = {source: licence.words for source, licence in licences(name).items()}
        sections.append(f"Their licences (the weights are under MIT, as the program)\n{_table(known_licences)}")
    if rates := _rates(about["quality"] or {}):
        sections.append(f"Quality (`molscore info {name} --json` has all figures)\n{_table(rates)}")
    if known:
        sections.append("Limits\n" + _list(known.limits))
    return "\n\n".join(sections)


def licences(name: str) -> dict[str, Licence]:
    """The licences of a bundled model's data, by source."""
    words = "\n".join(ABOUT[name].data)
    return {source: licence for source, licence in LICENCES.items() if source in words}


def facts(name: str) -> dict[str, str]:
    """What the file of a model says of itself: parameters, elements, sizes, training.

    Raises:
        ValueError: as `molscore.pretrained.about`.
    """
    about = pretrained.about(name)
    few = pretrained.few_steps_file(name)
    quick = {} if few is None else _few_steps(pretrained.about(str(few)))
    return {"parameters": f"{about['parameters'] / 1e6:.2f} million", **_scope(about), **_training(about), **quick}


def _few_steps(about: dict[str, Any]) -> dict[str, str]:
    """The model that was distilled from this one."""
    record, steps = about["record"], about["config"]["sampling"]["steps"]
    own = {name: record[name] - record["init_from"][name] for name in ("molecules", "seconds")}
    trained = f"{own['molecules']:,} molecules in {own['seconds'] / 3600:.1f} h"
    return {"in few steps": f"{steps} evaluations or fewer, by a model distilled from this one ({trained})"}


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
    hours = f"{record['seconds'] / 3600:.1f} h, last on {record['hardware']}"
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
