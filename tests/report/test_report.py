import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from molscore.chem.arrays import from_mol
from molscore.chem.sdf import SDFWriter, read_sdf, record_properties
from molscore.chem.validity import REASONS
from molscore.evaluate import evaluate
from molscore.report import report_file, write_report
from molscore.report.depict import orient
from molscore.report.gallery import SHOWN

SMILES = ["CCO", "C[C@H](N)C(=O)O", "C[NH2+]CC([O-])=O", "C[N+](C)(C)CCO", "F/C=C/Cl", "c1ccncc1", "CC#N"]
VOID = {"meta", "br", "hr", "img", "input", "link"}
MANIFEST = {"model": "qm9", "seed": 3, "requested": 9, "delivered": 7, "attempts": 12, "steps": 50, "sampler": "dpm"}


def embed(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=7) == 0
    return mol


def without_last_atom(mol: Chem.Mol) -> Chem.Mol:
    """The molecule less its last hydrogen: a radical."""
    editable = Chem.RWMol(mol)
    for atom in editable.GetAtoms():
        atom.SetNoImplicit(True)
    editable.RemoveAtom(mol.GetNumAtoms() - 1)
    return editable.GetMol()


def overbonded() -> Chem.Mol:
    """A carbon with five hydrogens, unsanitised."""
    editable = Chem.RWMol(embed("C"))
    editable.AddBond(0, editable.AddAtom(Chem.Atom(1)), Chem.BondType.SINGLE)
    editable.GetConformer().SetAtomPosition(5, [0.8, 0.8, 0.0])
    return editable.GetMol()


class Page(HTMLParser):
    """Reads a page strictly: every element closed, in order. Keeps elements, and text by the element it is in."""

    def __init__(self, path):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else None, data.strip()))

    def attributes(self, tag, name):
        return [attrs[name] for found, attrs in self.elements if found == tag and name in attrs]

    def views(self):
        return [json.loads(text) for text in self.attributes("svg", "data-mol")]

    def text(self):
        return " ".join(text for tag, text in self.texts if tag not in ("script", "style"))


@pytest.fixture(scope="module")
def mols():
    found = [embed(smiles) for smiles in SMILES]
    for k, mol in enumerate(found):
        mol.SetIntProp("molscore_index", 2 * k)
    return found


@pytest.fixture(scope="module")
def metrics(mols):
    return evaluate([*mols, without_last_atom(mols[0])], posebusters=False)


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
    assert f"bond_length {REASONS['bond_length']} 4 33.3" in text
    assert f"valence {REASONS['valence']} 1 8.3" in text
    assert text.index("bond_length") < text.index("valence")
    assert "5 of 12 attempts" in text
    assert REASONS["clash"] not in text


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
    assert page.text().count("passes all checks") == len(mols)
    assert "molscore_index 12" in page.text()
    assert f"All {len(mols)}, in the order of the set" in page.text()
    formulas = page.source.split('class="formula"')[1:]
    assert len(formulas) == len(mols)
    assert all("<path" in formula.split("</svg>")[0] for formula in formulas)


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
    assert page.text().count("passes all checks") == 1
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


@pytest.fixture(scope="module")
def sdf(mols, tmp_path_factory):
    """The molecules, a radical, a broken valence, and a record that cannot be read."""
    path = tmp_path_factory.mktemp("sdf") / "mols.sdf"
    with SDFWriter(path) as writer:
        for k, mol in enumerate([*mols, without_last_atom(mols[0]), overbonded(), mols[0]]):
            writer.write(mol, f"molecule {k}", record_properties(mol, model="qm9", seed=5, index=k))
    head, broken, end = path.read_text().rsplit("$$$$\n", 2)
    path.write_text(f"{head}$$$$\n{broken.replace('V2000', 'V2000', 1)[:60]}\n$$$$\n{end}")
    return path


def test_report_of_a_file(sdf, mols, tmp_path):
    calls = []
    report_file(sdf, tmp_path / "r.html", on_progress=lambda done, total: calls.append((done, total)))
    page, n = Page(tmp_path / "r.html"), len(mols)
    assert calls[-1] == (n + 3, n + 3)
    assert f"File mols.sdf Records {n + 3} Model qm9 Seed 5 molscore version" in page.text()
    assert f"3 of {n + 3} records" in page.text()
    for reason in ("radical", "valence"):
        assert f"{reason} {REASONS[reason]} 1 {100 / (n + 3):.1f}" in page.text()
    assert "unreadable RDKit cannot read the record 1" in page.text()
    assert f"{n} / {n + 3} records and no radical" in page.text()
    assert str(sdf.parent) not in page.source  # a report may be passed on
    assert "Distance to qm9" in page.text() and "PoseBusters-valid" in page.text()
    assert len(page.views()) == n + 2
    assert "molecule 4" in page.text()


def test_report_of_a_file_without_metrics(sdf, mols, tmp_path):
    calls = []
    report_file(sdf, tmp_path / "r.html", None, evaluate=False, on_progress=lambda *call: calls.append(call))
    assert calls[-1] == (len(mols) + 2, len(mols) + 2)
    assert "Metrics" not in Page(tmp_path / "r.html").text()


def test_a_run_may_tell_what_the_file_cannot(sdf, tmp_path):
    report_file(sdf, tmp_path / "r.html", evaluate=False, manifest=MANIFEST | {"rejected": {"clash": 5}})
    text = Page(tmp_path / "r.html").text()
    assert f"clash {REASONS['clash']} 5 41.7" in text
    assert "Asked for 9" in text and "5 of 12 attempts" in text


def test_records_of_two_runs_are_told_apart(mols, tmp_path):
    with SDFWriter(tmp_path / "two.sdf") as writer:
        for seed in (1, 2, 2):
            writer.write(mols[0], "", record_properties(mols[0], model="qm9", seed=seed, index=0))
        writer.write(mols[0], "")
    report_file(tmp_path / "two.sdf", tmp_path / "r.html", evaluate=False)
    assert "Seed 1 (1), 2 (2), not stated (1)" in Page(tmp_path / "r.html").text()


def test_files_that_cannot_be_reported_on(tmp_path):
    (tmp_path / "empty.sdf").write_text("")
    with pytest.raises(ValueError, match="holds no molecule"):
        report_file(tmp_path / "empty.sdf", tmp_path / "r.html")
    with pytest.raises(FileNotFoundError):
        report_file(tmp_path / "none.sdf", tmp_path / "r.html")
    assert [path.name for path in tmp_path.iterdir()] == ["empty.sdf"]
