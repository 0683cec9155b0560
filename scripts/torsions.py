"""Are torsions as in crystals? Conformers of several methods beside experimental conformations of the same molecules.

    python scripts/torsions.py dev_bioactive.sdf.gz --methods score etkdg conforge --out data/benchmarks/torsions.json

Of each named motif a random choice of molecules that have it, and other molecules; ten conformers of each by each
method of `conformer_methods.py`, from SMILES. The first table counts what is rare in crystals, with intervals of a
bootstrap over molecules. The second takes the torsion types of ETKDGv3 (Riniker & Landrum, J. Chem. Inf. Model. 55,
2562, 2015; the patterns of RDKit): the mean distance, in degrees, by which the angles of a type (0 to 180°) have to be
moved to be distributed as in the crystals (W1). A molecule weighs the same in both, however many conformers it has.
Each method is written when it is done; the same command goes on where it stopped.
"""

import argparse
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from conformer_methods import BASELINES, METHODS, score
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdMolTransforms
from results import interval, number, read_rows, table, write_rows
from rich.progress import track
from scipy.stats import wasserstein_distance

from molscore import pretrained
from molscore.evaluate.ensembles import mean_interval
from molscore.train.record import sha256

CRYSTAL = "crystals"


class Motif(NamedTuple):
    """A torsion to look at: SMARTS whose atoms 1 to 4 span it, and which angles, 0 to 180°, are the rare ones."""

    smarts: str
    rare: Callable[[np.ndarray], np.ndarray]


AMIDE = "[O:1]=[CX3:2](-[#6])-!@[NX3H1:3]-!@[#6:4]"
MOTIFS = {
    "aryl alkyl ether, 30 to 150° out of plane": Motif(
        "[c:1]:[c:2]-!@[OX2:3]-!@[CX4:4]", lambda a: (a > 30) & (a < 150)
    ),
    "secondary amide, twisted by 30 to 150°": Motif(AMIDE, lambda a: (a > 30) & (a < 150)),
    "secondary amide, cis": Motif(AMIDE, lambda a: a >= 150),
    "secondary sulfonamide, trans (beyond 120°)": Motif(
        "[#6:1][SX4:2](=O)(=O)-!@[NX3H1:3]-!@[#6:4]", lambda a: a > 120
    ),
}


def main() -> None:
    """Measures the methods that are missing, writes the file, prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", type=Path, help="SDF of known conformations, may be gzipped")
    parser.add_argument("--each", type=int, default=60, help="molecules with each motif, at most")
    parser.add_argument("--others", type=int, default=60, help="molecules beside them")
    parser.add_argument("--n", type=int, default=10, help="conformers of a molecule")
    parser.add_argument("--methods", nargs="+", choices=("score", *BASELINES), default=["score", "etkdg", "mmff"])
    parser.add_argument("--model", default=pretrained.GRAPH_CONDITIONED, help="of our method: a name or a file")
    parser.add_argument("--sampler", help="a model whose sampling settings ours takes, in place of its own")
    parser.add_argument("--settings", nargs="+", default=[], metavar="KEY=VALUE", help="for our generator")
    parser.add_argument("--label", default="score", help="name of our method in the tables")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--least", type=int, default=20, help="molecules that a type of the second table has")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    words.settings = {key: yaml.safe_load(value) for key, _, value in (x.partition("=") for x in words.settings)}
    rdBase.DisableLog("rdApp.*")
    crystals = chosen(words)
    header = {"benchmark": words.benchmark.name, "sha256": sha256(words.benchmark), "molecules": len(crystals)}
    header |= {key: getattr(words, key) for key in ("each", "others", "n", "least", "seed")}
    rows = read_rows(words.out, header)
    reference = types([mol for mol, _ in crystals])
    jobs = {CRYSTAL: {}} | {words.label if name == "score" else name: {} for name in words.methods}
    if words.label in jobs:
        jobs[words.label] = {"weights": sha256(pretrained.find(words.model)), "settings": words.settings}
    for name, about in jobs.items():
        if any(row.items() >= ({"method": name} | about).items() for row in rows):
            continue
        if name == CRYSTAL:
            mols: Sequence[Chem.Mol] = [mol for mol, _ in crystals]
        else:
            method = (score if name == words.label else METHODS[name])(words)
            mols = [mol for _, text in track(crystals, name) for mol in made(method, text, words.n)]
        row = {"method": name} | about | {"conformers": sum(mol.GetNumConformers() for mol in mols)}
        row |= {"motifs": motifs(mols, words.seed), "types": distances(types(mols), reference, words.least)}
        rows = [old for old in rows if old["method"] != name] + [row]
        write_rows(words.out, header, rows)
    print(markdown(rows))


def made(method: Callable[[Sequence[str], int], list[Chem.Mol]], text: str, n: int) -> list[Chem.Mol]:
    """Conformers of a molecule; none if the method fails at it."""
    try:
        return [mol for mol in method([text], n) if mol.GetNumConformers()]
    except (RuntimeError, ValueError):
        return []


def chosen(words: argparse.Namespace) -> list[tuple[Chem.Mol, str]]:
    """Experimental conformations, hydrogens explicit, and their SMILES: of each motif some, and others."""
    with (gzip.open if words.benchmark.suffix == ".gz" else open)(words.benchmark, "rb") as file:
        mols = [mol for mol in Chem.ForwardSDMolSupplier(file, removeHs=False) if mol and mol.GetNumConformers()]
    order = np.random.default_rng(words.seed).permutation(len(mols))
    patterns = {smarts: Chem.MolFromSmarts(smarts) for smarts, _ in MOTIFS.values()}
    counts = dict.fromkeys([*patterns, None], 0)
    some = []
    for i in order.tolist():
        mol = mols[i]
        text = mol.GetProp("smiles") if mol.HasProp("smiles") else Chem.MolToSmiles(Chem.RemoveHs(mol))
        if Chem.MolFromSmiles(text) is None:
            continue
        has = [smarts for smarts, pattern in patterns.items() if mol.HasSubstructMatch(pattern)]
        wanted = [smarts for smarts in has if counts[smarts] < words.each]
        if wanted or counts[None] < words.others:
            some.append((Chem.AddHs(mol, addCoords=True), text))
            for smarts in has:
                counts[smarts] += 1
            counts[None] += not wanted
    return some


def motifs(mols: Sequence[Chem.Mol], seed: int) -> dict[str, dict]:
    """Of each motif the share of rare angles, how many there are, and in how many molecules."""
    out = {}
    for name, motif in MOTIFS.items():
        pattern = Chem.MolFromSmarts(motif.smarts)
        ends = {atom.GetAtomMapNum(): atom.GetIdx() for atom in pattern.GetAtoms() if atom.GetAtomMapNum()}
        shares, count = [], 0
        for mol in mols:
            matches = mol.GetSubstructMatches(pattern)
            # One for each bond: the two neighbours in a ring lie half a turn apart, and count alike.
            bonds = {match[ends[2]]: [match[ends[k]] for k in (1, 2, 3, 4)] for match in matches}
            if bonds:
                rare = motif.rare(angles(mol, list(bonds.values())))
                shares.append(float(rare.mean()))
                count += rare.size
        share = mean_interval(np.array(shares), seed) if shares else None
        out[name] = {"share": share, "torsions": count, "molecules": len(shares)}
    return out


def angles(mol: Chem.Mol, torsions: Sequence[Sequence[int]]) -> np.ndarray:
    """Absolute dihedral angles in degrees, ``(conformers, torsions)``."""
    return np.array(
        [[abs(rdMolTransforms.GetDihedralDeg(c, *atoms)) for atoms in torsions] for c in mol.GetConformers()]
    )


def types(mols: Sequence[Chem.Mol]) -> dict[str, list[np.ndarray]]:
    """Of each torsion type of ETKDGv3 the angles in each molecule that has it."""
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    parameters = rdDistGeom.ETKDGv3()
    for mol in mols:
        here: dict[str, list[list[int]]] = defaultdict(list)
        for torsion in rdDistGeom.GetExperimentalTorsions(mol, parameters):
            here[torsion["smarts"]].append(list(torsion["atomIndices"]))
        for smarts, atoms in here.items():
            found[smarts].append(angles(mol, atoms).ravel())
    return found


def distances(
    some: dict[str, list[np.ndarray]], reference: dict[str, list[np.ndarray]], least: int
) -> dict[str, dict[str, float]]:
    """W1 of each type that enough molecules have, in degrees."""
    out = {}
    for smarts, theirs in reference.items():
        ours = some.get(smarts, [])
        if min(len(ours), len(theirs)) >= least:
            (a, v), (b, w) = weighted(ours), weighted(theirs)
            out[smarts] = {"distance": round(float(wasserstein_distance(a, b, v, w)), 2), "molecules": len(theirs)}
    return dict(sorted(out.items(), key=lambda item: -item[1]["distance"]))


def weighted(groups: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All angles, and weights by which each molecule counts the same."""
    return np.concatenate(groups), np.concatenate([np.full(len(x), 1 / len(x)) for x in groups])


def markdown(rows: Sequence[dict]) -> str:
    """Both tables, the second with the ten types in which ours are farthest from the crystals."""
    heads = [row["method"] for row in rows]
    first = []
    for name in MOTIFS:
        cells = [row["motifs"][name] for row in rows]
        shares = [interval(cell["share"], ".1%") if cell["share"] else "–" for cell in cells]
        first.append([name, *(f"{s}, n = {c['torsions']:,}" for s, c in zip(shares, cells, strict=True))])
    known = [row for row in rows if row["method"] != CRYSTAL]
    ours = next((row for row in known if row["method"] not in BASELINES), known[0])
    lines = [table(["", *heads], first), ""]

    def cell(row: dict, smarts: str) -> str:
        return number(row["types"][smarts]["distance"], ".1f") if smarts in row["types"] else "–"

    medians = [number(float(np.median(values)) if (values := list(each(row))) else None, ".1f") for row in known]
    second: list[list[str]] = [["median of all", *medians]]
    second += [[f"`{smarts}`", *(cell(row, smarts) for row in known)] for smarts in list(ours["types"])[:10]]
    return "\n".join([*lines, table(["W1 to crystals, °", *(row["method"] for row in known)], second)])


def each(row: dict) -> Iterator[float]:
    """The distances of a method."""
    return (value["distance"] for value in row["types"].values())


if __name__ == "__main__":
    main()
