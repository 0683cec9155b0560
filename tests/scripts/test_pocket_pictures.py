"""Pictures of pockets and shapes: what is drawn, from where it is seen, and that the words fit."""

from io import BytesIO

import numpy as np
import pocket_pictures as pictures
import pytest
from hollow_ball import CENTRE, SITE, write_ball
from PIL import Image, ImageFont
from rdkit import Chem
from rdkit.Chem import AllChem

from molscore.chem.pocket.receptor import read_pocket
from molscore.chem.properties import set_properties


@pytest.fixture
def mol():
    whole = Chem.AddHs(Chem.MolFromSmiles("O=C(NCc1ccccc1)C1CC1"))
    assert AllChem.EmbedMolecule(whole, randomSeed=5) == 0
    whole.GetConformer().SetPositions(whole.GetConformer().GetPositions() + CENTRE)
    values = {"pocket_energy_kcal_per_mol": -12.0, "qed": 0.5, "sa": 2.0, "like_shape": 0.8, "like_similarity": 0.1}
    set_properties(whole, values)
    return whole


@pytest.fixture
def pocket(tmp_path):
    return read_pocket(write_ball(tmp_path / "ball.pdb", 7.5), SITE)


def test_a_pocket_is_drawn_with_its_walls(mol, pocket):
    panel = pictures.in_pocket(mol, mol, pocket, "ball")
    thin = [stroke for stroke in panel.strokes if stroke.width < 0.1]
    bonds = Chem.RemoveHs(mol).GetNumBonds()
    assert len(panel.strokes) - len(thin) >= 4 * bonds and "ball: energy -12" in panel.words
    near = pictures.nearby(pocket.protein, pictures.heavy(mol)).positions
    assert len(near) and np.linalg.norm(near[:, None] - pictures.heavy(mol), axis=-1).min(1).max() <= pictures.ROUND
    page = Image.open(BytesIO(pictures.sheet([panel, pictures.over_query(mol, mol)], 2)))
    assert page.size == (2 * pictures.WIDTH, pictures.HEIGHT + pictures.LEGEND)
    colours = {colour for _, colour in page.getcolors(10**6)}
    assert any(b > r + 40 for r, g, b in colours) and len(colours) > 50


def test_the_eye_is_where_less_lies_in_front_and_there_is_no_mirror(mol):
    x = pictures.heavy(mol)
    for side in (1, -1):
        axes = np.linalg.svd(x - x.mean(0))[2]
        wall = pictures.Stroke(x.mean(0) + 5 * side * axes[2], x.mean(0), (0, 0, 0), 0.05)
        seen = pictures.view(pictures.Panel([wall], x, ""))
        assert np.linalg.det(seen) == pytest.approx(1) and (wall.start - x.mean(0)) @ seen[2] < 0


def test_words_fit():
    font = ImageFont.load_default(12)
    assert pictures.fitting("CCO", font) == "CCO"
    long = pictures.fitting("C" * 500, font)
    assert long.endswith("…") and font.getlength(long) <= pictures.WIDTH - 16
