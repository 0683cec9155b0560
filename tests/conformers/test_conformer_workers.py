"""Conformers made by worker processes: the files of one, bit for bit, whatever becomes of the others."""

import os
import signal

import pytest
from rdkit import Chem

from molscore import workers
from molscore.conformers import ConformerOptions
from molscore.conformers.files import conformers_sdf

SMILES = "CCO ethanol\nnonsense broken\nC[C@H](N)C(=O)O alanine\nFC(Cl)C1CC1 open\n[Na+].CC(=O)[O-] salt\nCCCCN\n"


@pytest.fixture(scope="module")
def alone(generator, tmp_path_factory):
    return run(generator, tmp_path_factory.mktemp("alone"), 1)


def run(generator, folder, number, **more):
    source, out, problems = folder / "in.smi", folder / "out.sdf", folder / "problems.csv"
    source.write_text(SMILES)
    options = ConformerOptions(stereo="enumerate")
    conformers_sdf(generator, str(source), out, 2, 5, options, problems=problems, workers=number, **more)
    return out.read_bytes(), problems.read_bytes()


@pytest.mark.parametrize("number", [2, 3])
def test_any_number_of_workers_writes_the_same_bytes(generator, alone, tmp_path, number):
    assert run(generator, tmp_path, number) == alone
    assert b"open" in alone[0] and b"nonsense" in alone[1]


def test_a_killed_worker_changes_nothing(generator, alone, tmp_path, monkeypatch):
    pools, killed = [], []

    class Watched(workers.Workers):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            pools.append(self)

    monkeypatch.setattr("molscore.conformers.one_file.Workers", Watched)

    def kill(done):
        if not killed:
            killed.append(next(iter(pools[0]._workers)).process.pid)
            os.kill(killed[0], signal.SIGKILL)

    assert run(generator, tmp_path, 2, on_progress=kill) == alone and killed


def test_ensembles_in_memory_are_the_same_with_all_their_properties(generator):
    mols = [Chem.MolFromSmiles("CCCO"), "C[C@H](F)O", None, "not one"]
    mols[0].SetProp("_Name", "propanol")
    mols[0].SetIntProp("number", 7)
    here, there = (list(generator.stream(mols, 3, 1, workers=number)) for number in (1, 2))
    assert len(here) == len(there) == 4
    for a, b in zip(here, there, strict=True):
        assert (a.reason, a.dropped, a.methods) == (b.reason, b.dropped, b.methods)
        assert a.mol.GetPropsAsDict(True) == b.mol.GetPropsAsDict(True)
        for x, y in zip(a.mol.GetConformers(), b.mol.GetConformers(), strict=True):
            assert x.GetPropsAsDict() == y.GetPropsAsDict()
            assert (x.GetPositions() == y.GetPositions()).all()
    assert there[0].mol.GetProp("_Name") == "propanol" and there[0].mol.GetIntProp("number") == 7


def test_a_lambda_as_filter_is_refused_at_once_by_several_workers(generator, tmp_path):
    with pytest.raises(ValueError, match="filter cannot be sent"):
        generator.generate(["CCO", "CCN"], n=2, filter=lambda mol: True, workers=2)
    options = ConformerOptions(filter=lambda mol: True)
    with pytest.raises(ValueError, match="filter cannot be sent"):
        conformers_sdf(generator, "CCO", tmp_path / "m.sdf", 2, 0, options, workers=2)
    assert not list(tmp_path.iterdir())
    assert len(generator.generate(["CCO", "CCN"], n=2, filter=lambda mol: True).mols) == 2
