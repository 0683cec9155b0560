"""Do dimorphite-dl and molscrub find the form that a molecule has at pH 7.4? Why molscore has no option for it.

    pip install dimorphite-dl molscrub
    python scripts/protonation.py --out data/benchmarks/protonation.json

Common groups, one form of which is in the majority at this pH by their pKa in water at 25 °C
(`scripts/protonation.csv`; where two forms are listed, either will do). A package is right if that form is the only one
that it gives; tautomers count as the same (InChI).

Sources: Ropp et al., J. Cheminform. 11, 14 (2019), dimorphite-dl; https://github.com/forlilab/molscrub. pKa: CRC
Handbook of Chemistry and Physics, 97th edition, section 5; Perrin, Dissociation Constants of Organic Bases in Aqueous
Solution (1965); Serjeant and Dempsey, Ionisation Constants of Organic Acids in Aqueous Solution (1979).
"""

import argparse
import csv
from importlib.metadata import version
from pathlib import Path

from rdkit import Chem, rdBase
from results import write_json

PH = 7.4


def dimorphite(smiles: str) -> list[str]:
    """Forms by dimorphite-dl, without its margin around the pH."""
    from dimorphite_dl import protonate_smiles

    return list(protonate_smiles(smiles, ph_min=PH, ph_max=PH, precision=0.0))


def molscrub(smiles: str) -> list[str]:
    """Forms by molscrub's rules for acids and bases alone."""
    from molscrub import Scrub

    scrub = Scrub(ph_low=PH, ph_high=PH, skip_tautomers=True, skip_ringfix=True, skip_gen3d=True)
    return [Chem.MolToSmiles(Chem.RemoveHs(mol)) for mol in scrub(Chem.MolFromSmiles(smiles))]


PACKAGES = {"dimorphite_dl": dimorphite, "molscrub": molscrub}


def key(smiles: str) -> str:
    """Equal for forms of the same charge and hydrogens, whatever the tautomer."""
    with rdBase.BlockLogs():
        return Chem.MolToInchi(Chem.MolFromSmiles(smiles))


def compare() -> dict[str, dict[str, object]]:
    """What each package gets wrong."""
    with Path(__file__).with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    results = {}
    for name, forms in PACKAGES.items():
        made = {row["group"]: forms(row["smiles"]) for row in rows}
        right = {
            row["group"]: len(made[row["group"]]) == 1 and key(made[row["group"]][0]) in map(key, row["form"].split())
            for row in rows
        }
        wrong = {group: made[group] for group in made if not right[group]}
        results[name] = {"version": version(name), "groups": len(rows), "right": sum(right.values()), "wrong": wrong}
    return results


def main() -> None:
    """Prints the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="JSON file")
    chosen = parser.parse_args()
    results = compare()
    for name, result in results.items():
        print(f"{name} {result['version']}: {result['right']} of {result['groups']} right")
        for group, forms in result["wrong"].items():
            print(f"  {group}: {' '.join(forms)}")
    if chosen.out is not None:
        write_json(chosen.out, results)


if __name__ == "__main__":
    main()
