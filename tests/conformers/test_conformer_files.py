"""Files in, SDF out: order, names, properties, bad records, interruption."""

import gzip
import io

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDepictor, rdDistGeom

from molscore.chem.io.sdf_writer import part_of
from molscore.conformers import Options
from molscore.conformers.files import conformers_sdf

QUICK = Options(steps=4, surplus=1, fill=True)
LIST = "CCCCO butanol\nc1ccccc1C pentane, no: toluene\nnonsense(\n\nCC(=O)[O-].[Na+] salt\nCC(N)C(=O)O ala\n"


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "in.smi"
    path.write_text(LIST)
    return path


def read(path) -> list[Chem.Mol]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        return list(Chem.ForwardSDMolSupplier(file, removeHs=False))


def test_a_list_comes_out_in_order_with_its_names(generator, listed, tmp_path):
    out, problems = tmp_path / "out.sdf", tmp_path / "bad.csv"
    outcome = conformers_sdf(generator, str(listed), out, 2, 0, QUICK, problems=problems)
    mols = read(out)
    assert [mol.GetProp("_Name") for mol in mols[::2]] == ["butanol", "pentane, no: toluene", "salt", "ala"]
    assert [mol.GetIntProp("rank") for mol in mols] == [1, 2] * 4
    assert [mol.GetIntProp("molscore_index") for mol in mols[::2]] == [1, 2, 4, 5]
    for mol in mols:
        assert mol.GetConformer().Is3D() and mol.GetProp("method") in ("score", "etkdg")
        assert Chem.CanonSmiles(mol.GetProp("SMILES")) == Chem.MolToSmiles(Chem.RemoveHs(mol))
        assert all(atom.GetNumImplicitHs() == 0 for atom in mol.GetAtoms())
    assert mols[4].GetProp("removed_fragments") == "[Na+]" and mols[6].GetProp("isomer") == "drawn"
    assert (outcome.records, outcome.molecules, outcome.failed) == (5, 4, {"smiles": 1}) and not outcome.complete
    assert "record 3, line 3" in outcome.text(out)
    assert problems.read_text().splitlines()[1].startswith("3,3,,smiles,")


def test_tables_and_their_columns(generator, tmp_path):
    path, out = tmp_path / "in.csv", tmp_path / "out.sdf"
    path.write_text('ID,Smiles,pIC50,method,"odd <name>"\nA1,CCCCO,7.1,assay,"two\n\nlines"\nA2,CCCCN,6.0,assay,$$$$\n')
    conformers_sdf(generator, str(path), out, 1, 0, QUICK)
    first, second = read(out)
    assert (first.GetProp("_Name"), first.GetProp("pIC50"), second.GetProp("_Name")) == ("A1", "7.1", "A2")
    assert first.GetProp("input_method") == "assay" and first.GetProp("method") == "score"
    assert first.GetProp("odd (name)") == "two\nlines" and second.HasProp("odd (name)")


@pytest.mark.parametrize("ending", [".sdf", ".sdf.gz"])
@pytest.mark.parametrize("flat", [True, False])
def test_records_keep_order_of_atoms_hydrogens_and_fields(generator, tmp_path, ending, flat):
    mol = Chem.AddHs(Chem.MolFromSmiles("C[C@H](N)C(=O)NC"))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=3) == 0
    mol = Chem.RenumberAtoms(mol, np.random.default_rng(2).permutation(mol.GetNumAtoms()).tolist())
    if flat:
        mol = Chem.MolFromSmiles("C[C@H](N)C(=O)NC")
        rdDepictor.Compute2DCoords(mol)
    mol.SetProp("_Name", "title")
    mol.SetProp("assay", "12")
    source, out = tmp_path / f"in{ending}", tmp_path / f"out{ending}"
    block = (Chem.MolToMolBlock(mol) + ">  <assay>\n12\n\n$$$$\n").encode()
    (gzip.open if ending.endswith("gz") else open)(source, "wb").write(block)
    conformers_sdf(generator, str(source), out, 2, 0, QUICK)
    found = read(out)
    assert [one.GetProp("_Name") for one in found] == ["title"] * 2 and found[0].GetProp("assay") == "12"
    n = mol.GetNumAtoms()
    assert [a.GetSymbol() for a in found[0].GetAtoms()][:n] == [a.GetSymbol() for a in mol.GetAtoms()]
    assert found[0].GetProp("SMILES") == "CNC(=O)[C@H](C)N"


def test_smiles_and_standard_input(generator, tmp_path):
    out = tmp_path / "out.sdf"
    conformers_sdf(generator, "C/C=C/CO", out, 1, 0, QUICK)
    assert read(out)[0].GetProp("SMILES") == "C/C=C/CO"
    conformers_sdf(generator, "-", out, 1, 0, QUICK, stream=io.StringIO("CCCCO one\nCCCCN two\n"))
    assert [mol.GetProp("_Name") for mol in read(out)] == ["one", "two"]


def test_an_input_without_records_is_an_error_and_leaves_nothing(generator, tmp_path):
    path, out = tmp_path / "in.smi", tmp_path / "out.sdf"
    path.write_text("\n\n")
    with pytest.raises(ValueError, match="no record"):
        conformers_sdf(generator, str(path), out, 1, 0, QUICK)
    assert not out.exists()


class Killed(BaseException):
    """Nothing catches this: the process is gone."""


@pytest.mark.parametrize("ending", [".sdf", ".sdf.gz"])
@pytest.mark.parametrize("stop", [Killed, KeyboardInterrupt])
def test_a_run_that_was_stopped_goes_on(generator, listed, tmp_path, ending, stop):
    out, whole = tmp_path / f"out{ending}", tmp_path / f"whole{ending}"
    problems, all_problems = tmp_path / "bad.csv", tmp_path / "all.csv"
    conformers_sdf(generator, str(listed), whole, 2, 0, QUICK, problems=all_problems)

    def at_four(done: int) -> None:
        if done == 4:
            raise stop

    def run(**options):
        return conformers_sdf(generator, str(listed), out, 2, 0, QUICK, problems=problems, **options)

    if stop is Killed:
        with pytest.raises(Killed):
            run(on_progress=at_four)
        assert part_of(out).exists() and not out.exists()
    else:
        assert run(on_progress=at_four).interrupted
        assert len(read(out)) == 6
    outcome = run(resume=True)
    assert outcome.kept == 2 and outcome.records == 5
    assert not part_of(out).exists() and len(list(tmp_path.glob(".*"))) == 0
    for mol, other in zip(read(out), read(whole), strict=True):
        assert mol.GetPropsAsDict().keys() == other.GetPropsAsDict().keys()
        assert mol.GetProp("_Name") == other.GetProp("_Name")
    assert problems.read_text() == all_problems.read_text()


def test_resume_wants_the_same_run(generator, listed, tmp_path):
    out = tmp_path / "out.sdf"
    with pytest.raises(ValueError, match="no .* to resume"):
        conformers_sdf(generator, str(listed), out, 2, 0, QUICK, resume=True)
    conformers_sdf(generator, str(listed), out, 2, 0, QUICK)
    with pytest.raises(ValueError, match="seed 0"):
        conformers_sdf(generator, str(listed), out, 2, 1, QUICK, resume=True)
    assert len(read(out)) == 8


def test_memory_does_not_grow_with_the_input(generator, tmp_path):
    """The reader is never more than a group ahead of the writer."""
    pulled, ahead = [0], []

    def lines():
        for k in range(120):
            pulled[0] += 1
            yield f"CCCC{'C' * (k % 3)}O m{k}\n"

    class Stream(io.TextIOBase):
        source = lines()

        def readline(self, size=-1):
            return next(self.source, "")

        def __next__(self):
            return next(self.source)

    conformers_sdf(
        generator,
        "-",
        tmp_path / "out.sdf",
        1,
        0,
        Options(steps=1, surplus=1, method="etkdg", relax="none"),
        stream=Stream(),
        on_progress=lambda done: ahead.append(pulled[0] - done),
    )
    assert len(ahead) == 120 and max(ahead) <= 40
