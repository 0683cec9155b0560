"""Relaxation energy: how far above the nearest minimum of a force field a conformer lies.

    E_relax = E(x) - E(x*),      x* the local minimum that MMFF94s, or GFN2-xTB, reaches from x,

in kcal/mol, hydrogens and all. The conformation stays what it is; bonds, angles and contacts settle. A good generator
scores what the data themselves score, not 0: QM9's geometries are minima of B3LYP, not of MMFF94s.
"""

from typing import NamedTuple

from rdkit import Chem

from molscore.chem.forcefield.minimise import minimise


class Strain(NamedTuple):
    """A relaxation energy, or the reason why there is none.

    Attributes:
        energy: relaxation energy in kcal/mol, 0 or more; None if there is none.
        reason: key of `molscore.chem.forcefield.minimise.MINIMISE_REASONS` if there is none.
    """

    energy: float | None
    reason: str | None = None


def relaxation_energy(mol: Chem.Mol, method: str = "mmff") -> Strain:
    """Relaxation energy of a molecule's first conformer.

    Args:
        mol: sanitised, hydrogens explicit. It is left as it is.
        method: ``mmff`` (MMFF94s) or ``xtb`` (GFN2-xTB).

    Returns:
        The energy in kcal/mol, or the reason why there is none.

    Raises:
        ValueError: for an unknown method, or one that is not installed.
    """
    minimum = minimise(mol, method)
    if minimum.before is None or minimum.after is None:
        return Strain(None, minimum.reason)
    return Strain(max(0.0, minimum.before - minimum.after))
