"""A molecule whose conformers are wanted: what was asked for, how the model sees it, what all its conformers share."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from molscore.chem.arrays import MoleculeArrays, MoleculeError
from molscore.chem.embedding.distance_bounds import corrected_bounds
from molscore.chem.ensemble import heavy_atoms, symmetries
from molscore.chem.forcefield.model_hessian import ModelHessian, model_hessian
from molscore.chem.forcefield.trust import Trust, trust
from molscore.chem.geometry import Expected, Limits, expected, limits
from molscore.chem.lead_core import Placement
from molscore.chem.stereo.cumulenes import Cumulenes
from molscore.chem.stereo.tags import tags, wrong
from molscore.chem.thresholds import THRESHOLDS
from molscore.chem.torsions import Torsions, torsions
from molscore.model import MoleculeDiffusion
from molscore.score.represent import represent

SYMMETRIES = 2000
"""Symmetries of the graph that an RMSD considers, at most: three trifluoromethyl groups on benzene have 1296."""


@dataclass(frozen=True, eq=False)
class Target:
    """One stereoisomer.

    Attributes:
        mol: one fragment, every hydrogen an atom, stereo decided; no conformers.
        arrays: its heavy atoms as the model sees them; None if the model cannot serve it.
        reason: why it cannot, token and sentence; None if it can.
        placements: of a core that is held at its pose in a lead; none if there is no such core. They take turns: a
            conformer has that of its number.
    """

    mol: Chem.Mol
    arrays: MoleculeArrays | None = None
    reason: tuple[str, str] | None = None
    placements: tuple[Placement, ...] = ()

    def __repr__(self) -> str:
        reason = f", not for the model: {self.reason[0]}" if self.reason else ""
        return f"Target({CalcMolFormula(self.mol)}{reason})"

    @property
    def served(self) -> MoleculeArrays:
        """`arrays`, of a molecule that the model can serve."""
        assert self.arrays is not None, self.reason
        return self.arrays

    def of_number(self, number: int) -> "Target":
        """The target of the conformer of a number: with one placement, if there are any."""
        return self._each[number % len(self._each)]

    @cached_property
    def _each(self) -> list["Target"]:
        if len(self.placements) < 2:
            return [self]
        return [replace(self, placements=(placement,)) for placement in self.placements]

    @property
    def held(self) -> Placement | None:
        """Where its core is held, if it is."""
        return self.placements[0] if self.placements else None

    @property
    def fixed(self) -> list[int]:
        """Indices in `mol` of the atoms that are held."""
        return [] if self.held is None else self.held.atoms.tolist()

    @cached_property
    def held_places(self) -> np.ndarray:
        """The same among the heavy atoms."""
        return np.searchsorted(self.heavy, self.fixed)

    @cached_property
    def heavy(self) -> np.ndarray:
        """Indices of the heavy atoms in `mol`, ``(n,)``."""
        return heavy_atoms(self.mol)

    @cached_property
    def tags(self) -> np.ndarray:
        """Stereo tags of `mol`, ``(S, 5)``."""
        return tags(self.mol)

    @cached_property
    def redundant(self) -> np.ndarray:
        """Tags for each three of a centre's four neighbours."""
        return tags(self.mol, redundant=True)

    @cached_property
    def symmetries(self) -> np.ndarray:
        """See `molscore.chem.ensemble.symmetries`."""
        return symmetries(self.mol, SYMMETRIES)

    @cached_property
    def limits(self) -> Limits | None:
        """What its bonds allow distances to be, None if RDKit finds no bounds.

        As strict as PoseBusters: known conformations hardly ever break these bounds, but what the model makes may,
        where it squeezes a cis urea.
        """
        try:
            return limits(self.mol, capped=False).outside(self.fixed)
        except RuntimeError:
            return None

    @cached_property
    def expected(self) -> Expected:
        """What its bonds and angles ought to be."""
        return expected(self.mol)

    @cached_property
    def judged(self) -> Expected:
        """`expected`, but for what is held: its geometry is that of the lead."""
        return self.expected if self.held is None else self.expected.outside(self.held.atoms)

    @cached_property
    def trust(self) -> Trust:
        """Which force field serves it, and what is to be corrected there."""
        return trust(self.mol, self.expected)

    @cached_property
    def hessian(self) -> ModelHessian:
        """A model of the Hessian of its energy."""
        return model_hessian(self.mol)

    @cached_property
    def bounds(self) -> np.ndarray | None:
        """Bounds for distance geometry in place of RDKit's own, None where those will do."""
        return corrected_bounds(self.mol, self.expected)

    @cached_property
    def torsions(self) -> Torsions:
        """What is known of its rotatable bonds."""
        return torsions(self.mol, self.heavy, self.held_places)

    @cached_property
    def distant(self) -> np.ndarray:
        """``(n, n)`` bool: heavy atoms of three bonds or more apart."""
        return Chem.GetDistanceMatrix(self.mol)[np.ix_(self.heavy, self.heavy)] >= 3

    @cached_property
    def allenes(self) -> Cumulenes:
        """Those with a marked handedness, among heavy atoms alone."""
        marked = self.expected.cumulenes.marked
        kept = np.isin(marked.atoms, self.heavy).all(1) & (np.abs(marked.degrees) == 90)
        return Cumulenes(np.searchsorted(self.heavy, marked.atoms[kept]), *(field[kept] for field in marked[1:]))

    def reflected(self, heavy: np.ndarray) -> np.ndarray:
        """The geometries ``(K, n, 3)``, reflected where all tags of handedness are wrong but right in the mirror.

        None is where a core is held.
        """
        if self.held is not None:
            return heavy
        tags = self.served.stereo
        handed = tags[np.abs(tags[:, 4]) == 1]
        marked = len(handed) + len(self.allenes.atoms) > 0
        mirrored = np.asarray(wrong(heavy, handed).all(1) & ~wrong(-heavy, handed).any(1))
        mirrored &= np.asarray(self.allenes.opposite(heavy).all(1)) & marked
        return np.where(mirrored[:, None, None], -heavy, heavy)

    def turned(self, heavy: np.ndarray) -> np.ndarray:
        """The geometries ``(K, n, 3)``, torsions that crystals hardly show turned, where nothing is in the way."""
        turned = self.torsions.turned(heavy, THRESHOLDS.torsion.potential)
        return np.where(self.plausible(turned)[:, None, None], turned, heavy)

    def plausible(self, heavy: np.ndarray) -> np.ndarray:
        """Which of the geometries ``(K, n, 3)`` of heavy atoms are worth completing: ``(K,)`` bool."""
        finite = np.isfinite(heavy).all((1, 2))
        heavy = np.where(finite[:, None, None], heavy, 0)
        gaps = np.linalg.norm(heavy[:, :, None] - heavy[:, None], axis=-1)
        clash = ((gaps < THRESHOLDS.clash.proposal) & self.distant).any((1, 2))
        return finite & ~clash & ~wrong(heavy, self.served.stereo).any(1)


def target_of(mol: Chem.Mol, model: MoleculeDiffusion) -> Target:
    """A molecule as a target.

    Args:
        mol: one fragment, every hydrogen an atom, stereo decided; coordinates are ignored.
        model: the model that proposes its geometries.
    """
    mol = Chem.Mol(mol)
    mol.RemoveAllConformers()
    blank = Chem.Mol(mol)
    blank.AddConformer(Chem.Conformer(mol.GetNumAtoms()))
    blank.GetConformer().Set3D(True)
    try:
        return Target(mol, represent(blank, model).arrays)
    except MoleculeError as error:
        return Target(mol, None, (error.reason, error.detail))
