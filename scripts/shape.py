"""Molecules of the shape of a query: new ones, and the best of a library searched in the same time.

    python scripts/shape.py gdb.sdf.gz --library train.smi.gz --targets 12 --out data/benchmarks/shapes_gdb.json
    python scripts/shape.py natural_products.sdf.gz --library train.smi.gz --out data/benchmarks/shapes_natural.json

*like* is ``molscore generate --like``, *particles* the same with ``--particles 4``, *features* with ``--features``;
*free* are samples of the same sizes and of no query. A sample is valid if the product's checks pass it. What is valid
is relaxed in MMFF94s, laid over the query and judged by RDKit's rdShapeAlign; graphs are compared by Morgan
fingerprints, and SA is the score of Ertl and Schuffenhauer. *library* is ``molscore rank`` over molecules that the
model was trained on, in a random order, with as many seconds of a core as *like* took, judging included: conformers are
made (ETKDGv3), and as many of the best are kept as there were samples. *prepared* has conformers made before, so that
the time is for alignments alone: ``--prepared`` is a file of them. Hits are not relaxed. Rates have Wilson intervals at
95 %; means over targets those of a bootstrap over them. The same command goes on where it stopped.
"""

import argparse
import gzip
import heapq
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from completion_verdict import mean, rate
from rdkit import Chem, RDLogger
from results import interval, number, percent, read_rows, table, write_json

from molscore.chem.checks.descriptors import describe
from molscore.chem.forcefield.relax import relax
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.properties import packed, title_of
from molscore.chem.shape import ShapeQuery
from molscore.chem.similarity import graph_similarity
from molscore.conformers import ConformerGenerator, ConformerOptions
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.judge import Judge
from molscore.screening.ranker import Ranker
from molscore.train.record import sha256

EASY = 4.5
"""SA below which a molecule counts as easy to make."""

COPY = 0.6
"""Similarity of graphs from which on a molecule counts as a copy."""

CONFORMERS, QUICK = 10, ConformerOptions(method="etkdg", relax="none")
"""Of each molecule of a library, and how they are made."""

PARTICLES = 4
"""In a group."""

MADE = ("like", "particles", "features", "free")
METHODS = (*MADE, "library", "prepared")


def main() -> None:
    """Measures what is missing in the file, writes it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="SDF file of queries, may be gzipped")
    parser.add_argument("--library", type=Path, help="SMILES, one a line, may be gzipped")
    parser.add_argument("--prepared", type=Path, help="SDF file of molecules in 3-D, may be gzipped")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, help="like before the searches")
    parser.add_argument("--samples", type=int, default=20, help="of each query")
    parser.add_argument("--targets", type=int, help="a random choice of so many")
    parser.add_argument("--steps", type=int, help="steps from noise to molecule; by default the model's")
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    if words.samples % PARTICLES:
        parser.error(f"--samples must be whole groups of {PARTICLES}")
    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    queries = [record.mol for record in read_sdf(words.data) if record.mol is not None]
    chosen = sorted(np.random.default_rng(0).permutation(len(queries))[: words.targets].tolist())
    generator = MoleculeGenerator.from_pretrained(device="cpu")
    files = {"data": words.data, "library": words.library, "prepared": words.prepared}
    header = {name: path and f"{path.name} {sha256(path)[:16]}" for name, path in files.items()}
    header |= {"weights": generator.weights, "samples": words.samples}
    header["steps"] = words.steps or generator.model.config.sampling.steps
    rows = read_rows(words.out, header)
    library = None if words.library is None else smiles(words.library)
    prepared = [] if words.prepared is None else [record.mol for record in read_sdf(words.prepared) if record.mol]
    conformers = ConformerGenerator.from_pretrained(device="cpu"), CONFORMERS, 0, QUICK
    for done, k in enumerate(chosen, 1):
        query = queries[k]
        about = {"molecule": title_of(query) or str(k), "heavy": query.GetNumHeavyAtoms()}
        for kind in words.methods:
            seconds = {row["method"]: row["seconds"] for row in rows if row["molecule"] == about["molecule"]}
            if kind in seconds:
                continue
            if kind in MADE:
                row = made(kind, query, generator, words.samples, k, words.steps)
            elif kind == "library" and library:
                row = searched(kind, Ranker(ShapeQuery(query), *conformers), library, words.samples, seconds["like"])
            elif kind == "prepared" and prepared:
                row = searched(kind, Ranker(ShapeQuery(query)), prepared, words.samples, seconds["like"])
            else:
                continue
            rows.append(about | row)
            write_json(words.out, {"header": header, "summary": summary(rows), "rows": rows})
        print(f"{done} of {len(chosen)}", file=sys.stderr, flush=True)
    print(markdown(summary(rows)))


def smiles(path: Path) -> list[str]:
    """The SMILES of a file, in a random order."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        lines = [line.split()[0] for line in file if line.strip()]
    return [lines[k] for k in np.random.default_rng(0).permutation(len(lines))]


def made(
    kind: str, query: Chem.Mol, generator: MoleculeGenerator, n: int, seed: int, steps: int | None
) -> dict[str, Any]:
    """A row: the samples of a query."""
    shape = ShapeQuery(query)
    like = {"like": query, "features": kind == "features", "particles": PARTICLES if kind == "particles" else 1}
    sizes = np.flatnonzero(shape.sizes(generator.model.size_probabilities.numpy()))
    chosen: dict[str, Any] = {"atoms": (int(sizes[0]), int(sizes[-1]))} if kind == "free" else like
    options, began = GenerationOptions(steps=steps, **chosen), time.process_time()
    judge = Judge(generator.model, GenerationOptions())
    attempts = [judge(k, sample) for k, sample in enumerate(generator.sample(range(n), seed, options))]
    mols = [attempt.built for attempt in attempts if attempt.fault is None]
    hits = [judged(shape, relax(mol, "mmff").mol) for mol in mols]
    seconds = time.process_time() - began
    faults = [attempt.fault.token for attempt in attempts if attempt.fault is not None]
    unique = len({attempt.smiles for attempt in attempts if attempt.fault is None})
    row = {"method": kind, "tried": n, "valid": len(hits), "unique": unique, "seconds": round(seconds, 2)}
    return row | {"faults": {token: faults.count(token) for token in sorted(set(faults))}} | columns(hits)


def searched(kind: str, ranker: Ranker, library: list[Any], n: int, seconds: float) -> dict[str, Any]:
    """A row: the best of a library."""
    best: list[tuple[float, int, Chem.Mol]] = []
    began, tried = time.process_time(), 0
    for group in ranker.groups(enumerate(map(packed, library), start=1)):
        for fit in ranker(group):
            if fit.mol is not None:
                keep = heapq.heappush if len(best) < n else heapq.heappushpop
                keep(best, (fit.value, -tried, fit.mol))
            tried += 1
        if time.process_time() - began >= seconds:
            break
    spent = time.process_time() - began
    hits = [judged(ranker.query, mol) for _, _, mol in sorted(best, reverse=True)]
    row = {"method": kind, "tried": tried, "valid": len(hits), "unique": len(hits), "seconds": round(spent, 2)}
    return row | columns(hits)


def judged(query: ShapeQuery, mol: Chem.Mol) -> tuple[float, float, float, float]:
    """Shape, features, similarity of graphs, and SA."""
    _, overlap = query.aligned(mol)
    return overlap.shape, overlap.color, graph_similarity(mol, query.mol), describe(mol, ("sa",))["sa"]


def columns(hits: list[tuple[float, float, float, float]]) -> dict[str, list[float]]:
    """Lists by name."""
    names = ("shapes", "colors", "similarities", "sas")
    return {name: [round(hit[k], 3) for hit in hits] for k, name in enumerate(names)}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures by method."""
    result = {}
    for method in METHODS:
        if not (own := [row for row in rows if row["method"] == method]):
            continue
        asked = sum(row["tried"] for row in own) if method in MADE else None
        figures: dict[str, Any] = {"targets": len(own), "tried": sum(row["tried"] for row in own)}
        if asked is not None:
            figures["valid"] = rate(sum(row["valid"] for row in own), asked)
            figures["unique"] = rate(sum(row["unique"] for row in own), sum(row["valid"] for row in own))
            figures["easy"] = rate(sum(sa < EASY for row in own for sa in row["sas"]), asked)
        for name in ("shapes", "colors", "similarities", "sas"):
            figures[name] = mean([row | {name: float(np.mean(row[name]))} for row in own if row[name]], name)
        figures["best"] = mean([row | {"best": max(row["shapes"])} for row in own if row["shapes"]], "best")
        figures["copies"] = sum(value >= COPY for row in own for value in row["similarities"])
        figures["seconds"] = float(np.mean([row["seconds"] for row in own]))
        result[method] = figures
    return result


def markdown(figures: dict[str, Any]) -> str:
    """The summary as a table."""
    lines = [
        ("valid", lambda f: percent(f.get("valid"))),
        (f"valid with SA below {EASY}", lambda f: percent(f.get("easy"))),
        ("shape Tanimoto", lambda f: interval(f["shapes"])),
        ("the best of a query", lambda f: interval(f["best"])),
        ("feature Tanimoto", lambda f: interval(f["colors"])),
        ("graph similarity", lambda f: interval(f["similarities"])),
        (f"of {COPY} and more", lambda f: str(f["copies"])),
        ("different among valid", lambda f: percent(f.get("unique"))),
        ("SA", lambda f: interval(f["sas"], ".2f")),
        ("seconds for a query", lambda f: number(f["seconds"], ".1f")),
        ("samples, or molecules searched", lambda f: f"{f['tried']:,}"),
    ]
    return table(["", *figures], ([name, *(cell(f) for f in figures.values())] for name, cell in lines))


if __name__ == "__main__":
    main()
