"""Builds a reference that comes with the package, from a tensor file that ``molscore data`` makes.

    python scripts/build_reference.py data/qm9.safetensors --name qm9
    python scripts/build_reference.py data/druglike_hydrogens.safetensors --name druglike --xtb 100
    python scripts/build_reference.py data/wide.safetensors --name wide --xtb 100

Hydrogens that the file implies are placed, as those of samples are. Novelty is against the training split; geometry,
composition and relaxation energies are those of the test split, as in the literature. Beside it go statistics of the
Fréchet ChemNet distance, of 10,000 molecules of the test split, with 10,000 of the training split for its floors
(``--no-fcd`` leaves them as they are; they need ``pip install '.[fcd]'``).

    python scripts/build_reference.py data/druglike.safetensors --name druglike --histograms

renews the histograms of a reference alone, all else stays as it is. They are of the graphs, so hydrogens may be implied
(then without relaxation energies), and of those molecules of the test split that the reference knows.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.progress import track

from molscore.chem.arrays import MoleculeArrays, from_mol, to_mol
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.hydrogens import complete
from molscore.datasets.tensorfile import TensorFile, read_tensorfile
from molscore.evaluate.compare import chemnet
from molscore.evaluate.compare.histograms import histograms
from molscore.evaluate.compare.reference import build_reference, load_reference, relaxed_ones, save_reference
from molscore.evaluate.molecules.graphs import heavy_graph
from molscore.evaluate.molecules.identity import canonical_smiles, hash_smiles
from molscore.files.output import written

FOLDER = Path(__file__).parents[1] / "molscore" / "evaluate" / "references"
CHEMNET_MOLECULES = 10_000
LOT = 500


def whole(dataset: TensorFile, index: int) -> MoleculeArrays:
    """A molecule with its hydrogens as atoms; implied ones are placed."""
    arrays = dataset.molecule(index)
    return from_mol(complete(arrays)) if dataset.implied_hydrogens else arrays


def smiles(dataset: TensorFile, indices: Iterable[int], description: str) -> list[str]:
    """Canonical SMILES without stereo."""
    return [canonical_smiles(heavy_graph(dataset.molecule(i))) for i in track(indices, description=description)]


def activations(texts: list[str], description: str) -> np.ndarray:
    """ChemNet's activations of a random part of the molecules."""
    chosen = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))[:CHEMNET_MOLECULES]]
    lots = [chosen[start : start + LOT] for start in range(0, len(chosen), LOT)]
    return np.concatenate([chemnet.activations(lot) for lot in track(lots, description=description)])


def renew_histograms(dataset: TensorFile, path: Path) -> None:
    """Writes a reference again, with the histograms of the test molecules that it knows."""
    reference = load_reference(path)
    known, mols = set(reference.heldout_hashes.tolist()), []
    for i in track(dataset.indices("test"), description="test molecules"):
        mol = to_mol(dataset.molecule(i), implied=dataset.implied_hydrogens)
        if int(hash_smiles([canonical_smiles(mol)])[0]) in known:
            mols.append(mol)
    strains: list[float] = []
    if not dataset.implied_hydrogens:
        energies = (relaxation_energy(mols[i]).energy for i in relaxed_ones(len(mols)))
        strains = [energy for energy in energies if energy is not None]
    composition = reference.composition | {"histograms": histograms(mols, strains)}
    save_reference(replace(reference, composition=composition), path)
    print(f"{path}: histograms of {len(mols):,} of {reference.composition['molecules']:,} molecules")


def main() -> None:
    """Builds and writes the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tensors", type=Path, help="tensor file with splits")
    parser.add_argument("--name", required=True, help="of the reference")
    parser.add_argument("--out", type=Path, help="where to write (default: into the package, under its name)")
    parser.add_argument("--fcd", action=argparse.BooleanOptionalAction, default=True, help="ChemNet statistics too")
    parser.add_argument("--histograms", action="store_true", help="renew the histograms of the reference alone")
    parser.add_argument("--xtb", type=int, default=0, help="test molecules to relax with GFN2-xTB")
    arguments = parser.parse_args()
    out = arguments.out or FOLDER / f"{arguments.name}.npz"
    dataset = read_tensorfile(arguments.tensors)
    if arguments.histograms:
        renew_histograms(dataset, out)
        return
    training = smiles(dataset, dataset.indices("train"), "training SMILES")
    heldout = smiles(dataset, dataset.indices("test"), "test SMILES")
    molecules = [whole(dataset, i) for i in track(dataset.indices("test"), description="test molecules")]
    hashes = hash_smiles(training)
    reference = build_reference(
        name=arguments.name,
        description=(
            f"{dataset.metadata['source']}; novelty against the {len(hashes):,} molecules of its training split, all "
            f"else against the {len(molecules):,} of its test split"
        ),
        molecules=molecules,
        mols=[to_mol(molecule) for molecule in molecules],
        training_hashes=hashes,
        heldout_hashes=hash_smiles(heldout),
        floor_repeats=40,
        xtb=arguments.xtb,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    save_reference(reference, out)
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB, {len(reference.training_hashes):,} hashes")
    if arguments.fcd:
        path = out.with_name(f"{out.stem}_fcd.npz")
        statistics = chemnet.build_statistics(
            activations(heldout, "ChemNet, test molecules"), activations(training, "ChemNet, training molecules")
        )
        with written(path) as stream:
            chemnet.save_statistics(statistics, stream)
        floors = dict(zip(statistics.floor_sizes.tolist(), statistics.floors.round(3).tolist(), strict=True))
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, floors {floors}")


if __name__ == "__main__":
    main()
