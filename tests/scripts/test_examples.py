"""The worked examples do what they say."""

import numpy as np
import pytest
from examples import guidance_term, new_check, new_sampler
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore import MoleculeGenerator
from molscore.chem.checks.validity import CHECKS, check
from molscore.model import load, sample_molecules
from molscore.pretrained import find
from molscore.testing import check_sampler

EXTENSIONS = (new_sampler, guidance_term, new_check)


@pytest.mark.parametrize("module", EXTENSIONS, ids=lambda module: module.__name__.split(".")[-1])
def test_an_extension_is_one_short_file(module):
    with open(module.__file__, encoding="utf-8") as file:
        assert len(file.readlines()) <= 40


def test_new_sampler():
    check_sampler(new_sampler.DDIM(), order=1, steps=200)
    options = {"steps": 30, "sampler": new_sampler.DDIM()}
    (sample,) = sample_molecules(load(find("qm9")), [16], [np.random.default_rng(0)], **options)
    assert sample.atom_probabilities.max(1).min() > 0.9


def test_guidance_term():
    free, guided = guidance_term.radii(n=6, steps=25), guidance_term.radii(guidance_term.compact, n=6, steps=25)
    assert np.mean(guided) < np.mean(free) - 0.05
    assert np.isfinite(guided).all()


def test_new_check():
    urea = Chem.AddHs(Chem.MolFromSmiles("NC(=O)N"))
    EmbedMolecule(urea, randomSeed=1)
    assert check(urea) is None
    fault = check(urea, checks=[*CHECKS, new_check.mostly_carbon])
    assert str(fault) == "not_organic: only 1 of 4 heavy atoms are carbon"
    chosen = {"steps": 20, "checks": (new_check.mostly_carbon,)}
    result = MoleculeGenerator.from_pretrained("qm9").generate(4, seed=0, **chosen)
    assert len(result.mols) == 4 and not any(new_check.mostly_carbon(mol) for mol in result.mols)
    assert result.manifest["checks"] == ["mostly_carbon"]
    with pytest.raises(ValueError, match="leave out raw"):
        MoleculeGenerator.from_pretrained("qm9").generate(4, raw=True, **chosen)
