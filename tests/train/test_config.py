"""Configurations: every file that ships loads, every slip is an error that names it."""

from pathlib import Path

import pytest
import yaml

from molscore.train.config import ConfigError, TrainConfig, load_config

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("data: d.safetensors\nout: runs/a\nmodel:\n  network:\n    layers: 2\n")
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_shipped_configuration_loads(path):
    config = load_config(path)
    assert config.model.network.layers >= 1
    assert config.warmup_steps + config.decay_steps <= config.steps


def test_there_are_configurations():
    assert CONFIGS


def test_overrides(path):
    words = ["steps=7", "model.network.irreps=8x0e + 8x1o", "model.sigma_min=1e-2", "out=b=c", "compile=true"]
    config = load_config(path, words)
    assert (config.steps, config.model.sigma_min, config.compile) == (7, 0.01, True)
    assert config.model.network.irreps == "8x0e + 8x1o" and config.model.network.layers == 2
    assert config.out == Path("b=c")


@pytest.mark.parametrize("word", ["mixed_precision=no", "mixed_precision='no'"])
def test_a_bare_no_is_a_word(path, word):
    """YAML 1.1 reads it as False."""
    assert load_config(path, [word]).mixed_precision == "no"


def test_a_resolved_configuration_loads_as_the_same(path):
    config = load_config(path, ["steps=7"])
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    assert load_config(path) == config


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("stepps=7", "stepps: Extra inputs"),
        ("model.network.depth=7", "model.network.depth: Extra inputs"),
        ("model.depth=7", "model.depth: Extra inputs"),
        ("steps", "'steps' is not of the form key=value"),
        ("=7", "'=7' is not of the form key=value"),
        ("steps.more=7", "'steps.more=7': steps is not a section"),
        ("data.name=7", "data is not a section"),
        ("steps=[7", "not valid YAML"),
        ("steps=0", "steps: Input should be greater than 0"),
        ("steps=many", "steps: "),
        ("seed=-1", "seed: "),
        ("ema_decay=1", "ema_decay: "),
        ("mixed_precision=fp8", "mixed_precision: "),
        ("model.self_conditioning=2", "model.self_conditioning: "),
    ],
)
def test_overrides_that_cannot_be(path, word, complaint):
    with pytest.raises(ConfigError) as error:
        load_config(path, ["steps=5", word])
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"data: d\n", "out: Field required"),
        (b"data: d\nout: r\nlearning_rat: 1\n", "learning_rat: Extra inputs"),
        (b"data: [d\n", "not valid YAML"),
        (b"- data\n", "must hold 'key: value' lines"),
        (b"", "must hold 'key: value' lines"),
        (b"data: \xff\xfe\n", "not valid YAML"),
    ],
)
def test_files_that_cannot_be(path, content, complaint):
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert complaint in str(error.value) and "a.yaml" in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*none\.yaml: No such file"):
        load_config(tmp_path / "none.yaml")


def test_a_configuration_does_not_change(path):
    config = load_config(path)
    with pytest.raises(ValueError, match="frozen"):
        config.steps = 3
    assert issubclass(ConfigError, ValueError) and isinstance(config, TrainConfig)
