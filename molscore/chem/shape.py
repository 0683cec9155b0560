"""Molecules laid over a query by shape, and how alike they are then: RDKit's rdShapeAlign.

Atoms are Gaussians of their van der Waals volumes, hydrogens left out; features (donors, acceptors, rings, hydrophobes,
charges) are Gaussians too. Both likenesses are Tanimoto coefficients of overlap volumes: ``shape`` of all atoms,
``color`` of features of the same kind.

Source: Grant, Gallardo and Pickup, J. Comput. Chem. 17, 1653 (1996); Bolton et al., J. Cheminform. 3, 13 (2011).
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdShapeAlign

from molscore.chem.arrays import MoleculeError
from molscore.chem.parts import KeptPart, kept_part
from molscore.chem.properties import packed, unpacked
from molscore.chem.rdkit_errors import first_line
from molscore.chem.wishes import Source, molecule

SPREAD = 2
"""Heavy atoms by which molecules like a query differ from it at most, if no number is asked for."""

FEATURE_WEIGHT = 0.5
"""Share of features in what the alignment maximises, if they count: as much as shape."""


class Overlap(NamedTuple):
    """Tanimoto coefficients of shape and of features, 0 to 1."""

    shape: float
    color: float

    @property
    def combo(self) -> float:
        """Their sum, 0 to 2."""
        return self.shape + self.color

    def properties(self) -> dict[str, float]:
        """By the names that records use."""
        return {"shape_tanimoto": self.shape, "color_tanimoto": self.color, "combo": self.combo}


class ShapeQuery:
    """A molecule in 3-D, over which others are laid.

    Args:
        like: the molecule, or an SDF file of one. Several fragments are one shape.
        features: let features count, as much as shape, in the alignment and in `value`.

    Raises:
        ValueError: for what is no file of one molecule in 3-D, or has no shape; the message says what to do.
    """

    def __init__(self, like: Source, features: bool = False):
        self.mol, self.features = Chem.Mol(molecule(like, "like")), features
        if not self.mol.GetNumConformers() or not self.mol.GetConformer().Is3D():
            raise ValueError(
                "like is a shape, and this molecule has no 3-D positions: `molscore conformers` makes some"
            )
        if not np.isfinite(self.mol.GetConformer().GetPositions()).all():
            raise ValueError("like: a position is not a finite number")
        try:
            check_heavy(self.mol)
            _ = self._shape
        except MoleculeError as error:
            raise ValueError(f"like: {error.detail}") from error
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"like: RDKit finds no shape for it: {first_line(error)}") from error

    def __getstate__(self) -> dict[str, object]:
        return {"mol": packed(self.mol), "features": self.features}  # RDKit's shapes cannot be pickled

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__ |= {name: unpacked(value) for name, value in state.items()}

    @cached_property
    def _shape(self) -> rdShapeAlign.ShapeInput:
        return rdShapeAlign.PrepareConformer(self.mol)

    @cached_property
    def heavy(self) -> KeptPart:
        """Its heavy atoms with their positions; ValueError if structure and positions do not fit."""
        return kept_part(self.mol, attach=())

    def sizes(self, known: np.ndarray) -> np.ndarray:
        """Weights of the numbers of atoms of molecules like it, from 0 on: those about its own, all the same.

        Args:
            known: weights of the sizes that a model has seen, from 0 on.

        Raises:
            ValueError: if it has seen none of these.
        """
        n, counts = len(self.heavy), np.arange(len(known))
        weights = ((abs(counts - n) <= SPREAD) & (known > 0)).astype(float)
        if not weights.any():
            raise ValueError(
                f"like has {n} heavy atoms, and the model makes molecules of {counts[known > 0].min()} to "
                f"{counts[known > 0].max()}: give another query, or say with atoms how many to make of its shape"
            )
        return weights

    def value(self, overlap: Overlap) -> float:
        """What is maximised, and by which molecules are ranked."""
        return overlap.combo if self.features else overlap.shape

    def aligned(self, mol: Chem.Mol) -> tuple[Chem.Mol, Overlap]:
        """The conformer that fits best, laid over the query, as a molecule of its own.

        Args:
            mol: sanitised, with 3-D conformers.

        Raises:
            MoleculeError: ``no_3d`` or ``no_shape``.
        """
        if not mol.GetNumConformers() or not all(conformer.Is3D() for conformer in mol.GetConformers()):
            raise MoleculeError("no_3d", "there are no 3-D positions")
        check_heavy(mol)
        copy = Chem.Mol(mol)
        overlaps = {conformer.GetId(): self._laid_over(copy, conformer.GetId()) for conformer in copy.GetConformers()}
        best = max(overlaps, key=lambda index: self.value(overlaps[index]))  # of equals the first
        return Chem.Mol(copy, False, best), overlaps[best]

    def _laid_over(self, mol: Chem.Mol, index: int) -> Overlap:
        weight = 1.0 - FEATURE_WEIGHT * self.features
        try:
            shape, color = rdShapeAlign.AlignMol(
                self._shape, mol, probeConfId=index, useColors=True, opt_param=weight, applyRefShift=True
            )
        except (ValueError, RuntimeError) as error:
            raise MoleculeError("no_shape", f"RDKit finds no shape for it: {first_line(error)}") from error
        return Overlap(float(shape), float(color))


def check_heavy(mol: Chem.Mol) -> None:
    """Raises MoleculeError ``no_shape`` where there are no heavy atoms: RDKit's alignment does not survive that."""
    if not mol.GetNumHeavyAtoms():
        raise MoleculeError("no_shape", "a shape is that of heavy atoms, and there are none")
