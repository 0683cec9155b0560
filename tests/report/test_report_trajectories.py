"""Trajectories in headless Chromium: they play, stop, and follow the slider. Skipped where there is none."""

import numpy as np
import pytest
from chromium import Browser, chromium
from rdkit import Chem
from report_page import Page, embed

from molscore.chem.trajectory import Trajectory
from molscore.report import write_trajectories


def walk(smiles: str, seed: int, steps: int = 8, reason: str | None = None) -> Trajectory:
    """From noise straight to the heavy atoms of a molecule; bonds, and nitrogen in place of carbon, from halfway on."""
    mol = embed(smiles)
    mol.SetProp("_Name", f"walk {seed}")
    heavy = Chem.RemoveHs(mol)
    x, n = heavy.GetConformer().GetPositions(), heavy.GetNumAtoms()
    share = np.linspace(1, 0.05, steps)[:, None, None]
    noise = np.random.default_rng(seed).normal(size=(n, 3)) * 1.4
    numbers = np.tile([atom.GetAtomicNum() for atom in heavy.GetAtoms()], (steps, 1))
    numbers[: steps // 2] = 6
    bonds = np.zeros((steps, n, n), dtype=np.uint8)
    for bond in heavy.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        bonds[steps // 2 :, i, j] = bonds[steps // 2 :, j, i] = int(bond.GetBondTypeAsDouble())
    positions = (share * noise + (1 - share) * x).astype(np.float32)
    return Trajectory(f"walk {seed}", share.ravel(), positions, numbers, 0 * numbers, bonds, mol, reason)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("play") / "play.html"
    trajectories = [walk("NCC=O", 0), walk("CC#N", 1, reason="clash"), walk("c1ccncc1", 2)]
    write_trajectories(path, trajectories, title="On <their> way", manifest={"model": "qm9", "seed": 3})
    return path


def test_the_page_is_whole_and_needs_nothing_else(path):
    page = Page(path)
    assert "On <their> way" in page.text() and "Model qm9 Seed 3" in page.text()
    assert not [tag for tag, _ in page.elements if tag in ("link", "iframe", "img", "object")]
    assert len(page.drawings()) == 3 and all(len(drawing["frames"]) == 8 for drawing in page.drawings())


def test_what_cannot_be_written(path, tmp_path):
    with pytest.raises(ValueError, match="no trajectories"):
        write_trajectories(tmp_path / "none.html", [])
    with pytest.raises(ValueError, match="html"):
        write_trajectories(tmp_path / "play.sdf", [walk("CC", 0)])
    assert list(tmp_path.iterdir()) == []


def test_without_a_molecule_the_last_frame_is_the_end(tmp_path):
    lost = walk("NCC=O", 0)
    lost = Trajectory(
        lost.title, *(getattr(lost, name) for name in list(lost.__dataclass_fields__)[1:6]), None, "valence"
    )
    write_trajectories(tmp_path / "lost.html", [lost])
    (drawing,) = Page(tmp_path / "lost.html").drawings()
    assert drawing["reason"] == "valence" and "sdf" not in drawing


@pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")
@pytest.mark.parametrize(("width", "mobile"), [(1300, False), (390, True)])
def test_it_plays_stops_and_follows_the_slider(path, width, mobile):
    step = "+SLIDER.value"
    atoms = "[...document.querySelectorAll('.view')].map(view => view.querySelectorAll('circle').length / 2)"
    sticks = "[...document.querySelectorAll('.view')].map(view => view.querySelectorAll('line').length > 0)"
    with Browser(width, 900, mobile=mobile) as page:
        page.open(path)
        seen = page.run("new Promise(done => setTimeout(() => done(+SLIDER.value), 1500))")
        assert page.run("document.querySelector('#toggle').textContent") == "Pause"
        later = page.run(f"new Promise(done => setTimeout(() => done({step}), 2500))")
        assert 0 < later - seen < 8 or later == 8  # it moves by itself
        if page.run("STATE.start !== null"):
            page.run("document.querySelector('#toggle').click()")
        stopped = page.run(step)
        assert page.run(f"new Promise(done => setTimeout(() => done({step}), 900))") == stopped

        def slide(k):
            page.run(f"SLIDER.value = {k}; SLIDER.dispatchEvent(new Event('input'))")

        slide(0)
        assert page.run(atoms) == [4, 3, 6] and page.run(sticks) == [False] * 3
        assert "time 1.00" in page.run("document.querySelector('#count').textContent")
        first = page.run("document.querySelector('.view').innerHTML")
        slide(7)
        assert page.run(atoms) == [4, 3, 6] and page.run(sticks) == [True] * 3
        slide(8)
        assert page.run(atoms) == [9, 6, 11]  # the molecules, with hydrogens
        assert page.run("document.querySelector('.view').innerHTML") != first
        text = page.run("document.querySelector('main').innerText")
        assert "rejected: clash" in text and "finished" in text
        page.run("CARDS[0].view.svg.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }))")
        turned = page.run("CARDS[0].view.turned")
        slide(3)
        assert page.run("CARDS[0].view.turned") == turned and turned != page.run("CARDS[1].view.turned")
        assert page.run("document.documentElement.scrollWidth") <= width
        assert page.errors == []
