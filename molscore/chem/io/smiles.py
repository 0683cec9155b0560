"""SMILES and InChI to molecules: every atom that is written is kept, and stereo that RDKit cannot hold is noted.

An InChI leaves open where its mobile hydrogens are: the molecule is the tautomer that RDKit chooses.
"""

import re

from rdkit import Chem, rdBase

from molscore.chem.rdkit_errors import parsed
from molscore.chem.settings import configured
from molscore.chem.stereo.marks import note_in_place

_ODD = re.compile("[^!-~]")


def parse_smiles(text: str) -> tuple[Chem.Mol | None, str | None, str | None]:
    """Reads a SMILES, with its CXSMILES extension if there is one, or an InChI (``InChI=...``).

    Returns:
        The molecule, sanitised, atoms in the order of the text and no hydrogen added or taken off, with a note of the
        stereo that could not be held (`molscore.chem.stereo.marks.not_held`); or None, a token of
        `molscore.chem.io.inputs.INPUT_REASONS` and a sentence.
    """
    if not text:
        return None, "empty", "there is no SMILES"
    if text.startswith("InChI="):
        return _from_inchi(text)
    if odd := _ODD.search(text.partition(" |")[0]):
        return None, "smiles", f"a SMILES has no character {odd[0]!a}"  # RDKit passes over some of them
    mol, words = _molecule(text, sanitize=True)
    if mol is not None and not mol.GetNumAtoms():
        return None, "empty", "there are no atoms"
    raw, raw_words = _molecule(text, sanitize=False)
    if raw is None:
        return None, "smiles", words or raw_words or f"RDKit cannot parse {text!r}"
    if mol is None:
        return None, "valence", words or "RDKit cannot sanitise it"
    note_in_place(mol, raw)
    return mol, None, None


def _from_inchi(text: str) -> tuple[Chem.Mol | None, str | None, str | None]:
    with rdBase.BlockLogs():
        mol = Chem.MolFromInchi(text, logLevel=None)
        if mol is None:
            raw = Chem.MolFromInchi(text, sanitize=False, removeHs=False, logLevel=None)
            reason = "inchi" if raw is None else "valence"
            return None, reason, f"RDKit cannot {'parse' if raw is None else 'sanitise'} {text[:200]!r}"
    return (mol, None, None) if mol.GetNumAtoms() else (None, "empty", "there are no atoms")


def _molecule(text: str, sanitize: bool) -> tuple[Chem.Mol | None, str]:
    """The molecule that RDKit reads from a SMILES, and the first line of its error message."""
    parameters = configured(Chem.SmilesParserParams(), sanitize=sanitize, removeHs=False, parseName=False)
    return parsed(lambda: Chem.MolFromSmiles(text, parameters))
