"""Interpolation between two conformers of a molecule, in the latent space of the probability flow.

The flow of a given graph carries both conformers to latents, which are normal noise; the path between them is the great
circle (points on it are as probable as the two Gaussian vectors), and the flow carries every point of it back to
coordinates. So the molecules between are conformers by the model, not averages of coordinates; the ends are the given
conformers, to the accuracy of the solver.

Source: Song et al., ICLR 2021, section 4.3 and appendix D.2 (interpolation by the probability flow).
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from rdkit import Chem
from rdkit.Chem import rdMolAlign
from torch import Tensor

from molscore.chem.arrays import MoleculeError, isomeric_smiles, to_mol
from molscore.chem.checks.validity import Fault
from molscore.chem.checks.validity import check as find_fault
from molscore.chem.forcefield.minimise import check_method, energies
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.hydrogens import complete
from molscore.chem.superposition import best_fit
from molscore.limits import check
from molscore.model import MoleculeDiffusion
from molscore.model.conformation import flow, scaled
from molscore.score.represent import batch_of, represent

MATCHES = 1000
"""Mappings of one graph to the other that are tried at most, for molecules of high symmetry."""


@dataclass(frozen=True, eq=False)
class Step:
    """One molecule of the path.

    Attributes:
        mol: with hydrogens and one conformer.
        fraction: position on the path, 0 to 1.
        to_first, to_last: Å, RMSD of the atoms that the model takes to both conformers, best fit.
        strain: kcal/mol, MMFF94s relaxation energy; None if there is none.
        energy: kcal/mol, of MMFF94s or GFN2-xTB above the lowest of the path; None if there is none, as where there is
            a fault.
        fault: what makes it no sound conformer of the molecule; None if it is one.
    """

    mol: Chem.Mol
    fraction: float
    to_first: float
    to_last: float
    strain: float | None
    energy: float | None = None
    fault: Fault | None = None

    def properties(self) -> dict[str, float | str | None]:
        """The tags of an SDF record."""
        return {
            "fraction": self.fraction,
            "rmsd_to_first_angstrom": self.to_first,
            "rmsd_to_last_angstrom": self.to_last,
            "strain_kcal_per_mol": self.strain,
            "relative_energy_kcal_per_mol": self.energy,
            "not_sound": None if self.fault is None else f"{self.fault.token}: {self.fault.detail}",
        }


def interpolate(
    model: MoleculeDiffusion, first: Chem.Mol, last: Chem.Mol, n: int = 11, steps: int = 60, energy: str = "mmff"
) -> list[Step]:
    """Molecules on the path from one conformer to the other.

    Args:
        model: a graph-conditioned one.
        first, last: two conformers of one molecule, stereo included, as `represent` wants them; the order of atoms may
            differ. The last is aligned with the first.
        n: molecules on the path, both ends included; 2 or more.
        steps: of the flow's midpoint rule, there and back.
        energy: ``mmff`` (MMFF94s) or ``xtb`` (GFN2-xTB).

    Returns:
        The molecules, atoms in the order of the first: those that the model takes, then hydrogens.

    Raises:
        MoleculeError: with a reason of `represent`, or ``different`` if they are not the same molecule.
        ValueError: for ``n``, two or more, or ``steps`` out of bounds, an unknown method, or one that is not installed.
    """
    check("interpolated", n, "n")
    check("steps", steps)
    check_method(energy)
    ends = [represent(mol, model).arrays for mol in (first, last)]
    plain = [to_mol(arrays, implied=model.implied_hydrogens) for arrays in ends]
    names = [isomeric_smiles(mol) for mol in plain]
    if names[0] != names[1]:
        raise MoleculeError("different", f"these are no conformers of one molecule: {names[0]} and {names[1]}")
    ends[1] = replace(ends[0], positions=_aligned(plain[0], plain[1]))
    batch = batch_of(ends, model)
    latents = flow(model, batch, scaled(model, batch), steps=steps)
    fractions = torch.linspace(0, 1, n, dtype=torch.float64)
    whole = batch_of([ends[0]] * n, model)
    between = great_circle(latents[0], latents[1], fractions)
    positions = flow(model, whole, between, back=True, steps=steps) * model.config.position_scale
    molecules = []
    for fraction, x in zip(fractions.tolist(), positions.double().cpu().numpy(), strict=True):
        arrays = replace(ends[0], positions=x.astype(np.float32))
        mol = complete(arrays) if model.implied_hydrogens else to_mol(arrays)
        to_first, to_last = (best_fit(x, end.positions)[1] for end in ends)
        fault = find_fault(mol)
        if fault is None and (name := isomeric_smiles(mol)) != names[0]:
            fault = Fault("stereo", f"it is {name}")
        absolute = None if fault else energies(mol, energy)[0]
        molecules.append(Step(mol, fraction, to_first, to_last, relaxation_energy(mol).energy, absolute, fault))
    lowest = min((step.energy for step in molecules if step.energy is not None), default=0.0)
    return [step if step.energy is None else replace(step, energy=step.energy - lowest) for step in molecules]


def great_circle(a: Tensor, b: Tensor, fractions: Tensor) -> Tensor:
    """Points between two vectors on the great circle through their directions, lengths in proportion.

    Args:
        a, b: of any one shape.
        fractions: ``(n,)``, 0 is a and 1 is b.

    Returns:
        ``(n, ...)``.
    """
    lengths = a.norm(), b.norm()
    cosine = ((a * b).sum() / (lengths[0] * lengths[1])).clamp(-1, 1)
    f = fractions.to(a).view(-1, *[1] * a.ndim)
    angle = torch.arccos(cosine)
    if angle < 1e-3:  # of one direction: the line
        return torch.lerp(a[None], b[None], f)
    points = (torch.sin((1 - f) * angle) * a / lengths[0] + torch.sin(f * angle) * b / lengths[1]) / torch.sin(angle)
    return points * torch.lerp(lengths[0], lengths[1], f)


def _aligned(first: Chem.Mol, last: Chem.Mol) -> np.ndarray:
    """``(N, 3)`` float32: positions of the last, atoms in the order of the first, where they fit the first best."""
    best, positions = np.inf, None
    for match in last.GetSubstructMatches(first, uniquify=False, useChirality=True, maxMatches=MATCHES):
        moved = Chem.Mol(last)
        rmsd = rdMolAlign.AlignMol(moved, first, atomMap=[(j, i) for i, j in enumerate(match)])
        if rmsd < best:
            best, positions = rmsd, moved.GetConformer().GetPositions()[list(match)]
    if positions is None:
        raise MoleculeError("different", "no mapping of one graph to the other keeps the stereo centres")
    return positions.astype(np.float32)
