"""Peak memory of each command on many records against that on a tenth of them.

A command is run on a few records and on ten times as many; the greatest sum of the resident memory of its process and
of those that it started is noted, five times a second, without files that are mapped; what processes share is counted
once. At most 1.3 times as much is
allowed, and 1.1 times the goal.

    python scripts/peak_memory.py --json data/benchmarks/peak_memory.json
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import molscore

FLOOR, GOAL = 1.3, 1.1
COUNTED = "Pss_Anon:", "Pss_Shmem:"
"""Not the pages of libraries, whose share changes with what else runs on the machine."""

EVERY = 0.2
"""Seconds between two looks at the memory."""

SEEDS = ("CCCCO", "c1ccccc1C", "CCCN", "CC(C)CO", "C1CCCC1O", "CCOCC", "CC(=O)NC", "OCCCN", "CCC(=O)O", "Cc1ccncc1")

CASES = {
    "generate": "generate --model qm9 --steps 6 --raw --n {n} --out {folder}/generated{n}.sdf",
    "generate, shards": "generate --model qm9 --steps 20 --n {n} --shard-size {tenth} --out {folder}/s-{{shard}}.sdf",
    "conformers": "conformers {folder}/{n}.smi --n 1 --steps 4 --out {folder}/conformers{n}.sdf",
    "score": "score {folder}/{n}.sdf --out {folder}/scored{n}.sdf",
    "evaluate": "evaluate {folder}/{n}.sdf --json {folder}/{n}.json",
    "report": "report {folder}/{n}.sdf --out {folder}/{n}.html",
}
"""Commands by name, with few steps, on which memory does not depend.

``{n}.smi`` and ``{n}.sdf`` are lists of molecules, the second with coordinates.
"""


def main() -> None:
    """Measures and prints; ends with code 1 if a ratio is above the floor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--few", type=int, default=300, help="records; ten times as many are many")
    parser.add_argument("--generated", type=int, default=500, help="molecules for generate, likewise")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in words.cases:
            few = words.generated if name.startswith("generate") else words.few
            peaks = [peak(CASES[name], Path(folder), n, words.workers, few) for n in (few, 10 * few)]
            row = {"case": name, "command": CASES[name], "records": [few, 10 * few], "peak_mib": peaks}
            rows.append(row | {"ratio": round(peaks[1] / peaks[0], 3)})
            print(f"{name:18s} {peaks[0]:8.1f} MiB {peaks[1]:8.1f} MiB  {rows[-1]['ratio']:.3f} times", flush=True)
    header = {"molscore": molscore.__version__, "workers": words.workers, "floor": FLOOR, "goal": GOAL}
    if words.json is not None:
        words.json.write_text(json.dumps({"header": header, "rows": rows}, indent=1) + "\n")
    sys.exit(0 if all(row["ratio"] <= FLOOR for row in rows) else 1)


def markdown(rows: list[dict]) -> str:
    """The table of the documentation."""
    lines = ["| command | records | peak memory | |", "|---|---|---|---|"]
    for row in rows:
        records, peaks = ("; ".join(f"{value:,.0f}" for value in row[name]) for name in ("records", "peak_mib"))
        command, *more = row["case"].split(", ")
        lines.append(f"| {', '.join([f'`{command}`', *more])} | {records} | {peaks} MiB | {row['ratio']:.2f} times |")
    return "\n".join(lines)


def peak(text: str, folder: Path, n: int, workers: str, tenth: int) -> float:
    """MiB of a command and its children, at most."""
    inputs(folder, n, text)
    words = text.format(n=n, folder=folder, tenth=tenth).split()
    command = [sys.executable, "-m", "molscore", *words, "--quiet", "--overwrite", "--workers", workers]
    environment = os.environ | {"PYTHONPATH": str(Path(molscore.__file__).parents[1])}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        most = max(most, sum(map(resident, family(process.pid))))
        time.sleep(EVERY)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with code {process.returncode}")
    return round(most / 2**20, 1)


def inputs(folder: Path, n: int, text: str) -> None:
    """Makes the lists that a command reads, unless they are there."""
    smiles, sdf = folder / f"{n}.smi", folder / f"{n}.sdf"
    if not smiles.exists():
        smiles.write_text("".join(f"{'C' * (k % 7)}{SEEDS[k % len(SEEDS)]} mol{k}\n" for k in range(n)))
    if "{n}.sdf --" in text and not sdf.exists() and "generated" not in text:
        from rdkit import Chem
        from rdkit.Chem import rdDistGeom

        with Chem.SDWriter(str(sdf)) as writer:
            for line in smiles.read_text().splitlines():
                mol = Chem.AddHs(Chem.MolFromSmiles(line.split()[0]))
                rdDistGeom.EmbedMolecule(mol, randomSeed=1)
                mol.SetProp("_Name", line.split()[1])
                writer.write(mol)


def family(pid: int) -> list[int]:
    """A process and all that it started, down to the last."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                stat = (path / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            parents.setdefault(int(stat[1]), []).append(int(path.name))
    found = [pid]
    for member in found:
        found += parents.get(member, [])
    return found


def resident(pid: int) -> int:
    """Bytes of a process in memory that are no file's, shared ones by its share; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(COUNTED))


if __name__ == "__main__":
    main()
