"""What molecules are compared with: a training set to be novel against, and distributions to match.

A reference is one ``.npz`` file without pickled objects:

====================================  ==========  =====================================================================
array                                 shape       what
====================================  ==========  =====================================================================
``header``                            ()          JSON text: format, name, description, composition, relaxation
                                                  energies, value totals
``training_hashes``                   (K,)        uint64, sorted hashes of the training set's SMILES (`identity`)
``heldout_hashes``                    (H,)        the same of molecules kept from training; none, if unknown
``bond_codes``, ``bond_counts``       (T,) (T,B)  types and their histograms on the grid of `distances.GRIDS`; the same
                                                  for ``angle`` and ``dihedral``
``floor_sizes``, ``floor_<name>``     (S,)        what samples of the reference itself score, by size
====================================  ==========  =====================================================================

Those that come with the package have the names of the models and are made of their data: novelty is taken from the
training split and everything else from the test split.
"""

import json
import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.evaluate.compare.composition import composition, portrait
from molscore.evaluate.compare.distances import GRIDS
from molscore.evaluate.compare.geometry import MEASURES, Distributions, count, floors, keep_types
from molscore.evaluate.compare.histograms import histograms
from molscore.evaluate.compare.internal_coordinates import measure
from molscore.evaluate.molecules.identity import canonical_smiles, hash_smiles
from molscore.evaluate.molecules.records import judge, read_records
from molscore.evaluate.molecules.relaxation import summary
from molscore.files.output import written
from molscore.references import BUNDLED, BadReferenceError, check_reference
from molscore.reprs import short_repr

FORMAT = "molscore-reference-2"
MODEL_PROPERTY = "molscore_model"
"""SDF property: the name of that model."""

RELAXED = 2000
"""Molecules of which a relaxation energy is computed, at most: chosen at random."""

FLOOR_SIZES = (10, 30, 100, 300, 1000, 3000, 10_000, 30_000)


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference.

    Attributes:
        name: what to call it.
        description: where it comes from.
        training_hashes: (K,) uint64, sorted.
        heldout_hashes: (H,) uint64, sorted; H is 0 if nothing is known to have been kept from training.
        relaxation: relaxation energies of at most `RELAXED` of the molecules, as `relaxation.summary` gives them.
        xtb_relaxation: the same with GFN2-xTB, of fewer; None if unknown.
        distributions: 'bond', 'angle', 'dihedral' -> histograms.
        composition: as `composition.composition` gives it, and ``histograms`` as `histograms.histograms` does.
        floor_sizes: (S,) numbers of molecules.
        floors: '<kind>_<measure>' -> (S,).
    """

    name: str
    description: str
    training_hashes: np.ndarray
    heldout_hashes: np.ndarray
    relaxation: dict[str, Any]
    xtb_relaxation: dict[str, Any] | None
    distributions: dict[str, Distributions]
    composition: dict[str, Any]
    floor_sizes: np.ndarray
    floors: dict[str, np.ndarray]

    __repr__ = short_repr


def build_reference(
    name: str,
    description: str,
    molecules: Sequence[MoleculeArrays],
    mols: Sequence[Chem.Mol],
    training_hashes: np.ndarray,
    heldout_hashes: np.ndarray | None = None,
    floor_repeats: int = 5,
    xtb: int = 0,
) -> Reference:
    """Makes a reference from valid molecules.

    Args:
        name, description: for the reader.
        molecules: M molecules whose distributions are to be matched, at least one.
        mols: the same, sanitised.
        training_hashes: (K,) uint64 hashes of the training set's SMILES, in any order.
        heldout_hashes: (H,) the same of molecules that were kept from training.
        floor_repeats: pairs of samples over which each floor is averaged.
        xtb: molecules to relax with GFN2-xTB too.

    Raises:
        BadReferenceError: if there are no molecules.
    """
    if not molecules:
        raise BadReferenceError(f"the reference {name} holds no valid molecule")
    coordinates = measure(molecules)
    distributions = {}
    for kind, values in coordinates.items():
        codes = keep_types(values, kind)
        distributions[kind] = Distributions(codes, count(values, codes, kind).astype(np.uint32), len(values.code))
    relaxed = relaxed_ones(len(mols))
    strains = [relaxation_energy(mols[i]) for i in relaxed]
    known = [strain.energy for strain in strains if strain.energy is not None]
    return Reference(
        name=name,
        description=description,
        training_hashes=np.unique(training_hashes.astype(np.uint64)),
        heldout_hashes=np.unique(np.asarray(() if heldout_hashes is None else heldout_hashes, dtype=np.uint64)),
        relaxation=summary(strains),
        xtb_relaxation=summary(relaxation_energy(mols[i], "xtb") for i in relaxed[:xtb]) if xtb else None,
        distributions=distributions,
        composition=composition(map(portrait, molecules, mols)) | {"histograms": histograms(mols, known)},
        floor_sizes=np.array(FLOOR_SIZES, dtype=np.int64),
        floors=floors(coordinates, len(molecules), FLOOR_SIZES, floor_repeats),
    )


def relaxed_ones(number: int) -> np.ndarray:
    """Which of so many molecules are relaxed: at most `RELAXED`, chosen at random."""
    return np.random.default_rng(0).permutation(number)[:RELAXED]


def save_reference(reference: Reference, path: str | os.PathLike[str]) -> None:
    """Writes a reference, whole or not at all."""
    header = {
        "format": FORMAT,
        "name": reference.name,
        "description": reference.description,
        "composition": reference.composition,
        "relaxation": reference.relaxation,
        "xtb_relaxation": reference.xtb_relaxation,
        "totals": {kind: distribution.total for kind, distribution in reference.distributions.items()},
    }
    arrays: dict[str, Any] = {"header": np.array(json.dumps(header))}
    arrays |= {"training_hashes": reference.training_hashes, "heldout_hashes": reference.heldout_hashes}
    for kind, distribution in reference.distributions.items():
        arrays |= {f"{kind}_codes": distribution.codes, f"{kind}_counts": distribution.counts}
    arrays["floor_sizes"] = reference.floor_sizes
    arrays |= {f"floor_{name}": values for name, values in reference.floors.items()}
    with written(path) as stream:
        np.savez_compressed(stream, **arrays)


def load_reference(path: str | os.PathLike[str]) -> Reference:
    """Reads a reference that `save_reference` wrote.

    Raises:
        BadReferenceError: if the file is something else, corrupt or cut short.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(str(arrays["header"]))
        if header["format"] != FORMAT:
            raise BadReferenceError(f"{path} has format {header['format']!r}; this molscore reads {FORMAT!r}")
        distributions = {
            kind: Distributions(arrays[f"{kind}_codes"], arrays[f"{kind}_counts"], header["totals"][kind])
            for kind in GRIDS
        }
        return Reference(
            name=header["name"],
            description=header["description"],
            training_hashes=arrays["training_hashes"],
            heldout_hashes=arrays["heldout_hashes"],
            relaxation=header["relaxation"],
            xtb_relaxation=header.get("xtb_relaxation"),
            distributions=distributions,
            composition=header["composition"],
            floor_sizes=arrays["floor_sizes"],
            floors={name: arrays[f"floor_{name}"] for name in (f"{kind}_{m}" for kind in GRIDS for m in MEASURES)},
        )
    except BadReferenceError:
        raise
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise BadReferenceError(f"{path} is not a molscore reference, or it is corrupt ({error})") from error


def reference_of(mols: Iterable[Chem.Mol | None]) -> str:
    """The bundled reference of the model that the first molecule names; the default if it names none of them."""
    first = next((mol for mol in mols if mol is not None), None)
    model = first.GetProp(MODEL_PROPERTY) if first is not None and first.HasProp(MODEL_PROPERTY) else ""
    return model if model in BUNDLED else BUNDLED[0]


def resolve_reference(reference: str | os.PathLike[str]) -> Reference:
    """Finds a reference by its name, or by the path of an ``.npz`` file or of an SDF file.

    The molecules of an SDF file are both what to match and what to be novel against; invalid ones are left out.

    Raises:
        BadReferenceError: if there is nothing by that name, or nothing in it.
    """
    if str(reference) in BUNDLED:
        with as_file(files("molscore.evaluate").joinpath("references", f"{reference}.npz")) as path:
            return load_reference(path)
    check_reference(reference)
    path = Path(reference)
    if path.suffix.lower() == ".npz":
        return load_reference(path)
    records = [record for record in map(judge, read_records(path)) if record.valid]
    mols = [record.mol for record in records if record.mol is not None]
    hashes = hash_smiles(map(canonical_smiles, mols))
    return build_reference(
        path.name,
        f"the {len(records)} valid molecules of {path.name}",
        [record.arrays for record in records if record.arrays is not None],
        mols,
        hashes,
    )
