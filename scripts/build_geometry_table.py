"""Builds molscore/chem/geometry/table.json, the table of bond lengths and angles, from molecules of known geometry.

    python scripts/build_geometry_table.py --experiment ccd.sdf.gz --quantum dft.sdf.gz --qm9 \\
        --odd scripts/geometry_odd.smi --known scripts/known_values.csv

Minima of quantum chemistry give the values. Experimental structures (the wwPDB's Chemical Component Dictionary) are
less precise, and often their hydrogens are computed: they give types that the others lack, without hydrogens, and widen
ranges. ``--qm9`` (the extra ``qm9``) and ``--odd`` add to types that are rare: strained rings, and what SMILES name
(hypervalent iodine, SF5, isocyanides, boronates, ...), settled here by GFN2-xTB (the extra ``xtb``) from a conformer of
the package. Three-coordinate boron of the experiment is left out: most of it is bound to the protein there. So are the
angles of atoms with more neighbours than pairs, which follow from their shape.

``--known`` lists what is taken from the literature alone: bonds by the third of their keys, or by the first where they
are one kind of several that the third mixes, where GFN2-xTB is off by 0.1 to 0.25 Å (zinc, tungsten, mercury, S-F) or
nothing else is to be had, and angles by their first, where it is off by 10 to 20 degrees. The sources are H: electron
diffraction and spectra in the gas (Haaland, Molecules and Models, Oxford 2008; Hargittai, Chem. Rev. 100, 2233, 2000;
Landolt-Börnstein II/7), A and O: means over crystals (Allen et al., J. Chem. Soc. Perkin Trans. 2 1987, S1; Orpen et
al., J. Chem. Soc. Dalton Trans. 1989, S1), C: the same over the Crystallography Open Database, as the tables of AceDRG
334 give them (Long et al., Acta Cryst. D73, 112, 2017), X: round values that crystals or calculations of single
compounds show, where there is no mean over many. Other bonds of metals have no row.
"""

import argparse
import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from rdkit import Chem

from molscore.chem.forcefield.minimise import minimise
from molscore.chem.geometry.shapes import is_metal, shape
from molscore.chem.geometry.table import PATH, Row, Table, to_text
from molscore.chem.geometry.types import lengths_and_angles, terms

FEWEST = 10
"""Experimental values that make a row."""

TRUSTED = 3
"""Values of quantum chemistry that say more than all of experiment."""

MANY = 30
"""Values of quantum chemistry that need no widening by those of experiment."""

TAIL = 0.001
"""Part of the values at either end that a range leaves out."""

SHORTEST_PART, LONGEST_PART = 0.65, 1.3
"""Of the sum of the covalent radii: what is shorter or longer than that is no bond of the molecule any more."""

LEVELS = {"bonds": 4, "angles": 5}
"""Of keys, from fine to coarse."""

BOND_LEVELS = (0, 2)
"""Of the keys of bonds that are taken from the literature; those of angles are of level 0."""

KNOWN_RANGES, KNOWN_COUNT = {("bonds", 0): 0.02, ("bonds", 2): 0.05, ("angles", 0): 5.0}, 10
"""Å or degrees to either side of a value of the literature, by the level of its key, and the count that stands for
it."""

QM9_PART = 8
"""One in so many molecules of QM9 is looked at."""

Values = tuple[list[dict[str, list[float]]], list[dict[str, list[float]]]]


def main() -> None:
    """Reads the command line and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiment", type=Path, required=True, help="SDF of experimental structures")
    parser.add_argument("--quantum", type=Path, required=True, help="SDF of minima of quantum chemistry")
    parser.add_argument("--odd", type=Path, help="SMILES to settle by GFN2-xTB")
    parser.add_argument("--known", type=Path, help="CSV of lengths and angles of the literature")
    parser.add_argument("--qm9", action="store_true", help="strained rings of the package qm9pack, too")
    parser.add_argument("--out", type=Path, default=PATH)
    chosen = parser.parse_args()
    given = known(chosen.known) if chosen.known else {}
    experiment, quantum = values(read(chosen.experiment), given, True), values(read(chosen.quantum), given)
    sources = [chosen.experiment.name, chosen.quantum.name, *([chosen.known.name] if given else [])]
    if chosen.qm9:
        add(quantum, qm9(), given, only_rare=True)
        sources.append("qm9pack")
    built = build(experiment, quantum, given)
    if chosen.odd:
        add(quantum, settled(chosen.odd, built), given, only_rare=True)
        built = build(experiment, quantum, given)
        sources.append(chosen.odd.name)
    chosen.out.write_text(
        to_text(built, f"low, usual, high (Å or degrees), count; from {', '.join(sources)}"), encoding="utf-8"
    )
    print(f"{chosen.out}: {sum(map(len, built.bonds))} rows of bonds, {sum(map(len, built.angles))} of angles")


def read(path: Path) -> Iterator[Chem.Mol]:
    """The molecules of an SDF that RDKit can sanitise."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        yield from (mol for mol in Chem.ForwardSDMolSupplier(stream, removeHs=False) if mol is not None)


def values(mols: Iterable[Chem.Mol], given: dict[str, float], experimental: bool = False) -> Values:
    """Lengths and angles by key, for each level."""
    values_by_type: Values = tuple([defaultdict(list) for _ in range(levels)] for levels in LEVELS.values())
    add(values_by_type, mols, given, experimental)
    return values_by_type


def add(
    values_by_type: Values,
    mols: Iterable[Chem.Mol],
    given: dict[str, float],
    experimental: bool = False,
    only_rare: bool = False,
) -> None:
    """Adds the values of some molecules, but for what is `given`; `only_rare` to types of fewer than `MANY` values."""
    common = [
        {key for key, seen in level.items() if only_rare and len(seen) >= MANY}
        for kind in values_by_type
        for level in kind
    ]
    for mol in mols:
        kinds = terms(mol)
        lengths, angles = lengths_and_angles(mol.GetConformer().GetPositions(), kinds.bonds, kinds.angles)
        left_out = {a.GetIdx() for a in mol.GetAtoms() if experimental and _uncertain(a)}
        shaped = {a.GetIdx() for a in mol.GetAtoms() if shape(a)}
        metals = {a.GetIdx() for a in mol.GetAtoms() if is_metal(a)}
        kept = [
            left_out.isdisjoint(atoms) and metals.isdisjoint(atoms) and given.keys().isdisjoint(keys)
            for atoms, keys in zip(kinds.bonds.tolist(), kinds.bond_keys, strict=True)
        ]
        _add(values_by_type[0], common[: LEVELS["bonds"]], kinds.bond_keys, lengths, kept)
        kept = [
            left_out.isdisjoint(atoms) and atoms[1] not in shaped and given.keys().isdisjoint(keys)
            for atoms, keys in zip(kinds.angles.tolist(), kinds.angle_keys, strict=True)
        ]
        _add(values_by_type[1], common[LEVELS["bonds"] :], kinds.angle_keys, angles, kept)


def _add(
    levels: list, common: list[set[str]], keys: list[tuple[str, ...]], values: np.ndarray, kept: list[bool]
) -> None:
    for all_keys, value, is_kept in zip(keys, values, kept, strict=True):
        if is_kept:
            for level, left_out, key in zip(levels, common, all_keys, strict=True):
                if key not in left_out:
                    level[key].append(value)


def _uncertain(atom: Chem.Atom) -> bool:
    return atom.GetAtomicNum() == 1 or (atom.GetAtomicNum() == 5 and atom.GetDegree() == 3)


def build(experiment: Values, quantum: Values, given: dict[str, float]) -> Table:
    """The table."""
    bonds, angles = (
        tuple(_rows(first, second, digits) for first, second in zip(experiment[kind], quantum[kind], strict=True))
        for kind, digits in ((0, 3), (1, 1))
    )
    for key, value in given.items():
        kind, rows = ("angles", angles) if " " in key else ("bonds", bonds)
        spread = KNOWN_RANGES[kind, level(key)]
        rows[level(key)][key] = Row(round(value - spread, 3), value, round(value + spread, 3), KNOWN_COUNT)
    return Table(bonds, angles)


def _rows(experiment: dict[str, list[float]], quantum: dict[str, list[float]], digits: int) -> dict[str, Row]:
    rows = {}
    for key in {*experiment, *quantum}:
        precise, rough = np.array(quantum.get(key, [])), np.array(experiment.get(key, []))
        if len(precise) == 0 and len(rough) < FEWEST:
            continue
        ranges = []
        if len(precise):
            ranges.append(np.quantile(precise, [TAIL, 0.5, 1 - TAIL]))
        if len(precise) < MANY and len(rough) >= FEWEST:
            middle = np.median(rough)
            spread = 1.4826 * np.median(np.abs(rough - middle))
            ranges.append(middle + np.array([-2, 0, 2]) * spread)
        usual = ranges[0 if len(precise) >= TRUSTED else -1][1]
        low, high = min(r[0] for r in ranges), max(r[2] for r in ranges)
        numbers = (round(float(value), digits) for value in (low, usual, high))
        rows[key] = Row(*numbers, len(precise) + len(rough))
    return rows


def known(path: Path) -> dict[str, float]:
    """Values of the literature by key."""
    with path.open(newline="") as file:
        rows = [(row["term"], float(row["value"])) for row in csv.DictReader(file)]
    return {term if " " in term else _in_order(term): value for term, value in rows}


def level(key: str) -> int:
    """Which of the levels of keys a key of the literature is of."""
    return BOND_LEVELS["/" not in key and " " not in key]


def _in_order(bond: str) -> str:
    ends, slash, ring = bond.partition("/")
    order = next(sign for sign in ":=#>-" if sign in ends)
    return order.join(sorted(ends.split(order))) + slash + ring


def qm9() -> Iterator[Chem.Mol]:
    """Some of QM9, with the bonds that its SMILES or its distances show."""
    from molscore.chem.arrays import MoleculeError, to_mol
    from molscore.chem.perceive import perceive
    from molscore.datasets.qm9 import FILES, find_qm9pack, read_rows

    folder = find_qm9pack()[0]
    for number, row in enumerate(row for file in FILES for row in read_rows(folder / file)):
        if number % QM9_PART == 0:
            try:
                yield to_mol(perceive(row.atomic_numbers, row.positions, row.smiles)[0])
            except MoleculeError:
                continue


def settled(path: Path, table: Table) -> Iterator[Chem.Mol]:
    """The molecules of a file of SMILES at minima of GFN2-xTB, begun from what the package makes of them."""
    from molscore.chem.embedding.distance_bounds import corrected_bounds
    from molscore.chem.embedding.etkdg import etkdg_in_place
    from molscore.chem.forcefield.springs import settle_by_table_in_place
    from molscore.chem.geometry.expected import expected

    for line in path.read_text().splitlines():
        smiles = line.strip()
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            print(f"{smiles}: RDKit cannot read it")
            continue
        mol = Chem.AddHs(mol)
        wanted = expected(mol, table)
        bounds = corrected_bounds(mol, wanted)
        tries = ((False, bounds), (True, bounds), (True, None))
        if not any(etkdg_in_place(mol, 7, random=random, bounds=bounds) for random, bounds in tries):
            print(f"{smiles}: ETKDGv3 finds no conformer")
            continue
        settle_by_table_in_place(mol, wanted)
        minimum = minimise(mol, "xtb")
        if minimum.positions is None:
            print(f"{smiles}: {minimum.reason}")
            continue
        ends = lengths_and_angles(minimum.positions, wanted.bonds, wanted.angles)[0]
        radii = np.array([Chem.GetPeriodicTable().GetRcovalent(atom.GetAtomicNum()) for atom in mol.GetAtoms()])
        part = ends / radii[wanted.bonds].sum(1)
        if part.max(initial=1) > LONGEST_PART or part.min(initial=1) < SHORTEST_PART:
            print(f"{smiles}: {ends[np.abs(part - 1).argmax()]:.2f} Å is no bond")
            continue
        mol.GetConformer().SetPositions(minimum.positions)
        yield mol


if __name__ == "__main__":
    main()
