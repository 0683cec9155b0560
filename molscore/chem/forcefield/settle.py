"""Partial relaxations: part of a geometry is minimised while the rest is held.

* `settle_hydrogens_in_place`: hydrogens move, heavy atoms stay where they are.
* `settle_in_place`: bonds, angles and contacts settle, the torsions about rotatable bonds stay. An experimental
  conformation, whose bonds are only as good as the electron density, so becomes one to train on and stays the same.

Both in MMFF94s, in UFF (Rappé et al., J. Am. Chem. Soc. 114, 10024, 1992) where MMFF94s has no parameters (boron,
silicon, selenium), and `settle_in_place` by the table of bond lengths and angles where neither has any for an atom.
Terms of a force field that contradict the table are corrected (`molscore.chem.forcefield.trust`), and what its minimum
leaves outside of what is known is held (`molscore.chem.forcefield.strays`). Where atoms bear net charges,
MMFF94s' electrostatics are damped as in a medium: in vacuo charges draw bonds out and bend flat rings.
"""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem, rdBase

from molscore.chem.ensemble import positions
from molscore.chem.forcefield.descent import descend
from molscore.chem.forcefield.mmff import force_field, typed
from molscore.chem.forcefield.model_hessian import ModelHessian, model_hessian
from molscore.chem.forcefield.springs import settle_by_table_in_place
from molscore.chem.forcefield.strays import strays
from molscore.chem.forcefield.trust import Trust, correct, trust
from molscore.chem.geometry.expected import Expected, expected
from molscore.limits import WORDS

STEPS = 100
"""Of a minimisation, at most."""

RELAXATIONS = WORDS["relax"]
"""Relaxations of a geometry: none; of all but the torsions (`settle_in_place`); to the nearest minimum of MMFF94s, or
of GFN2-xTB."""

ROTATABLE = Chem.MolFromSmarts("[!$(*#*)&!D1]-&!@[!$(*#*)&!D1]")

WINDOW, STIFFNESS = 5.0, 1.0
"""Degrees that a torsion may turn, and kcal/mol/deg² beyond them: a wall, which yields by a tenth of a degree."""

HOLDING = 2
"""Rounds, at most, in which bonds and angles that `strays` are held."""

FORCE, HYDROGEN_FORCE = 0.5, 0.3
"""kcal/mol/Å that no atom feels when a geometry has settled: bonds are within some 0.001 Å, and angles within 0.3
degrees, of where they would end; and the same where hydrogens alone move."""

DIELECTRIC = 4.0
"""Dielectric constant about charged atoms, that of the inside of proteins and of organic crystals; 1 elsewhere."""


def settle_hydrogens_in_place(mol: Chem.Mol, steps: int = STEPS, hessian: ModelHessian | None = None) -> None:
    """Minimises the energy of each conformer over the hydrogens' positions.

    Args:
        mol: sanitised, hydrogens explicit. It is left as it is if neither force field has parameters for it; so is a
            conformer whose geometry gives no finite energy.
        steps: of the minimisation, at most.
        hessian: `molscore.chem.forcefield.model_hessian.model_hessian` of it, if known.
    """
    hydrogens = np.array([atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 1], dtype=np.int64)
    x = positions(mol)
    finite = [c.GetId() for c, good in zip(mol.GetConformers(), np.isfinite(x).all((1, 2)), strict=True) if good]
    if not len(hydrogens) or not finite:
        return
    with rdBase.BlockLogs():
        field = force_field(*typed(Chem.Mol(mol, False, finite[0])))
    if field is not None:  # one serves all: its terms depend on the bonds alone
        inverse = (hessian or model_hessian(mol)).inverse(x, hydrogens)
        _move(mol, descend([field] * len(x), x, inverse, steps, HYDROGEN_FORCE, hydrogens))


def settle_in_place(
    mol: Chem.Mol,
    steps: int = STEPS,
    *,
    force: float = FORCE,
    window: float = WINDOW,
    stiffness: float = STIFFNESS,
    wanted: Expected | None = None,
    trusted: Trust | None = None,
    hessian: ModelHessian | None = None,
    fixed: Sequence[int] = (),
) -> str:
    """Lowers the energy of each conformer with the torsions about rotatable bonds held.

    Args:
        mol: sanitised, hydrogens explicit.
        steps: of the minimisation, at most.
        force: kcal/mol/Å at which it ends.
        window, stiffness: degrees that a torsion may turn, and kcal/mol/deg² beyond them.
        wanted, trusted, hessian: `molscore.chem.geometry.expected`, `molscore.chem.forcefield.trust.trust` and
            `molscore.chem.forcefield.model_hessian.model_hessian` of the molecule, if known.
        fixed: atoms that stay where they are.

    Returns:
        The energy that was lowered: ``mmff94s``, ``uff`` or ``table``.
    """
    wanted = wanted or expected(mol)
    trusted = trusted or trust(mol, wanted)
    if trusted.field is None:
        settle_by_table_in_place(mol, wanted, fixed=fixed)
        return "table"
    free = free_atoms(mol, fixed)
    if free is not None and not len(free):
        return trusted.field
    hessian, fields = hessian or model_hessian(mol), []
    with rdBase.BlockLogs():
        (same, properties), torsions = typed(mol), _torsions(mol)
        if properties is not None and _has_net_charges(mol):
            properties.SetMMFFDielectricConstant(DIELECTRIC)
        kind = "MMFF" if properties else "UFF"
        for conformer in mol.GetConformers():  # the torsions that are held, and what strays, are each one's own
            field = force_field(same, properties, conformer.GetId())
            assert field is not None, trusted.field
            correct(field, trusted)
            constrain = getattr(field, f"{kind}AddTorsionConstraint")
            for torsion in torsions:
                constrain(*torsion, True, -window, window, stiffness)
            fields.append(field)
        x = positions(mol)
        inverse = hessian.inverse(x, free)
        x = descend(fields, x, inverse, steps, force, free)
        for _ in range(HOLDING):
            strayed = strays(x, wanted)
            rows = np.array([k for k, held in enumerate(strayed) if held], dtype=np.int64)
            if not len(rows):
                break
            for k in rows:
                strayed[k].hold_in(fields[k], kind)
            x[rows] = descend([fields[k] for k in rows], x[rows], inverse[rows], steps, force, free)
    _move(mol, x)
    return trusted.field


def free_atoms(mol: Chem.Mol, fixed: Sequence[int]) -> np.ndarray | None:
    """Indices of the atoms that are not fixed; None for all."""
    return np.setdiff1d(np.arange(mol.GetNumAtoms()), fixed) if len(fixed) else None


def _move(mol: Chem.Mol, x: np.ndarray) -> None:
    for conformer, each in zip(mol.GetConformers(), x, strict=True):
        conformer.SetPositions(each)


def _has_net_charges(mol: Chem.Mol) -> bool:
    """Whether an atom bears a charge that no neighbour offsets, as in nitro groups and N-oxides one does."""
    charges = [atom.GetFormalCharge() for atom in mol.GetAtoms()]
    return any(
        charge and all(charge * charges[neighbour.GetIdx()] >= 0 for neighbour in atom.GetNeighbors())
        for charge, atom in zip(charges, mol.GetAtoms(), strict=True)
    )


def _torsions(mol: Chem.Mol) -> list[tuple[int, int, int, int]]:
    """Four heavy atoms along each rotatable bond; bonds that turn hydrogens alone, as in a methyl group, are free."""
    torsions = []
    for j, k in mol.GetSubstructMatches(ROTATABLE):
        ends = (
            [n.GetIdx() for n in mol.GetAtomWithIdx(a).GetNeighbors() if n.GetIdx() != b and n.GetAtomicNum() > 1]
            for a, b in ((j, k), (k, j))
        )
        left, right = map(sorted, ends)
        if left and right:
            torsions.append((left[0], j, k, right[0]))
    return torsions
