"""Molecules made in pockets, judged by programs that know nothing of the guidance, beside molecules made without it.

    python scripts/pocket.py pockets_dev --out data/benchmarks/pockets.json [--pockets 6] [--samples 10]

The folder holds a folder for each pocket, ``ID/ID_protein.pdb.gz`` and ``ID/ID_ligand.sdf.gz``: the crystal ligand
names the site, and is not looked at otherwise. Of each pocket, with CPU seconds:

    guided      what ``generate --pocket`` delivers; judged by `pocket_judges.py`
    unguided    molecules of the same sizes as the first ``--pairs`` guided ones, generated without the pocket and
                placed at its centre in a random orientation, minimised by Vina; and the best of `TRIES` orientations,
                so chosen by the judge itself
    docked      the same molecules, docked by Vina (exhaustiveness 1), as many as the CPU time of the guided ones lets
    crystal     the ligand itself

Vina's scores grow with size, so guided and unguided ones come in pairs of one size; Vina takes a second for each pose
of a large molecule. The same command goes on where it stopped. Needs the extras ``docking`` and ``prolif``.
"""

import argparse
import gzip
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pocket_judges as judge
from pocket_table import markdown, summary
from rdkit import Chem, RDLogger
from results import read_rows, write_json
from scipy.spatial.transform import Rotation

from molscore.chem.fit import fit
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.pocket.receptor import Pocket, read_pocket
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.workers import Workers, count

TRIES, BOX, NEIGHBOURHOOD = 8, 14.0, 22.0
"""Orientations of what is placed, Å of Vina's box beyond the site, Å of the protein about its centre that judges
see."""


def main() -> None:
    """Measures what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of pockets")
    parser.add_argument("--model", default="druglike")
    parser.add_argument("--pockets", type=int, help="only the first so many of a fixed random order")
    parser.add_argument("--samples", type=int, default=20, help="molecules in each")
    parser.add_argument("--pairs", type=int, default=5, help="of these, the first so many are judged by Vina")
    parser.add_argument("--workers", default="auto")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    judge.needed()
    RDLogger.DisableLog("rdApp.*")
    generator = MoleculeGenerator.from_pretrained(words.model, device="cpu")
    names = sorted(path.name for path in words.data.iterdir() if path.is_dir())
    order = np.random.default_rng(0).permutation(len(names))[: words.pockets]
    header = {
        "data": words.data.name,
        "model": Path(words.model).name,
        "weights": generator.weights,
        "samples": words.samples,
        "pairs": words.pairs,
        "tries": TRIES,
    }
    rows = read_rows(words.out, header)
    known = {row["pocket"] for row in rows}
    missing = [names[k] for k in order if names[k] not in known]
    workers = words.workers if words.workers == "auto" else int(words.workers)
    with Workers(partial(Measurement, generator, words.samples, words.pairs), count(workers, "cpu")) as pool:
        for name in missing:
            pool.submit(words.data / name)
        for _ in missing:
            rows.append(pool.result())
            write_json(words.out, {"header": header, "summary": summary(rows), "rows": rows})
            print(f"{len(rows)} of {len(order)}: {rows[-1]['pocket']}", file=sys.stderr, flush=True)
    print(markdown(summary(rows), TRIES))


class Measurement:
    """Measures one pocket after the other: the row of a folder."""

    def __init__(self, generator: MoleculeGenerator, samples: int, pairs: int):
        self.generator, self.samples, self.pairs = generator, samples, pairs
        RDLogger.DisableLog("rdApp.*")

    def __call__(self, folder: Path) -> dict[str, Any]:
        return {"pocket": folder.name} | measured(self.generator, folder, self.samples, self.pairs)


def measured(generator: MoleculeGenerator, folder: Path, n: int, pairs: int) -> dict[str, Any]:
    """A row, without the name of the pocket."""
    ligand_file, protein_file = (folder / f"{folder.name}_{part}" for part in ("ligand.sdf.gz", "protein.pdb.gz"))
    crystal = next(read_sdf(ligand_file)).mol
    pocket = read_pocket(protein_file, ligand_file)
    with TemporaryDirectory() as temporary:
        protein = Path(temporary, "protein.pdb")
        protein.write_text(gzip.open(protein_file, "rt").read())
        places = crystal.GetConformer().GetPositions()
        centre, size = (places.min(0) + places.max(0)) / 2, np.ptp(places, 0) + BOX
        site = Path(temporary, "site.pdb")  # PoseBusters needs seconds for a molecule in a whole protein
        near = judge.around(protein, centre, NEIGHBOURHOOD, site)
        docker = judge.Docker(near, centre, size, Path(temporary))
        known = judge.hydrogen_bonds([crystal], near)[0]
        began = time.process_time()
        made = generator.generate(n, options=GenerationOptions(pocket=pocket, batch_size=n), workers=1)
        seconds = time.process_time() - began
        guided = made.mols
        free, free_seconds = unguided(generator, [mol.GetNumHeavyAtoms() for mol in guided[:pairs]])
        equal = seconds * len(free) / max(len(guided), 1)
        docked, docked_poses = in_time(docker, free, equal - free_seconds)
        judged = [
            own | {"vina": docker.minimised(mol) if k < pairs else None}
            for k, (own, mol) in enumerate(zip(verdicts(guided, pocket, near, site), guided, strict=True))
        ]
        placed = [best_of_tries(docker, mol, pocket, seed) for seed, mol in enumerate(free)]
        return {
            "residues": len(set(pocket.residues.tolist())),
            "volume_cubic_angstrom": pocket.volume.cubic_angstrom,
            "attempts": made.manifest["attempts"],
            "rejected": made.manifest["rejected"],
            "seconds": round(seconds, 1),
            "guided": [
                own | {"recovered": share} for own, share in zip(judged, recovered(guided, near, known), strict=True)
            ],
            "unguided": placed,
            "docked": docked,
            "docked_recovered": recovered(docked_poses, near, known),
            "crystal": verdicts([crystal], pocket, near, site)[0]
            | {"vina": docker.minimised(crystal), "hydrogen_bonds": sorted(known)},
        }


def verdicts(mols: Sequence[Chem.Mol], pocket: Pocket, near: Chem.Mol, protein: Path) -> list[dict[str, Any]]:
    """What the judges say of molecules where they lie."""
    return [
        {
            "smiles": Chem.MolToSmiles(Chem.RemoveHs(mol)),
            "heavy": mol.GetNumHeavyAtoms(),
            "clashes": fit(mol, pocket.protein).clashes,
            "posecheck_clashes": judge.clashes(mol, near),
            "strain": judge.strain(mol),
            "relaxation": judge.relaxation(mol),
            "busted": [name for name, passed in checks.items() if not passed],
        }
        for mol, checks in zip(mols, judge.busted(mols, protein), strict=True)
    ]


def unguided(generator: MoleculeGenerator, sizes: Sequence[int]) -> tuple[list[Chem.Mol], float]:
    """Molecules of given numbers of heavy atoms, made without a pocket, in their order, and the CPU seconds."""
    began, made = time.process_time(), {}
    for size, needed in Counter(sizes).items():
        options = GenerationOptions(generator.model.config.sampling.steps, atoms=(size, size), batch_size=2)
        made[size] = generator.generate(needed, 1, options=options, workers=1).mols
    return [made[size].pop() for size in sizes], time.process_time() - began


def turned(mol: Chem.Mol, centre: np.ndarray, seed: int) -> Iterator[Chem.Mol]:
    """The molecule about a point, in `TRIES` random orientations."""
    x = mol.GetConformer().GetPositions()
    for turn in Rotation.random(TRIES, np.random.default_rng(seed)):
        copy = Chem.Mol(mol)
        copy.GetConformer().SetPositions(turn.apply(x - x.mean(0)) + centre)
        yield copy


def best_of_tries(docker: judge.Docker, mol: Chem.Mol, pocket: Pocket, seed: int) -> dict[str, Any]:
    """Vina's best score of a molecule that is placed in the middle of a pocket."""
    scores = [docker.minimised(pose) for pose in turned(mol, pocket.volume.points.mean(axis=0), seed)]
    return {
        "smiles": Chem.MolToSmiles(Chem.RemoveHs(mol)),
        "heavy": mol.GetNumHeavyAtoms(),
        "vina": scores[0],
        "vina_best": min((score for score in scores if score is not None), default=None),
    }


def in_time(docker: judge.Docker, mols: Sequence[Chem.Mol], seconds: float) -> tuple[list[float], list[Chem.Mol]]:
    """Vina's scores and poses of the molecules that are docked within so many CPU seconds."""
    began, scores, poses = time.process_time(), [], []
    for mol in mols:
        result = docker.docked(mol) if time.process_time() - began < seconds else None
        if result is not None:
            scores.append(result[0])
            poses.append(result[1])
    return scores, poses


def recovered(mols: Sequence[Chem.Mol], protein: Chem.Mol, known: set[str]) -> list[float | None]:
    """Shares of the crystal ligand's hydrogen bonds that molecules have too; None if it has none."""
    if not known or not mols:
        return [None] * len(mols)
    return [len(own & known) / len(known) for own in judge.hydrogen_bonds(mols, protein)]


if __name__ == "__main__":
    main()
