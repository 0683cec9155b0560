"""Builds molscore/chem/geometry/table.json, the table of bond lengths and angles, from molecules of known geometry.

    python scripts/build_geometry_table.py --experiment ccd.sdf.gz --quantum dft.sdf.gz --qm9 \\
        --odd scripts/geometry_odd.smi

Minima of quantum chemistry give the values. Experimental structures (the wwPDB's Chemical Component Dictionary) are
less precise, and often their hydrogens are computed: they give types that the others lack, without hydrogens, and widen
ranges. ``--qm9`` (the extra ``qm9``) and ``--odd`` add to types that are rare: strained rings, and what SMILES name
(hypervalent iodine, SF5, isocyanides, boronates, ...), settled here by GFN2-xTB (the extra ``xtb``) from a conformer of
the package. Three-coordinate boron of the experiment is
left out: most of it is bound to the protein there. So are atoms of metals whose shells are open, and atoms with more
neighbours than pairs, whose angles follow from their shape.
"""

import argparse
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from rdkit import Chem

from molscore.chem.geometry.shapes import shape
from molscore.chem.geometry.table import PATH, Row, Table, to_text
from molscore.chem.geometry.types import lengths_and_angles, terms
from molscore.chem.minimise import minimise

FEWEST = 10
"""Experimental values that make a row."""

TRUSTED = 3
"""Values of quantum chemistry that say more than all of experiment."""

MANY = 30
"""Values of quantum chemistry that need no widening by those of experiment."""

TAIL = 0.001
"""Part of the values at either end that a range leaves out."""

LEVELS = 4
"""Of keys, from fine to coarse."""

LONGER = 0.3
"""Å by which a bond that GFN2-xTB breaks gets longer."""

QM9_PART = 8
"""One in so many molecules of QM9 is looked at."""

Values = tuple[list[dict[str, list[float]]], list[dict[str, list[float]]]]


def main() -> None:
    """Reads the command line and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiment", type=Path, required=True, help="SDF of experimental structures")
    parser.add_argument("--quantum", type=Path, required=True, help="SDF of minima of quantum chemistry")
    parser.add_argument("--odd", type=Path, help="SMILES to settle by GFN2-xTB")
    parser.add_argument("--qm9", action="store_true", help="strained rings of the package qm9pack, too")
    parser.add_argument("--out", type=Path, default=PATH)
    chosen = parser.parse_args()
    experiment, quantum = values(read(chosen.experiment), True), values(read(chosen.quantum))
    sources = [chosen.experiment.name, chosen.quantum.name]
    if chosen.qm9:
        add(quantum, qm9(), only_rare=True)
        sources.append("qm9pack")
    built = build(experiment, quantum)
    if chosen.odd:
        add(quantum, settled(chosen.odd, built), only_rare=True)
        built = build(experiment, quantum)
        sources.append(chosen.odd.name)
    chosen.out.write_text(
        to_text(built, f"low, usual, high (Å or degrees), count; from {', '.join(sources)}"), encoding="utf-8"
    )
    print(f"{chosen.out}: {sum(map(len, built.bonds))} rows of bonds, {sum(map(len, built.angles))} of angles")


def read(path: Path) -> Iterator[Chem.Mol]:
    """The molecules of an SDF that RDKit can sanitise."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        yield from (mol for mol in Chem.ForwardSDMolSupplier(stream, removeHs=False) if mol is not None)


def values(mols: Iterable[Chem.Mol], experimental: bool = False) -> Values:
    """Lengths and angles by key, for each level."""
    found: Values = ([defaultdict(list) for _ in range(LEVELS)], [defaultdict(list) for _ in range(LEVELS)])
    add(found, mols, experimental)
    return found


def add(found: Values, mols: Iterable[Chem.Mol], experimental: bool = False, only_rare: bool = False) -> None:
    """Adds the values of some molecules; `only_rare` to types of fewer than `MANY` values alone."""
    common = [
        {key for key, seen in level.items() if only_rare and len(seen) >= MANY} for kind in found for level in kind
    ]
    for mol in mols:
        kinds = terms(mol)
        lengths, angles = lengths_and_angles(mol.GetConformer().GetPositions(), kinds.bonds, kinds.angles)
        left_out = {a.GetIdx() for a in mol.GetAtoms() if experimental and _uncertain(a)}
        shaped = {a.GetIdx() for a in mol.GetAtoms() if shape(a)}
        kept = [left_out.isdisjoint(atoms) for atoms in kinds.bonds.tolist()]
        _add(found[0], common[:LEVELS], kinds.bond_keys, lengths, kept)
        kept = [left_out.isdisjoint(atoms) and atoms[1] not in shaped for atoms in kinds.angles.tolist()]
        _add(found[1], common[LEVELS:], kinds.angle_keys, angles, kept)


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


def build(experiment: Values, quantum: Values) -> Table:
    """The table."""
    bonds, angles = (
        tuple(_rows(first, second, digits) for first, second in zip(experiment[kind], quantum[kind], strict=True))
        for kind, digits in ((0, 3), (1, 1))
    )
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
    from molscore.chem.distance_bounds import corrected_bounds
    from molscore.chem.embed import etkdg_in_place
    from molscore.chem.geometry.expected import expected
    from molscore.chem.springs import settle_by_table_in_place

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
        start, end = (
            lengths_and_angles(x, wanted.bonds, wanted.angles)[0]
            for x in (mol.GetConformer().GetPositions(), minimum.positions)
        )
        if (end - start > LONGER).any():
            print(f"{smiles}: a bond of {start[(end - start).argmax()]:.2f} Å has come apart")
            continue
        mol.GetConformer().SetPositions(minimum.positions)
        yield mol


if __name__ == "__main__":
    main()
