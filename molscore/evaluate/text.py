"""Metrics as text for a terminal: one line a figure, with its denominator."""

from typing import Any

from molscore.chem.forcefield.minimise import MINIMISE_REASONS
from molscore.evaluate.compare.geometry import Distance
from molscore.evaluate.figures import Figures
from molscore.evaluate.rates import Rate
from molscore.evaluate.text_memorisation import memorisation_lines
from molscore.evaluate.text_summary import summary_lines

RATES = {
    "delivered": ("delivered", "by the numbers in molscore_index"),
    "readable": ("readable", "explicit bonds and hydrogens, 3-D"),
    "sanitised": ("sanitised", "RDKit accepts every valence as written"),
    "valid_connected": ("valid & connected", "and one fragment, as in the literature"),
    "valid": ("valid", "and no radical: no hydrogen is missing"),
    "atoms_stable_explicit": ("atoms, explicit bonds", "own bonds and charges, closed shell"),
    "molecules_stable_explicit": ("molecules, explicit bonds", "all atoms stable"),
    "atoms_stable_distance": ("atoms, distance table", "EDM: bonds from distances, no charges"),
    "molecules_stable_distance": ("molecules, distance table", "all atoms stable"),
    "unique": ("unique", "SMILES without stereo; falls as n grows"),
    "unique_stereo": ("unique with stereo", "R/S and E/Z from the positions"),
    "novel": ("novel", "not in the training set"),
    "valid_unique_novel": ("valid, unique and novel", "SMILES without stereo"),
    "posebusters": ("PoseBusters-valid", "every check passed"),
    "posebusters_of_all": ("PoseBusters-valid", "every check passed"),
}
"""Rate -> its label and its meaning."""

SECTIONS = {
    "Validity": ("delivered", "readable", "sanitised", "valid_connected", "valid"),
    "Stability (two protocols, not comparable)": (
        "atoms_stable_explicit",
        "molecules_stable_explicit",
        "atoms_stable_distance",
        "molecules_stable_distance",
    ),
    "Uniqueness and novelty": ("unique", "unique_stereo", "novel", "valid_unique_novel"),
    "PoseBusters (mol_fast)": ("posebusters", "posebusters_of_all"),
}
DISTANCES = {
    "bond_wasserstein": "bond lengths, W1",
    "angle_wasserstein": "bond angles, W1",
    "dihedral_wasserstein": "dihedrals, W1 (circular)",
    "bond_mmd": "bond lengths, MMD",
    "angle_mmd": "bond angles, MMD",
    "dihedral_mmd": "dihedrals, MMD",
}


DIFFERENCES = {
    "elements": "elements, total variation",
    "rings": "rings per molecule, mean absolute difference",
    "groups": "functional groups, mean absolute difference",
}


def format_metrics(metrics: Figures) -> str:
    """The whole text; see `molscore.evaluate.metrics`."""
    against = f", reference {metrics.reference}" if metrics.reference else ", no reference"
    lines = [f"{metrics.source}: {metrics['readable'].total:,} records{against}"]
    lines += summary_lines(metrics) + _ensemble_lines(metrics)
    for title, names in SECTIONS.items():
        present = [name for name in names if name in metrics.rates]
        if not present:
            continue
        lines += ["", f"{title:<34}     %    95 % interval   count / of"]
        lines += [_rate_line(RATES[name][0], metrics[name], RATES[name][1]) for name in present]
        if title.startswith("Uniq") and metrics.effective_molecules is not None:
            effective, n = metrics.effective_molecules, metrics["unique"].total
            lines.append(
                f"  {'effective number of molecules':<32} {effective:,.1f} of {n:,}: exp of the entropy of SMILES"
            )
        if title.startswith("PoseBusters"):
            lines += [_rate_line("  " + name.replace("_", " "), rate) for name, rate in metrics.posebusters.items()]
    if metrics.distances:
        title = f"Distance to {metrics.reference}"
        lines += ["", f"{title:<34}     value     floor      values   of the reference"]
        lines += [_distance_line(label, metrics.distances[name]) for name, label in DISTANCES.items()]
    lines += _relaxation_lines(metrics) + _fcd_lines(metrics) + memorisation_lines(metrics)
    lines += ["", *_composition_lines(metrics)]
    if metrics.reference_description:
        lines += ["", f"reference {metrics.reference}: {metrics.reference_description}"]
    if metrics.distances:
        lines.append(
            "floor: what as many molecules sampled from the reference itself score. A perfect generator scores it, "
            "not 0"
        )
    lines += [f"note: {note}" for note in metrics.notes]
    return "\n".join(lines) + "\n"


SPREADS = {
    "per_molecule": ("conformers per molecule", "", 0),
    "rmsd_spread_angstrom": ("largest RMSD to the best", " Å", 2),
    "energy_span_kcal_per_mol": ("energy, highest less lowest", " kcal/mol", 2),
}
"""Figure of the ensembles -> its label, unit and digits."""


def ensemble_facts(ensembles: dict[str, Any]) -> dict[str, str]:
    """The figures of a set of conformers, as texts by their labels."""
    n, molecules = ensembles["conformers"], ensembles["molecules"]
    facts = {"conformers": f"{n:,} of {molecules:,} molecules"}
    for name, (label, unit, digits) in SPREADS.items():
        spread = ensembles[name]
        if spread["n"]:
            median, least, most = (f"{spread[key]:.{digits}f}" for key in ("median", "least", "most"))
            facts[label] = f"median {median}{unit}, {least} to {most}, of {spread['n']:,} molecules"
    facts["with one conformer"] = f"{ensembles['single']:,} molecules"
    facts["valid conformers"] = f"{ensembles['valid']:,} of {n:,}; all of {ensembles['wholly_valid']:,} molecules"
    if ensembles["without_energy"]:
        facts["without an energy"] = f"{ensembles['without_energy']:,} conformers"
    for name, label in (("methods", "made by"), ("fallbacks", "fallbacks, molecules by reason")):
        if ensembles[name]:
            facts[label] = ", ".join(f"{word} {count:,}" for word, count in ensembles[name].items())
    return facts


def _ensemble_lines(metrics: Figures) -> list[str]:
    if metrics.ensembles is None:
        return []
    return ["", "Conformers"] + [f"  {label:<32} {text}" for label, text in ensemble_facts(metrics.ensembles).items()]


def _rate_line(label: str, rate: Rate, meaning: str = "") -> str:
    counts = f"{rate.count:,} / {rate.total:,} {rate.of}"
    if rate.value is None or rate.interval is None:
        return f"  {label:<32}     -                     {counts}"
    low, high = rate.interval
    line = f"  {label:<32} {100 * rate.value:6.2f}  {100 * low:6.2f} - {100 * high:6.2f}  {counts:<34}"
    return f"{line}{meaning}".rstrip()


def _distance_line(label: str, distance: Distance) -> str:
    numbers = [f"{x:9.2e}" if x is not None else f"{'-':>9}" for x in (distance.value, distance.floor)]
    return (
        f"  {label:<32} {numbers[0]} {numbers[1]} {distance.unit or ' '} {distance.n_values:>10,}   "
        f"{100 * distance.coverage:.0f} %, {len(distance.types)} types"
    )


def _relaxation_lines(metrics: Figures) -> list[str]:
    lines = []
    for method, sample, reference in (
        ("MMFF94s", metrics.relaxation, metrics.reference_relaxation),
        ("GFN2-xTB", metrics.xtb_relaxation, metrics.reference_xtb_relaxation),
    ):
        if not sample:
            continue
        title = f"Relaxation energy, {method}, kcal/mol"
        lines += ["", f"{title:<36}  median   95 % interval      quartiles        molecules"]
        for label, energies in (("valid & connected", sample), ("reference", reference)):
            if energies:
                names = ("median", "low", "high", "lower_quartile", "upper_quartile")
                median, low, high, lower, upper = ("-" if energies[k] is None else f"{energies[k]:.2f}" for k in names)
                ends = f"{low:>6} - {high:<6}  {lower:>6} - {upper:<6}"
                lines.append(f"  {label:<32} {median:>9}  {ends}  {energies['n']:>9,}")
                lines += [
                    f"    {count:,} without: {MINIMISE_REASONS[reason]}"
                    for reason, count in energies["without"].items()
                ]
    return lines


def _fcd_lines(metrics: Figures) -> list[str]:
    if not metrics.fcd:
        return []
    fcd = metrics.fcd
    value, floor = ("-" if fcd[k] is None else f"{fcd[k]:.3f}" for k in ("value", "floor"))
    line = (
        f"{'Fréchet ChemNet distance':<32} {value:>9}, floor {floor}, of {fcd['n']:,} valid records (it falls with n)"
    )
    return ["", line]


def _composition_lines(metrics: Figures) -> list[str]:
    sample, reference = _flat(metrics.composition), _flat(metrics.reference_composition or {})
    head = f"{'Composition of valid records':<34}     input{'   reference' if reference else ''}"
    names = list(sample) + [name for name in reference if name not in sample]
    lines = [head] + [
        f"  {name:<32}{sample.get(name, '-'):>10}" + (f"{reference.get(name, '-'):>12}" if reference else "")
        for name in names
    ]
    if metrics.differences:
        lines.append("Differences of the compositions")
        lines += [f"  {DIFFERENCES[name]:<52} {value:.4f}" for name, value in metrics.differences.items()]
    return lines


def _flat(composition: dict[str, Any]) -> dict[str, str]:
    if not composition:
        return {}
    lines = {"molecules": f"{composition['molecules']:,}"}
    if "elements" not in composition:
        return lines
    lines["atoms per molecule"] = f"{composition['atoms_per_molecule']:.2f}"
    lines["  standard deviation"] = f"{composition['atoms_per_molecule_sd']:.2f}"
    lines |= {f"{symbol}, % of atoms": f"{100 * share:.2f}" for symbol, share in composition["elements"].items()}
    lines |= {f"{size}-rings per molecule": f"{mean:.3f}" for size, mean in composition["rings_per_molecule"].items()}
    lines |= {f"with {name}, %": f"{100 * share:.2f}" for name, share in composition["groups"].items()}
    lines["with formal charges, %"] = f"{100 * composition['charged_molecules']:.2f}"
    lines["with a net charge, %"] = f"{100 * composition['net_charged_molecules']:.2f}"
    lines |= {f"mean {name}": f"{mean:.3f}" for name, mean in composition.get("properties", {}).items()}
    shares = composition.get("unusual", {})
    lines |= {f"unusual, {name.replace('_', ' ')}, %": f"{100 * share:.2f}" for name, share in shares.items()}
    return lines
