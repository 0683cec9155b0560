"""The commands end to end on the bundled model."""

import gzip
import json
import re
from base64 import b64decode

import pytest
from rdkit import Chem
from typer.testing import CliRunner

from molscore.chem.arrays import to_mol
from molscore.chem.embedding.etkdg import embed
from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.cli import app
from molscore.cli.generate import PLAYED


def run(*words) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def mols(tmp_path_factory):
    """Four molecules from the command line, with rejects."""
    folder = tmp_path_factory.mktemp("cli")
    run(
        "generate",
        "--n",
        4,
        "--out",
        folder / "mols.sdf",
        "--steps",
        25,
        "--rejects",
        folder / "rejects.csv",
        "--quiet",
    )
    return folder / "mols.sdf"


def test_generate_writes_molecules_and_rejects(mols):
    assert [record.reason for record in read_sdf(mols)] == [None] * 4
    assert mols.with_name("rejects.csv").read_text().startswith("molscore_index,reason,detail\n")


def test_generate_says_on_stderr_what_it_threw_away(tmp_path):
    result = CliRunner().invoke(app, ["generate", "--n", "2", "--out", str(tmp_path / "m.sdf"), "--steps", "25"])
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "2 of 2 molecules" in result.stderr and "valid as sampled" in result.stderr


def test_generate_plays_its_first_molecules(mols, tmp_path):
    """Those of the file; raw samples too; where a resumed run makes none it says so."""
    page = tmp_path / "way.html"
    run("generate", "--n", 2, "--out", tmp_path / "m.csv", "--steps", 25, "--trajectory", page, "--quiet")
    first = [record.mol.GetProp("_Name") for record in read_sdf(mols)][:2]
    assert [drawing["title"] for drawing in drawings(page)] == first
    assert all(len(drawing["frames"]) == 25 for drawing in drawings(page))
    run("generate", "--n", 8, "--out", tmp_path / "raw.sdf", "--steps", 2, "--raw", "--trajectory", page, "--overwrite")
    assert [drawing["title"] for drawing in drawings(page)] == [f"molscore_0_{k}" for k in range(PLAYED)]
    page.unlink()
    words = ["generate", "--n", 4, "--out", mols, "--steps", 25, "--resume", "--trajectory", page]
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == 0 and "no molecule to play" in result.stderr and not page.exists()


def drawings(page):
    lots = re.findall(r'class="lot">(.*?)</script>', page.read_text())
    return [drawing for lot in lots for drawing in json.loads(gzip.decompress(b64decode(lot)))]


def test_generate_resumes(mols, tmp_path):
    out = tmp_path / "m.sdf"
    out.write_bytes(mols.read_bytes())
    run("generate", "--n", 5, "--out", out, "--steps", 25, "--resume")
    assert [r.mol.GetProp("SMILES") for r in read_sdf(out)][:4] == [r.mol.GetProp("SMILES") for r in read_sdf(mols)]
    assert len(list(read_sdf(out))) == 5


def test_evaluate_prints_text_and_writes_json(mols, tmp_path):
    text = run("evaluate", mols, "--json", tmp_path / "metrics.json", "--quiet")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert "PoseBusters" in text
    assert metrics["rates"]["valid_connected"]["count"] == metrics["rates"]["valid_connected"]["total"] == 4


def test_raw_samples_can_be_evaluated(tmp_path):
    run("generate", "--n", 6, "--out", tmp_path / "raw.sdf", "--steps", 3, "--raw", "--quiet")
    run("evaluate", tmp_path / "raw.sdf", "--json", tmp_path / "m.json", "--posebusters", "none", "--quiet")
    rates = json.loads((tmp_path / "m.json").read_text())["rates"]
    assert rates["valid"]["total"] == 6
    assert rates["valid"]["count"] < 6


def test_models_and_info(mols):
    assert [line.split("\t")[0] for line in run("models").splitlines()] == ["conformers", "druglike", "qm9"]
    about = json.loads(run("info", "qm9", "--json"))
    assert about["record"]["molecules"] > 0 and about["record"]["hardware"]
    assert about["config"]["network"]["irreps"]
    assert about["quality"]["raw"]["metrics"]["rates"]


@pytest.mark.parametrize("name", ["qm9", "druglike", "conformers"])
def test_a_card_says_what_a_model_is(name):
    card, about = run("info", name), json.loads(run("info", name, "--json"))
    for words in (
        name,
        f"{about['parameters'] / 1e6:.2f} million",
        "licences",
        "elements",
        "heavy atoms",
        "Limits",
        "pH",
    ):
        assert words in card
    assert f"{about['record']['molecules']:,} molecules" in card and len(card.splitlines()) < 40
    if name != "conformers":
        rate = about["quality"]["raw"]["metrics"]["rates"]["valid_connected"]["value"]
        assert f"{rate:.1%}" in card and "raw, n = " in card


def test_the_properties_of_records_are_listed():
    from molscore.chem.checks.catalogue import PROPERTIES

    text, known = run("properties"), json.loads(run("properties", "--json"))
    assert known.keys() == PROPERTIES.keys() and known["sa"]["source"]
    assert all(f"  {name} " in text for name in PROPERTIES)
    assert "strain_kcal_per_mol" in text and "[kcal/mol] (filter: generate)" in text


def test_data_from_smiles_and_from_an_sdf_file(tmp_path):
    """The molecules of a list, then those of a file of one's own, as tensor files."""
    from molscore.datasets.tensorfile import read_tensorfile

    smiles, sdf = tmp_path / "a.smi", tmp_path / "a.sdf"
    smiles.write_text("CCO\nCC#N\nxyz\n")
    out = tmp_path / "a.safetensors"
    words = ["--out", str(out), "--workers", "1", "--quiet"]
    result = CliRunner().invoke(app, ["data", "moses3d", str(smiles), *words, "--hydrogens"])
    assert result.exit_code == 3 and json.loads(result.stdout)["dropped"] == {"smiles": 1}  # a record was unreadable
    with Chem.SDWriter(str(sdf)) as writer:
        file = read_tensorfile(out)
        for i in range(len(file)):
            writer.write(to_mol(file.molecule(i)))
    result = CliRunner().invoke(app, ["data", "sdf", str(sdf), *words, "--overwrite"])
    assert result.exit_code == 0 and json.loads(result.stdout)["molecules"] == 2
    assert read_tensorfile(out).arrays["atomic_numbers"].tolist() == [6, 6, 8, 6, 6, 7]
    (tmp_path / "empty.smi").write_text("")
    result = CliRunner().invoke(app, ["data", "sdf", str(tmp_path / "empty.smi"), *words, "--overwrite"])
    assert result.exit_code == 1 and "holds no SMILES" in result.stderr


def test_data_merge(tmp_path):
    """Two files of one's own, one relaxed on the way in, become one."""
    for name, smiles in (("a", "CCO\nCCC\n"), ("b", "CCO\nCCBr\nCCCCCC\n")):
        (tmp_path / f"{name}.smi").write_text(smiles)
        words = ["--out", tmp_path / f"{name}.safetensors", "--workers", 1, "--quiet", "--hydrogens"]
        run("data", "sdf", tmp_path / f"{name}.smi", "--relax", "torsions", *words)
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    counts = json.loads(
        run("data", "merge", *files, "--out", tmp_path / "c.safetensors", "--max-heavy", 4, "--implied")
    )
    assert counts["molecules"] == 3 and counts["dropped"] == {"duplicate": 1, "too_large": 1}
    assert [z for z, *_ in counts["vocabulary"]] == [6, 8, 35]
    for words in (["merge", files[0], tmp_path / "none.safetensors"], ["sdf", tmp_path / "a.smi", "--relax", "dft"]):
        result = CliRunner().invoke(app, ["data", *map(str, words), "--out", str(tmp_path / "d.safetensors")])
        assert result.exit_code in (1, 2) and ("there is no" in result.stderr or "choose one of" in result.stderr)
        assert not (tmp_path / "d.safetensors").exists()


def test_data_of_several_conformers(tmp_path):
    (tmp_path / "a.smi").write_text("CCCCO\nCCCCO\n")
    words = ["--workers", 1, "--quiet", "--hydrogens", "--conformers", 2]
    for command in ("moses3d", "sdf"):
        out = tmp_path / f"{command}.safetensors"
        counts = json.loads(run("data", command, tmp_path / "a.smi", "--out", out, *words))
        assert counts["molecules"] == 2 and counts["distinct"] == 1
    files = [tmp_path / "moses3d.safetensors", tmp_path / "sdf.safetensors"]
    for conformers, molecules in ((1, 1), (3, 3)):
        words = ["--out", tmp_path / f"{conformers}.safetensors", "--conformers", conformers]
        assert json.loads(run("data", "merge", *files, *words))["molecules"] == molecules


def test_score_tags_every_record(mols, tmp_path):
    out = tmp_path / "scored.sdf"
    result = CliRunner().invoke(app, ["score", str(mols), "--out", str(out)])
    assert result.exit_code == 0 and result.stdout == ""
    assert "4 of 4 records scored" in result.stderr and "nats per atom" in result.stderr
    for before, after in zip(read_sdf(mols), read_sdf(out), strict=True):
        assert after.text.startswith(before.text.rstrip())
        assert float(after.mol.GetProp("log_likelihood_nats_per_atom")) > -20
        assert float(after.mol.GetProp("position_uncertainty_angstrom")) > 0


def test_score_of_nothing_that_it_knows_fails(tmp_path):
    salt = Chem.AddHs(Chem.MolFromSmiles("[Na+].[Cl-]"))
    (tmp_path / "a.sdf").write_text(Chem.MolToMolBlock(salt) + "$$$$\n")
    result = CliRunner().invoke(app, ["score", str(tmp_path / "a.sdf"), "--out", str(tmp_path / "b.sdf")])
    assert result.exit_code == 1 and "1 disconnected" in result.stderr
    assert "not_scored" in (tmp_path / "b.sdf").read_text()


def test_generate_with_uncertainty_is_generate_then_score(mols, tmp_path):
    """The same molecules, the same tags."""
    generated, scored = tmp_path / "generated.sdf", tmp_path / "scored.sdf"
    run("generate", "--n", 4, "--out", generated, "--steps", 25, "--uncertainty", "--quiet")
    run("score", mols, "--out", scored, "--quiet")
    for a, b in zip(read_sdf(generated), read_sdf(scored), strict=True):
        assert a.mol.GetProp("SMILES") == b.mol.GetProp("SMILES")
        for name in ("score_norm_per_angstrom", "position_uncertainty_angstrom"):
            assert float(a.mol.GetProp(name)) == pytest.approx(float(b.mol.GetProp(name)), rel=0.02)
    assert "uncertainty True" in next(read_sdf(generated)).mol.GetProp("molscore_options")


def test_interpolate_writes_a_path(tmp_path):
    for k, name in enumerate(("a", "b")):
        with SDFWriter(tmp_path / f"{name}.sdf") as writer:
            writer.write(embed("CCOC(=O)c1ccccc1OC", seed=k), name)
    out, ends = tmp_path / "way.sdf", [tmp_path / "a.sdf", tmp_path / "b.sdf"]
    run("interpolate", *ends, "--out", out, "--n", 3, "--plot", tmp_path / "way.png", "--quiet")
    assert (tmp_path / "way.png").stat().st_size > 10_000
    mols = [record.mol for record in read_sdf(out)]
    assert [float(mol.GetProp("fraction")) for mol in mols] == [0, 0.5, 1]
    assert float(mols[0].GetProp("rmsd_to_first_angstrom")) < 0.02
    assert all(mol.HasProp("log_likelihood_nats_per_atom") for mol in mols)
    with SDFWriter(ends[1]) as writer:
        writer.write(embed("CCOC(=O)c1cccc(c1)OC"), "another")
    result = CliRunner().invoke(app, ["interpolate", *map(str, ends), "--out", str(tmp_path / "no.sdf")])
    assert result.exit_code == 1 and "no conformers of one molecule" in result.stderr
    assert not (tmp_path / "no.sdf").exists()
