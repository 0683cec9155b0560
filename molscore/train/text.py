"""YAML as configurations use it: sections, keys, words. Features that configurations do not need are refused."""

from pathlib import Path
from typing import Any

import yaml

LONGEST = 64 * 1024
"""Bytes of a configuration, at most."""


class TextError(ValueError):
    """A text that is no plain YAML; the message says why."""


class _Loader(yaml.BaseLoader):
    """Reads scalars as words, which the fields of the configuration turn into numbers. No aliases, no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A node of the document."""
        event = self.peek_event()
        place = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read", place)
        if getattr(event, "tag", None) is not None:
            raise yaml.composer.ComposerError(None, None, "tags (!name) are not read", place)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A section."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"'{twice[0]}' is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def parse(text: str) -> Any:
    """Words, lists and sections of a text.

    Raises:
        TextError: if it is no YAML, or more than that: aliases, tags, keys twice, nested too deeply.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a BaseLoader, which makes nothing but text
    except RecursionError:
        raise TextError("it is nested too deeply") from None
    except yaml.YAMLError as error:
        raise TextError(" ".join(str(error).split())[:300]) from error


def read(path: Path) -> Any:
    """`parse` for a file.

    Raises:
        OSError: if it cannot be read.
        TextError: also if it is too long, no file, or not encoded in UTF-8.
    """
    if path.exists() and not path.is_file():
        raise TextError("it is no file")
    with path.open("rb") as file:
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise TextError(f"it is longer than {LONGEST // 1024} kB")
    try:
        return parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise TextError(f"byte {error.start} is no UTF-8") from error
