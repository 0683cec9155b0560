"""The picture of completions: what is drawn, and from where it is seen."""

from io import BytesIO

import completion_sheet
import numpy as np
import pytest
from completion_sheet import FLAT, HEIGHT, SOLID, TITLE, in_space, legend, sheet
from PIL import Image
from rdkit import Chem
from rdkit.Chem import AllChem


@pytest.fixture
def mol():
    """As the product gives it: heavy atoms first, properties of a record."""
    whole = Chem.AddHs(Chem.MolFromSmiles("c1ccc(C(=O)N[C@@H](C)c2ccncc2)cc1"))
    assert AllChem.EmbedMolecule(whole, randomSeed=5) == 0
    for name, value in (("kept_atoms", "0 1 2 3"), ("unusual", "high_strain")):
        whole.SetProp(name, value)
    whole.SetIntProp("molscore_index", 7)
    for name, value in (("qed", 0.91), ("sa", 2.34), ("strain_kcal_per_mol", 31.4)):
        whole.SetDoubleProp(name, value)
    return whole


def test_seen_along_the_shortest_axis_and_not_in_a_mirror(mol):
    heavy = Chem.RemoveHs(mol).GetConformer().GetPositions()
    seen = in_space(mol)
    apart = [np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (seen, heavy)]
    assert np.allclose(*apart)
    assert np.isclose(signed_volume(seen), signed_volume(heavy))
    widths = np.linalg.svd(heavy - heavy.mean(0), compute_uv=False)
    assert np.allclose(np.linalg.norm(seen, axis=0), widths)  # across, upwards, along the view


def signed_volume(x):
    """Of the tetrahedron of the stereocentre and three neighbours."""
    return np.linalg.det(x[[6, 8, 9]] - x[7])


def test_legend(mol):
    assert legend(mol) == "7   QED 0.91   SA 2.3   strain 31\nhigh_strain"


def test_every_molecule_is_drawn_twice_with_what_is_kept(mol):
    page = np.array(Image.open(BytesIO(sheet([("one", [mol, mol]), ("none", [])], 2))).convert("RGB"))
    height, width = HEIGHT + TITLE, FLAT + SOLID
    assert page.shape == (2 * height, 2 * width, 3)
    for left, right in ((0, FLAT), (FLAT, width), (width, width + FLAT), (width + FLAT, 2 * width)):
        cell = page[TITLE:height, left:right].reshape(-1, 3).astype(int)
        blue = (cell[:, 2] - cell[:, 0] > 30) & (cell.min(1) > 150)
        assert blue.sum() > 100  # what is kept
    assert (page[height + TITLE :] == 255).all()


def test_scaffolds_and_pairs_in_one_picture(command, tmp_path, capsys):
    fragments = Chem.MolFromSmiles("Cc1ccccc1.Cc1ccncc1")
    assert AllChem.EmbedMolecule(fragments, randomSeed=1) == 0
    x = fragments.GetConformer().GetPositions()
    x[7:] += (0, 0, 40)
    for start, end in ((0, 7), (7, 14)):
        x[start:end] -= x[start]
    x[7:] = x[7:] @ np.diag((-1, -1, 1)) + (2.6, 0, 0)
    fragments.GetConformer().SetPositions(x)
    fragments.SetProp("anchors", "0,7")
    fragments.SetProp("reference_smiles", "c1ccccc1CCCc1ccncc1")
    with Chem.SDWriter(str(tmp_path / "pairs.sdf")) as file:
        file.write(fragments)
    words = ["--scaffolds", "c1ccccc1[*:1]", "--each", 1, "--steps", 20, "--pairs", 0, "--out", tmp_path / "sheet.png"]
    command(completion_sheet, "--linkers", tmp_path / "pairs.sdf", *words)
    assert Image.open(tmp_path / "sheet.png").size == (FLAT + SOLID, 2 * (HEIGHT + TITLE))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["scaffold", "link"] and ": 1 of " in lines[0]
