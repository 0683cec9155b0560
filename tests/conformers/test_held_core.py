"""Conformers with a core held at the pose of a lead: kept exactly, sound, and refused where it cannot be."""

import subprocess
import sys

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDepictor import Compute2DCoords
from rdkit.Chem.rdDistGeom import EmbedMolecule
from typer.testing import CliRunner

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.checks.validity import check
from molscore.chem.geometry import expected
from molscore.chem.lead_core import lead_core
from molscore.cli import app
from molscore.conformers import ConformerOptions
from molscore.conformers.files import conformers_sdf

ANILIDE = "c1ccc(cc1)NC(=O)[C@@H]1CCCN1"
OTHERS = "COc1ccc(cc1)NC(=O)[C@@H]1CCCN1CC one\nCC(C)Cc1ccc(cc1)NC(=O)[C@@H]1CCCN1 two\nCCCCO three\n"


def posed(smiles: str, shift=(30.0, -20.0, 100.0)) -> Chem.Mol:
    """A molecule in 3-D, as far from the origin as crystals lie."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=7) == 0
    mol.GetConformer().SetPositions(mol.GetConformer().GetPositions() + np.array(shift))
    return mol


@pytest.fixture(scope="module")
def lead() -> Chem.Mol:
    return posed("Clc1ccc(cc1)NC(=O)[C@@H]1CCCN1C")


def displacements(mol: Chem.Mol, lead: Chem.Mol, pattern: str) -> np.ndarray:
    """Å by which the farthest atom of each conformer is off, from matches and positions alone."""
    query = Chem.MolFromSmarts(pattern)
    (match,) = lead.GetSubstructMatches(query)
    wanted = lead.GetConformer().GetPositions()[list(match)]
    ways = [list(way) for way in mol.GetSubstructMatches(query, uniquify=False)]
    return np.array(
        [
            min(np.linalg.norm(conformer.GetPositions()[way] - wanted, axis=1).max() for way in ways)
            for conformer in mol.GetConformers()
        ]
    )


@pytest.mark.parametrize("choices", [{}, {"relax": "mmff"}, {"relax": "none"}, {"method": "etkdg"}])
def test_a_core_lies_where_it_lies_in_the_lead(generator, lead, choices):
    smiles = "COc1ccc(cc1)NC(=O)[C@@H]1CCCN1CCOC"
    (ensemble,) = generator.generate(smiles, 5, keep=ANILIDE, lead=lead, **choices)
    assert ensemble.mol.GetNumConformers() == 5
    assert displacements(ensemble.mol, lead, ANILIDE).max() < 1e-6
    for mol, properties in ensemble.single():
        assert check(mol) is None and isomeric_smiles(mol) == Chem.CanonSmiles(smiles)
        assert properties["kept_displacement_angstrom"] == 0
        kept = list(map(int, properties["kept_atoms"].split()))
        assert mol.HasSubstructMatch(Chem.MolFromSmarts(ANILIDE)) and len(kept) == 14
    energies = [properties["energy_kcal_per_mol"] for _, properties in ensemble.single()]
    assert energies == sorted(energies)


def test_all_ways_to_lay_a_symmetric_core_take_turns(generator, lead):
    (ensemble,) = generator.generate("Cc1ccc(cc1)CCO", 24, keep="c1ccccc1", lead=lead, rmsd=0.3)
    ways = {properties["kept_atoms"] for _, properties in ensemble.single()}
    assert len(ways) == 6  # 12 matches, of which the mirror of the ring makes pairs
    assert displacements(ensemble.mol, lead, "c1ccccc1").max() < 1e-6


def test_conformers_are_told_apart_where_they_lie(generator, lead):
    """Toluene has one conformer, which lies in six ways about the ring."""
    (ensemble,) = generator.generate("Cc1ccccc1", 10, keep="c1ccccc1", lead=lead)
    assert ensemble.mol.GetNumConformers() == 6 and ensemble.exhausted


@pytest.mark.parametrize("method", ["score", "etkdg"])
@pytest.mark.parametrize(
    ("smiles", "pattern", "number"),
    [("ClC(Cl)(Cl)C(Cl)(Cl)Cl", "ClC(Cl)(Cl)C(Cl)(Cl)Cl", 1), ("CCCO", "[OX2]", 3), ("CCCO", "[CH2]O", 3)],
)
def test_cores_of_all_atoms_and_of_few(generator, smiles, pattern, number, method, recwarn):
    lead = posed(smiles)
    (ensemble,) = generator.generate(smiles, 3, keep=pattern, lead=lead, method=method)
    assert ensemble.mol.GetNumConformers() == number
    assert displacements(ensemble.mol, lead, pattern).max() < 1e-6
    assert not [warning for warning in recwarn if "rotation" in str(warning.message)]


def test_open_stereo_is_that_of_the_lead(generator, lead):
    pattern = ANILIDE.replace("@", "")
    (ensemble,) = generator.generate("CCOc1ccc(cc1)NC(=O)C1CCCN1CC", 3, keep=pattern, lead=lead)
    assert ensemble.mol.GetNumConformers() == 3
    assert ensemble.mol.HasSubstructMatch(Chem.MolFromSmarts(ANILIDE), useChirality=True)


@pytest.mark.parametrize(
    ("smiles", "pattern", "reason", "words"),
    [
        ("CCO", "c1ccccc1", "no_match", "matches nothing of the molecule"),
        ("Cc1ccc(cc1)NC(=O)[C@H]1CCCN1", ANILIDE.replace("@", ""), "pose", "the stereo at C"),
        ("CC1CCCCC1", "[#6]1~[#6]~[#6]~[#6]~[#6]~[#6]1", "pose", "is single, and aromatic in the lead"),
        ("Ic1ccc(C)cc1", "c1ccccc1[Cl,I]", "pose", "it ought to be"),
        ("Cc1ccccc1CN(Cc1ccccc1F)CC(Cc1ccccc1O)Cc1ccccc1NCc1ccccc1CC", "c1ccccc1", "matches", "extend the SMARTS"),
    ],
)
def test_what_cannot_hold_the_core_is_a_reject_with_a_reason(generator, lead, smiles, pattern, reason, words):
    result = generator.generate([smiles, "Clc1ccc(cc1)NC(=O)[C@@H]1CCCN1CC"], 2, keep=pattern, lead=lead)
    assert [(reject.item, reject.reason) for reject in result.rejects] == [(0, reason)]
    assert words in result.rejects[0].detail
    assert result.mols[0] is None and result.mols[1] is not None


def test_the_same_core_of_hydrogens_or_none(lead):
    bare = Chem.RemoveHs(lead)
    mol = Chem.AddHs(Chem.MolFromSmiles("Cc1ccc(cc1)NC(=O)[C@@H]1CCCN1"))
    one, other = (lead_core(ANILIDE, each).placements(mol, expected(mol)) for each in (lead, bare))
    assert len(one) == len(other) == 1
    assert (one[0].atoms == other[0].atoms).all() and (one[0].positions == other[0].positions).all()
    assert str(lead_core(ANILIDE, lead)) == str(lead_core(ANILIDE, bare))


def test_files_are_the_same_for_any_number_of_workers_and_resumed(generator, lead, tmp_path):
    source = tmp_path / "in.smi"
    source.write_text(OTHERS)
    options = ConformerOptions(keep=ANILIDE, lead=lead)
    texts = []
    for number in (1, 2):
        out, problems = tmp_path / f"{number}.sdf", tmp_path / f"{number}.csv"
        run = conformers_sdf(generator, str(source), out, 2, 5, options, problems=problems, workers=number)
        assert run.failed == {"no_match": 1} and run.conformers == {"score": 4}
        texts.append(out.read_bytes())
    assert texts[0] == texts[1] and b"kept_displacement_angstrom" in texts[0]

    def stop(records):
        if records == 1:
            raise KeyboardInterrupt

    out = tmp_path / "resumed.sdf"
    assert conformers_sdf(generator, str(source), out, 2, 5, options, on_progress=stop).interrupted
    moved = Chem.Mol(lead)
    moved.GetConformer().SetPositions(moved.GetConformer().GetPositions() + 1)
    with pytest.raises(ValueError, match="options"):
        conformers_sdf(generator, str(source), out, 2, 5, ConformerOptions(keep=ANILIDE, lead=moved), resume=True)
    assert conformers_sdf(generator, str(source), out, 2, 5, options, resume=True).kept == 1
    assert out.read_bytes() == texts[0]


@pytest.fixture
def files(lead, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Chem.MolToMolFile(lead, "pose.sdf")
    flat = Chem.MolFromSmiles("c1ccccc1")
    Compute2DCoords(flat)
    Chem.MolToMolFile(flat, "flat.sdf")
    small = Chem.Mol(lead)
    small.GetConformer().SetPositions(lead.GetConformer().GetPositions() / 10)
    Chem.MolToMolFile(small, "nanometres.sdf")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--keep", "c1ccccc1"], "give the lead as well (--from)"),
        (["--from", "pose.sdf"], "name it with keep"),
        (["--keep", "c1ccccc1", "--from", "missing.sdf"], "there is no file 'missing.sdf'"),
        (["--keep", "c1cc", "--from", "pose.sdf"], "is no SMARTS"),
        (["--keep", "[Si]", "--from", "pose.sdf"], "matches nothing of the lead"),
        (["--keep", "C", "--from", "pose.sdf"], "extend the SMARTS"),
        (["--keep", "c1ccccc1", "--from", "flat.sdf"], "no 3-D positions"),
        (["--keep", "c1ccccc1", "--from", "nanometres.sdf"], "Å long: the pose does not fit the structure"),
        (["--keep", "c1ccccc1", "--from", "pose.sdf", "--out", "pose.sdf", "--overwrite"], "--from"),
    ],
)
def test_misuse_ends_with_code_2(files, words, message):
    done = CliRunner().invoke(app, ["conformers", "Cc1ccccc1", "--out", "made.sdf", *words])
    assert done.exit_code == 2 and message in " ".join(done.output.split()), done.output


def test_misuse_is_found_without_torch(files):
    program = (
        "import sys; sys.argv = ['molscore', 'conformers', 'C', '--out', 'x.sdf', '--keep', '[Si]', '--from', "
        "'pose.sdf']\n"
        "from molscore.cli import app\n"
        "try:\n    app()\nfinally:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout.strip() == "False"


def test_the_command_holds_a_core(files, lead):
    words = ["Cc1ccc(cc1)NC(=O)[C@@H]1CCCN1CC", "--out", "made.sdf", "--n", "3", "--workers", "1"]
    done = CliRunner().invoke(app, ["conformers", *words, "--keep", ANILIDE, "--from", "pose.sdf"])
    assert done.exit_code == 0, done.output
    made = list(Chem.SDMolSupplier("made.sdf", removeHs=False))
    assert len(made) == 3
    for mol in made:
        assert displacements(mol, lead, ANILIDE).max() < 2e-4  # four digits in a file
        assert mol.GetProp("molscore_options").startswith(f"n 3; keep {ANILIDE}; lead CN1CCC")
