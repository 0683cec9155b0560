"""What comes of one isomer: conformers in order of energy, each with what is to be told of it."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from rdkit import Chem

from molscore.chem.ensemble import heavy_positions, prune, rmsd_matrix
from molscore.chem.minimise import energies
from molscore.conformers.options import Options
from molscore.conformers.target import Target


@dataclass
class Ensemble:
    """The conformers of one stereoisomer.

    Attributes:
        mol: every hydrogen an atom, in the input's order; conformers best first, numbered from 0, each with the
            properties ``method``, ``rank`` (from 1), ``energy_kcal_per_mol`` and ``relative_energy_kcal_per_mol`` (if
            there are energies) and ``rmsd_to_best_angstrom`` (heavy atoms, symmetries of the graph).
        asked: conformers asked for.
        removed: SMILES of fragments that were left out; "" if there were none.
        isomer, isomers: which of how many isomers of the input this is, from 1; more may have been possible.
        drawn: whether stereo was open and has been decided here.
        dropped: conformers left out by reason: wrong stereo, faults of geometry, ``window``, ``rmsd``.
        reason: token and sentence, if there is no conformer, or why ETKDGv3 made some of them; else None.
    """

    mol: Chem.Mol
    asked: int
    removed: str = ""
    isomer: int = 1
    isomers: int = 1
    drawn: bool = False
    dropped: Counter[str] = field(default_factory=Counter)
    reason: tuple[str, str] | None = None

    @property
    def methods(self) -> Counter[str]:
        """How many conformers each method made."""
        return Counter(conformer.GetProp("method") for conformer in self.mol.GetConformers())

    def single(self) -> list[tuple[Chem.Mol, dict[str, object]]]:
        """Each conformer as a molecule of its own, and its properties."""
        found = []
        for conformer in self.mol.GetConformers():
            mol = Chem.Mol(self.mol, False, conformer.GetId())
            found.append((mol, conformer.GetPropsAsDict()))
        return found


def ranked(target: Target, parts: list[tuple[str, Chem.Mol]], options: Options, dropped: Counter[str]) -> Chem.Mol:
    """Puts conformers in order of energy, and leaves out what the options ask to leave out.

    Args:
        target: the molecule.
        parts: name of a method, and the molecule with the conformers that it made.
        options: the user's.
        dropped: is added to.

    Returns:
        The molecule as `Ensemble` describes it; without energies, in the order given.
    """
    mol = Chem.Mol(target.mol)
    mol.RemoveAllConformers()
    methods = []
    for method, part in parts:
        for conformer in part.GetConformers():
            mol.AddConformer(conformer, assignId=True)
            methods.append(method)
    count = mol.GetNumConformers()
    found = energies(mol, options.ranking)
    order = sorted(range(count), key=lambda k: np.inf if found[k] is None else found[k])
    if not order:
        return mol
    best = found[order[0]]
    if options.window is not None and best is not None:
        kept = [k for k in order if found[k] is not None and found[k] - best <= options.window]
        dropped["window"] += len(order) - len(kept)
        order = kept
    x = heavy_positions(mol)
    if options.rmsd:
        kept = prune(rmsd_matrix(x, target.symmetries), order, options.rmsd)
        dropped["rmsd"] += len(order) - len(kept)
        order = kept
    distance = rmsd_matrix(x[order], target.symmetries, x[order[:1]])[:, 0] if len(target.heavy) > 1 else [0.0] * count
    done = Chem.Mol(target.mol)
    done.RemoveAllConformers()
    for rank, k in enumerate(order):
        conformer = Chem.Conformer(mol.GetConformer(k))
        conformer.SetProp("method", methods[k])
        conformer.SetIntProp("rank", rank + 1)
        if found[k] is not None:
            conformer.SetDoubleProp("energy_kcal_per_mol", found[k])
            conformer.SetDoubleProp("relative_energy_kcal_per_mol", found[k] - best)
        conformer.SetDoubleProp("rmsd_to_best_angstrom", float(distance[rank]) if rank else 0.0)
        done.AddConformer(conformer, assignId=True)
    return done
