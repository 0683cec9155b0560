"""The steps of a sampler ask the device for nothing."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem
from waits import Questions, Waits

from molscore import pretrained
from molscore.model import load, sample_molecules
from molscore.model.conformers import sample_positions
from molscore.score.represent import batch_of, represent


def streams() -> list[np.random.Generator]:
    return [np.random.default_rng(k) for k in range(2)]


def molecules(steps: int) -> None:
    sample_molecules(load(pretrained.find("qm9")), [5, 3], streams(), steps=steps)


def conformers(steps: int) -> None:
    model, mols = load(pretrained.find("conformers")), [Chem.AddHs(Chem.MolFromSmiles(s)) for s in ("CCCO", "CCCCN")]
    for mol in mols:
        assert AllChem.EmbedMolecule(mol, randomSeed=1) == 0
    batch = batch_of([represent(mol, model).arrays for mol in mols], model)
    sample_positions(model, batch, streams(), steps=steps, eta_x=1)


@pytest.mark.parametrize("work", [molecules, conformers])
def test_steps_do_not_wait(work):
    def waits(steps: int) -> list[str]:
        with Waits() as operators, Questions() as questions:
            work(steps)
        return sorted(operators.names + questions.names)

    assert waits(4) == waits(9)
