"""Builds the QM9 reference that comes with the package, from the tensor file that ``molscore data qm9`` makes.

    python scripts/build_qm9_reference.py qm9.safetensors

Novelty is against the training split; geometry and composition are those of the test split, as in the literature.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from rich.progress import track

from molscore.chem.arrays import to_mol
from molscore.datasets.tensorfile import TensorFile, read_tensorfile
from molscore.evaluate.identity import canonical_smiles, hash_smiles
from molscore.evaluate.reference import build_reference, save_reference

DEFAULT = Path(__file__).parents[1] / "molscore" / "evaluate" / "references" / "qm9.npz"


def training_smiles(dataset: TensorFile) -> Iterator[str]:
    """Canonical SMILES without stereo of the training split."""
    for i in track(dataset.indices("train"), description="training SMILES"):
        yield canonical_smiles(to_mol(dataset.molecule(i)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tensors", type=Path, help="tensor file of QM9 with its splits")
    parser.add_argument("--out", type=Path, default=DEFAULT, help="where to write (default: into the package)")
    arguments = parser.parse_args()
    dataset = read_tensorfile(arguments.tensors)
    hashes = hash_smiles(training_smiles(dataset))
    molecules = [dataset.molecule(i) for i in dataset.indices("test")]
    reference = build_reference(
        name="qm9",
        description=(
            f"QM9; novelty against the {len(hashes):,} molecules of its training split, all else against the "
            f"{len(molecules):,} of its test split"
        ),
        molecules=molecules,
        mols=[to_mol(molecule) for molecule in track(molecules, description="test molecules")],
        training_hashes=hashes,
        floor_repeats=40,
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_reference(reference, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB, {len(reference.training_hashes):,} hashes")


if __name__ == "__main__":
    main()
