"""Commands, options and names that stand in prose are those of the program: pages, docstrings and messages."""

import ast
import re
import shlex
from functools import cache
from importlib import import_module
from pathlib import Path

from typer.main import get_command

from molscore.cli import app
from molscore.versions import VERSION

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md", *sorted((ROOT / "data").rglob("*.md"))]
SOURCES = sorted((ROOT / "molscore").rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").rglob("*.py"))
INLINE = re.compile(r"(?<!`)``?(molscore [^`]+)``?")
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
NAME = re.compile(r"(?<!`)``?(molscore(?:\.\w+)+)(?:\(.*?\))?``?")

OTHERS = {
    "--index-url": "pip",
    "--strict": "mkdocs",
    "--config-file": "mkdocs",
    "--site-dir": "mkdocs",
    "--head": "ray",
    "--port": "ray",
    "--nproc-per-node": "torchrun",
    "--multi_gpu": "accelerate",
    "--num_processes": "accelerate",
}
"""Options of other programs that pages name."""


def prose(path: Path) -> str:
    """A page without its blocks, or the strings of a module; each on one line."""
    text = path.read_text()
    if path.suffix == ".md":
        return " ".join(re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE).split())
    texts = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    return "\n".join(" ".join(value.split()) for value in texts if isinstance(value, str))


@cache
def options() -> dict[str, set[str]]:
    """The options of each command, by its words."""
    found: dict[str, set[str]] = {}

    def walk(command, words: str) -> None:
        found[words] = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        found[words] |= {"--help"}
        for name, child in getattr(command, "commands", {}).items():
            walk(child, f"{words} {name}")

    walk(get_command(app), "molscore")
    return found


def of_scripts() -> set[str]:
    """The options that scripts define."""
    return {option for path in SCRIPTS for option in re.findall(r'add_argument\(\s*"(--[\w-]+)"', path.read_text())}


def test_commands_in_prose_are_understood():
    for path in [*PAGES, ROOT / ".github" / "CHANGELOG.md", *SOURCES, *SCRIPTS]:
        for text in INLINE.findall(prose(path)):
            words = shlex.split(text.replace("...", "").replace("'", ""))
            command = max((name for name in options() if f"{' '.join(words)} ".startswith(f"{name} ")), key=len)
            known = command != "molscore" or len(words) == 1 or words[1].startswith("--")
            assert known, f"{path}: there is no command {text}"
            for word in words:
                assert not word.startswith("--") or word in options()[command], f"{path}: {text}: no option {word}"


def test_options_in_prose_are_those_of_a_command():
    known = {option for names in options().values() for option in names} | of_scripts() | OTHERS.keys()
    unknown = {
        f"{path.relative_to(ROOT)}: {option}"
        for path in [*PAGES, *SOURCES]
        for option in OPTION.findall(prose(path))
        if option not in known
    }
    assert not unknown


def test_names_in_prose_can_be_imported():
    unknown = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*PAGES, *SOURCES, *SCRIPTS]
        for name in NAME.findall(prose(path))
        if not exists(name)
    }
    assert not unknown


@cache
def exists(name: str) -> bool:
    """Whether a dotted name leads to something: a module, and attributes of it."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if parts[length - 1] == "__main__":  # to import it is to run it
            return (ROOT / "/".join(parts[:length])).with_suffix(".py").is_file()
        try:
            value = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            value = getattr(value, part, None) or getattr(value, "__dataclass_fields__", {}).get(part)
            if value is None:
                return False
        return True
    return False


def test_the_citation_names_this_version():
    assert f"version {VERSION}" in (ROOT / "data" / "docs" / "pages" / "cite.md").read_text()
