"""A scoring component of REINVENT 4: how well conformers fit the shape of a query, and how plausible they are.

REINVENT's ``ExternalProcess`` writes a SMILES on each line of standard input and reads JSON: a list of numbers for each
``property``, in the order of the SMILES, NaN where there is none. In its configuration:

    [[stage.scoring.component]]
    [stage.scoring.component.ExternalProcess]
    [[stage.scoring.component.ExternalProcess.endpoint]]
    name = "shape"
    weight = 1.0
    params.executable = "python"
    params.args = "reinvent_score.py --query query.sdf"
    params.property = "shape"

``shape``: the best shape Tanimoto of a conformer with the query, both aligned, from 0 to 1 (RDKit's rdShapeAlign, with
RDKit 2024.09 or newer). ``log_likelihood``: of the most plausible conformer, nats per atom; scale it with a transform.

Source: Loeffler et al., J. Cheminform. 16, 20 (2024); https://github.com/MolecularAI/REINVENT4.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rdkit.Chem.rdShapeAlign import AlignMol

from molscore.chem.io.sdf_reader import read_sdf

LIKELIHOOD = "log_likelihood_nats_per_atom"


def molscore(*words: object) -> None:
    """Runs a command of molscore. That some molecules cannot be served (codes 1 and 3) shows in what it leaves out."""
    run = subprocess.run([sys.executable, "-m", "molscore", *map(str, words), "--quiet"], stdout=sys.stderr)
    if run.returncode not in (0, 1, 3):
        sys.exit(run.returncode)


def main(words: list[str] | None = None) -> None:
    """Scores the SMILES of standard input; arguments as on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--query", type=Path, required=True, help="SDF file, 3-D: the shape to fit")
    parser.add_argument("--n", type=int, default=5, help="conformers of each molecule")
    chosen = parser.parse_args(words)
    smiles = [line.strip() for line in sys.stdin]
    payload = {name: [float("nan")] * len(smiles) for name in ("shape", "log_likelihood")}
    query = next(read_sdf(chosen.query)).mol
    with TemporaryDirectory() as folder:
        lines, conformers, scored = (Path(folder, name) for name in ("in.csv", "conformers.sdf", "scored.sdf"))
        with lines.open("w", newline="") as file:
            csv.writer(file).writerows([("smiles", "name"), *((text, k) for k, text in enumerate(smiles))])
        molscore("conformers", lines, "--n", chosen.n, "--out", conformers)
        if conformers.exists():
            molscore("score", conformers, "--out", scored)
        for record in read_sdf(scored) if scored.exists() else ():
            k = int(record.mol.GetProp("_Name"))
            values = {"shape": AlignMol(query, record.mol)[0]}
            if text := record.mol.GetProp(LIKELIHOOD):
                values["log_likelihood"] = float(text)
            for name, value in values.items():
                before = payload[name][k]
                payload[name][k] = value if before != before else max(before, value)
    print(json.dumps({"version": 1, "payload": payload}))


if __name__ == "__main__":
    main()
