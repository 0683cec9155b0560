"""Generation by worker processes: the files of one worker, bit for bit, whatever becomes of the others."""

import os
import signal

import pytest
from run_length import STEPS

from molscore import workers
from molscore.generate import GenerationOptions
from molscore.generate.files import generate_sdf

N = 14


@pytest.fixture(scope="module")
def alone(generator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    return run(generator, folder, 1)


def run(generator, folder, number, **more):
    out, rejects = folder / "mols.sdf", folder / "rejects.csv"
    options = GenerationOptions(steps=STEPS, batch_size=6)
    generate_sdf(generator, N, out, 3, options, rejects=rejects, workers=number, **more)
    return out.read_bytes(), rejects.read_bytes()


@pytest.mark.parametrize("number", [2, 3])
def test_any_number_of_workers_writes_the_same_bytes(generator, alone, tmp_path, number):
    assert run(generator, tmp_path, number) == alone


def test_a_killed_worker_changes_nothing(generator, alone, tmp_path, monkeypatch):
    pools = []

    class Watched(workers.Workers):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            pools.append(self)

    monkeypatch.setattr("molscore.generate.attempts.Workers", Watched)
    killed = []

    def kill(attempt, delivered):
        if not killed:
            killed.append(next(iter(pools[0]._workers)).process.pid)
            os.kill(killed[0], signal.SIGKILL)

    assert run(generator, tmp_path, 2, on_attempt=kill) == alone
    assert killed


def test_molecules_in_memory_are_the_same(generator):
    alone, shared = (generator.generate(5, 3, steps=STEPS, batch_size=4, workers=number) for number in (1, 2))
    for a, b in zip(alone.mols, shared.mols, strict=True):
        assert a.GetPropsAsDict() == b.GetPropsAsDict() and a.GetProp("_Name") == b.GetProp("_Name")
        assert (a.GetConformer().GetPositions() == b.GetConformer().GetPositions()).all()
    assert [(a.index, a.fault) for a in alone.rejects] == [(b.index, b.fault) for b in shared.rejects]


def few_rings(mol):
    """A filter that other processes can find."""
    return mol.GetRingInfo().NumRings() < 2


def test_functions_as_filters_are_sent_or_refused_at_once(generator, tmp_path):
    """What cannot be sent is refused before a file is touched; one worker takes any function."""
    out = tmp_path / "mols.sdf"
    out.write_text("an older file")
    for more in ({"filter": lambda mol: True}, {"checks": (lambda mol: None,)}):
        with pytest.raises(ValueError, match=f"{next(iter(more))} cannot be sent .* def at the top of a module"):
            generator.generate(20, workers=2, steps=STEPS, **more)
        with pytest.raises(ValueError, match="cannot be sent"):
            generate_sdf(generator, 20, out, 0, GenerationOptions(STEPS, **more), workers=2)
        with pytest.raises(ValueError, match="cannot be sent"):
            generate_sdf(generator, 20, tmp_path / "m-{shard}.sdf", 0, GenerationOptions(STEPS, **more), workers=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mols.sdf"] and out.read_text() == "an older file"
    here = generator.generate(3, steps=STEPS, batch_size=2, filter=lambda mol: mol.GetRingInfo().NumRings() < 2)
    there = generator.generate(3, steps=STEPS, batch_size=2, filter=few_rings, workers=2)
    assert [mol.GetProp("SMILES") for mol in here.mols] == [mol.GetProp("SMILES") for mol in there.mols]
