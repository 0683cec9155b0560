"""The evaluation of a set of molecules: one pass over the records, of which counters and small rows are kept."""

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, Literal

from molscore.chem.forcefield.minimise import check_method
from molscore.chem.io.sdf_reader import Record
from molscore.core.diagnostics import effective_number
from molscore.datasets.tensorfile import read_tensorfile
from molscore.evaluate.compare.chemnet import chemnet_distance, load_statistics
from molscore.evaluate.compare.composition import composition, differences
from molscore.evaluate.compare.reference import Reference, reference_of, resolve_reference
from molscore.evaluate.memorisation import check_splits, memorisation, rediscovery
from molscore.evaluate.metrics import Metrics
from molscore.evaluate.molecules import busters
from molscore.evaluate.molecules.assess import Wanted, assess, xtb_strains
from molscore.evaluate.molecules.identity import count_novel, hash_smiles
from molscore.evaluate.molecules.records import stream_records
from molscore.evaluate.molecules.relaxation import summary
from molscore.evaluate.rates import Rate
from molscore.evaluate.tally import Tally
from molscore.references import AUTO
from molscore.results import Molecules
from molscore.workers import count as count_workers

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
    total, records = stream_records(mols, encoding)
    first = list[Record]()
    for record in records:
        first.append(record)
        if record.mol is not None:
            break
    if reference == AUTO:
        reference = reference_of(record.mol for record in first)
    against = resolve_reference(reference) if reference is not None else None
    chemnet = load_statistics(against.name if against else "none") if fcd else None
    trained = read_tensorfile(training) if training is not None else None
    if trained is not None:
        check_splits(trained)
    if posebusters and posebusters not in busters.CONFIGS:
        raise ValueError(f"no PoseBusters configuration {posebusters!r}; choose one of {', '.join(busters.CONFIGS)}")
    if xtb:
        check_method("xtb")
    from_file = isinstance(mols, (str, os.PathLike))
    if from_file and all(record.mol is None for record in first):
        reason = f"; the first record is {first[0].reason}" if first else ""
        raise ValueError(f"{mols} holds no molecule that can be read ({len(first)} records{reason})")
    wanted = Wanted(posebusters, relaxation, against is not None, trained is not None, xtb > 0)
    tally = Tally(against, xtb)
    for assessment in assess(chain(first, records), wanted, number):
        tally.add(assessment)
        if on_progress is not None:
            on_progress(tally.records, max(total or 0, tally.records))
    ensembles = tally.ensembles.summary()
    smiles = tally.smiles
    rates = tally.validity() | tally.stability()
    if ensembles is None:
        rates |= _identity(smiles, tally.stereo, tally.records, against)
    made = composition(tally.portraits)
    checks: dict[str, Rate] = {}
    if posebusters:
        passed, checks = tally.posebusters(posebusters)
        rates |= passed
    return Metrics(
        source=os.fspath(mols) if isinstance(mols, (str, os.PathLike)) else "molecules",
        reference=against.name if against else None,
        reference_description=against.description if against else None,
        rates=rates,
        posebusters=checks,
        distances=tally.distances(),
        composition=made,
        reference_composition=against.composition if against else None,
        differences=differences(made, against.composition) if against else {},
        relaxation=summary(tally.strains) if relaxation else None,
        reference_relaxation=against.relaxation if against else None,
        xtb_relaxation=summary(xtb_strains(tally.mols, number)) if xtb else None,
        reference_xtb_relaxation=against.xtb_relaxation if against else None,
        effective_molecules=effective_number(smiles) if smiles and ensembles is None else None,
        fcd=chemnet_distance(smiles, chemnet) if chemnet else None,
        rediscovery=_rediscovery(smiles, against) if against and ensembles is None else None,
        memorisation=memorisation(tally.arrays, trained) if trained else None,
        ensembles=ensembles,
        notes=tally.notes(FEW),
    )


def _rediscovery(smiles: Sequence[str], reference: Reference) -> dict[str, Any] | None:
    if not len(reference.training_hashes) or not len(reference.heldout_hashes):
        return None
    return rediscovery(hash_smiles(sorted(set(smiles))), reference.training_hashes, reference.heldout_hashes)


def _identity(smiles: Sequence[str], stereo: set[str], n_records: int, reference: Reference | None) -> dict[str, Rate]:
    """How many different molecules, and how many of these are new; not asked of conformers of given molecules."""
    flat = set(smiles)
    rates = {
        "unique": Rate(len(flat), len(smiles), "valid records"),
        "unique_stereo": Rate(len(stereo), len(smiles), "valid records"),
    }
    if reference is not None:
        novel = count_novel(sorted(flat), reference.training_hashes)
        rates["novel"] = Rate(novel, len(flat), "unique molecules")
        rates["valid_unique_novel"] = Rate(novel, n_records, "records")
    return rates
