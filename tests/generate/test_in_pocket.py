"""Molecules made in a pocket: they lie there, in the protein's frame, and their records say how."""

import numpy as np
import pytest
from hollow_ball import CENTRE, SITE, write_ball
from rdkit import Chem
from typer.testing import CliRunner

from molscore.chem.fit import fit
from molscore.chem.pocket.receptor import read_pocket
from molscore.chem.pocket.volume import nearest
from molscore.cli import app
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.guidance.pocket.inside import energies, settled

STEPS = 25


@pytest.fixture(scope="module")
def protein(tmp_path_factory):
    return write_ball(tmp_path_factory.mktemp("pocket") / "ball.pdb")


@pytest.fixture(scope="module")
def generator():
    return MoleculeGenerator.from_pretrained("qm9", device="cpu")


def test_molecules_lie_in_the_pocket_and_say_so(generator, protein):
    result = generator.generate(3, pocket=protein, site=SITE, steps=STEPS, workers=1)
    pocket = read_pocket(protein, SITE)
    assert len(result.mols) == 3 and result.manifest["pocket"] == "ball.pdb" and result.manifest["site"] == SITE
    for mol in result.mols:
        heavy = mol.GetConformer().GetPositions()[[a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]]
        assert np.linalg.norm(heavy - CENTRE, axis=1).max() < 6 and nearest(heavy, pocket.volume.points).max() < 3
        place = fit(mol, pocket.protein)
        assert not place.clashes and place.buried > 0.6
        values = mol.GetPropsAsDict()
        assert values["protein_clashes"] == 0 and values["ligand_buried_percent"] == pytest.approx(
            100 * place.buried, abs=1
        )
        again = energies(mol, pocket)
        assert {name: values[name] for name in again} == pytest.approx(again, abs=0.01)
        parts = [value for name, value in again.items() if name != "pocket_energy_kcal_per_mol"]
        assert again["pocket_energy_kcal_per_mol"] == pytest.approx(sum(parts), abs=0.05) and len(parts) == 5


def test_a_molecule_depends_on_its_number_alone(generator, protein):
    options = GenerationOptions(pocket=protein, site=SITE, steps=5)
    together = generator.sample([0, 1, 2], 7, options)
    alone = generator.sample([1], 7, options)[0]
    assert np.allclose(alone.positions, together[1].positions, atol=1e-3)
    other = generator.sample([1], 8, options)[0]
    assert other.positions.shape != alone.positions.shape or not np.allclose(other.positions, alone.positions, atol=0.1)
    assert np.linalg.norm(alone.positions.mean(0) - CENTRE) < 4


def test_particles_go_side_by_side(generator, protein):
    options = GenerationOptions(pocket=protein, site=SITE, steps=5, particles=2, batch_size=4)
    samples = generator.sample([0, 1, 2, 3], 0, options)
    sizes = [len(sample.positions) for sample in samples]
    assert sizes[0] == sizes[1] and sizes[2] == sizes[3]
    assert all(np.isfinite(sample.positions).all() for sample in samples)


def test_what_clashes_or_lies_outside_is_rejected(protein):
    pocket = read_pocket(protein, SITE)
    for shift, token in (((7.5, 0, 0), "pocket_clash"), ((30, 0, 0), "outside_pocket")):
        mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
        from rdkit.Chem.rdDistGeom import EmbedMolecule

        assert EmbedMolecule(mol, randomSeed=1) == 0
        mol.GetConformer().SetPositions(mol.GetConformer().GetPositions() + CENTRE + shift)
        _, fault, _ = settled(mol, pocket, fixed=range(3))
        assert fault is not None and fault.token in (token, "outside_pocket")
    mol.GetConformer().SetPositions(mol.GetConformer().GetPositions() - shift)
    assert settled(mol, pocket)[1] is None


BAD = [
    (["--pocket", "{protein}"], "needs a site"),
    (["--site", "1,2,3"], "give the protein with pocket"),
    (["--pocket", "{protein}", "--site", "1,2,3"], "outside the structure"),
    (["--pocket", "{protein}", "--site", "A:999"], "there is no residue A:999"),
    (["--pocket", "{protein}", "--site", SITE, "--relax", "mmff"], "leave out relax"),
    (["--pocket", "none.pdb", "--site", SITE], "none.pdb"),
]


@pytest.mark.parametrize(("words", "complaint"), BAD)
def test_misuse_ends_before_sampling(words, complaint, protein, tmp_path):
    out = tmp_path / "out.sdf"
    words = [word.format(protein=protein) for word in words]
    result = CliRunner().invoke(app, ["generate", "--n", "1", "--model", "qm9", "--out", str(out), *words])
    assert result.exit_code == 2 and complaint in " ".join(result.output.split()), result.output
    assert not out.exists()


def test_the_command_says_what_the_pocket_is(protein, tmp_path):
    out = tmp_path / "out.sdf"
    words = ["--model", "qm9", "--steps", str(STEPS), "--pocket", str(protein), "--site", SITE, "--workers", "1"]
    result = CliRunner().invoke(app, ["generate", "--n", "2", "--out", str(out), *words])
    assert result.exit_code == 0, result.output
    assert "free and buried, room for about" in result.output
    assert sum(mol is not None for mol in Chem.SDMolSupplier(str(out), removeHs=False)) == 2
