"""Crystal ligands laid back into their pockets by ``conformers --pocket``, from SMILES alone, and by Vina.

    python scripts/repose.py pockets_dev --out data/benchmarks/repose.json [--pockets 6] [--poses 10]

The folder is that of `pocket.py`. The crystal ligand names the site, and with it the box of Vina; its pose is looked at
by the judges alone: RMSD of heavy atoms as they lie, symmetries considered, and PoseBusters' configuration ``dock``.
Vina (exhaustiveness 1, one pose) starts from the first of the same conformers. CPU seconds are those of a molecule,
maps of the pocket included on either side. The same command goes on where it stopped. Needs the extras ``docking`` and
``prolif``.
"""

import argparse
import gzip
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pocket_judges as judge
from completion_verdict import rate
from pocket import BOX, NEIGHBOURHOOD
from rdkit import Chem, RDLogger
from results import number, percent, read_rows, table, write_json

from molscore.chem.ensemble import correspondences, frame_rmsd_matrix, heavy_positions
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.pocket.receptor import read_pocket
from molscore.chem.properties import singles
from molscore.conformers import ConformerGenerator

NEAR = 2.0
"""Å within which a pose counts as that of the crystal."""

RANKED = (1, 3, None)
"""How many of the best poses one of which may be near; None is all."""


def main() -> None:
    """Measures what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of pockets")
    parser.add_argument("--pockets", type=int, help="only the first so many of a fixed random order")
    parser.add_argument("--poses", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    judge.needed()
    RDLogger.DisableLog("rdApp.*")
    generator = ConformerGenerator.from_pretrained(device="cpu")
    names = sorted(path.name for path in words.data.iterdir() if path.is_dir())
    order = np.random.default_rng(0).permutation(len(names))[: words.pockets]
    header = {"data": words.data.name, "weights": generator.weights, "poses": words.poses}
    rows = read_rows(words.out, header)
    known = {row["pocket"] for row in rows}
    for name in (names[k] for k in order if names[k] not in known):
        rows.append({"pocket": name} | measured(generator, words.data / name, words.poses))
        write_json(words.out, {"header": header, "summary": summary(rows), "rows": rows})
        print(f"{len(rows)}: {name}", file=sys.stderr, flush=True)
    print(markdown(summary(rows)))


def measured(generator: ConformerGenerator, folder: Path, n: int) -> dict[str, Any]:
    """A row, without the name of the pocket."""
    ligand_file, protein_file = (folder / f"{folder.name}_{part}" for part in ("ligand.sdf.gz", "protein.pdb.gz"))
    crystal = next(read_sdf(ligand_file)).mol
    smiles = Chem.MolToSmiles(Chem.RemoveHs(crystal))
    began = time.process_time()
    (ensemble,) = generator.generate(smiles, n, workers=1, pocket=read_pocket(protein_file, ligand_file))
    seconds = time.process_time() - began
    poses = singles(ensemble.mol)
    for pose in poses:
        pose.GetConformer().SetId(0)  # PoseBusters asks for that
    start = generator.generate(smiles, 1, workers=1).mols[0]
    with TemporaryDirectory() as temporary:
        protein = Path(temporary, "protein.pdb")
        protein.write_text(gzip.open(protein_file, "rt").read())
        checks = judge.busted(poses, protein) if poses else []
        places = crystal.GetConformer().GetPositions()
        began = time.process_time()
        centre, size = (places.min(0) + places.max(0)) / 2, np.ptp(places, 0) + BOX
        near = judge.around(protein, centre, NEIGHBOURHOOD)
        docked = None if start is None else judge.Docker(near, centre, size, Path(temporary)).docked(start)
        vina_seconds = time.process_time() - began
        vina_checks = judge.busted([docked[1]], protein)[0] if docked else {}
    return {
        "heavy": crystal.GetNumHeavyAtoms(),
        "seconds": round(seconds, 1),
        "dropped": dict(ensemble.dropped),
        "reason": None if poses else ensemble.reason,
        "poses": [
            {
                "rmsd": round(own, 2),
                "energy": pose.GetDoubleProp("pocket_energy_kcal_per_mol"),
                "busted": [name for name, passed in verdict.items() if not passed],
            }
            for own, pose, verdict in zip(rmsds(poses, crystal), poses, checks, strict=True)
        ],
        "vina": {
            "rmsd": round(rmsds([docked[1]], crystal)[0], 2) if docked else None,
            "busted": [name for name, passed in vina_checks.items() if not passed],
            "seconds": round(vina_seconds, 1),
        },
    }


def rmsds(poses: Sequence[Chem.Mol], crystal: Chem.Mol) -> list[float]:
    """Å from each pose to the crystal's, heavy atoms where they lie, at the least over symmetries of the graph."""
    return [
        float(frame_rmsd_matrix(heavy_positions(pose), correspondences(pose, crystal), heavy_positions(crystal))[0, 0])
        for pose in poses
    ]


def summary(rows: Sequence[dict]) -> dict[str, Any]:
    """Rates over pockets and over poses, and medians."""
    poses = [pose for row in rows for pose in row["poses"]]
    vina = [row["vina"] for row in rows if row["vina"]["rmsd"] is not None]
    near = {
        str(most or "all"): rate(sum(any(p["rmsd"] <= NEAR for p in row["poses"][:most]) for row in rows), len(rows))
        for most in RANKED
    }
    best = [row["poses"][0] for row in rows if row["poses"]]
    return {
        "pockets": len(rows),
        "with_poses": rate(len(best), len(rows)),
        "poses": len(poses),
        "dropped": dict(sum((Counter(row["dropped"]) for row in rows), Counter()).most_common()),
        "near": near,
        "near_and_sound": rate(sum(p["rmsd"] <= NEAR and not p["busted"] for p in best), len(rows)),
        "busters": rate(sum(not pose["busted"] for pose in poses), len(poses)),
        "busted": dict(Counter(name for pose in poses for name in pose["busted"]).most_common()),
        "rmsd": median(pose["rmsd"] for pose in best),
        "seconds": median(row["seconds"] for row in rows),
        "vina_near": rate(sum(own["rmsd"] <= NEAR for own in vina), len(rows)),
        "vina_near_and_sound": rate(sum(own["rmsd"] <= NEAR and not own["busted"] for own in vina), len(rows)),
        "vina_busters": rate(sum(not own["busted"] for own in vina), len(vina)),
        "vina_rmsd": median(own["rmsd"] for own in vina),
        "vina_seconds": median(row["vina"]["seconds"] for row in rows),
    }


def median(values: Any) -> float | None:
    """To two decimals."""
    kept = list(values)
    return round(statistics.median(kept), 2) if kept else None


def markdown(figures: dict[str, Any]) -> str:
    """The table of the documentation."""
    rows = [
        ["best-ranked pose within 2 Å of the crystal's", percent(figures["near"]["1"]), percent(figures["vina_near"])],
        ["one of the best three", percent(figures["near"]["3"]), ""],
        ["any pose", percent(figures["near"]["all"]), ""],
        [
            "best-ranked within 2 Å and sound",
            percent(figures["near_and_sound"]),
            percent(figures["vina_near_and_sound"]),
        ],
        ["PoseBusters `dock`, poses", percent(figures["busters"]), percent(figures["vina_busters"])],
        ["RMSD of the best-ranked, median, Å", number(figures["rmsd"], ".1f"), number(figures["vina_rmsd"], ".1f")],
        [
            "CPU seconds for a molecule, median",
            number(figures["seconds"], ".1f"),
            number(figures["vina_seconds"], ".1f"),
        ],
    ]
    return table(["", "conformers --pocket", "Vina, exhaustiveness 1"], rows)


if __name__ == "__main__":
    main()
