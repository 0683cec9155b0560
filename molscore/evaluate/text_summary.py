"""The ten lines with which the text of an evaluation begins."""

from molscore.evaluate.figures import Figures

RATES = {
    "valid_connected": "valid & connected",
    "posebusters_of_all": "PoseBusters-valid",
    "molecules_stable_explicit": "molecules stable",
    "unique": "unique, of valid",
    "novel": "novel, of unique",
}
OF_FILES_OF_CONFORMERS = ("valid_connected", "posebusters_of_all", "molecules_stable_explicit")
"""Conformers of a molecule are not meant to be different molecules."""

MEANS = {"qed": "QED", "sa": "synthetic accessibility", "heavy": "heavy atoms"}


def summary_lines(metrics: Figures) -> list[str]:
    """What there is of: five rates, the relaxation energy, the bond lengths, two to three means, unusual patterns."""
    rows: list[tuple[str, str]] = []
    for name, label in RATES.items():
        rate = metrics.rates.get(name)
        if rate is None or rate.value is None or (metrics.ensembles and name not in OF_FILES_OF_CONFORMERS):
            continue
        rows.append((label, f"{100 * rate.value:.1f} %, {rate.count:,} of {rate.total:,}"))
    if (energies := metrics.relaxation) and energies["median"] is not None:
        reference = (metrics.reference_relaxation or {}).get("median")
        rows.append(("relaxation energy, median", f"{energies['median']:.1f} kcal/mol{_of(reference, '.1f')}"))
    if (bonds := metrics.distances.get("bond_wasserstein")) and bonds.value is not None:
        floor = "" if bonds.floor is None else f" (floor {bonds.floor:.1e})"
        rows.append(("bond lengths, W1 to the reference", f"{bonds.value:.1e} {bonds.unit}{floor}"))
    means, others = (part.get("properties", {}) for part in (metrics.composition, metrics.reference_composition or {}))
    for name, label in MEANS.items():
        if name in means and len(rows) < 9:
            rows.append((f"{label}, mean", f"{means[name]:.2f}{_of(others.get(name), '.2f')}"))
    if "any" in (unusual := metrics.composition.get("unusual", {})):
        other = (metrics.reference_composition or {}).get("unusual", {}).get("any")
        rows.append(("with an unusual pattern", f"{100 * unusual['any']:.1f} %{_of(other, '.1%')}"))
    return [f"  {label:<34} {value}" for label, value in rows]


def _of(value: float | None, form: str) -> str:
    return "" if value is None else f" (reference {value:{form}})".replace("%", " %")
