import re
from base64 import b64encode
from hashlib import sha256

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import QED
from rdkit.Chem.rdDistGeom import EmbedMultipleConfs
from rdkit.Chem.rdMolAlign import AlignMol
from report_page import MANIFEST, Page, make_mols, overbonded, without_last_atom

from molscore.chem.checks.validity import FAULTS
from molscore.chem.embedding.etkdg import embed
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.io.sdf_reader import read_sdf
from molscore.evaluate import evaluate
from molscore.report import write_report
from molscore.report.columns import value_of
from molscore.report.depict import orient


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


def test_histograms_stand_before_those_of_the_reference(mols, metrics, tmp_path):
    """The same grid, the outline first; without a reference there is none. A legend says which is which."""
    write_report(tmp_path / "r.html", mols * 3, title="", manifest={}, metrics=metrics)
    section = Page(tmp_path / "r.html").source.partition('<section id="histograms">')[2].partition("</section>")[0]
    figures = re.findall(r"<figure>.*?</figure>", section, re.DOTALL)
    assert "the reference, " + metrics.reference in section and "the molecules listed" in section
    known = metrics.reference_composition["histograms"]
    for name in ("Molar mass", "Heavy atoms"):
        (figure,) = [figure for figure in figures if f"<b>{name}</b>" in figure]
        assert 0 < figure.index('class="outline"') < figure.index("<rect")
        shares = [float(x) for x in re.findall(r": ([\d.]+) %, reference", figure)]
        assert sum(shares) == pytest.approx(100, abs=0.5)
    assert f"reference {known['mw']['median']:.3g}" in section
    write_report(tmp_path / "r.html", mols, title="", manifest={})
    section = Page(tmp_path / "r.html").source.partition('<section id="histograms">')[2].partition("</section>")[0]
    assert "<rect" in section and "outline" not in section and "reference" not in section


def test_one_line_a_molecule(page, mols):
    """With what the record does not say of it computed."""
    assert page.column("SMILES") == [Chem.MolToSmiles(Chem.RemoveHs(mol)) for mol in mols]
    assert page.column("verdict") == ["sound"] * len(mols)
    assert page.column("molscore_index") == [2 * k for k in range(len(mols))]
    assert page.column("qed")[5] == pytest.approx(QED.qed(Chem.RemoveHs(mols[5])), abs=1e-3)
    assert page.column("mw")[0] == pytest.approx(46.069, abs=1e-3)
    assert page.column("strain_kcal_per_mol")[6] == pytest.approx(relaxation_energy(mols[6]).energy, abs=0.01)
    assert "7 molecules" in page.text()


def test_every_column_has_a_heading_and_a_meaning(page):
    columns = page.data()["columns"]
    assert [column["key"] for column in columns][:3] == ["title", "verdict", "strain_kcal_per_mol"]
    assert all(column["label"] and column["meaning"] for column in columns)
    assert {c["key"] for c in columns if not c["number"]} == {"title", "verdict", "formula", "SMILES", "alerts"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), (" 5.5 ", 5.5), ("1e-3", 0.001), *((t, t) for t in ("007", "1_000", "inf", "1e400", "9" * 20, "", "a"))],
)
def test_what_no_number_holds_stays_a_text(text, value):
    assert value_of(text) == value and type(value_of(text)) is type(value)


def test_what_a_record_says_is_kept(mols, tmp_path):
    """Its own figures are not computed again; patterns are added to those that it names."""
    given = Chem.Mol(mols[0])
    for name, value in {
        "qed": "0.125",
        "sa": "2.5",
        "unusual": "high_sa; high_strain",
        "affinity": "-7.5",
        "batch": "A 7",
    }.items():
        given.SetProp(name, value)
    write_report(tmp_path / "r.html", [embed("CC(F)(F)O"), embed("COO"), mols[0], given], title="", manifest={})
    page = Page(tmp_path / "r.html")
    assert page.column("unusual") == ["alpha halo alcohol", "peroxide", None, "high sa; high strain"]
    assert page.column("qed")[3] == 0.125 and page.column("sa")[3] == 2.5 and page.column("sa")[0] > 1
    labels = [column["label"] for column in page.data()["columns"]]
    assert len(labels) == len(set(labels))
    assert page.column("affinity") == [None, None, None, -7.5] and page.column("batch")[3] == "A 7"
    assert page.column("verdict") == ["sound"] * 4


def test_a_drawing_holds_record_formula_and_first_view(page, mols, tmp_path):
    drawings = page.drawings()
    assert len(drawings) == len(mols)
    for drawing, mol in zip(drawings, mols, strict=True):
        assert drawing["svg"].startswith('<svg class="formula"') and "<path" in drawing["svg"]
        assert drawing["aromatic"] == [bond.GetIdx() for bond in mol.GetBonds() if bond.GetIsAromatic()]
        path = tmp_path / "one.sdf"
        path.write_text(drawing["sdf"])
        (record,) = read_sdf(path)
        assert Chem.MolToSmiles(record.mol) == Chem.MolToSmiles(mol)
        assert np.allclose(record.mol.GetConformer().GetPositions(), mol.GetConformer().GetPositions(), atol=1e-4)
        assert record.mol.GetProp("molscore_index") == mol.GetProp("molscore_index")
        turn, shift = np.array(drawing["view"][:9]).reshape(3, 3), np.array(drawing["view"][9:])
        shown = mol.GetConformer().GetPositions() @ turn.T + shift
        assert np.allclose(shown.max(axis=0), -shown.min(axis=0), atol=1e-3)
        assert np.isclose(np.linalg.det(turn), 1, atol=1e-3)


def test_the_first_view_is_a_rotation_never_a_mirror_image():
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = rng.normal(size=(6, 3)) * [3, 2, 1]
        rotation, shift = orient(x)
        assert np.allclose(rotation.T @ rotation, np.eye(3))
        assert np.isclose(np.linalg.det(rotation), 1)
        y = x @ rotation.T + shift
        assert np.allclose(y.max(axis=0), -y.min(axis=0))
    for few in (1, 2):
        assert np.isfinite(orient(rng.normal(size=(few, 3)))[0]).all()


def test_unsound_molecules_are_shown_for_what_they_are(mols, tmp_path):
    nowhere = Chem.Mol(mols[0])
    nowhere.GetConformer().SetAtomPosition(0, [float("nan"), 0, 0])
    unsound = [without_last_atom(mols[0]), overbonded(), nowhere, Chem.MolFromSmiles("CCO"), Chem.Mol()]
    write_report(tmp_path / "r.html", [*unsound, mols[1]], title="", manifest={})
    page = Page(tmp_path / "r.html")
    faults = [word.partition(":")[0] for word in page.column("verdict")]
    assert faults == ["radical", "valence", "non_finite", "implicit_hydrogens", "empty", "sound"]
    assert ["missing" in drawing for drawing in page.drawings()] == [False, False, True, True, True, False]
    assert page.column("SMILES")[0] == "CC[O]"
    assert page.column("SMILES")[1].count("[H]") == 5  # CH5 must not pass for methane


def test_conformers_are_lines_of_one_molecule(tmp_path):
    """Laid over the best by a rotation; counted by method, with their energies and distances."""
    mol = Chem.AddHs(Chem.MolFromSmiles("CCCCO"))
    EmbedMultipleConfs(mol, 4, randomSeed=1)
    records = []
    for k, conformer in enumerate(mol.GetConformers()):
        record = Chem.Mol(mol, False, conformer.GetId())
        energy = {"energy_kcal_per_mol": 3 + k, "relative_energy_kcal_per_mol": k, "rmsd_to_best_angstrom": 0.2 * k}
        values = {"_Name": "butanol", "rank": k + 1, "method": "etkdg" if k == 3 else "score"} | energy
        for name, value in values.items():
            record.SetProp(name, str(value))
        records.append(record)
    write_report(tmp_path / "r.html", [*records, embed("CO")], title="", manifest={})
    page = Page(tmp_path / "r.html")
    data = page.data()
    assert data["ensembles"] and data["records"] == [[0, 1, 2, 3], [4]]
    assert page.column("conformers") == [4, 1] and page.column("method") == ["score 3, etkdg 1", None]
    assert page.column("energy_span_kcal_per_mol")[0] == 3 and page.column("largest_rmsd_angstrom")[0] == 0.6
    assert [values[0] for values in data["conformers"][0]] == [1, 2, 3, 4]
    heavy = slice(0, 5)
    shown = []
    for drawing, record in zip(page.drawings(), records, strict=False):
        turn, shift = np.array(drawing["view"][:9]).reshape(3, 3), np.array(drawing["view"][9:])
        assert np.isclose(np.linalg.det(turn), 1, atol=1e-3)
        shown.append(record.GetConformer().GetPositions()[heavy] @ turn.T + shift)
    for x, record in zip(shown[1:], records[1:], strict=True):
        best = AlignMol(record, records[0], atomMap=[(i, i) for i in range(5)])
        assert np.sqrt(((x - shown[0]) ** 2).sum(1).mean()) == pytest.approx(best, abs=2e-3)


def test_hostile_text_stays_text(mols, tmp_path):
    evil = "</title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&$title"
    mol = Chem.Mol(mols[0])
    mol.SetProp("_Name", evil)
    mol.SetProp("molscore_index", evil)
    manifest = {"model": evil, evil: [evil], "attempts": 2}
    write_report(tmp_path / "r.html", [mol], title=evil, manifest=manifest, rejects={evil: 1})
    page = Page(tmp_path / "r.html")
    assert page.source.count("<script") == 4  # elements, data, one lot, the program
    assert "img" not in [tag for tag, _ in page.elements]
    assert [text for tag, text in page.texts if tag in ("title", "h1")] == [evil, evil]
    assert page.text().count(evil) >= 5
    assert page.column("title") == [evil] and page.column("molscore_index") == [evil]


def test_the_table_ends_but_the_count_does_not(mols, tmp_path, monkeypatch):
    monkeypatch.setattr("molscore.report.page.LISTED", 30)
    write_report(tmp_path / "r.html", [mols[0]] * 35, title="", manifest={})
    page = Page(tmp_path / "r.html")
    assert len(page.drawings()) == 30
    assert "The first 30 of 35 records are listed." in page.text()
    assert "Delivered 35" in page.text()


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
