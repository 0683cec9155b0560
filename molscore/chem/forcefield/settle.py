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

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdForceFieldHelpers as forcefield
from rdkit.ForceField import ForceField

from molscore.chem.forcefield.mmff import force_field, typed
from molscore.chem.forcefield.springs import settle_by_table_in_place
from molscore.chem.forcefield.strays import strays
from molscore.chem.forcefield.trust import Trust, correct, trust
from molscore.chem.geometry.expected import Expected, expected

HYDROGEN_STEPS = 200
"""Steps of the hydrogens' minimisation."""

STEPS = 200
"""Steps of the minimisation with torsions held: bonds and angles have settled by then; the minimum may be far."""

RELAXATIONS = ("none", "torsions", "mmff", "xtb")
"""Relaxations of a geometry: none; of all but the torsions (`settle_in_place`); to the nearest minimum of MMFF94s, or
of GFN2-xTB."""

ROTATABLE = Chem.MolFromSmarts("[!$(*#*)&!D1]-&!@[!$(*#*)&!D1]")

WINDOW, STIFFNESS = 5.0, 100.0
"""Degrees that a torsion may turn, and kcal/mol/deg² beyond them: a wall."""

HOLDING = 2
"""Rounds, at most, in which bonds and angles that `strays` are held."""

FORCE = 20.0
"""kcal/mol/Å; a greater one on any atom means that a geometry is still far from relaxed."""

DIELECTRIC = 4.0
"""Dielectric constant about charged atoms, that of the inside of proteins and of organic crystals; 1 elsewhere."""


def settle_hydrogens_in_place(mol: Chem.Mol, steps: int = HYDROGEN_STEPS) -> None:
    """Minimises the energy of each conformer over the hydrogens' positions.

    Args:
        mol: sanitised, hydrogens explicit. It is left as it is if neither force field has parameters for it; so is a
            conformer whose geometry gives no finite energy.
        steps: of the minimisation.
    """
    heavy = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    finite = [conformer for conformer in mol.GetConformers() if np.isfinite(conformer.GetPositions()).all()]
    if len(heavy) == mol.GetNumAtoms() or not finite:
        return
    with rdBase.BlockLogs():
        # one field serves all: its terms depend on the bonds alone
        moving, properties = typed(Chem.Mol(mol, False, finite[0].GetId()))
        if (field := force_field(moving, properties)) is None:
            return
        for index in heavy:
            field.AddFixedPoint(index)
        place = moving.GetConformer()
        for conformer in finite:
            for index, position in enumerate(conformer.GetPositions()):
                place.SetAtomPosition(index, position)
            field.Minimize(maxIts=steps)
            if np.isfinite(settled := place.GetPositions()).all():
                conformer.SetPositions(settled)


def settle_in_place(
    mol: Chem.Mol,
    steps: int = STEPS,
    rounds: int = 1,
    window: float = WINDOW,
    stiffness: float = STIFFNESS,
    threads: int = 1,
    wanted: Expected | None = None,
    trusted: Trust | None = None,
) -> str:
    """Lowers the energy of each conformer with the torsions about rotatable bonds held.

    Args:
        mol: sanitised, hydrogens explicit.
        steps: of the minimisation.
        rounds: of so many steps, at most; another follows only where a force above `FORCE` is left.
        window, stiffness: degrees that a torsion may turn, and kcal/mol/deg² beyond them.
        threads: conformers at a time; the result is the same.
        wanted, trusted: `molscore.chem.geometry.expected` and `molscore.chem.forcefield.trust.trust` of the molecule,
            if known.

    Returns:
        The energy that was lowered: ``mmff94s``, ``uff`` or ``table``.
    """
    wanted = wanted or expected(mol)
    trusted = trusted or trust(mol, wanted)
    if trusted.field is None:
        settle_by_table_in_place(mol, wanted)
        return "table"
    with rdBase.BlockLogs():
        (same, properties), torsions = typed(mol), _torsions(mol)
        if properties is not None and _has_net_charges(mol):
            properties.SetMMFFDielectricConstant(DIELECTRIC)
        singles = [Chem.Mol(same, False, conformer.GetId()) for conformer in mol.GetConformers()]
        fields: list[ForceField] = []
        kind = "MMFF" if properties else "UFF"
        for single in singles:
            field = force_field(single, properties)
            assert field is not None, trusted.field
            fields.append(field)
            correct(field, trusted)
            constrain = getattr(field, f"{kind}AddTorsionConstraint")
            for torsion in torsions:
                constrain(*torsion, True, -window, window, stiffness)

        def minimise(single: Chem.Mol, field: ForceField) -> None:
            for _ in range(rounds):  # not `field.Minimize`, which would not let other threads run
                forcefield.OptimizeMoleculeConfs(single, field, numThreads=1, maxIters=steps)
                if np.abs(field.CalcGrad()).max() < FORCE:
                    break
            for _ in range(HOLDING):
                if not (strayed := strays(single.GetConformer().GetPositions(), wanted)):
                    break
                strayed.hold_in(field, kind)
                forcefield.OptimizeMoleculeConfs(single, field, numThreads=1, maxIters=steps)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(minimise, singles, fields))
    for conformer, single in zip(mol.GetConformers(), singles, strict=True):
        conformer.SetPositions(single.GetConformer().GetPositions())
    return trusted.field


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
