"""How many atoms attempts have: as the training data, or as what is kept, liked or filled leaves room for."""

import numpy as np

from molscore import pretrained
from molscore.chem.made_sizes import made_sizes
from molscore.generate.options import GenerationOptions
from molscore.model import MoleculeDiffusion

ATOMS_PER_HEAVY = 2.0
"""Atoms of a molecule for each heavy atom, where hydrogens are made too."""


def unconditioned(options: GenerationOptions, model: MoleculeDiffusion, name: str) -> np.ndarray:
    """Weights of the numbers of atoms, from 0 on, of all that an attempt has, whatever its targets are.

    Raises:
        ValueError: if the model has room for none.
    """
    if options.query is not None:
        return np.eye(len(options.query) + 1)[-1]
    known = model.size_probabilities.double().cpu().numpy()
    if options.part is not None:
        return made_sizes(options.part, known, options.bounds, options.elements)
    if options.liking is not None and options.bounds is None:
        return options.liking.query.sizes(known)
    weights = within(model, name, options.bounds)
    if options.around is not None and options.bounds is None:
        return options.around.sizes(weights, 1.0 if model.implied_hydrogens else ATOMS_PER_HEAVY)
    return weights


def within(model: MoleculeDiffusion, name: str, bounds: tuple[int, int] | None = None) -> np.ndarray:
    """Weights of the numbers of atoms that a model has seen, from 0 on, within bounds.

    Raises:
        ValueError: if it has seen no molecule within them.
    """
    weights: np.ndarray = model.size_probabilities.double().cpu().numpy()
    if bounds is None:
        return weights
    pretrained.check_sizes(name, weights.tolist(), bounds)
    inside = np.arange(len(weights))
    return weights * ((inside >= bounds[0]) & (inside <= bounds[1]))
