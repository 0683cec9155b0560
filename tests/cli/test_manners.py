"""What all commands have in common: version, help in groups, configuration files, environment variables, logs."""

import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from molscore.cli import app
from molscore.cli.choices import CHOICES
from molscore.cli.config import option_name, variable
from molscore.cli.groups import GROUPS, REST
from molscore.versions import VERSION

PROGRAM = get_command(app)
COMMANDS = {name: command for name, command in PROGRAM.commands.items() if name != "data"}
COMMANDS |= {f"data {name}": command for name, command in PROGRAM.commands["data"].commands.items()}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words, **variables):
    result = CliRunner(env=variables).invoke(app, list(words))
    return result.exit_code, " ".join(result.output.split())


def test_the_version():
    assert run("--version") == (0, f"molscore {VERSION}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_log_a_configuration_and_groups(name):
    code, text = run(*name.split(), "--help")
    assert code == 0 and "This run:" in text and "--log" in text and "--config" in text
    assert "MOLSCORE_BATCH_SIZE" in text and "env var:" not in text
    options = [p for p in COMMANDS[name].params if p.param_type_name == "option" and not p.hidden]
    assert all(f"--{option_name(option)}" in text for option in options)
    assert len({option.envvar for option in options}) == len(options)
    assert all(option.envvar == variable(option) for option in options)


def test_groups_are_apart():
    names = [name for group in GROUPS.values() for name in group]
    assert len(set(names)) == len(names) and REST not in GROUPS
    code, text = run("generate", "--help")
    places = [text.index(f"{title}: ") for title in ("Output", "Sampling", "Filters", "Machine and time", "This run")]
    assert places == sorted(places)


def test_a_configuration_is_what_the_options_would_be(folder):
    (folder / "run.yaml").write_text("n: 0\nout: m.sdf\nseed: 3\n")
    assert run("generate", "--config", "run.yaml")[0] == 2
    assert "--n" in run("generate", "--config", "run.yaml")[1]
    (folder / "run.yaml").write_text("n: 5\nout: m.mol2\n")
    assert "must end in" in run("generate", "--config", "run.yaml")[1]
    assert "must end in" in run("generate", MOLSCORE_CONFIG="run.yaml")[1]
    assert "no folder" in run("generate", "--config", "run.yaml", "--out", "none/m.sdf")[1]  # the command line wins
    assert "no folder" in run("generate", "--config", "run.yaml", MOLSCORE_OUT="none/m.sdf")[1]
    assert "no folder there" in run("generate", "--out", "there/m.sdf", "--n", "1", MOLSCORE_OUT="none/m.sdf")[
        1
    ].replace(f"{folder}/", "")


def test_arguments_flags_and_lists_in_a_configuration(folder):
    (folder / "in.csv").write_text("smiles,name\nCCO,ethanol\n")
    (folder / "run.yaml").write_text(
        "input: in.csv\nout: c.sdf\nmust_match: ['[OX2H] alcohol', 'Q(']\n"
        "fallback: false\nmax-per-molecule-seconds: 5\n"
    )
    code, text = run("conformers", "--config", "run.yaml", "--log", "run.log")
    assert code == 2 and "'Q(' is no SMARTS" in text
    log = (folder / "run.log").read_text()
    for line in ("source: in.csv", "fallback: False", "seconds: 5.0", "must_match: ['[OX2H] alcohol', 'Q(']"):
        assert f"  {line}\n" in log
    assert "'Q(' is no SMARTS" in log and "ended with code 2" in log
    assert run("conformers", "--config", "run.yaml", "--log", "run.log")[0] == 2
    assert (folder / "run.log").read_text().count("ended with code 2") == 2  # the second below the first


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sedd: 1", "no option 'sedd'; did you mean seed?"),
        ("config: other.yaml", "no option 'config'"),
        ("zzzz: 1", "it knows n, out, model"),
        ("- 1", "must hold options"),
        ("n: [1, 2]", "n must be one value"),
        ("n: {a: 1}", "n must be one value"),
        ("raw: 1", "raw is true or false"),
        ("device: yes", "put it in quotation marks"),
        ("a: [", "is no YAML"),
        ("n: many", "--n"),
        ("\0", "is no YAML"),
    ],
)
def test_configurations_that_are_not_understood(folder, text, complaint):
    (folder / "run.yaml").write_text(text)
    code, said = run("generate", "--config", "run.yaml", "--out", "m.sdf")
    assert code == 2 and complaint in said and "Traceback" not in said
    assert [path.name for path in folder.iterdir()] == ["run.yaml"]


def test_a_configuration_that_is_not_there():
    assert run("generate", "--config", "none.yaml") == (2, "Error: there is no configuration none.yaml")


def test_environment_variables():
    code, text = run("generate", "--out", "m.sdf", MOLSCORE_N="none")
    assert code == 2 and "MOLSCORE_N" in text
    assert "unknown device" in run("score", "m.sdf", "--out", "s.sdf", MOLSCORE_DEVICE="abacus")[1]


def test_a_log_that_cannot_be(folder):
    (folder / "a.sdf").write_text("")
    for path, complaint in (("none/run.log", "no folder"), (".", "is a folder"), ("a.sdf", "are the same file")):
        code, text = run("score", "a.sdf", "--out", "s.sdf", "--log", path)
        assert code == 2 and complaint in text
    assert (folder / "a.sdf").read_text() == ""


def test_a_log_has_warnings_and_no_progress(folder):
    code, _ = run("generate", "--n", "1", "--out", "m.sdf", "--steps", "20", "--workers", "1", "--log", "r.log")
    log = (folder / "r.log").read_text()
    assert "  n: 1\n" in log and "of 1 molecules in m.sdf" in log and f"ended with code {code} after" in log
    assert "generating" not in log and "\x1b" not in log and sys.stderr.__class__.__name__ != "Tee"


def test_the_words_of_options_are_those_that_are_known():
    from molscore.chem.forcefield.minimise import METHODS
    from molscore.chem.forcefield.settle import RELAXATIONS
    from molscore.core.samplers import SAMPLERS

    assert set(CHOICES["sampler"]) == set(SAMPLERS)
    assert set(CHOICES["relax"]) == set(RELAXATIONS)
    assert set(CHOICES["generate relax"]) == {"none", *METHODS} and set(CHOICES["energy"]) == set(METHODS)
    parameters = {parameter.name for command in COMMANDS.values() for parameter in command.params}
    assert {key.split()[-1] for key in CHOICES} <= parameters
