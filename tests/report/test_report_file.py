import pytest
from rdkit import Chem
from report_page import MANIFEST, Page, make_mols, overbonded, without_last_atom

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.checks.validity import FAULTS
from molscore.chem.io.sdf_text import record_properties
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.report import report_file


@pytest.fixture(scope="module")
def mols():
    return make_mols()


@pytest.fixture(scope="module")
def sdf(mols, tmp_path_factory):
    """The molecules, a radical, a broken valence, and a record that cannot be read."""
    path = tmp_path_factory.mktemp("sdf") / "mols.sdf"
    with SDFWriter(path) as writer:
        for k, mol in enumerate([*mols, without_last_atom(mols[0]), overbonded(), mols[0]]):
            writer.write(mol, f"molecule {k}", record_properties(isomeric_smiles(mol), model="qm9", seed=5, index=k))
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
        assert f"{reason} {FAULTS[reason]} 1 {100 / (n + 3):.1f}" in page.text()
    assert "unreadable RDKit cannot read the record 1" in page.text()
    assert f"{n} / {n + 3} records and no radical" in page.text()
    assert str(sdf.parent) not in page.source  # a report may be passed on
    assert "Distance to qm9" in page.text() and "PoseBusters-valid" in page.text()
    assert len(page.drawings()) == n + 2
    assert page.column("title")[4] == "molecule 4"


def test_no_hydrogens_are_made_up(mols, tmp_path):
    """Files of other programs do not say that an atom has no further hydrogens."""
    lacking = without_last_atom(mols[0])
    for atom in lacking.GetAtoms():
        atom.SetNoImplicit(False)
    with Chem.SDWriter(str(tmp_path / "other.sdf")) as writer:
        writer.write(lacking)
    report_file(tmp_path / "other.sdf", tmp_path / "r.html", evaluate=False)
    page = Page(tmp_path / "r.html")
    assert page.column("verdict")[0].startswith("radical:")
    assert len(page.drawings()) == 1 and "1 of 1 records" in page.text()


def test_report_of_a_file_without_metrics(sdf, mols, tmp_path):
    calls = []
    report_file(sdf, tmp_path / "r.html", None, evaluate=False, on_progress=lambda *call: calls.append(call))
    assert calls[-1] == (len(mols) + 2, len(mols) + 2)
    assert "Metrics" not in Page(tmp_path / "r.html").text()


def test_a_run_may_tell_what_the_file_cannot(sdf, tmp_path):
    report_file(sdf, tmp_path / "r.html", evaluate=False, manifest=MANIFEST | {"rejected": {"clash": 5}})
    text = Page(tmp_path / "r.html").text()
    assert f"clash {FAULTS['clash']} 5 41.7" in text
    assert "Asked for 9" in text and "5 of 12 attempts" in text


def test_records_of_two_runs_are_distinguished(mols, tmp_path):
    with SDFWriter(tmp_path / "two.sdf") as writer:
        for seed in (1, 2, 2):
            writer.write(mols[0], "", record_properties(isomeric_smiles(mols[0]), model="qm9", seed=seed, index=0))
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
