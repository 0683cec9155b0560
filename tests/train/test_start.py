"""New runs from finished weights, and resumed runs under a new configuration."""

import json
import shutil

import pytest
import torch
from typer.testing import CliRunner

from molscore.cli import app
from molscore.model import load, save
from molscore.model.diffusion import MoleculeDiffusion
from molscore.model.state import MoleculeState, Times
from molscore.train.config import ConfigError
from molscore.train.loop import train
from molscore.train.record import LEDGER_HEAD, describe, ledger_row, sha256
from molscore.train.start import begin_from


@pytest.fixture(scope="module")
def ancestor(tiny, tmp_path_factory):
    """Four steps."""
    return train(tiny(tmp_path_factory.mktemp("runs") / "first", steps=4, checkpoint_every=4), quiet=True)


def checkpoint(out):
    return torch.load(out / "checkpoint.pt", weights_only=True)


def lines(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_a_run_begins_with_finished_weights(ancestor, tiny, tmp_path):
    """At a rate of nearly nothing, weights and average stay those it began with; molecules and time count on."""
    before = load(ancestor)
    config = tiny(tmp_path / "run", steps=2, learning_rate=1e-12, matrix_rate=1e-12, seed=5)
    after = load(train(config, quiet=True, init_from=str(ancestor)))
    for name, tensor in after.network.state_dict().items():
        torch.testing.assert_close(tensor, before.network.state_dict()[name], rtol=1e-6, atol=1e-9)
    new, old = after.record, before.record
    assert new["init_from"] == {
        "name": "model",
        "sha256": sha256(ancestor),
        "molecules": old["molecules"],
        "seconds": old["seconds"],
    }
    assert new["step"] == 2 and "init_from" not in old
    logged = [x["molecules"] for x in lines(config.out) if "loss" in x]
    assert old["molecules"] < logged[0] < logged[1] == new["molecules"] and new["seconds"] > old["seconds"]
    assert f"{new['molecules']:,} molecules" in describe(new) and f"{old['molecules']:,} molecules" in describe(new)


def test_where_a_run_began_is_kept_over_a_resume(ancestor, tiny, tmp_path):
    out, straight = tmp_path / "run", tmp_path / "straight"
    train(tiny(out, steps=1), quiet=True, init_from=str(ancestor))
    path = train(tiny(out, steps=3), quiet=True, resume=True)
    whole = train(tiny(straight, steps=3), quiet=True, init_from=str(ancestor))
    ours, theirs = load(path).record, load(whole).record
    assert ours["init_from"] == theirs["init_from"] and ours["molecules"] == theirs["molecules"]
    assert path.exists() and sha256(path) != sha256(ancestor)
    for name, tensor in checkpoint(out)["model"].items():
        assert torch.equal(tensor, checkpoint(straight)["model"][name]), name


@pytest.mark.parametrize(
    "record",
    [
        {"molecules": "many"},
        {"molecules": -1},
        {"molecules": 1.5},
        {"seconds": float("nan")},
        {"seconds": []},
        {"seconds": -1},
    ],
    ids=str,
)
def test_weights_whose_record_lies(ancestor, tiny, tmp_path, record):
    """Progress counts on from it."""
    path = tmp_path / "m.safetensors"
    save(load(ancestor), path, {"molecules": 1, "seconds": 1.0} | record)
    config = tiny(tmp_path / "run")
    with pytest.raises(ConfigError, match=f"cannot begin from .*{next(iter(record))}"):
        train(config, quiet=True, init_from=str(path))
    assert not config.out.exists()


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"\x02\0\0\0\0\0\0\0{}"])
def test_weights_that_are_damaged(tiny, tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot begin from"):
        train(tiny(tmp_path / "run"), quiet=True, init_from=str(path))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"network": {"heads": 2}}, r"model.network.heads is 2 here and 4 there$"),
        ({"network": {"irreps": "8x0e + 8x1o", "radial": 4}}, r"irreps is 8x0e \+ 8x1o here .*; model.network.radial"),
        ({"position_scale": 2.0}, "model.position_scale is 2.0 here and 1.4 there"),
        ({"category_scale": 2.0}, "model.category_scale is 2.0 here and 1.0 there"),
    ],
)
def test_weights_of_another_network(ancestor, tiny, tmp_path, change, complaint):
    model = tiny(tmp_path).model.model_dump()
    network = model["network"] | change.get("network", {})
    config = tiny(tmp_path / "run", model=model | change | {"network": network})
    with pytest.raises(ConfigError, match=complaint):
        train(config, quiet=True, init_from=str(ancestor))
    assert not config.out.exists()


def test_layers_may_be_added(ancestor, tiny, tmp_path):
    """They change nothing at first, and learn: a step later all their branches do."""
    model = tiny(tmp_path).model.model_dump()
    depth = model["network"]["layers"]
    config = tiny(tmp_path / "run", model=model | {"network": model["network"] | {"layers": depth + 2}}, steps=2)
    first = load(ancestor).eval()
    second = MoleculeDiffusion(config.model, first.vocabulary, first.size_probabilities).eval()
    begin_from(str(ancestor), second)
    for a, b in zip(_answer(first), _answer(second), strict=True):
        torch.testing.assert_close(a, b)
    trained = load(train(config, quiet=True, init_from=str(ancestor))).network.state_dict()
    for k in (depth, depth + 1):
        for name in ("out.weights.0", "update.mlp.2.weight", "displace.weights.0", "pair_update.weight"):
            assert trained[f"layers.{k}.{name}"].abs().max() > 0, name


@torch.no_grad()
@pytest.mark.parametrize("fakes", [0, 2])
def test_weights_of_other_atom_classes(ancestor, tiny, tmp_path, fakes):
    """The weights of a class go with it, in whatever order; those of a new class are zero and change no other."""
    first = load(ancestor)
    config = tiny(tmp_path).model.model_copy(update={"fake_atoms": fakes})
    second = MoleculeDiffusion(config, [(9, 0), *reversed(first.vocabulary)], [0, 1])
    begin_from(str(ancestor), second)
    where = [second.classes.index(c) for c in first.vocabulary]
    a = torch.full((1, 5, len(second.classes)), -1000.0)  # neither fluorine nor a fake, for certain
    a[..., where] = known = torch.randn(1, 5, len(where), generator=torch.Generator().manual_seed(0))
    x, mask = torch.randn(1, 5, 3), torch.ones(1, 5, dtype=torch.bool)
    times = Times.uniform(*torch.full((2, 1), 0.5), 5)
    x, e = x - x.mean(1, keepdim=True), torch.zeros(1, 5, 5, 4)
    before, after = (m.predict(MoleculeState(x, z, e), times, mask) for m, z in ((first, known), (second, a)))
    assert before.atom_logits.std() > 1e-3
    torch.testing.assert_close(after.atom_logits[..., where], before.atom_logits)
    torch.testing.assert_close(after.bond_logits, before.bond_logits)
    torch.testing.assert_close(after.positions, before.positions)
    third = MoleculeDiffusion(tiny(tmp_path).model, first.vocabulary[1:], [0, 1])
    begin_from(str(ancestor), third)
    assert torch.equal(third.network.atom_head[-1].weight, first.network.atom_head[-1].weight[1:])


def test_walks_may_be_added_and_taken_away(ancestor, tiny, tmp_path):
    """New kinds begin with weights of zero: the model says what it said before; known ones keep theirs."""
    old, walks = load(ancestor), {}
    for kinds, source in ((3, ancestor), (5, None), (0, None)):
        config = old.config.model_copy(update={"walks": kinds})
        model = MoleculeDiffusion(config, old.vocabulary, old.size_probabilities).eval()
        begin_from(str(source or tmp_path / "three.safetensors"), model)
        walks[kinds] = model
        if kinds == 3:
            with torch.no_grad():
                for weight in (model.network.embed_atoms.weight, model.network.embed_pairs.weight):
                    assert (weight == 0).any(dim=0).sum() >= 3
            said = [_answer(old), _answer(model)]
            for a, b in zip(*said, strict=True):
                torch.testing.assert_close(a, b)
            with torch.no_grad():
                model.network.embed_pairs.weight[:, 12:15] = 0.1
            save(model, tmp_path / "three.safetensors", old.record)
    weight = walks[5].network.embed_pairs.weight
    assert (weight[:, 12:15] == 0.1).all() and (weight[:, 15:17] == 0).all()
    for a, b in zip(_answer(old), _answer(walks[0]), strict=True):
        torch.testing.assert_close(a, b)


def _answer(model):
    """What a model says of a random state, with a previous prediction."""
    generator = torch.Generator().manual_seed(0)
    k = len(model.classes)
    x, a, e = (torch.randn(2, *shape, generator=generator) for shape in ((5, 3), (5, k), (5, 5, 4)))
    mask, times = torch.ones(2, 5, dtype=torch.bool), Times.uniform(*torch.full((2, 2), 0.4), 5)
    state = MoleculeState(x, a, e + e.transpose(1, 2))
    with torch.no_grad():
        return model.predict(state, times, mask, model.predict(state, times, mask))


def test_weights_that_cannot_be_begun_from(tiny, tmp_path):
    config = tiny(tmp_path / "run")
    (tmp_path / "text.safetensors").write_text("no weights")
    for weights, complaint in {
        tmp_path / "text.safetensors": "cannot begin from .*text",
        tmp_path / "none.safetensors": "no model file",
        "nothing": "bundled models: ",
    }.items():
        with pytest.raises(ConfigError, match=complaint):
            train(config, quiet=True, init_from=str(weights))
    with pytest.raises(ConfigError, match="--init-from begins a new run"):
        train(config, quiet=True, resume=True, init_from="qm9")
    assert not config.out.exists()


def test_the_command_says_what_is_wrong_with_init_from(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("data: d\nout: r\n")
    for words, complaint in ((["--resume", "--init-from", "qm9"], "give one"), (["--init-from", "x"], "bundled")):
        result = CliRunner().invoke(app, ["train", str(config), *words])
        assert result.exit_code == 2 and complaint in " ".join(result.stderr.split())


def test_a_resumed_run_obeys_its_new_configuration(ancestor, tiny, tmp_path):
    """Rates and decay are those of the configuration, not those in the checkpoint."""
    out = tmp_path / "run"
    shutil.copytree(ancestor.parent, out)
    changes = {"matrix_rate": 2e-3, "weight_decay": 0.3, "learning_rate": 1e-3}
    train(tiny(out, steps=5, **changes), quiet=True, resume=True)
    groups = [group for state in checkpoint(out)["optimisers"] for group in state["param_groups"]]
    assert [group["lr"] for group in groups] == pytest.approx([1e-3, 2e-3])
    assert [group["weight_decay"] for group in groups] == [0.3, 0.3]
    assert [x["learning_rate"] for x in lines(out) if "loss" in x][-1] == pytest.approx(1e-3)


def test_ledger(ancestor, tiny):
    """One row, with all that a reader needs to find the run again."""
    record = load(ancestor).record
    text = (ancestor.parent / "ledger.md").read_text()
    assert text == LEDGER_HEAD + ledger_row(record, ancestor) + "\n"
    head, _, row = ([cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines())
    row = dict(zip(head, row, strict=True))
    assert row["run"] == "first" and row["weights"] == f"`{sha256(ancestor)}`"
    assert row["data"] == f"small.safetensors ({sha256(tiny(ancestor).data)[:12]})"
    assert row["molecules seen"] == f"{record['molecules']:,}" and row["hardware"] == record["hardware"]
    assert float(row["positions"]) == pytest.approx(record["valid"]["positions"], abs=1e-4)
    later = record | {"init_from": {"name": "qm9", "sha256": "0123456789abcdef", "molecules": 1, "seconds": 1.0}}
    assert ledger_row(later, ancestor).startswith("| first, from qm9 (0123456789ab) |")


@pytest.fixture(scope="module")
def few(tiny):
    """``few(out, teacher, **changes)``: a distillation to three steps, of four steps of training."""

    def configured(out, teacher, **changes):
        config = tiny(out, steps=4, checkpoint_every=2, teacher=str(teacher), **changes)
        sampling = config.model.sampling.model_copy(update={"steps": 3, "order": 1})
        return config.model_copy(update={"model": config.model.model_copy(update={"sampling": sampling})})

    return configured


def test_a_model_is_distilled_from_its_teacher(ancestor, few, tmp_path):
    """It begins with the teacher's weights and counts on from there; only it is written, ready for few steps."""
    still = load(train(few(tmp_path / "still", ancestor, learning_rate=1e-12, matrix_rate=1e-12), quiet=True))
    teacher = load(ancestor)
    for name, tensor in still.network.state_dict().items():
        torch.testing.assert_close(tensor, teacher.network.state_dict()[name], rtol=1e-6, atol=1e-9)
    config = few(tmp_path / "run", ancestor)
    student = load(train(config, quiet=True))
    assert student.config.sampling.steps == 3 and student.config.sampling.order == 1
    assert student.record["init_from"]["name"] == "model" and student.record["config"]["teacher"] == str(ancestor)
    assert student.record["molecules"] > teacher.record["molecules"]
    moved = [not torch.equal(a, b) for a, b in zip(student.parameters(), still.parameters(), strict=True)]
    assert sum(moved) > 0.9 * len(moved)
    logged = [x for x in lines(config.out) if "loss" in x]
    assert {"student", "critic", "positions", "atoms", "bonds"} <= logged[-1].keys()
    critic = {name for name in checkpoint(config.out)["model"] if name.startswith("critic.")}
    assert critic and not any("teacher" in name for name in checkpoint(config.out)["model"])


def test_a_distillation_goes_on_where_it_stopped(ancestor, few, tmp_path):
    straight = train(few(tmp_path / "straight", ancestor), quiet=True)
    first = few(tmp_path / "run", ancestor)
    train(first.model_copy(update={"steps": 2}), quiet=True)
    again = train(first, quiet=True, resume=True)
    for a, b in zip(load(straight).parameters(), load(again).parameters(), strict=True):
        assert torch.equal(a, b)
    assert load(straight).record["molecules"] == load(again).record["molecules"]


def test_a_distillation_says_what_it_needs(ancestor, tiny, few, tmp_path):
    with pytest.raises(ConfigError, match="order=1"):
        train(tiny(tmp_path / "a", steps=1, teacher=str(ancestor)), quiet=True)
    with pytest.raises(ConfigError, match="cannot begin from .*gone"):
        train(few(tmp_path / "b", tmp_path / "gone.safetensors"), quiet=True)
