"""The ensemble of one stereoisomer: distinct conformers in order of energy, each with a record of how it was made."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from rdkit import Chem

from molscore.chem.ensemble import frame_rmsd_matrix, heavy_positions, prune, rmsd_matrix
from molscore.chem.forcefield.minimise import energies
from molscore.chem.properties import singles
from molscore.conformers.options import ConformerOptions
from molscore.conformers.target import Target

DIGITS = 3
"""Of energies in kcal/mol. What differs by less (mirror images, symmetric copies) is equal: not rounding errors but the
number of the proposal decides on the order."""

NAMES = {"mmff": "mmff94s", "xtb": "gfn2-xtb"}
"""What `ranked_by` calls a method."""


class SoundConformer(NamedTuple):
    """A sound conformer, as it was made.

    Attributes:
        method: ``score`` or ``etkdg``.
        number: of the proposal, or of the embedding.
        conformer: with the properties that say how it was relaxed.
    """

    method: str
    number: int
    conformer: Chem.Conformer


@dataclass
class Ensemble:
    """The conformers of one stereoisomer.

    Attributes:
        mol: every hydrogen an atom, in the input's order, with the input's title (``_Name``) and properties. Conformers
            best first, numbered from 0, each with the properties ``method``, ``rank`` (from 1), ``ranked_by``
            (``mmff94s``, ``gfn2-xtb``, or ``none`` where there is no energy and the rank is the order of making),
            ``energy_kcal_per_mol`` and ``relative_energy_kcal_per_mol`` (if there are energies),
            ``rmsd_to_best_angstrom`` (heavy atoms, symmetries of the graph), ``relaxation`` (the method used, see
            `molscore.conformers.build`) and ``stereo_not_held`` (if there is any). Poses in a pocket are in its frame,
            and so is their RMSD; they are ``ranked_by`` ``pocket``, with its energies (kcal/mol) in properties of their
            own, and what they touch.
        asked: conformers asked for.
        removed: SMILES of fragments that were left out; "" if there were none.
        isomer, isomers: which of how many isomers of the input this is, from 1; more may have been possible.
        stereo_open: whether the input left stereo open, so that this isomer was sampled or enumerated.
        dropped: conformers left out by reason: wrong stereo, faults of geometry, ``window``, ``rmsd``, ``filter``.
        exhausted: whether there are fewer conformers than asked for because further ones repeated these.
        not_held: stereo that the input marks and the conformers need not have, in words.
        reason: token and sentence, if there is no conformer, or why ETKDGv3 made some of them; else None.
        item: the place of the molecule among those that were given, from 0.
    """

    mol: Chem.Mol
    asked: int
    removed: str = ""
    isomer: int = 1
    isomers: int = 1
    stereo_open: bool = False
    dropped: Counter[str] = field(default_factory=Counter)
    exhausted: bool = False
    not_held: tuple[str, ...] = ()
    reason: tuple[str, str] | None = None
    item: int = 0

    def __repr__(self) -> str:
        isomer = f", isomer {self.isomer} of {self.isomers}" if self.isomers > 1 else ""
        reason = f", {self.reason[0]}" if self.reason else ""
        return f"Ensemble({self.mol.GetNumConformers()} of {self.asked} conformers{isomer}{reason})"

    @property
    def methods(self) -> Counter[str]:
        """How many conformers each method made."""
        return self._counted("method")

    @property
    def relaxations(self) -> Counter[str]:
        """How many conformers were relaxed in which way."""
        return self._counted("relaxation")

    @property
    def rankings(self) -> Counter[str]:
        """How many conformers were ranked by which energy, or by ``none``."""
        return self._counted("ranked_by")

    @property
    def short(self) -> bool:
        """Whether there are fewer conformers than asked for, and not because they would repeat those that there are."""
        left_out = self.dropped["window"] + self.dropped["filter"]
        return not self.exhausted and self.mol.GetNumConformers() + left_out < self.asked

    def single(self) -> list[tuple[Chem.Mol, dict[str, object]]]:
        """Each conformer as a molecule of its own with the properties of both, and those of the conformer."""
        conformers = self.mol.GetConformers()
        return [(mol, c.GetPropsAsDict()) for mol, c in zip(singles(self.mol), conformers, strict=True)]

    def _counted(self, name: str) -> Counter[str]:
        conformers = self.mol.GetConformers()
        return Counter(conformer.GetProp(name) for conformer in conformers if conformer.HasProp(name))


def distances(target: Target, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
    """RMSD in Å between geometries of the heavy atoms ``(K, n, 3)`` and ``(M, n, 3)``, or among the first: ``(K, M)``.

    Positions of hydrogens do not count: conformers that differ in the torsion of a hydroxyl or methyl group alone are
    the same, as in other conformer generators. With fewer than two heavy atoms all are the same. Where a core is held,
    each geometry counts where it lies; else they are laid over one another.
    """
    y_count = len(x) if y is None else len(y)
    if len(target.heavy) < 2 or not len(x) or not y_count:
        return np.zeros((len(x), y_count))
    if target.held is not None:
        return frame_rmsd_matrix(x, target.symmetries, x if y is None else y)
    return rmsd_matrix(x, target.symmetries, y)


def ranked(
    target: Target, made: Sequence[SoundConformer], asked: int, options: ConformerOptions, dropped: Counter[str]
) -> Chem.Mol:
    """Puts conformers in order of energy, and leaves out what the options ask to leave out.

    Args:
        target: the molecule.
        made: its conformers.
        asked: how many to keep at most.
        options: the user's.
        dropped: is added to.

    Returns:
        The molecule as `Ensemble` describes it; without energies, in the order of making.
    """
    mol = Chem.Mol(target.mol)
    mol.RemoveAllConformers()
    made = sorted(made, key=lambda item: (item.method == "etkdg", item.number))
    for item in made:
        mol.AddConformer(item.conformer, assignId=True)
    rounded = [None if energy is None else round(energy, DIGITS) for energy in energies(mol, options.ranking)]
    levels = [np.inf if energy is None else energy for energy in rounded]
    order = sorted(range(len(rounded)), key=lambda k: levels[k])
    if not order:
        return mol
    best = rounded[order[0]]
    if options.window is not None and best is not None and options.around is None:
        kept = [k for k in order if levels[k] - best <= options.window]
        dropped += Counter(window=len(order) - len(kept))
        order = kept
    x = heavy_positions(mol)
    if options.rmsd:
        kept = prune(distances(target, x), order, options.rmsd)
        if options.fill:
            repeats = [k for k in order if k not in kept]
            kept = [k for k in order if k in {*kept, *repeats[: max(asked - len(kept), 0)]}]
        dropped += Counter(rmsd=len(order) - len(kept))
        order = kept
    order = order[:asked]
    to_best = distances(target, x[order], x[order[:1]])[:, 0]
    ensemble = Chem.Mol(target.mol)
    ensemble.RemoveAllConformers()
    for rank, k in enumerate(order):
        conformer = Chem.Conformer(mol.GetConformer(k))
        conformer.SetProp("method", made[k].method)
        conformer.SetIntProp("rank", rank + 1)
        energy = rounded[k]
        conformer.SetProp("ranked_by", "none" if energy is None else NAMES[options.ranking])
        if energy is not None and best is not None:
            conformer.SetDoubleProp("energy_kcal_per_mol", energy)
            conformer.SetDoubleProp("relative_energy_kcal_per_mol", energy - best)
        conformer.SetDoubleProp("rmsd_to_best_angstrom", float(to_best[rank]) if rank else 0.0)
        ensemble.AddConformer(conformer, assignId=True)
    return ensemble
