"""The gallery: one card a molecule, with its formula, its 3-D view, the verdict of the checks and its SDF record."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from rdkit import Chem, rdBase
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from molscore.chem.arrays import MoleculeError, assign_stereo_in_place, from_mol, isomeric_smiles, sanitize_in_place
from molscore.chem.checks.alerts import unusual
from molscore.chem.checks.descriptors import DESCRIPTORS
from molscore.chem.checks.validity import check
from molscore.chem.io.sdf_text import format_record
from molscore.report.depict import draw_formula, draw_view

SHOWN = 60
"""Molecules in the gallery. The others count in the tables."""


@dataclass(frozen=True)
class Card:
    """One molecule of the gallery.

    Attributes:
        html: an ``<article>`` element.
        symbols: elements that its 3-D view needs.
    """

    html: str
    symbols: frozenset[str]


def make_cards(mols: Sequence[Chem.Mol]) -> list[Card]:
    """Cards of the first `SHOWN` molecules, in their order."""
    with rdBase.BlockLogs():  # what is wrong with a molecule is said on its card
        return [make_card(mol, number) for number, mol in enumerate(mols[:SHOWN], start=1)]


def make_card(mol: Chem.Mol, number: int) -> Card:
    """Makes the card of one molecule, sound or not. It is left as it is.

    Args:
        mol: the molecule. Its title (``_Name``) and ``molscore_index`` are shown if it has them.
        number: its place in the set, from 1.
    """
    fault = check(mol)
    clean, sound = _perceive(mol)
    smiles = isomeric_smiles(clean) if sound else Chem.MolToSmiles(clean)
    try:
        arrays = from_mol(mol)
        view, symbols = draw_view(arrays), frozenset(atom.GetSymbol() for atom in mol.GetAtoms())
    except MoleculeError as error:
        view, symbols = f'<p class="missing">No 3-D view: {escape(error.detail)}</p>', frozenset()
    title = mol.GetProp("_Name").strip() if mol.HasProp("_Name") else ""
    index = mol.GetProp("molscore_index") if mol.HasProp("molscore_index") else None
    verdict_html = (
        '<span class="good">sound valences and geometry</span>'
        if fault is None
        else f'<span class="bad">{escape(str(fault))}</span>'
    )
    if words := _unusual(mol, clean) if sound else []:
        verdict_html += f' <span class="unusual">unusual: {escape(", ".join(words))}</span>'
    attempt = f'<span class="attempt">molscore_index {escape(index)}</span>' if index is not None else ""
    return Card(
        f'<article class="card" id="molecule-{number}">'
        f'<h3><span class="number">{number}</span> {escape(title)} {attempt}</h3>'
        f'<div class="pictures">{draw_formula(clean, hydrogens=not sound)}{view}</div>'
        f'<p class="smiles"><code>{escape(smiles)}</code></p>'
        f'<p class="facts">{_formula(clean)} · {DESCRIPTORS["mw"](clean):.2f} g/mol · {mol.GetNumAtoms()} atoms</p>'
        f'<p class="facts">{verdict_html}{_download(mol, title, number)}</p></article>',
        symbols,
    )


def _unusual(mol: Chem.Mol, clean: Chem.Mol) -> list[str]:
    """Names of unusual patterns: those that the record has as a property, and those that the molecule matches."""
    names = mol.GetProp("unusual").split(";") if mol.HasProp("unusual") else []
    return list(dict.fromkeys(word.strip().replace("_", " ") for word in [*names, *unusual(clean)] if word.strip()))


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


def _formula(mol: Chem.Mol) -> str:
    formula = re.sub(r"([+-]\d*)$", r"<sup>\1</sup>", CalcMolFormula(mol))
    head, mark, charge = formula.partition("<sup>")
    return re.sub(r"(\d+)", r"<sub>\1</sub>", head) + mark + charge


def _download(mol: Chem.Mol, title: str, number: int) -> str:
    """A link that saves the molecule's own SDF record."""
    properties = {name: mol.GetProp(name) for name in mol.GetPropNames()}
    try:
        record = format_record(mol, title or f"molecule {number}", properties)
    except (ValueError, RuntimeError) as error:
        return f' <span class="missing">no SDF record: {escape(str(error))}</span>'
    data = b64encode(record.encode()).decode()
    return (
        f' <a class="download" download="molecule_{number}.sdf" href="data:chemical/x-mdl-sdfile;base64,{data}">SDF</a>'
    )
