"""Conformers of ETKDGv3, and what is measured in them."""

import math

import numpy as np
from rdkit import Chem

from molscore.chem.prepare import whole
from molscore.conformers.build import embedded
from molscore.conformers.target import Target


def made(smiles, n=2, how="torsions"):
    """The molecule with conformers of ETKDGv3, relaxed and judged."""
    target = Target(whole(Chem.MolFromSmiles(smiles)).mol)
    return embedded(target, range(n), 0, how, lambda: math.inf)


def measured(mol, pattern):
    """Lengths or angles, the first atoms of each match of a pattern, over all conformers."""
    query = Chem.MolFromSmarts(pattern)
    values = []
    for conformer in mol.GetConformers():
        x = conformer.GetPositions()
        for match in mol.GetSubstructMatches(query, uniquify=False):
            if query.GetNumAtoms() == 2:
                values.append(np.linalg.norm(x[match[0]] - x[match[1]]))
            else:
                a, b = x[match[0]] - x[match[1]], x[match[2]] - x[match[1]]
                values.append(np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))
    return np.array(values)
