"""Ways to complete: what is known ends where it is known to be, at no more evaluations than were asked for."""

import json

import completion_arms
import numpy as np
import pytest
import torch
from completion_arms import ARMS
from completion_methods import APART, STIFFNESS, Arm, Framed, Task
from judge.completion_cases import linkers
from rdkit import Chem
from rdkit.Chem import AllChem

from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.completion import given_parts
from molscore.model.denoisers import MoleculeDenoiser
from molscore.model.state import MoleculeState, size_mask

EVALUATIONS, SAMPLES = 5, 4


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Two molecules without the atoms that join their rings."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for smiles in ("C1CC1CNCC1CO1", "C1CN1COCC1CC1"):
            mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
            assert AllChem.EmbedMolecule(mol, randomSeed=1) == 0
            mol = Chem.RemoveHs(mol)
            linker = mol.GetSubstructMatch(Chem.MolFromSmarts("[R][!R][!R][!R][R]"))
            part = Chem.RWMol(mol)
            for atom in linker[3:0:-1]:
                part.RemoveAtom(atom)
            ends = [k - sum(atom < k for atom in linker[1:4]) for k in (linker[0], linker[4])]
            part = part.GetMol()
            Chem.SanitizeMol(part)
            part.SetProp("anchors", ",".join(map(str, ends)))
            part.SetProp("reference_smiles", smiles)
            writer.write(part)
    return path


@pytest.fixture(scope="module")
def generator():
    return MoleculeGenerator.from_pretrained("druglike", device="cpu")


@pytest.fixture(scope="module")
def options(pairs):
    return GenerationOptions(**next(linkers(pairs)).options)


def task(arm: Arm, generator, options, sizes: list[int]) -> Task:
    given = given_parts(options.part, generator.model, len(sizes)).padded(size_mask(sizes))
    return Task(arm, generator.model, given, torch.Generator().manual_seed(0))


def times(own: Task, time: float) -> torch.Tensor:
    """The same for every element."""
    return torch.full(own.mask[:1].shape, time, dtype=torch.float64)


@pytest.mark.slow
def test_every_arm_completes_and_goes_on_where_it_stopped(command, pairs, tmp_path, capsys, monkeypatch):
    out = tmp_path / "arms.json"
    words = [pairs, "--untrained", "druglike", "--evaluations", EVALUATIONS, "--samples", SAMPLES, "--workers", 1]
    command(completion_arms, *words, "--cases", 2, "--out", out)
    results = json.loads(out.read_text())
    rows = results["rows"]
    assert [(row["arm"], row["case"]) for row in rows] == [(name, case) for name in ARMS for case in ("0", "1")]
    for row in rows:
        arm = ARMS[row["arm"]]
        assert EVALUATIONS - arm.times < row["evaluations"] <= EVALUATIONS  # counted at the network
        assert sum(row["faults"].values()) == SAMPLES and row["unique"] <= row["valid"] <= row["near"] <= SAMPLES
        assert row["near"] == SAMPLES or not (arm.given or arm.release == 0)
    table = capsys.readouterr().out
    assert table.count("\n") == 2 + len(ARMS) and table == completion_arms.markdown(rows) + "\n"

    out.write_text(json.dumps(results | {"rows": rows[:-1]}))
    made, make = [], completion_arms.Completer.__call__
    monkeypatch.setattr(
        completion_arms.Completer, "__call__", lambda self, todo: made.append(todo[1].name) or make(self, todo)
    )
    command(completion_arms, *words, "--cases", 2, "--out", out)
    again = json.loads(out.read_text())["rows"]
    assert made == ["1"] and again[-1] | {"seconds": 0} == rows[-1] | {"seconds": 0}


@pytest.mark.parametrize("name", ["replaced", "replaced, RePaint 2 times", "guided and replaced", "trained"])
def test_what_is_held_ends_where_it_is_known_to_be(name, generator, options):
    part, n = options.part, len(options.part)
    for sample in ARMS[name].samples(generator, options, 2, 0, 4):
        assert np.allclose(sample.positions[:n], part.arrays.positions, rtol=1e-6, atol=1e-6)
        classes = [generator.model.vocabulary.index(pair) for pair in part.classes]
        assert np.allclose(sample.atom_probabilities[:n], np.eye(len(generator.model.vocabulary))[classes])
        orders = np.zeros((n, n), dtype=int)
        orders[tuple(part.arrays.bonds.T)] = part.arrays.bond_orders
        assert np.allclose(sample.bond_probabilities[:n, :n], np.eye(4)[orders + orders.T])
        closed = np.flatnonzero(~part.open)
        assert np.allclose(sample.bond_probabilities[closed, n:], (1, 0, 0, 0))


def test_what_is_released_is_the_models_own(generator, options):
    """Above the release the mean is what is known; below, coordinates at the power of it, that of the model."""
    n = len(options.part)
    own = task(Arm(release=0.5), generator, options, [n + 3, n + 5])
    denoiser = MoleculeDenoiser(generator.model, own.given.batch.mask)
    replaced, free = own.guide(denoiser), Framed(denoiser, own.given.positions, own.corrected)
    noise = torch.randn(own.mask.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z, time = own.known + noise * 0.1, times(own, 0.4)
    with torch.no_grad():
        held, loose = own.layout.unpack(replaced.mean(z, time)), own.layout.unpack(free.mean(z, time))
        known = own.layout.unpack(own.known)
    assert torch.equal(held.x[:, :n], known.x[:, :n]) and not torch.equal(loose.x[:, :n], known.x[:, :n])
    assert torch.equal(held.x[:, n:], loose.x[:, n:])
    assert torch.equal(held.a, loose.a) and torch.equal(held.e, loose.e)  # 0.4 is below 0.5, and above 0.5²


def test_the_frame_is_that_of_the_part(generator, options):
    """Its centre is the origin, wherever the state lies; the state of a bond may stand in either direction."""
    n = len(options.part)
    own = task(Arm(), generator, options, [n + 3, n + 5])
    framed = own.guide(MoleculeDenoiser(generator.model, own.given.batch.mask))
    x, a, e = own.layout.unpack(torch.randn(own.mask.shape, dtype=torch.float64))
    moved = MoleculeState(x + torch.tensor([3.0, -1.0, 2.0]), a, e.transpose(1, 2))
    with torch.no_grad():
        means = [framed.mean(own.layout.pack(s), times(own, 0.6)) for s in (MoleculeState(x, a, e), moved)]
    assert torch.allclose(*means, atol=1e-4)
    assert own.layout.unpack(means[0]).x[:, :n].mean(1).abs().max() < 1e-5


def test_the_energy_is_less_the_log_likelihood(generator, options):
    n = len(options.part)
    own = task(Arm(scale=1), generator, options, [n + 2, n + 2])
    time = times(own, 0.5)
    assert own.energy(own.known, time).abs().max() < 1e-12
    x, a, e = own.layout.unpack(own.known.clone())
    x[:, 0, 0] += 0.2
    a[0, 1] = a[0, 1] / 4
    alpha, sigma = (float(y[0, 0]) for y in generator.model.sde.marginal(time))
    far = 0.2**2 / (2 * sigma**2 / (alpha**2 + sigma**2))
    expected = torch.tensor([far + np.log(4), far], dtype=torch.float64)
    assert torch.allclose(own.energy(own.layout.pack(MoleculeState(x, a, e)), time), expected)


def test_particles_weigh_by_bonds_to_be_made_and_by_what_lies_too_close(generator, options):
    n, scale = len(options.part), generator.model.config.position_scale
    own = task(Arm(given=True, particles=2), generator, options, [n + 2, n + 2])
    x, a, e = own.layout.unpack(own.known.clone())
    first, last = np.flatnonzero(options.part.open)
    e[:, n:] = e[:, :, n:] = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64)
    for i, j in ((first, n), (n, n + 1), (n + 1, last)):
        e[:, i, j] = e[:, j, i] = torch.tensor([0, 1.0, 0, 0], dtype=torch.float64)
    e[1, first, n] = e[1, n, first] = torch.tensor([0.75, 0.25, 0, 0], dtype=torch.float64)
    x[:, n], x[:, n + 1] = torch.tensor([50.0, 0, 0]), torch.tensor([0, 50.0, 0])
    far = own.joined(own.layout.pack(MoleculeState(x, a, e)))
    assert torch.allclose(far, torch.tensor([0, np.log(0.25)], dtype=torch.float64))
    x[:, n + 1] = x[:, n] + torch.tensor([(APART - 1) / scale, 0, 0])  # bonded atoms may lie as close
    assert torch.allclose(own.joined(own.layout.pack(MoleculeState(x, a, e))), far)
    e[:, n, n + 1] = e[:, n + 1, n] = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64)
    assert torch.allclose(own.joined(own.layout.pack(MoleculeState(x, a, e))), far - STIFFNESS)


def test_particles_come_in_whole_groups(generator, options):
    with pytest.raises(ValueError, match="6 samples are no whole groups of 4 particles"):
        Arm(particles=4).samples(generator, options, 6, 0, 5)
    sizes = [len(sample.positions) for sample in Arm(particles=2).samples(generator, options, 4, 0, 3)]
    assert sizes[0] == sizes[1] and sizes[2] == sizes[3]
