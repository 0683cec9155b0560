"""`Pocket`: the atoms around a site, their roles, and the free volume between them.

All atoms of `Protein` within `SHELL` of the site or its free volume are there: chains, metals, cofactors, ions. Not
there are waters, and what lies in the site itself and so is a ligand: residues of ``HETATM`` records with carbon, half
of whose atoms or more lie within `SAME` of an atom of the named ligand; without a named ligand, those with half their
atoms in the free volume that the pocket has without them, cofactors of `KEPT` excepted.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from molscore.chem.io.protein import METALS, Protein, read_protein
from molscore.chem.pocket.roles import Roles, roles
from molscore.chem.pocket.site import Site, read_site
from molscore.chem.pocket.volume import FreeVolume, free_volume, nearest
from molscore.reprs import short_repr

SHELL, EDGE, SAME, OUTSIDE = 8.0, 3.0, 1.5, 6.0
"""Å: how far atoms may be from the free volume, how much further those are that tell others' neighbours, from an
atom of a ligand to the same one in the structure, and from a site to the nearest atom of its structure."""

FEWEST = 5
"""Atoms of the smallest molecule that there is to be room for."""

KEPT = set(
    "HEM HEC HEA HEB FAD FMN NAD NAI NAP NDP SAM SAH ATP ADP GTP GDP ANP COA ACO PLP TPP BTN H4B CLA BCL SF4 FES F3S "
    "MSE SEP TPO PTR CSO KCX LLP".split()
)
"""Residues that are rather a part of the protein than a ligand, unless the site is their own."""

SIZE, SIZE_SPREAD = (9.0, 1 / 19), 0.12
"""Heavy atoms of a molecule, `SIZE[0] + SIZE[1]` V for a free volume of V Å³, and the standard deviation of the
logarithm. Ligands of 30 crystal structures scatter by 0.22 about 10 + V / 18; what is made fills a pocket less well."""


@dataclass(frozen=True, eq=False)
class Pocket:
    """P heavy atoms around a site.

    Attributes:
        site: where it is.
        positions: (P, 3) Å, in the frame of the structure.
        atomic_numbers: (P,).
        inorganic: (P,) bool, see `molscore.chem.io.protein.Protein`.
        residues: (P,) str.
        roles: what the atoms offer.
        volume: where a ligand's atoms may lie.
        left_out: residues of the structure that lie in the site and are not part of the pocket.
        protein: all of the structure but what was left out, to judge by.
        waters: of the structure, none of which is there.
        name: of the file.
    """

    site: Site
    positions: np.ndarray
    atomic_numbers: np.ndarray
    inorganic: np.ndarray
    residues: np.ndarray
    roles: Roles
    volume: FreeVolume
    left_out: tuple[str, ...]
    protein: Protein
    waters: int
    name: str = ""

    @property
    def heavy_atoms(self) -> float:
        """How many heavy atoms a ligand of it has, by its free volume."""
        return SIZE[0] + SIZE[1] * self.volume.cubic_angstrom

    def sizes(self, weights: np.ndarray, atoms: float = 1.0) -> np.ndarray:
        """Weights ``(n,)`` of the numbers of atoms from 0 on by what the pocket has room for, a log-normal.

        A pocket that is larger or smaller than all that a model makes gets what is next to it in size.

        Args:
            weights: those of a model, 0 where it makes none.
            atoms: of the model, for each heavy atom.
        """
        number, known = np.arange(len(weights)), np.flatnonzero(np.asarray(weights) > 0)
        middle = np.clip(atoms * self.heavy_atoms, known.min(), known.max())
        spread = np.log(np.maximum(number, 0.5) / middle) / SIZE_SPREAD
        both: np.ndarray = np.isin(number, known) * np.exp(-(spread**2) / 2)
        return both

    def text(self) -> str:
        """Lines on what it is, for a user to check."""
        others = dict.fromkeys(self.residues[np.isin(self.residues, self._others())].tolist())
        lines = [
            f"pocket at {self.site.text}: {len(set(self.residues.tolist()))} residues, "
            f"{self.volume.cubic_angstrom:.0f} Å³ free and buried, room for about {self.heavy_atoms:.0f} heavy atoms"
        ]
        lines += [f"kept beside the chains: {', '.join(others)}"] if others else []
        lines += [f"left out, as they lie in the site: {', '.join(self.left_out)}"] if self.left_out else []
        lines += [f"{self.waters} waters left out"] if self.waters else []
        return "\n".join(lines)

    def _others(self) -> np.ndarray:
        others: np.ndarray = self.protein.residues[self.protein.kind == "other"]
        return others

    __repr__ = short_repr


def read_pocket(path: str | os.PathLike[str], site: str | os.PathLike[str] | Chem.Mol) -> Pocket:
    """The pocket of a file, at a site.

    Args:
        path: see `molscore.chem.io.protein.read_protein`.
        site: see `molscore.chem.pocket.site.read_site`.

    Raises:
        OSError, ValueError: as these two, and `find_pocket`.
    """
    protein = read_protein(path)
    return replace(find_pocket(protein, read_site(site, protein)), name=Path(path).name)


def given_pocket(
    pocket: str | os.PathLike[str] | Pocket | None, site: str | os.PathLike[str] | Chem.Mol | None
) -> Pocket | None:
    """What options name, once `check_pocket` has passed: a pocket, or that of a file, which is read; None if none."""
    if pocket is None or isinstance(pocket, Pocket):
        return pocket
    assert site is not None
    return read_pocket(pocket, site)


def check_pocket(pocket: object, site: object, relax: str = "none", energy: str | None = None) -> None:
    """Raises ValueError for what does not go together: pocket, site, free relaxation, and an energy to rank by."""
    if pocket is not None and site is None and not isinstance(pocket, Pocket):
        raise ValueError("pocket needs a site in the protein: name it with site (--site)")
    if site is not None and pocket is None:
        raise ValueError("site is where in a protein molecules are made: give the protein with pocket (--pocket)")
    if pocket is not None and energy is not None:
        raise ValueError("poses in a pocket are ranked by the energy of the pocket: leave out energy, or pocket")
    if pocket is not None and relax != "none":
        raise ValueError("what is made in a pocket is relaxed there, and freely it would leave: leave out relax")


def find_pocket(protein: Protein, site: Site) -> Pocket:
    """The pocket at a site.

    Args:
        protein: of `molscore.chem.io.protein.read_protein`.
        site: of `molscore.chem.pocket.site.read_site`.

    Raises:
        ValueError: if the site lies outside the structure, in solvent, or where there is no room.
    """
    distance = float(nearest(site.points, protein.positions).min())
    if distance > max(site.reach, OUTSIDE):
        raise ValueError(
            f"site '{site.text}' lies outside the structure, {distance:.0f} Å from its nearest atom; is it in the same "
            "frame?"
        )
    kept, left_out = _without_ligands(protein, site)
    volume = _volume(kept, site)
    if volume.cubic_angstrom < FEWEST:
        raise ValueError(_no_room(kept, site))
    gap = nearest(kept.positions, np.concatenate([volume.points, site.points]))
    wide = gap <= SHELL + EDGE
    own = gap[wide] <= SHELL
    found = roles(*(part[wide] for part in (kept.positions, kept.atomic_numbers, kept.residues, kept.names)))
    index = np.flatnonzero(wide)[own]
    return Pocket(
        site=site,
        positions=kept.positions[index],
        atomic_numbers=kept.atomic_numbers[index],
        inorganic=kept.inorganic[index],
        residues=kept.residues[index],
        roles=found.chosen(own),
        volume=volume,
        left_out=left_out,
        protein=kept,
        waters=protein.waters,
    )


def _volume(protein: Protein, site: Site, **options: Any) -> FreeVolume:
    near = nearest(protein.positions, site.points) <= site.reach + 12
    metal = np.isin(protein.atomic_numbers[near], METALS)
    return free_volume(site.points, site.reach, protein.positions[near], metal, **options)


def _no_room(protein: Protein, site: Site) -> str:
    if _volume(protein, site, buried=0.0).cubic_angstrom < FEWEST:
        return (
            f"there is no room at site '{site.text}': it lies inside the protein; name a point of the pocket, or "
            "residues on its walls"
        )
    return (
        f"site '{site.text}' lies in solvent: no point within {site.reach:.0f} Å of it has protein on more than half "
        "of its sides; name a point deeper in the pocket, or more residues of its walls"
    )


def _without_ligands(protein: Protein, site: Site) -> tuple[Protein, tuple[str, ...]]:
    """The structure without what lies in the site, and what that is."""
    others = protein.kind == "other"
    candidates = [label for label in dict.fromkeys(protein.residues[others & ~protein.inorganic].tolist())]
    if not candidates:
        return protein, ()
    if site.ligand is not None:
        taken = nearest(protein.positions, site.points) <= SAME
    else:
        labels = [label for label in candidates if label.rpartition("/")[2].partition(" ")[0] not in KEPT]
        volume = _volume(protein.chosen(~np.isin(protein.residues, labels)), site)
        if not len(volume.points):
            return protein, ()
        taken = (nearest(protein.positions, volume.points) <= 1.0) & np.isin(protein.residues, labels)
    gone = tuple(label for label in candidates if taken[protein.residues == label].mean() >= 0.5)
    return (protein.chosen(~np.isin(protein.residues, gone)) if gone else protein), gone
