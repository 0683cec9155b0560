"""Builds the QM9 reference that comes with the package, from the tensor file that ``molscore data qm9`` makes.

    python scripts/build_qm9_reference.py data/qm9.safetensors

Novelty is against the training split; geometry, composition and relaxation energies are those of the test split, as in
the literature. Beside it go the statistics of the Fréchet ChemNet distance, of 10,000 molecules of the test split, with
10,000 of the training split for its floors (``--no-fcd`` leaves them as they are; they need ``pip install '.[fcd]'``).
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from rich.progress import track

from molscore.chem.arrays import to_mol
from molscore.datasets.tensorfile import TensorFile, read_tensorfile
from molscore.evaluate import chemnet
from molscore.evaluate.graphs import heavy_graph
from molscore.evaluate.identity import canonical_smiles, hash_smiles
from molscore.evaluate.reference import build_reference, save_reference

DEFAULT = Path(__file__).parents[1] / "molscore" / "evaluate" / "references" / "qm9.npz"
CHEMNET_MOLECULES = 10_000
LOT = 500


def smiles(dataset: TensorFile, indices: Iterable[int], description: str) -> list[str]:
    """Canonical SMILES without stereo."""
    return [canonical_smiles(heavy_graph(dataset.molecule(i))) for i in track(indices, description=description)]


def activations(texts: list[str], description: str) -> np.ndarray:
    """ChemNet's activations of a random part of the molecules."""
    chosen = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))[:CHEMNET_MOLECULES]]
    lots = [chosen[start : start + LOT] for start in range(0, len(chosen), LOT)]
    return np.concatenate([chemnet.activations(lot) for lot in track(lots, description=description)])


def main() -> None:
    """Builds and writes the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tensors", type=Path, help="tensor file of QM9 with its splits")
    parser.add_argument("--out", type=Path, default=DEFAULT, help="where to write (default: into the package)")
    parser.add_argument("--fcd", action=argparse.BooleanOptionalAction, default=True, help="ChemNet statistics too")
    arguments = parser.parse_args()
    dataset = read_tensorfile(arguments.tensors)
    training = smiles(dataset, dataset.indices("train"), "training SMILES")
    heldout = smiles(dataset, dataset.indices("test"), "test SMILES")
    molecules = [dataset.molecule(i) for i in dataset.indices("test")]
    hashes = hash_smiles(training)
    reference = build_reference(
        name="qm9",
        description=(
            f"QM9; novelty against the {len(hashes):,} molecules of its training split, all else against the "
            f"{len(molecules):,} of its test split"
        ),
        molecules=molecules,
        mols=[to_mol(molecule) for molecule in track(molecules, description="test molecules")],
        training_hashes=hashes,
        heldout_hashes=hash_smiles(heldout),
        floor_repeats=40,
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_reference(reference, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB, {len(reference.training_hashes):,} hashes")
    if arguments.fcd:
        path = arguments.out.with_name(f"{arguments.out.stem}_fcd.npz")
        statistics = chemnet.build_statistics(
            activations(heldout, "ChemNet, test molecules"), activations(training, "ChemNet, training molecules")
        )
        temporary = path.with_name(f".{path.name}.tmp")
        with temporary.open("wb") as stream:
            chemnet.save_statistics(statistics, stream)
        os.replace(temporary, path)
        floors = dict(zip(statistics.floor_sizes.tolist(), statistics.floors.round(3).tolist(), strict=True))
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, floors {floors}")


if __name__ == "__main__":
    main()
