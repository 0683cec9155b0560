"""Wishes of one's own: what guidance and particles make of samples, and that the generator's promises still hold."""

import numpy as np
import pytest
import torch
from run_length import STEPS

from molscore.generate import GenerationOptions
from molscore.model.slopes import shortened


def oxygens(molecules, t):
    """Four kT for each oxygen more."""
    return -4 * molecules.share([8]).sum(1)


def flat(molecules, t):
    """A plane, in kT / Å²."""
    return (molecules.positions[..., 2] ** 2 * molecules.mask).sum(1)


def share_of_oxygen(mols) -> float:
    numbers = [atom.GetAtomicNum() for mol in mols for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    return float(np.mean([number == 8 for number in numbers]))


def height(mols) -> float:
    """Mean square of the heavy atoms' third coordinates, Å²."""
    heavy = [[atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1] for mol in mols]
    z = [mol.GetConformer().GetPositions()[atoms, 2] for mol, atoms in zip(mols, heavy, strict=True)]
    return float(np.mean([np.mean(own**2) for own in z]))


def test_a_wish_for_an_element_is_followed(generator):
    plain, guided = (generator.generate(16, 5, steps=STEPS, raw=True, wishes=w).mols for w in ((), (oxygens,)))
    assert share_of_oxygen(guided) > 1.5 * share_of_oxygen(plain)


def test_a_wish_for_positions_is_followed(generator):
    plain, guided = (generator.generate(16, 5, steps=STEPS, raw=True, wishes=w).mols for w in ((), (flat,)))
    assert height(guided) < 0.75 * height(plain)


def test_no_guidance_is_none(generator):
    plain, unguided = (
        generator.generate(4, 5, steps=4, raw=True, **more).mols for more in ({}, {"wishes": (flat,), "guidance": 0.0})
    )
    for a, b in zip(plain, unguided, strict=True):
        assert (a.GetConformer().GetPositions() == b.GetConformer().GetPositions()).all()


def test_particles_choose_without_guidance(generator):
    """Copies of the flattest of each group, parted by noise; a group is what it is in any batch, but for rounding."""
    options = {"steps": STEPS, "raw": True, "wishes": (flat,), "guidance": 0.0, "particles": 4}
    plain = generator.generate(16, 5, steps=STEPS, raw=True, wishes=(flat,), guidance=0.0).mols
    chosen, others = (generator.generate(16, 5, batch_size=size, **options).mols for size in (4, 16))
    assert height(chosen) < 0.9 * height(plain)
    for a, b in zip(chosen, others, strict=True):
        assert np.abs(a.GetConformer().GetPositions() - b.GetConformer().GetPositions()).max() < 0.05
    fewer = generator.generate(6, 5, **options).mols
    assert [mol.GetIntProp("molscore_index") for mol in fewer] == list(range(6))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"particles": 4}, "follow wishes"), ({"particles": 0, "wishes": (flat,)}, "particles must be"),
        ({"guidance": -1.0, "wishes": (flat,)}, "guidance must be"),
        ({"particles": 4, "wishes": (flat,), "batch_size": 6}, "whole groups of 4"),
    ],
    ids=str,
)  # fmt: skip
def test_options_of_guidance_that_cannot_be(wrong, words):
    with pytest.raises(ValueError, match=words):
        GenerationOptions(**wrong)


def test_shortened_vectors_keep_their_directions():
    vectors = torch.tensor([[3.0, 4.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(shortened(vectors, 1.0), torch.tensor([[0.6, 0.8, 0.0], [0.1, 0.0, 0.0], [0.0, 0, 0]]))
