"""Completion by chance: molecules that a model makes of nothing, and that contain the part which is to be kept."""

from dataclasses import replace
from itertools import islice

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays, MoleculeError, from_mol, to_mol
from molscore.chem.hydrogens import without_hydrogens
from molscore.chem.parts import KeptPart
from molscore.chem.superposition import best_fit
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.judge import Judge

BATCH = 8
"""Molecules that are sampled together."""

KEKULE = 64
"""Kekulé structures, at most, among which that of the part is looked for."""


class Rejection:
    """Molecules made of nothing, those kept that contain a part.

    Args:
        part: what is looked for.
        generator: with the model.
        seed: of the samples.
        options: steps.
    """

    def __init__(self, part: KeptPart, generator: MoleculeGenerator, seed: int, options: GenerationOptions):
        self.part, self.generator, self.seed, self.options = part, generator, seed, options
        self.judge, self.made = Judge(generator.model, options), 0

    def round(self) -> list[tuple[MoleculeArrays | None, float]]:
        """A batch, as `molscore.chem.arrays` with the part first, and by how many Å the farthest kept atom lies off.

        None for what was rejected, or does not contain the part.
        """
        indices = range(self.made, self.made + BATCH)
        self.made += BATCH
        samples = self.generator.sample(indices, self.seed, self.options)
        attempts = [self.judge(index, sample) for index, sample in zip(indices, samples, strict=True)]
        return [(None, np.inf) if a.fault else contained(a.built, self.part) for a in attempts]


def contained(mol: Chem.Mol, part: KeptPart) -> tuple[MoleculeArrays | None, float]:
    """The heavy atoms of a molecule, first those of the part, laid over it; and by how many Å the farthest is off.

    None if the molecule does not contain the part with new bonds where it is open, and only there. Of several places
    the one that fits best.
    """
    bare, query = Chem.RemoveHs(mol), to_mol(part.arrays, implied=True)
    fits = []
    for match in bare.GetSubstructMatches(query, uniquify=False, useChirality=False, maxMatches=1000):
        rest = [k for k in range(bare.GetNumAtoms()) if k not in set(match)]
        made = in_its_bonds(Chem.RenumberAtoms(bare, [*match, *rest]), part)
        if made is not None:
            fits.append(laid_over(made, part))
    return min(fits, key=lambda fit: fit[1], default=(None, np.inf))


def in_its_bonds(mol: Chem.Mol, part: KeptPart) -> MoleculeArrays | None:
    """The heavy atoms with the Kekulé structure that the part has; None if it has none in which they keep the part."""
    structures = Chem.ResonanceMolSupplier(mol, Chem.ResonanceFlags.KEKULE_ALL, KEKULE)
    for structure in islice(structures, KEKULE):
        for one in (*structure.GetAtoms(), *structure.GetBonds()):
            one.SetIsAromatic(False)  # so that its bonds are taken as they are
        try:
            made = without_hydrogens(from_mol(Chem.AddHs(structure, addCoords=True)))
        except MoleculeError:
            continue
        if part.fault(made) is None:
            return made
    return None


def laid_over(made: MoleculeArrays, part: KeptPart) -> tuple[MoleculeArrays, float]:
    """Where the part has a pose, the molecule moved to it as a whole."""
    if not part.posed:
        return made, 0.0
    n, x, given = len(part), made.positions.astype(float), part.arrays.positions.astype(float)
    turn, _ = best_fit(x[:n], given)
    x = (x - x[:n].mean(0)) @ turn.T + given.mean(0)
    return replace(made, positions=x.astype(np.float32)), float(np.linalg.norm(x[:n] - given, axis=1).max())
