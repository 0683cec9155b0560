"""What the page keeps of one record: its properties, and what is drawn and exported once a reader asks for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from molscore.chem.arrays import MoleculeError, assign_stereo_in_place, isomeric_smiles, sanitize_in_place
from molscore.chem.checks.alerts import alerts, unusual
from molscore.chem.checks.descriptors import describe
from molscore.chem.checks.validity import check
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.io.sdf_text import format_record
from molscore.chem.properties import Packed, packed, title_of, unpacked
from molscore.report.columns import DESCRIBED, PROVENANCE, Value, value_of
from molscore.report.depict import draw_formula, first_view
from molscore.workers import Workers, ready

TOGETHER = 8
"""Records in a task."""


@dataclass
class Row:
    """One record.

    Attributes:
        values: property -> number or text, for the table.
        drawing: JSON values for the browser: ``sdf`` the record; ``svg`` the structural formula; ``view`` twelve
            numbers, the first view as a rotation by rows and a shift; ``aromatic`` bonds by their place in the record;
            ``rings`` of atoms; ``missing`` why there is no record.
        symbols: elements.
        fault: the first check that fails, a key of `molscore.chem.checks.validity.FAULTS`; None if none does.
        heavy: positions of the heavy atoms (n, 3), Å, to lay conformers over one another; None if there are none.
    """

    values: dict[str, Value]
    drawing: dict[str, Any]
    symbols: frozenset[str]
    fault: str | None
    heavy: np.ndarray | None = field(default=None, repr=False)


def make_rows(mols: Iterable[Chem.Mol], strain: bool = True, workers: int = 1) -> Iterator[Row]:
    """Rows of molecules, in their order, made as they are asked for.

    Args:
        mols: sound or not; they are left as they are.
        strain: relax those whose record has no ``strain_kcal_per_mol`` (some 10 ms a molecule).
        workers: processes that share the work.
    """
    source = map(packed, mols)
    tasks = iter(lambda: list(islice(source, TOGETHER)), [])
    with Workers(ready(partial(_rows, strain)), workers) as pool:
        for rows in pool.map(tasks):
            yield from rows


def _rows(strain: bool, mols: list[Packed]) -> list[Row]:
    with rdBase.BlockLogs():  # what is wrong with a molecule is said in its row
        return [make_row(unpacked(mol), strain) for mol in mols]


def make_row(mol: Chem.Mol, strain: bool = True) -> Row:
    """The row of one molecule."""
    fault = check(mol)
    clean, sound = _perceive(mol)
    sound = sound and clean.GetNumAtoms() > 0
    given = {name: mol.GetProp(name) for name in mol.GetPropNames()}
    title = title_of(mol).strip()
    values: dict[str, Value] = {name: value_of(text) for name, text in given.items() if name not in PROVENANCE}
    values["title"] = title
    values["verdict"] = "sound" if fault is None else str(fault)
    values["formula"] = CalcMolFormula(clean)
    values["SMILES"] = isomeric_smiles(clean) if sound else Chem.MolToSmiles(clean)
    if sound:
        values |= _computed(clean, strain and fault is None, values)
    drawing: dict[str, Any] = {"svg": draw_formula(clean, hydrogens=not sound)}
    heavy = None
    try:
        view = first_view(mol)
        drawing["sdf"] = format_record(mol, title, given)
        drawing["view"] = view.round(5).tolist()
        heavy = mol.GetConformer().GetPositions()[[atom.GetAtomicNum() != 1 for atom in mol.GetAtoms()]]
    except (MoleculeError, ValueError, RuntimeError) as error:
        drawing["missing"] = getattr(error, "detail", str(error))
    drawing["aromatic"] = [bond.GetIdx() for bond in clean.GetBonds() if bond.GetIsAromatic()]
    drawing["rings"] = [list(ring) for ring in clean.GetRingInfo().AtomRings()] if sound else []
    symbols = frozenset(atom.GetSymbol() for atom in mol.GetAtoms())
    return Row(values, drawing, symbols, None if fault is None else fault.token, heavy)


def _computed(clean: Chem.Mol, strain: bool, given: dict[str, Value]) -> dict[str, Value]:
    """What the record does not say of a molecule with sound valences. Patterns are added to those that it names."""
    descriptors = describe(clean, DESCRIBED)
    values: dict[str, Value] = {name: round(x, 3) for name, x in descriptors.items()}
    values |= given
    for name in ("hbd", "hba", "rotatable", "rings", "heavy", "charge"):
        values[name] = int(descriptors[name])
    if strain and "strain_kcal_per_mol" not in given and "relative_energy_kcal_per_mol" not in given:
        energy = relaxation_energy(clean).energy
        values["strain_kcal_per_mol"] = None if energy is None else round(energy, 2)
    for name, words in (("unusual", unusual(clean)), ("alerts", alerts(clean))):
        named = str(given.get(name) or "").split(";")
        both = [word.strip().replace("_", " ") if name == "unusual" else word.strip() for word in [*named, *words]]
        values[name] = "; ".join(dict.fromkeys(word for word in both if word)) or None
    return values


def _perceive(mol: Chem.Mol) -> tuple[Chem.Mol, bool]:
    """A copy with R/S and E/Z from the positions, if there are any; and whether its valences are sound."""
    copy, sound = Chem.Mol(mol), True
    try:
        sanitize_in_place(copy)
    except MoleculeError as error:
        if error.reason != "radical":
            copy, sound = Chem.Mol(mol), False
            copy.UpdatePropertyCache(strict=False)
    if copy.GetNumConformers() and copy.GetConformer().Is3D():
        assign_stereo_in_place(copy)
    return copy, sound
