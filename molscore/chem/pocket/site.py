"""Where in a protein molecules are to lie: about a ligand, about a point, or between residues."""

import os
import re
from dataclasses import dataclass, field

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeError
from molscore.chem.ensemble import heavy_atoms
from molscore.chem.io.inputs import read_inputs
from molscore.chem.io.protein import Protein
from molscore.reprs import short_repr

LIGAND_REACH, POINT_REACH, RESIDUE_REACH = 4.0, 9.0, 6.0
"""Å that a site reaches beyond a ligand's heavy atoms, about a point, and beyond atoms of residues."""

FORMS = (
    "a file of a ligand (ligand.sdf), a point ('12.5,-3,40.1' in Å) or residues ('A:123,A:156', chain and number, with "
    "the insertion code if there is one)"
)

_RESIDUE = re.compile(r"(\w*):(-?\d+[A-Za-z]?)")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_FILE = re.compile(r"\.(sdf|sd|mol2)(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Site:
    """A region: the union of balls.

    Attributes:
        text: as it was written.
        points: (K, 3) Å, the centres.
        reach: Å, their radius.
        ligand: whose place it is, if it is that of a ligand.
    """

    text: str
    points: np.ndarray
    reach: float
    ligand: Chem.Mol | None = field(default=None)

    @property
    def centre(self) -> np.ndarray:
        """(3,) Å, the mean of the points."""
        centre: np.ndarray = self.points.mean(axis=0)
        return centre

    __repr__ = short_repr


def read_site(text: str | os.PathLike[str] | Chem.Mol, protein: Protein) -> Site:
    """The site that a user names.

    Args:
        text: see `FORMS`, or a molecule that lies there.
        protein: in whose frame it is, with the residues that may be named.

    Raises:
        OSError: if there is no such file.
        ValueError: if the text is none of `FORMS`, the file has no molecule in 3-D, or there is no such residue.
    """
    if isinstance(text, Chem.Mol):
        return _of_ligand("the ligand", text)
    text = os.fspath(text).strip()
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 3 and all(_NUMBER.fullmatch(part) for part in parts):
        return Site(text, np.array([[float(part) for part in parts]]), POINT_REACH)
    if all(_RESIDUE.fullmatch(part) for part in parts):
        return _of_residues(text, parts, protein)
    if _FILE.search(text) or os.path.exists(text):
        return _of_file(text)
    raise ValueError(f"site '{text}' is not understood; it is {FORMS}")


def _of_file(path: str) -> Site:
    first = next(iter(read_inputs(path)), None)
    if first is None or first.mol is None:
        raise ValueError(f"{path} holds no molecule, so it is no site: {first.detail if first else 'it is empty'}")
    return _of_ligand(path, first.mol)


def _of_ligand(text: str, mol: Chem.Mol) -> Site:
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        raise ValueError(f"{text} has no 3-D coordinates, so it is no site; take the ligand of the crystal structure")
    heavy = heavy_atoms(mol)
    if not len(heavy):
        raise MoleculeError("empty", f"{text} has no heavy atoms, so it is no site")
    return Site(text, mol.GetConformer().GetPositions()[heavy], LIGAND_REACH, mol)


def place(label: str) -> tuple[str, str]:
    """Chain and number, with the insertion code, of a label of `Protein.residues`: ``A/ASP 189B``: ``A``, ``189B``."""
    chain, _, name = label.rpartition("/")
    return chain, name.rpartition(" ")[2]


def _of_residues(text: str, parts: list[str], protein: Protein) -> Site:
    places = {label: place(label) for label in dict.fromkeys(protein.residues.tolist())}
    wanted = [match.groups() for part in parts if (match := _RESIDUE.fullmatch(part))]
    labels = []
    for part, (chain, number) in zip(parts, wanted, strict=True):
        same = [label for label, own in places.items() if own == (chain, number.upper()) or own == (chain, number)]
        if not same:
            raise ValueError(f"site '{text}': there is no residue {part}; {_there_are(chain, places)}")
        labels += same
    chosen = np.isin(protein.residues, labels)
    side = chosen & ~np.isin(protein.names, ["N", "C", "O", "OXT"])
    centres = [protein.positions[side & (protein.residues == label)].mean(axis=0) for label in labels]
    middle = np.mean(centres, axis=0)
    farthest = float(np.linalg.norm(np.array(centres) - middle, axis=1).max())
    return Site(text, middle[None], max(farthest, 2.0) + RESIDUE_REACH)


def _there_are(chain: str, places: dict[str, tuple[str, str]]) -> str:
    own = [number for name, number in places.values() if name == chain]
    if own:
        ordered = sorted(own, key=lambda number: (int(re.sub(r"[A-Za-z]$", "", number)), number))
        return f"chain '{chain}' has {len(own)} residues from {ordered[0]} to {ordered[-1]}"
    chains = dict.fromkeys(name for name, _ in places.values())
    return "the chains are " + ", ".join(f"'{name}'" for name in chains)
