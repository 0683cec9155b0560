import re
from base64 import b64decode, b64encode
from hashlib import sha256

import numpy as np
import pytest
from rdkit import Chem
from report_page import MANIFEST, Page, make_mols, overbonded, without_last_atom

from molscore.chem.arrays import from_mol
from molscore.chem.checks.validity import FAULTS
from molscore.chem.embedding.etkdg import embed
from molscore.chem.io.sdf_reader import read_sdf
from molscore.evaluate import evaluate
from molscore.report import write_report
from molscore.report.depict import orient
from molscore.report.gallery import SHOWN


@pytest.fixture(scope="module")
def mols():
    return make_mols()


@pytest.fixture(scope="module")
def metrics(mols):
    return evaluate([*mols, without_last_atom(mols[0])], posebusters=None)


@pytest.fixture(scope="module")
def page(mols, metrics, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    rejects = {"valence": 1, "bond_length": 4, "clash": 0}
    write_report(path, mols, title="Seven molecules", manifest=MANIFEST, metrics=metrics, rejects=rejects)
    return Page(path)


def test_nothing_comes_from_elsewhere(page):
    for tag, attrs in page.elements:
        for name, value in attrs.items():
            if name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
                assert value.startswith(("data:", "#")), f"<{tag} {name}={value[:60]}>"
        assert tag not in ("link", "iframe", "object", "embed", "base")
    assert "://" not in page.source
    assert "@import" not in page.source
    assert set(re.findall(r"url\((.)", page.source)) == {"#"}  # gradients of the page itself


def test_the_browser_may_run_the_viewer_and_load_nothing(page):
    (policy,) = page.attributes("meta", "content")[:1]
    (script,) = re.findall(r"<script>(.*?)</script>", page.source, re.DOTALL)
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]


def test_header_shows_how_the_molecules_came_about(page):
    terms = [text for tag, text in page.texts if tag == "dt"]
    values = [text for tag, text in page.texts if tag == "dd"]
    assert dict(zip(terms, values, strict=True)) == {
        "Asked for": "9",
        "Delivered": "7",
        "Attempts": "12",
        "Model": "qm9",
        "Seed": "3",
        "Steps": "50",
        "Sampler": "dpm",
    }
    assert "7 molecules were delivered, 9 were asked for." in page.text()


def test_no_warning_where_nothing_is_missing(mols, tmp_path):
    write_report(tmp_path / "r.html", mols, title="", manifest=MANIFEST | {"requested": 7})
    assert "were asked for" not in Page(tmp_path / "r.html").text()


def test_rejects_have_their_counts_shares_and_meanings(page):
    text = page.text()
    assert f"bond_length {FAULTS['bond_length']} 4 33.3" in text
    assert f"valence {FAULTS['valence']} 1 8.3" in text
    assert text.index("bond_length") < text.index("valence")
    assert "5 of 12 attempts" in text
    assert FAULTS["clash"] not in text


def test_metrics_have_denominators_and_intervals(page, metrics):
    low, high = metrics["valid"].interval
    assert metrics["valid"].total == 8
    assert f"valid 87.5 {100 * low:.1f} – {100 * high:.1f} 7 / 8 records" in page.text()
    assert metrics.notes[0] in page.text()
    assert f"{metrics.distances['bond_mmd'].floor:.2e}" in page.text()
    (text,) = [text for tag, text in page.texts if tag == "pre"]
    assert text == metrics.format_text().strip()


def test_one_card_a_molecule(page, mols):
    assert [text for tag, text in page.texts if tag == "code"][2:] == [Chem.MolToSmiles(Chem.RemoveHs(m)) for m in mols]
    assert page.text().count("sound valences and geometry") == len(mols)
    assert "molscore_index 12" in page.text()
    assert f"All {len(mols)}, in the order of the set" in page.text()
    formulas = page.source.split('class="formula"')[1:]
    assert len(formulas) == len(mols)
    assert all("<path" in formula.split("</svg>")[0] for formula in formulas)


def test_a_card_says_what_is_unusual_beside_what_is_sound(mols, tmp_path):
    """Of patterns, and of what the record says; sound is not usual, and nothing claims to have passed everything."""
    strained = Chem.Mol(mols[0])
    strained.SetProp("unusual", "high_sa; high_strain")
    write_report(tmp_path / "r.html", [embed("CC(F)(F)O"), embed("COO"), mols[0], strained], title="", manifest={})
    page = Page(tmp_path / "r.html")
    words = re.findall(r'<span class="unusual">unusual: ([^<]*)<', page.source)
    assert words == ["alpha halo alcohol", "peroxide", "high sa, high strain"]
    assert page.text().count("sound valences and geometry") == 4 and "all checks" not in page.text()


def test_the_view_holds_the_molecule(page, mols):
    views = page.views()
    assert len(views) == len(mols)
    for view, mol in zip(views, mols, strict=True):
        arrays = from_mol(mol)
        assert [atom[0] for atom in view["atoms"]] == [atom.GetSymbol() for atom in mol.GetAtoms()]
        assert [atom[4] for atom in view["atoms"]] == arrays.formal_charges.tolist()
        bonds = np.array(view["bonds"])
        assert np.array_equal(bonds[:, :2], arrays.bonds) and np.array_equal(bonds[:, 2], arrays.bond_orders)
        shown = np.array([atom[1:4] for atom in view["atoms"]])
        between = [np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (shown, arrays.positions)]
        assert np.allclose(*between, atol=2e-3)  # coordinates have three decimals
    assert sorted({atom[4] for view in views for atom in view["atoms"]}) == [-1, 0, 1]


def test_the_first_view_is_a_rotation_never_a_mirror_image():
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = rng.normal(size=(6, 3)) * [3, 2, 1]
        y = orient(x)
        rotation = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(axis=0), rcond=None)[0]
        assert np.allclose(rotation.T @ rotation, np.eye(3))
        assert np.isclose(np.linalg.det(rotation), 1)
        assert np.allclose(y.max(axis=0), -y.min(axis=0))
    for few in (1, 2):
        assert np.isfinite(orient(rng.normal(size=(few, 3)))).all()


def test_the_link_holds_the_record(page, mols, tmp_path):
    links = page.attributes("a", "href")
    assert len(links) == len(mols)
    for link, mol in zip(links, mols, strict=True):
        path = tmp_path / "one.sdf"
        path.write_bytes(b64decode(link.removeprefix("data:chemical/x-mdl-sdfile;base64,"), validate=True))
        (record,) = read_sdf(path)
        assert Chem.MolToSmiles(record.mol) == Chem.MolToSmiles(mol)
        assert np.allclose(record.mol.GetConformer().GetPositions(), mol.GetConformer().GetPositions(), atol=1e-4)
        assert record.mol.GetProp("molscore_index") == mol.GetProp("molscore_index")


def test_unsound_molecules_are_shown_for_what_they_are(mols, tmp_path):
    nowhere = Chem.Mol(mols[0])
    nowhere.GetConformer().SetAtomPosition(0, [float("nan"), 0, 0])
    unsound = [without_last_atom(mols[0]), overbonded(), nowhere, Chem.MolFromSmiles("CCO"), Chem.Mol()]
    write_report(tmp_path / "r.html", [*unsound, mols[1]], title="", manifest={})
    page = Page(tmp_path / "r.html")
    faults = re.findall(r'<span class="bad">(\w+):', page.source)
    assert faults == ["radical", "valence", "non_finite", "implicit_hydrogens", "empty"]
    assert page.text().count("sound valences and geometry") == 1
    assert len(page.views()) == 3
    assert page.text().count("No 3-D view:") == 3
    codes = [text for tag, text in page.texts if tag == "code"]
    assert codes[0] == "CC[O]"
    assert codes[1].count("[H]") == 5  # CH5 must not pass for methane


def test_hostile_text_stays_text(mols, tmp_path):
    evil = "</title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&$title"
    mol = Chem.Mol(mols[0])
    mol.SetProp("_Name", evil)
    mol.SetProp("molscore_index", evil)
    manifest = {"model": evil, evil: [evil], "attempts": 2}
    write_report(tmp_path / "r.html", [mol], title=evil, manifest=manifest, rejects={evil: 1})
    page = Page(tmp_path / "r.html")
    assert len(page.attributes("script", "type")) == 1 and page.source.count("<script") == 2
    assert "img" not in [tag for tag, _ in page.elements]
    assert [text for tag, text in page.texts if tag in ("title", "h1")] == [evil, evil]
    assert page.text().count(evil) >= 6


def test_the_gallery_ends_but_the_count_does_not(mols, tmp_path):
    write_report(tmp_path / "r.html", [mols[0]] * (SHOWN + 5), title="", manifest={})
    page = Page(tmp_path / "r.html")
    assert len(page.views()) == SHOWN
    assert f"The first {SHOWN} of {SHOWN + 5}" in page.text()
    assert f"Delivered {SHOWN + 5}" in page.text()


@pytest.mark.parametrize("wrong", [[], Chem.Mol(), [None]])
def test_no_molecules_is_an_error_that_says_so(wrong, tmp_path):
    with pytest.raises(ValueError, match="no molecules|one molecule|got NoneType"):
        write_report(tmp_path / "r.html", wrong, title="", manifest={})
    assert list(tmp_path.iterdir()) == []


def test_bad_paths_are_errors(mols, tmp_path):
    with pytest.raises(ValueError, match="must end in .html"):
        write_report(tmp_path / "report.pdf", mols, title="", manifest={})
    with pytest.raises(FileNotFoundError, match="make it first"):
        write_report(tmp_path / "none" / "report.html", mols, title="", manifest={})


def test_a_failure_leaves_the_old_report(mols, tmp_path, monkeypatch):
    path = tmp_path / "r.html"
    path.write_text("old")

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("molscore.report.page.os.replace", full)
    with pytest.raises(OSError, match="no space"):
        write_report(path, mols, title="", manifest={})
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
