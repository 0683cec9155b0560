"""Relaxation of a molecule, as an explicit choice: with MMFF94s, or with GFN2-xTB (`minimise`).

What comes out is the same molecule: if stereo would be read differently from the new positions, or a sound geometry
would no longer be one, the old ones stay, and the result has the reason.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rdkit import Chem

from molscore.chem.arrays import assign_stereo_in_place, isomeric_smiles
from molscore.chem.checks.validity import check
from molscore.chem.forcefield import minimise

METHODS = ("none", *minimise.METHODS)

RELAX_REASONS = minimise.MINIMISE_REASONS | {"changed": "the minimum is that of another molecule or stereoisomer"}
"""Why a molecule was left as it was."""


class Relaxation(NamedTuple):
    """A relaxed molecule, or the reason why it was left as it was.

    Attributes:
        mol: the relaxed molecule, or a copy of what was given if there is a `reason`.
        before, after: energies in kcal/mol, on the method's own scale; None if there is none.
        reason: key of `RELAX_REASONS` if nothing was relaxed.
    """

    mol: Chem.Mol
    before: float | None = None
    after: float | None = None
    reason: str | None = None

    @property
    def gain(self) -> float | None:
        """kcal/mol by which the energy fell."""
        return None if self.before is None or self.after is None else self.before - self.after


def check_method(method: str) -> None:
    """Raises ValueError for an unknown method, or one whose extra is not installed, with what to do."""
    if method not in METHODS:
        raise ValueError(f"unknown relaxation '{method}'; choose one of {', '.join(METHODS)}")
    if method != "none":
        minimise.check_method(method)


def relax(mol: Chem.Mol, method: str = "mmff", fixed: Sequence[int] = ()) -> Relaxation:
    """Relaxes the first conformer of a molecule.

    Args:
        mol: sanitised, hydrogens explicit. It is left as it is.
        method: ``none``, ``mmff`` or ``xtb``.
        fixed: atoms that stay where they are.

    Raises:
        ValueError: for an unknown method, or one that is not installed.
    """
    check_method(method)
    if method == "none":
        return Relaxation(Chem.Mol(mol))
    minimum = minimise.minimise(mol, method, fixed)
    if minimum.reason is not None:
        return Relaxation(Chem.Mol(mol), minimum.before, None, minimum.reason)
    moved = Chem.Mol(mol)
    moved.GetConformer().SetPositions(minimum.positions)
    assign_stereo_in_place(moved)
    if isomeric_smiles(moved) != isomeric_smiles(mol) or (check(mol) is None and check(moved) is not None):
        return Relaxation(Chem.Mol(mol), minimum.before, None, "changed")
    return Relaxation(moved, minimum.before, minimum.after)
