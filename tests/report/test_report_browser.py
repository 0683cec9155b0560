"""The page in headless Chromium: sort, filter, search, select, export, turn and zoom. Skipped where there is none."""

import csv
import json

import numpy as np
import pytest
from chromium import Browser, chromium
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from report_page import embed

from molscore.chem.checks.alerts import PATTERNS
from molscore.chem.io.sdf_reader import read_sdf
from molscore.report import write_report

pytestmark = pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")

SMILES = """
CCO C[C@H](N)C(=O)O C[N+]([O-])(C)C F/C=C/Cl c1ccncc1 CC#N CCOOCC OC=CC C1CC1 CC(=O)Nc1ccccc1
NS(=O)(=O)c1ccccc1 O=[N+]([O-])c1ccc(Br)cc1 C1CCC2CC2C1 c1ccc2[nH]ccc2c1 CC(=O)Oc1ccccc1C(=O)O
CN1CCC[C@H]1c1cccnc1 OCC1OC1 NCC(=O)[O-] C=C=C CP(C)C c1ccsc1 OB(O)c1ccccc1 O=C1CC(=O)N1 CSC ClC(Cl)Cl
CC(C)(C)c1ccccc1
""".split()

SMARTS = """
c1ccccc1 [#6]1:[#6]:[#6]:[#6]:[#6]:[#6]:1 [R2] [r5] [r6;R2] [r6] [x3] [D3]([#6])[#6] [!#6;!#1] [OX2H]
[NX3;H2,H1;!$(NC=O)] C(=O)N [#7]~[#6]~[#8] *-!@* *@* [CH3] [CX4;H2] [v4] [v3] [+] [-] [N+](=O)[O-] n1cccc1 C.N
c.c [C,N]=[O,S] [$([OH]),$([NH2])] a:a:a [r] [R0] [nH] C#N cc(c)c c-c c-!@c C1CC1 [CH2][CH2]
[c;R1]1[c;R1][c;R1][c;R1][c;R1][c;R1]1 [#6]-&!@[#7] [#6]-,=[#8] [Br,Cl] S(=O)(=O)N [C;!R;$(C(=O)O)]
[O;D1]=[C;D3] [C:1]-[O:2] [C@H](N)C %11 C%11CC%11 [F,Cl,Br,I]-[#6] [!C;!c;!#1] [#6;R]
""".split()


@pytest.fixture(scope="module")
def mols():
    mols = [embed(smiles) for smiles in SMILES]
    for k, mol in enumerate(mols):
        mol.SetProp("_Name", f"molecule {k}")
    return mols


@pytest.fixture(scope="module")
def path(mols, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(path, mols, title="Molecules", manifest={})
    return path


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def page(browser, path):
    browser.errors = []
    browser.open(path)
    yield browser
    assert browser.errors == []


def shown(page):
    return page.run("STATE.shown")


def values(page, key):
    return page.run(f"STATE.shown.map(item => value(item, {key!r}))")


def write(page, selector, text):
    page.run(f"""(async () => {{ const input = document.querySelector({selector!r}); input.value = {json.dumps(text)};
        input.dispatchEvent(new Event("input", {{ bubbles: true }})); }})()""")
    page.run("new Promise(done => setTimeout(done, 60))")


def column(page, key):
    return page.run(f"column({key!r})")


def tick(page, key):
    """Shows or hides a column, through the menu."""
    page.run(f"document.querySelector('#columns input[data-k=\"{column(page, key)}\"]').click()")


def click(page, selector):
    x, y = page.run(f"""(() => {{ const element = document.querySelector({selector!r});
        element.scrollIntoView({{ block: "center", inline: "center" }});
        const box = element.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()""")
    for kind in ("mousePressed", "mouseReleased"):
        page.mouse(kind, x, y, button="left", clickCount=1)
    page.run("new Promise(done => setTimeout(done, 60))")


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(page):
    tick(page, "mw")
    heading = f'thead button[data-k="{column(page, "mw")}"]'
    click(page, heading)
    weights = values(page, "mw")
    assert len(weights) == len(SMILES) and weights == sorted(weights) and weights[0] < weights[-1]
    first = page.run("+document.querySelector('#grid tr[data-item]').dataset.item")
    assert first == shown(page)[0]
    click(page, heading)
    assert values(page, "mw") == weights[::-1]
    assert page.run("document.querySelector('th[aria-sort=descending]').textContent") == "Molar mass"


def test_what_is_missing_comes_last(page):
    heading = f'thead button[data-k="{column(page, "unusual")}"]'
    for _ in range(2):
        click(page, heading)
        words = values(page, "unusual")
        there = [word for word in words if word]
        assert 0 < len(there) < len(words) and words[: len(there)] == there


def test_bounds_filter(page):
    tick(page, "mw")
    k = column(page, "mw")
    write(page, f'#grid input[data-k="{k}"][data-end=low]', "50")
    write(page, f'#grid input[data-k="{k}"][data-end=high]', "120,5")
    weights = values(page, "mw")
    assert 0 < len(weights) < len(SMILES) and all(50 <= weight <= 120.5 for weight in weights)
    assert f"{len(weights)} of {len(SMILES)} shown" in page.run("document.querySelector('#count').textContent")
    write(page, f'#grid input[data-k="{k}"][data-end=low]', "heavy")
    assert page.run("document.querySelectorAll('input.wrong').length") == 1
    assert all(weight <= 120.5 for weight in values(page, "mw")) and len(values(page, "mw")) > len(weights)


HEADINGS = "[...document.querySelectorAll('#grid thead button')].map(button => button.textContent)"
SIDEWAYS = "[SCROLL.scrollWidth - SCROLL.clientWidth, document.documentElement.scrollWidth - innerWidth]"


@pytest.mark.parametrize(("width", "first"), [(1300, ["Title", "Checks", "Strain", "QED"]), (390, ["Strain", "QED"])])
def test_as_many_columns_as_fit_until_the_reader_chooses(path, width, first):
    with Browser(width, 900, mobile=width < 500) as page:
        page.open(path)
        fitting = page.run(HEADINGS)
        assert fitting[: len(first)] == first and page.run(SIDEWAYS) == [0, 0]
        click(page, "#choose")
        assert page.run("$('columns').hidden") is False and page.run(SIDEWAYS)[1] == 0
        boxes = page.run("[...document.querySelectorAll('#columns input')].map(box => box.checked)")
        assert len(boxes) == page.run("DATA.columns.length") > len(fitting) == sum(boxes)
        for key in ("mw", "logp", "SMILES", "alerts"):
            if page.run(f"DATA.columns[column('{key}')].label") not in fitting:
                tick(page, key)
        tick(page, "qed")
        assert page.run(HEADINGS)[-1] == "SMILES" and "QED" not in page.run(HEADINGS)
        assert page.run(SIDEWAYS)[0] > 0 and page.run(SIDEWAYS)[1] == 0  # asked for, and within the frame
        assert page.run("document.querySelector('#grid tr[data-item]').cells.length") == 3 + len(page.run(HEADINGS))
        click(page, "#fit")
        assert page.run(HEADINGS) == fitting and page.run(SIDEWAYS) == [0, 0]
        page.send("Emulation.setDeviceMetricsOverride", width=800, height=900, deviceScaleFactor=1, mobile=False)
        page.run("new Promise(done => setTimeout(done, 150))")
        assert page.run(HEADINGS) != fitting and page.run(SIDEWAYS) == [0, 0]
        assert page.errors == []


def test_a_filter_stays_with_its_column_and_goes_with_it(page):
    k = column(page, "qed")
    write(page, f'#grid input[data-k="{k}"][data-end=low]', "0.5")
    few = shown(page)
    assert 0 < len(few) < len(SMILES)
    tick(page, "tpsa")
    click(page, f'thead button[data-k="{k}"]')
    assert sorted(shown(page)) == few
    assert page.run(f"""document.querySelector('#grid input[data-k="{k}"][data-end=low]').value""") == "0.5"
    assert page.run("document.querySelector('th[aria-sort=ascending]').textContent") == "QED"
    click(page, "#choose")
    click(page, "#fit")
    assert "QED" in page.run(HEADINGS) and sorted(shown(page)) == few
    tick(page, "qed")
    assert "QED" not in page.run(HEADINGS) and len(shown(page)) == len(SMILES)


def test_words_filter_and_search(page):
    write(page, f'#grid input[data-k="{column(page, "unusual")}"]', "perox")
    assert shown(page) == [SMILES.index("CCOOCC")]
    page.run("location.reload()")
    page.wait("Page.loadEventFired")
    write(page, "#search", "f/c=c molecule")
    assert shown(page) == [SMILES.index("F/C=C/Cl")]


def test_smarts_find_what_rdkit_finds(page, mols):
    """Every pattern of the alerts, and one for each kind of primitive, operator and bond."""
    bare = [Chem.RemoveHs(mol) for mol in mols]
    asked = [*PATTERNS.values(), *(text for text in SMARTS if Chem.MolFromSmarts(text) is not None)]
    assert len(asked) > 80
    expected = [[k for k, m in enumerate(bare) if m.HasSubstructMatch(Chem.MolFromSmarts(text))] for text in asked]
    found = page.run(f"""Promise.all({json.dumps(asked)}.map(async text =>
        [...await withSubstructure(text)].sort((a, b) => a - b)))""")
    wrong = [text for text, a, b in zip(asked, found, expected, strict=True) if a != b]
    assert wrong == []
    assert sum(map(bool, expected)) > 45


@pytest.mark.parametrize("text", ["[C", "C1CC", "C(", "C)", "Q", "[$(C]", "C=", "[#]", "[C;]", "("])
def test_what_is_no_smarts_is_said(page, text):
    page.run("document.querySelector('#kind').value = 'smarts'")
    write(page, "#search", text)
    assert not page.run("document.querySelector('#problem').hidden")
    assert "of the SMARTS" in page.run("document.querySelector('#problem').textContent")
    write(page, "#search", "[OX2H]")
    assert page.run("document.querySelector('#problem').hidden") and 0 < len(shown(page)) < len(SMILES)


def test_a_selection_is_exported(page, mols, tmp_path):
    """Two ticked rows as SDF, to the last property; what is shown as CSV, where none is ticked."""
    page.downloads(tmp_path)
    for number in (2, 4):
        click(page, f'tr[data-item="{number}"] input')
    assert "2 selected" in page.run("document.querySelector('#count').textContent")
    click(page, "#sdf")
    page.downloaded()
    records = list(read_sdf(tmp_path / "selection.sdf"))
    assert [Chem.MolToSmiles(record.mol) for record in records] == [Chem.MolToSmiles(mols[k]) for k in (2, 4)]
    assert [record.mol.GetProp("_Name") for record in records] == ["molecule 2", "molecule 4"]
    click(page, "#none")
    write(page, "#search", "CCO")
    click(page, "#csv")
    page.downloaded()
    with open(tmp_path / "selection.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["SMILES"] for row in rows] == values(page, "SMILES") and len(rows) < len(SMILES)
    assert float(rows[0]["mw"]) == pytest.approx(values(page, "mw")[0])


def test_a_row_opens_its_card_and_the_molecule_turns_and_zooms(page):
    click(page, 'tr[data-item="3"] td:nth-child(4)')
    assert page.run("document.querySelector('#panel .card').dataset.item") == "3"
    page.run("scrollTo(0, 0)")
    x, y = page.run("""(() => { const box = document.querySelector("#panel .view").getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]; })()""")
    drawing = "document.querySelector('#panel .view').innerHTML"
    view = "VIEWS.get(document.querySelector('#panel .view'))"
    before = page.run(drawing)
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    page.mouse("mouseMoved", x + 40, y + 10, button="left")
    page.mouse("mouseReleased", x + 40, y + 10, button="left")
    turned = page.run(f"{view}.turned")
    assert turned[0][2] == pytest.approx(0.43, abs=0.02)  # the front went to the right by 40 / 90 radians
    assert page.run(drawing) != before
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-300)
    page.run("new Promise(done => setTimeout(done, 100))")
    assert page.run(f"{view}.zoom") == pytest.approx(1.65, abs=0.05)
    page.run("document.querySelector('#panel .view').dispatchEvent(new Event('dblclick'))")
    assert page.run(drawing) == before


def test_records_in_v3000_are_drawn_searched_and_exported(browser, tmp_path):
    """Racemates, dative bonds and more than 999 atoms are written so, and read from such files too."""
    racemate = Chem.AddHs(Chem.MolFromSmiles("C[C@H]([NH3+])C(=O)[O-] |&1:1|"))
    complexed = Chem.AddHs(Chem.MolFromSmiles("N->[Zn]"))
    long = Chem.AddHs(Chem.MolFromSmiles("C" * 331 + "[N+](C)(C)C"))
    for mol in (racemate, complexed):
        assert EmbedMolecule(mol, randomSeed=1) == 0
    places = Chem.Conformer(long.GetNumAtoms())
    places.SetPositions(np.random.default_rng(0).normal(size=(long.GetNumAtoms(), 3)) * 10)
    places.Set3D(True)
    long.AddConformer(places)
    mols = [racemate, complexed, long, embed("CC#N")]
    block = Chem.MolToMolBlock(embed("CCO"), forceV3000=True)
    mols.append(Chem.MolFromMolBlock(block, removeHs=False, sanitize=False))
    write_report(tmp_path / "v3000.html", mols, title="", manifest={})
    browser.errors = []
    browser.open(tmp_path / "v3000.html")
    texts = browser.run("Promise.all(DATA.records.flat().map(drawing)).then(all => all.map(d => d.sdf))")
    assert [text.split("\n")[3][34:39] for text in texts] == ["V3000", "V3000", "V3000", "V2000", "V2000"]
    for mol, text in zip(mols, texts, strict=True):
        read = browser.run(f"molecule({json.dumps(text)})")
        assert [atom[0] for atom in read["atoms"]] == [atom.GetSymbol() for atom in mol.GetAtoms()]
        assert [atom[4] for atom in read["atoms"]] == [atom.GetFormalCharge() for atom in mol.GetAtoms()]
        x = np.array([atom[1:4] for atom in read["atoms"]])
        assert np.abs(x - mol.GetConformer().GetPositions()).max() < 1e-4
        ends = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in mol.GetBonds()]
        assert [tuple(bond[:2]) for bond in read["bonds"]] == ends
    assert browser.run(f"molecule({json.dumps(texts[1])}).bonds[0][2]") == 1  # the dative bond
    folded = texts[0].replace("CHG=-1", "-\nM  V30 CHG=-1")
    assert browser.run(f"molecule({json.dumps(folded)})") == browser.run(f"molecule({json.dumps(texts[0])})")
    browser.run("(async () => { for (const item of [0, 1, 2]) await choose(item); })()")
    assert browser.run("document.querySelectorAll('#panel .view circle').length") == 2 * long.GetNumAtoms()
    browser.run("$('kind').value = 'smarts'")
    write(browser, "#search", "[NX4+]")
    assert sorted(shown(browser)) == [0, 2]
    browser.downloads(tmp_path)
    click(browser, "#sdf")
    browser.downloaded()
    records = [record.mol for record in read_sdf(tmp_path / "selection.sdf")]
    assert [mol.GetNumAtoms() for mol in records] == [racemate.GetNumAtoms(), long.GetNumAtoms()]
    assert len(records[0].GetStereoGroups()) == 1
    assert browser.errors == []


def test_only_what_is_in_sight_is_drawn(path, mols, tmp_path):
    write_report(tmp_path / "many.html", mols * 10, title="", manifest={})
    with Browser(390, 800, mobile=True) as phone:
        phone.open(tmp_path / "many.html")
        assert phone.run("document.querySelectorAll('#grid tr[data-item]').length") < 40
        assert phone.run("document.querySelectorAll('.cards .card').length") < 60
        assert phone.run("document.documentElement.scrollWidth") <= 390
        phone.run("SCROLL.scrollTop = 200 * ROW")
        phone.run("new Promise(done => setTimeout(done, 100))")
        rows = phone.run("[...document.querySelectorAll('#grid tr[data-item]')].map(row => +row.dataset.item)")
        assert 200 in rows and 0 not in rows
        phone.run("document.querySelector('#panel').scrollIntoView()")
        x, y = phone.run("""(() => { const box = document.querySelector("#panel .view").getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2]; })()""")
        for kind, apart in (("touchStart", 50), ("touchMove", 75), ("touchMove", 100)):
            points = [{"x": x - apart / 2, "y": y, "id": 0}, {"x": x + apart / 2, "y": y, "id": 1}]
            phone.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        phone.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        assert phone.run("VIEWS.get(document.querySelector('#panel .view')).zoom") == pytest.approx(2, abs=0.1)
        assert phone.errors == []
