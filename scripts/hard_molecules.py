"""Conformers of hard molecules, judged by code and tables that share nothing with the product.

    python scripts/hard_molecules.py --ccd ccd_druglike_experimental.sdf.gz --dft dft8k.sdf.gz \
        --out data/benchmarks/hard_molecules.json

Two sets: 2,000 diverse molecules with experimental coordinates (`judge.sets`), and 200 odd ones: organometallics,
hypervalent centres, cages, boron, radicals, ions. ``python -m molscore conformers`` makes three conformers of each,
chunk by chunk in the folder ``--work``; the same command goes on where it stopped, and uses what another process has
done there. Of every record are judged: its
graph; bond lengths and angles against what experiment and DFT know of their environments (`judge.reference`);
planarity, hindered axes and contacts (`judge.shapes`); and its stereo, by signed volumes and by RDKit (`judge.stereo`).
Where there are no examples GFN2-xTB judges (`judge.verdict` says how). ``--product`` judges another working copy.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from judge.product import Delivery, deliver, state
from judge.reference import Reference
from judge.sets import Molecule, diverse_molecules, odd_molecules
from judge.stereo import MAY_BE_UNHELD, Marks, wrong_stereo
from judge.verdict import judge
from judge.xtb import Referee
from rdkit import Chem, RDLogger
from results import percent, write_json

ROOT = Path(__file__).parents[1]

KEPT = 12
"""Faults of a molecule that the JSON file lists; its summary counts all."""


def main() -> None:
    """Makes what is missing, judges all, writes the JSON file, prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--ccd", type=Path, required=True, help="SDF of experimental ligand coordinates, may be gzipped"
    )
    parser.add_argument("--dft", type=Path, required=True, help="SDF of DFT minima, may be gzipped")
    parser.add_argument("--odd", type=Path, default=ROOT / "data/benchmarks/odd_molecules.smi")
    parser.add_argument("--n-ccd", type=int, default=2000, help="molecules of the diverse pick")
    parser.add_argument("--first", type=int, help="of the diverse pick only so many, a random sample of it")
    parser.add_argument("--conformers", type=int, default=3)
    parser.add_argument("--chunk", type=int, default=25, help="molecules for each run of the product")
    parser.add_argument("--options", default="", help="further options of the product, as one word")
    parser.add_argument("--product", type=Path, default=ROOT, help="working copy of the product")
    parser.add_argument("--work", type=Path, default=Path("runs/hard_molecules"), help="folder of partial results")
    parser.add_argument(
        "--backwards", action="store_true", help="from the last chunk on: a second process beside the first"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    words.work.mkdir(parents=True, exist_ok=True)
    reference = reference_of([words.ccd, words.dft], words.work / "reference.json")
    referee = Referee(words.work / "xtb")
    sets = {"odd": odd_molecules(words.odd)}
    if words.n_ccd:
        picks = diverse_molecules(words.ccd, words.n_ccd, words.seed, words.work / "picks.json")
        sets["ccd"] = picks[: words.first]
    options = ["--n", str(words.conformers), "--seed", str(words.seed), *words.options.split()]
    rows = []
    for name, molecules in sets.items():
        starts = list(range(0, len(molecules), words.chunk))
        for start in reversed(starts) if words.backwards else starts:
            chunk = molecules[start : start + words.chunk]
            folder = words.work / state(words.product)
            folder.mkdir(exist_ok=True)
            delivery = deliver(chunk, f"{name}{start:05d}", folder, words.product, options)
            rows += [judged(molecule, delivery, reference, referee) for molecule in chunk]
            header = {"product": state(words.product), "options": options, "ranges": len(reference.ranges)}
            news = [row | {"faults": row["faults"][:KEPT]} for row in rows if row["news"]]
            write_json(words.out, {"header": header, "summary": summary(rows), "rows": news})
            print(f"{name} {start + len(chunk)} of {len(molecules)}", flush=True)
    print(markdown(summary(rows), rows))


def reference_of(paths: Sequence[Path], cache: Path) -> Reference:
    """The ranges of the reference files, kept in a file of partial results."""
    if not cache.is_file():
        Reference.build(paths).write(cache)
    return Reference.read(cache)


def judged(molecule: Molecule, delivery: Delivery, reference: Reference, referee: Referee) -> dict:
    """What came of a molecule; `news` says whether anything is to be reported of it."""
    row = molecule._asdict() | {"conformers": 0, "faults": [], "wrong_stereo": [], "not_held": False, "refusal": None}
    records = delivery.records.get(molecule.key, [])
    for number, record in enumerate(records):
        if record.HasProp("stereo_not_held") and record.GetProp("stereo_not_held").strip():
            row["not_held"] = True
        positions = record.GetConformer().GetPositions()
        row["conformers"] += 1
        graph = same_graph(molecule.smiles, record)
        wrong = wrong_stereo(molecule.smiles, record, positions) if graph else ["another molecule"]
        if row["not_held"]:
            wrong = [what for what in wrong if not what.startswith(MAY_BE_UNHELD)]
        row["wrong_stereo"] += [{"conformer": number, "what": what} for what in wrong]
        row["faults"] += [
            {"conformer": number} | fault.describe() for fault in judge(record, positions, reference, referee)
        ]
    if not records:
        lost = ("lost", f"exit code {delivery.code}: {delivery.stderr[-300:]}")
        row["refusal"] = list(delivery.refusals.get(molecule.key, lost))
    row["news"] = bool(row["faults"] or row["wrong_stereo"] or row["refusal"] or row["not_held"])
    return row


def same_graph(smiles: str, record: Chem.Mol) -> bool:
    """Whether the record is the molecule that was given, or its largest fragment; stereo aside."""
    given = max(Chem.GetMolFrags(Marks(smiles).mol, asMols=True), key=lambda mol: mol.GetNumHeavyAtoms())
    return plain_smiles(given) == plain_smiles(record)


def plain_smiles(mol: Chem.Mol) -> str:
    """Canonical SMILES without stereo and with hydrogens, charges and isotopes as they are."""
    flat = Chem.AddHs(mol)
    Chem.RemoveStereochemistry(flat)
    return Chem.MolToSmiles(flat)


def rate(count: int, total: int) -> dict:
    """With its 95 % interval by Wilson."""
    if not total:
        return {"count": 0, "total": 0, "value": None, "low": None, "high": None}
    z, p = 1.959964, count / total
    centre, half = p + z * z / (2 * total), z * math.sqrt(p * (1 - p) / total + (z / (2 * total)) ** 2)
    low, high = ((centre + sign * half) / (1 + z * z / total) for sign in (-1, 1))
    return {"count": count, "total": total, "value": p, "low": max(low, 0.0), "high": min(high, 1.0)}


def summary(rows: Sequence[dict]) -> dict:
    """Of both sets: delivered, implausible, wrong stereo, refusals."""
    result = {}
    for name in ("ccd", "odd"):
        some = [row for row in rows if row["key"].startswith(name)]
        if not some:
            continue
        made = [row for row in some if row["conformers"]]
        conformers = sum(row["conformers"] for row in made)
        bad = {(r["key"], f["conformer"]) for r in made for f in r["faults"] if f["verdict"] == "implausible"}
        wrong = {(r["key"], w["conformer"]) for r in made for w in r["wrong_stereo"]}
        refused = [row for row in some if row["refusal"]]
        result[name] = {
            "delivered": rate(len(made), len(some)),
            "conformers": conformers,
            "implausible": rate(len(bad), conformers),
            "implausible_molecules": rate(len({key for key, _ in bad}), len(made)),
            "wrong_stereo": rate(len(wrong), conformers),
            "stereo_not_held": sum(row["not_held"] for row in made),
            "faults": tally(f"{f['verdict']}: {f['kind']}" for row in made for f in row["faults"]),
            "refusals": tally(row["refusal"][0] for row in refused),
            "refusals_by_class": tally(f"{row['kind']}: {row['refusal'][0]}" for row in refused),
            "delivered_by_class": {
                kind: rate(sum(r["kind"] == kind for r in made), sum(r["kind"] == kind for r in some))
                for kind in dict.fromkeys(row["kind"] for row in some)
            },
        }
    return result


def tally(words: Sequence[str]) -> dict[str, int]:
    """How often each, most first."""
    return dict(Counter(words).most_common())


def markdown(sets: dict, rows: Sequence[dict], examples: int = 40) -> str:
    """The tables: both sets, refusals, the first of what is wrong."""
    lines = [
        "| | delivered | conformers | implausible | molecules with one | wrong stereo |",
        "|---|---|---|---|---|---|",
    ]
    for name, result in sets.items():
        cells = [percent(result[key]) for key in ("implausible", "implausible_molecules", "wrong_stereo")]
        count = "{count} of {total}: ".format(**result["delivered"])
        lines.append(
            f"| {name} | {count}{percent(result['delivered'])} | {result['conformers']} | {' | '.join(cells)} |"
        )
    for name, result in sets.items():
        lines += [f"\n{name}, refusals: {json.dumps(result['refusals_by_class'])}"]
        lines += [f"{name}, faults: {json.dumps(result['faults'])}"]
    lines += ["\n| molecule | SMILES | what | atoms | value | plausible | GFN2-xTB |", "|---|---|---|---|---|---|---|"]
    shown = [(r, f) for r in rows for f in r["faults"] if f["verdict"] == "implausible"]
    for row, fault in shown[:examples]:
        limits = "–" if fault["low"] is None else f"{fault['low']} to {fault['high']}"
        cells = (fault["kind"], f"{fault['symbols']} {fault['atoms']}", fault["value"], limits, fault["relaxed"])
        lines.append(f"| {row['name']} | `{row['smiles']}` | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
