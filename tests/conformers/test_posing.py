"""Poses of given molecules in a pocket: inside, without a clash, in the protein's frame, the best first."""

import numpy as np
import pytest
from hollow_ball import CENTRE, SITE, write_ball
from rdkit import Chem
from typer.testing import CliRunner

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.checks.validity import check
from molscore.chem.fit import fit
from molscore.chem.pocket.receptor import read_pocket
from molscore.chem.pocket.volume import nearest
from molscore.cli import app
from molscore.conformers import ConformerOptions
from molscore.guidance.pocket.inside import energies

SMILES = "C[C@H](O)CCc1ccccc1"


@pytest.fixture(scope="module")
def protein(tmp_path_factory):
    return write_ball(tmp_path_factory.mktemp("pocket") / "ball.pdb", 7.5)


@pytest.fixture(scope="module")
def pocket(protein):
    return read_pocket(protein, SITE)


@pytest.fixture(scope="module")
def poses(generator, pocket):
    return generator.generate(SMILES, 5, pocket=pocket, workers=1)


def test_poses_lie_inside_and_their_records_say_so(poses, pocket):
    (ensemble,) = poses
    assert ensemble.mol.GetNumConformers() == 5 and isomeric_smiles(ensemble.mol) == Chem.CanonSmiles(SMILES)
    for mol, values in ensemble.single():
        heavy = mol.GetConformer().GetPositions()[[a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]]
        assert nearest(heavy, pocket.volume.points).max() < 3 and check(mol) is None
        place = fit(mol, pocket.protein)
        assert not place.clashes and values["protein_clashes"] == 0
        assert values["ligand_buried_percent"] == pytest.approx(100 * place.buried, abs=0.1)
        again = energies(mol, pocket)
        assert {name: values[name] for name in again} == pytest.approx(again, abs=0.01)
        assert values["ranked_by"] == values["relaxation"] == "pocket" and values["method"] in ("score", "etkdg")


def test_the_best_comes_first_and_others_are_apart(poses):
    (ensemble,) = poses
    values = [own for _, own in ensemble.single()]
    levels = [own["pocket_energy_kcal_per_mol"] for own in values]
    assert levels == sorted(levels) and [own["rank"] for own in values] == [1, 2, 3, 4, 5]
    assert [own["relative_energy_kcal_per_mol"] for own in values] == pytest.approx([e - levels[0] for e in levels])
    assert values[0]["rmsd_to_best_angstrom"] == 0 and min(own["rmsd_to_best_angstrom"] for own in values[1:]) >= 1
    assert "pocket ball.pdb; site" in poses.manifest["options"]


def test_poses_depend_on_molecule_and_seed_alone(generator, poses, pocket):
    beside = generator.generate(["CCO", SMILES], 5, pocket=pocket, workers=1).mols[1]
    assert all(
        np.array_equal(a.GetPositions(), b.GetPositions())
        for a, b in zip(beside.GetConformers(), poses.mols[0].GetConformers(), strict=True)
    )
    other = generator.generate(SMILES, 1, seed=1, pocket=pocket, workers=1).mols[0]
    assert not np.allclose(other.GetConformer().GetPositions(), beside.GetConformer().GetPositions(), atol=0.1)


def test_what_does_not_fit_has_a_reason(generator, tmp_path):
    small = write_ball(tmp_path / "small.pdb", 5.5)
    whole = "CC(C)(C)c1cc(cc(c1)C(C)(C)C)C(C)(C)C"
    (large, fits) = generator.generate([whole, "CCCO"], 3, pocket=small, site=SITE, workers=1)
    assert not large.mol.GetNumConformers() and large.reason[0] in ("pocket_clash", "outside_pocket")
    assert large.dropped[large.reason[0]] and "no pose fits" in large.reason[1]
    assert fits.mol.GetNumConformers() and fits.reason is None


def test_a_held_core_stays_where_it_is(generator, poses, pocket):
    lead = Chem.Mol(poses.mols[0], False, poses.mols[0].GetConformer().GetId())
    smarts = "c1ccccc1C"
    wanted = lead.GetConformer().GetPositions()[list(lead.GetSubstructMatch(Chem.MolFromSmarts(smarts)))]
    (held,) = generator.generate("CCCc1ccccc1", 3, keep=smarts, lead=lead, pocket=pocket, workers=1)
    assert held.mol.GetNumConformers()
    for mol, values in held.single():
        atoms = list(map(int, values["kept_atoms"].split()))
        assert np.allclose(mol.GetConformer().GetPositions()[atoms], wanted, atol=1e-6)
        assert values["kept_displacement_angstrom"] == 0 and values["protein_clashes"] == 0


def test_window_filter_and_fill(generator, poses, pocket):
    levels = [own["relative_energy_kcal_per_mol"] for _, own in poses.ensembles[0].single()]
    (near,) = generator.generate(SMILES, 5, pocket=pocket, window=(levels[1] + levels[2]) / 2, workers=1)
    assert near.mol.GetNumConformers() == 2 and near.dropped["window"]
    (first,) = generator.generate(SMILES, 5, pocket=pocket, filter="rank < 3", workers=1)
    assert first.mol.GetNumConformers() == 2 and first.dropped["filter"] == 3
    (ethane,) = generator.generate("CC", 12, pocket=pocket, fill=True, workers=1)
    assert ethane.mol.GetNumConformers() == 12


BAD = [
    ({"pocket": "ball"}, "needs a site"),
    ({"site": "1,2,3"}, "give the protein with pocket"),
    ({"pocket": "ball", "site": "1,2,3"}, "outside the structure"),
    ({"pocket": "ball", "site": "A:999"}, "there is no residue A:999"),
    ({"pocket": "ball", "site": "44,-20,35"}, "solvent"),
    ({"pocket": "ball", "site": SITE, "relax": "mmff"}, "leave out relax"),
    ({"pocket": "ball", "site": SITE, "energy": "mmff"}, "leave out energy"),
]


@pytest.mark.parametrize(("words", "complaint"), BAD)
def test_misuse_ends_before_sampling(words, complaint, protein, tmp_path):
    words = {name: str(protein) if value == "ball" else value for name, value in words.items()}
    with pytest.raises(ValueError, match=complaint):
        ConformerOptions(**words)
    out, flags = tmp_path / "out.sdf", [part for name, value in words.items() for part in (f"--{name}", value)]
    result = CliRunner().invoke(app, ["conformers", "CCO", "--out", str(out), *flags])
    assert result.exit_code == 2 and complaint in " ".join(result.output.split()), result.output
    assert not out.exists()


def test_the_command_writes_poses(protein, tmp_path):
    out, source = tmp_path / "out.sdf", tmp_path / "in.smi"
    source.write_text(f"{SMILES} one\nCCO two\nnonsense three\n")
    words = ["--pocket", str(protein), "--site", SITE, "--workers", "1", "--n", "2"]
    result = CliRunner().invoke(app, ["conformers", str(source), "--out", str(out), *words])
    assert result.exit_code == 3 and "free and buried, room for about" in result.output, result.output
    mols = list(Chem.SDMolSupplier(str(out), removeHs=False))
    assert [mol.GetProp("_Name") for mol in mols] == ["one", "one", "two", "two"]
    for mol in mols:
        assert np.linalg.norm(mol.GetConformer().GetPositions().mean(0) - CENTRE) < 5
        assert float(mol.GetProp("pocket_energy_kcal_per_mol")) < 0 and mol.GetProp("protein_clashes") == "0"


def test_time_that_is_short_is_kept(generator, pocket):
    import time

    began = time.monotonic()
    (ensemble,) = generator.generate(SMILES, 5, pocket=pocket, seconds=2.0, workers=1)
    assert time.monotonic() - began < 8
    assert ensemble.mol.GetNumConformers() or ensemble.reason[0] == "late"
