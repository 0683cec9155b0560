"""What only the guide of a model can say of a finished molecule: properties of quantum chemistry.

The same network that guides reads the molecule, with nothing left soft. So these are estimates of the guide, and no
independent judgement: how far they are off is measured in ``scripts/qm9_targets.py``.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from rdkit import Chem

from molscore import pretrained
from molscore.chem.arrays import from_mol
from molscore.chem.targets import ESTIMATED
from molscore.generate.options import GenerationOptions
from molscore.guidance.property_guide import PropertyGuide, load_guide
from molscore.guidance.soft import SoftMolecules

Estimate = Callable[[Chem.Mol], dict[str, float]]
"""``estimate(mol)``: properties by name."""


def estimate_for(options: GenerationOptions, name: str, t_end: float) -> Estimate | None:
    """What the targets of options need, of the guide of the model with this name; None if RDKit says it all."""
    names = [target.name for target in options.aims if target.name in ESTIMATED]
    return estimates(load_guide(pretrained.guide_file(name)), names, t_end) if names else None


def estimates(guide: PropertyGuide, names: Sequence[str], t_end: float) -> Estimate:
    """Properties of molecules whose hydrogens are explicit.

    Args:
        guide: of the model that made them.
        names: of the properties, which the guide knows.
        t_end: graph time at which samples end: the sharpest that the guide has seen.
    """
    classes = {tuple(pair): k for k, pair in enumerate(guide.about["vocabulary"])}

    @torch.no_grad()
    def estimate(mol: Chem.Mol) -> dict[str, float]:
        arrays = from_mol(mol)
        n, pairs = len(arrays.positions), zip(arrays.atomic_numbers, arrays.formal_charges, strict=True)
        orders = torch.zeros(n, n, dtype=torch.long)
        i, j = torch.from_numpy(arrays.bonds.T.astype(np.int64))
        orders[i, j] = orders[j, i] = torch.from_numpy(arrays.bond_orders.astype(np.int64))
        atoms = torch.eye(len(classes))[[classes[int(z), int(q)] for z, q in pairs]]
        bonds = torch.eye(4)[orders] * ~torch.eye(n, dtype=torch.bool)[..., None]
        positions = torch.from_numpy(arrays.positions.astype(np.float32))
        there, vocabulary = torch.ones(1, n, dtype=torch.bool), [tuple(pair) for pair in guide.about["vocabulary"]]
        soft = SoftMolecules(positions[None], atoms[None], bonds[None], there, vocabulary)
        mean, _ = guide.network(soft, torch.tensor([t_end]))
        values = (mean[0] * guide.deviation + guide.mean).tolist()
        return {name: values[guide.names.index(name)] for name in names}

    return estimate
