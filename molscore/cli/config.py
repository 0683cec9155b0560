"""Options from a YAML file: ``--config run.yaml``.

Its keys are the names of options (``batch-size: 16``; underscores do as well) and of arguments (``input: in.smi``). An
option that stands on the command line, or in the environment, wins over the file. Paths are those of the folder that
the command runs in.
"""

import difflib
from pathlib import Path
from typing import Any

import typer

from molscore.cli.common import fail
from molscore.limits import shown

PREFIX = "MOLSCORE_"
"""Of environment variables: ``MOLSCORE_BATCH_SIZE`` is ``--batch-size``."""


def option_name(parameter: Any) -> str:
    """How a parameter of a command is called in a file: its longest option without dashes, or the argument's name."""
    long = [text for text in parameter.opts if text.startswith("--")]
    if long:
        return str(max(long, key=len)).removeprefix("--")
    return str(parameter.metavar or parameter.name).strip("[]. ").replace("_", "-").lower()


def variable(parameter: Any) -> str:
    """The environment variable of an option."""
    return PREFIX + option_name(parameter).replace("-", "_").upper()


def load_config(context: typer.Context, path: Path | None) -> Path | None:
    """Makes the values of a file the defaults of a command's options, or ends with code 2 and says what is wrong."""
    if path is not None:
        context.default_map = {**(context.default_map or {}), **_values(path, context.command.params)}
    return path


def _values(path: Path, parameters: list[Any]) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        fail(f"there is no configuration {path}")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")
    except (yaml.YAMLError, RecursionError) as error:
        fail(f"{path} is no YAML: {' '.join(str(error).split())[:300]}")
    if content is None:
        return {}
    if not isinstance(content, dict):
        fail(f"{path} must hold options, such as `seed: 1`, and not a {type(content).__name__}")
    known = {option_name(parameter): parameter for parameter in parameters if parameter.name != "help"}
    values = {}
    for key, value in content.items():
        name = str(key).removeprefix("--").replace("_", "-")
        if name not in known or name == "config":
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; it knows {', '.join(known)}"
            fail(f"{path}: there is no option {shown(str(key))}{hint}")
        if value is not None:
            values[known[name].name] = _value(path, name, known[name], value)
    return values


def _value(path: Path, name: str, parameter: Any, value: Any) -> Any:
    several = parameter.multiple or parameter.nargs != 1
    items = value if isinstance(value, list) else [value]
    if (isinstance(value, list) and not several) or not all(isinstance(item, (str, int, float)) for item in items):
        fail(f"{path}: {name} must be {'a value or a list of them' if several else 'one value'}, not {shown(value)}")
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            fail(f"{path}: {name} is true or false, not {shown(value)}")
        return value
    if any(isinstance(item, bool) for item in items):
        fail(f"{path}: {name} takes a value, not {shown(value)}; put it in quotation marks if it is a word")
    texts = [str(item) for item in items]
    return texts if several else texts[0]
