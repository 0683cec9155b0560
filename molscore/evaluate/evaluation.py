"""The evaluation of a set of molecules: one pass over the records, then the figures that need all of them."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays
from molscore.chem.forcefield.minimise import check_method
from molscore.chem.io.sdf_reader import Record
from molscore.core.diagnostics import effective_number
from molscore.datasets.tensorfile import read_tensorfile
from molscore.evaluate.compare.chemnet import chemnet_distance, load_statistics
from molscore.evaluate.compare.composition import composition, differences
from molscore.evaluate.compare.geometry import MEASURES, Distance, compare, count, interpolate_floor
from molscore.evaluate.compare.internal_coordinates import measure
from molscore.evaluate.compare.reference import AUTO, Reference, reference_of, resolve_reference
from molscore.evaluate.memorisation import check_splits, memorisation, rediscovery
from molscore.evaluate.metrics import Metrics
from molscore.evaluate.molecules import busters
from molscore.evaluate.molecules.assess import assess, xtb_strains
from molscore.evaluate.molecules.identity import canonical_smiles, count_novel, hash_smiles
from molscore.evaluate.molecules.records import Judgement, read_records
from molscore.evaluate.molecules.relaxation import summary
from molscore.evaluate.molecules.stability import distance_stable, explicit_stable
from molscore.evaluate.rates import Rate
from molscore.results import Molecules
from molscore.workers import count as count_workers

SHOWN_FAULTS = 5
"""Unreadable records that are described in the notes; the others are counted."""

FEW = 100
"""With fewer valid molecules than this, distances to the reference say little."""


def evaluate(
    mols: str | os.PathLike[str] | Iterable[Record] | Molecules,
    reference: str | os.PathLike[str] | None = AUTO,
    *,
    posebusters: str | None = "mol_fast",
    relaxation: bool = True,
    xtb: int = 0,
    fcd: bool = False,
    training: str | os.PathLike[str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    encoding: str | None = None,
    workers: int | Literal["auto"] = 1,
) -> Metrics:
    """Judges generated molecules.

    Works on delivered files and on raw ones (``generate --raw``): records are read unsanitised, and what is invalid or
    cannot be read stays in the denominators. Hydrogens must be explicit atoms.

    Args:
        mols: an SDF file, compressed or not; or an RDKit molecule with a 3-D conformer, or many: a list, a generator, a
            pandas Series or DataFrame (of its column ``mol``), a result of `molscore`; or records of an SDF file. What
            is no molecule counts as a record that cannot be read.
        reference: what to compare with: a name ('druglike', 'qm9'), the path of an ``.npz`` reference or of an SDF
            file; 'auto' for that of the model that made them, druglike if they do not name it; None for no comparison.
        posebusters: which PoseBusters checks to run: ``mol_fast`` (some 30 ms a molecule), ``mol`` (with the energy
            ratio, some seconds), or None.
        relaxation: relax the valid & connected records with MMFF94s (some 10 ms a molecule).
        xtb: relax the first so many of them with GFN2-xTB too (some seconds a molecule). Needs the extra ``xtb``.
        fcd: compute the Fréchet ChemNet distance. Needs the extra ``fcd`` and, through it, torch.
        training: tensor file with the training and test splits of the model that made the molecules, to look for
            memorisation and mode collapse.
        on_progress: called with (done, total) after each record.
        encoding: of the file, by default UTF-8.
        workers: processes that share the records, or ``auto`` for as many as there are cores to use. A script that asks
            for several needs ``if __name__ == "__main__":``, as everywhere in `multiprocessing`.

    Returns:
        Rates with denominators and 95 % intervals, distances to the reference with their floors, and the composition.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if there is nothing to evaluate, no such reference, nothing to compute ``fcd`` with, or ``training``
            is no tensor file of enough molecules.
    """
    number = count_workers(workers)
    records = read_records(mols, encoding)
    if reference == AUTO:
        reference = reference_of(record.mol for record in records)
    against = resolve_reference(reference) if reference is not None else None
    chemnet = load_statistics(against.name if against else "none") if fcd else None
    trained = read_tensorfile(training) if training is not None else None
    if trained is not None:
        check_splits(trained)
    if posebusters and posebusters not in busters.CONFIGS:
        raise ValueError(f"no PoseBusters configuration {posebusters!r}; choose one of {', '.join(busters.CONFIGS)}")
    if xtb:
        check_method("xtb")
    assessments = []
    for assessment in assess(records, posebusters, relaxation, number):
        assessments.append(assessment)
        if on_progress is not None:
            on_progress(len(assessments), len(records))
    judgements = [assessment.judgement for assessment in assessments]
    pose_checks = [results for assessment in assessments if (results := assessment.posebusters) is not None]
    strains = [strain for assessment in assessments if (strain := assessment.strain) is not None]
    xtb_relaxation = summary(xtb_strains(judgements, xtb, number)) if xtb else None
    valid = [judgement for judgement in judgements if judgement.valid]
    sound = [judgement.mol for judgement in valid if judgement.mol is not None]
    arrays = [judgement.arrays for judgement in valid if judgement.arrays is not None]
    smiles = [canonical_smiles(mol) for mol in sound]
    rates = _validity(judgements) | _stability(judgements) | _identity(sound, smiles, len(records), against)
    made = composition(arrays, sound)
    checks: dict[str, Rate] = {}
    if posebusters:
        passed = sum(all(results.values()) for results in pose_checks)
        rates["posebusters"] = Rate(passed, len(pose_checks), "sanitised records")
        rates["posebusters_of_all"] = Rate(passed, len(records), "records")
        failures = Counter(name for results in pose_checks for name, ok in results.items() if not ok)
        checks = {
            n: Rate(len(pose_checks) - failures[n], len(pose_checks), "sanitised records")
            for n in busters.check_names(posebusters)
        }
    return Metrics(
        source=os.fspath(mols) if isinstance(mols, (str, os.PathLike)) else "molecules",
        reference=against.name if against else None,
        reference_description=against.description if against else None,
        rates=rates,
        posebusters=checks,
        distances=_distances(arrays, against) if against else {},
        composition=made,
        reference_composition=against.composition if against else None,
        differences=differences(made, against.composition) if against else {},
        relaxation=summary(strains) if relaxation else None,
        reference_relaxation=against.relaxation if against else None,
        xtb_relaxation=xtb_relaxation,
        reference_xtb_relaxation=against.xtb_relaxation if against else None,
        effective_molecules=effective_number(smiles) if smiles else None,
        fcd=chemnet_distance(smiles, chemnet) if chemnet else None,
        rediscovery=_rediscovery(smiles, against) if against else None,
        memorisation=memorisation(arrays, trained) if trained else None,
        notes=_notes(judgements, valid, against),
    )


def _rediscovery(smiles: Sequence[str], reference: Reference) -> dict[str, Any] | None:
    if not len(reference.training_hashes) or not len(reference.heldout_hashes):
        return None
    return rediscovery(hash_smiles(sorted(set(smiles))), reference.training_hashes, reference.heldout_hashes)


def _validity(judgements: Sequence[Judgement]) -> dict[str, Rate]:
    def rate(condition: Callable[[Judgement], bool]) -> Rate:
        return Rate(sum(map(condition, judgements)), len(judgements), "records")

    rates = {}
    attempts = {judgement.attempt for judgement in judgements if judgement.attempt is not None}
    if len(attempts) == len(judgements):
        rates["delivered"] = Rate(len(judgements), max(attempts) + 1, "attempts")
    return rates | {
        "readable": rate(lambda judgement: judgement.arrays is not None),
        "sanitised": rate(lambda judgement: judgement.mol is not None),
        "valid_connected": rate(lambda judgement: judgement.connected),
        "valid": rate(lambda judgement: judgement.valid),
    }


def _stability(judgements: Sequence[Judgement]) -> dict[str, Rate]:
    """Atoms of a record that cannot be read are unstable in both protocols, if their number is known."""
    explicit, distance = [], []
    for judgement in judgements:
        unstable = np.zeros(judgement.n_atoms, dtype=bool)
        explicit.append(explicit_stable(judgement.arrays) if judgement.arrays is not None else unstable)
        distance.append(distance_stable(judgement.arrays) if judgement.arrays is not None else unstable)
    rates = {}
    for name, results, of in (("explicit", explicit, ""), ("distance", distance, " of H, C, N, O, F")):
        judged = [atoms for atoms in results if atoms is not None]
        of = of if len(judged) < len(judgements) else ""
        stable_molecules = sum(len(atoms) > 0 and bool(atoms.all()) for atoms in judged)
        rates[f"atoms_stable_{name}"] = Rate(sum(int(a.sum()) for a in judged), sum(map(len, judged)), "atoms")
        rates[f"molecules_stable_{name}"] = Rate(stable_molecules, len(judged), f"records{of}")
    return rates


def _identity(
    valid: Sequence[Chem.Mol], smiles: Sequence[str], n_records: int, reference: Reference | None
) -> dict[str, Rate]:
    flat = set(smiles)
    stereo = {canonical_smiles(mol, stereo=True) for mol in valid}
    rates = {
        "unique": Rate(len(flat), len(valid), "valid records"),
        "unique_stereo": Rate(len(stereo), len(valid), "valid records"),
    }
    if reference is not None:
        novel = count_novel(sorted(flat), reference.training_hashes)
        rates["novel"] = Rate(novel, len(flat), "unique molecules")
        rates["valid_unique_novel"] = Rate(novel, n_records, "records")
    return rates


def _distances(valid: Sequence[MoleculeArrays], reference: Reference) -> dict[str, Distance]:
    distances = {}
    for kind, values in measure(valid).items():
        distributions = reference.distributions[kind]
        counts = count(values, distributions.codes, kind)
        for name in MEASURES:
            floor = interpolate_floor(reference.floor_sizes, reference.floors[f"{kind}_{name}"], len(valid))
            distances[f"{kind}_{name}"] = compare(counts, distributions, kind, name, floor)
    return distances


def _notes(judgements: Sequence[Judgement], valid: Sequence[Judgement], reference: Reference | None) -> tuple[str, ...]:
    notes = []
    read = [judgement.arrays.atomic_numbers for judgement in judgements if judgement.arrays is not None]
    if read and not any(1 in numbers for numbers in read):
        notes.append(
            "no record has hydrogen atoms. Hydrogens must be explicit; an atom that lacks one counts as a radical. Add "
            "them, with positions, and evaluate again."
        )
    faults = [judgement.fault for judgement in judgements if judgement.fault is not None]
    if faults:
        notes.append(f"{len(faults):,} of the records could not be read as 3-D molecules and count as invalid:")
        notes += [f"  {fault}" for fault in faults[:SHOWN_FAULTS]]
        notes += [f"  and {len(faults) - SHOWN_FAULTS:,} more"] if len(faults) > SHOWN_FAULTS else []
    if reference is not None and len(valid) < FEW:
        notes.append(f"only {len(valid)} valid molecules: their distances to the reference say little")
    return tuple(notes)
