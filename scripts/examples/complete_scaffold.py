"""Completing a scaffold: a benzene ring is given, atoms, bonds and positions; the model makes what is attached to it.

``python scripts/examples/complete_scaffold.py`` prints SMILES, and how far the ring has moved (it has not).
"""

import numpy as np
import torch
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.decode import decode
from molscore.chem.hydrogens import complete
from molscore.datasets.batch import MoleculeBatch
from molscore.model import load, sample_molecules
from molscore.model.completion import Given
from molscore.pretrained import find


def completed(model, core, n=4, atoms=14, steps=50):
    """Molecules of so many heavy atoms that hold a core: an RDKit molecule, kekulised, no hydrogens, one conformer."""
    b, k = (n, atoms), core.GetNumAtoms()
    given = torch.arange(atoms).expand(b) < k
    positions, classes = torch.zeros(*b, 3), torch.zeros(b, dtype=torch.int64)
    bonds = torch.zeros(n, atoms, atoms, dtype=torch.int64)
    positions[:, :k] = torch.tensor(core.GetConformer().GetPositions(), dtype=torch.float32)
    classes[:, :k] = torch.tensor(
        [model.vocabulary.index((a.GetAtomicNum(), a.GetFormalCharge())) for a in core.GetAtoms()]
    )
    for bond in core.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        bonds[:, i, j] = bonds[:, j, i] = int(bond.GetBondTypeAsDouble())
    stereo = torch.zeros(n, 0, 5, dtype=torch.int64)
    batch = MoleculeBatch(positions, classes, bonds, torch.ones(b, dtype=torch.bool), stereo)
    streams = [np.random.default_rng(seed) for seed in range(n)]
    return sample_molecules(model, [atoms] * n, streams, steps=steps, given=Given(batch, given, given))


if __name__ == "__main__":
    benzene = Chem.AddHs(Chem.MolFromSmiles("c1ccccc1"))
    EmbedMolecule(benzene, randomSeed=1)
    core, model = Chem.RemoveHs(benzene), load(find("druglike"))
    Chem.Kekulize(core, clearAromaticFlags=True)
    for sample in completed(model, core):
        arrays = decode(*sample[1:], sample[0], model.vocabulary, repair=True, charge=0, implied=True)
        moved = np.abs(sample.positions[:6] - core.GetConformer().GetPositions()).max()
        print(Chem.MolToSmiles(Chem.RemoveHs(complete(arrays))), f"the ring has moved by {moved:.0e} Å")
