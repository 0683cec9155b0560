"""What all pages share: one HTML file that needs nothing but a browser.

Nothing in it comes from elsewhere: no script, picture, font or style. The page enforces that by a content security
policy that lets the browser run this package's scripts (by their SHA-256) and load nothing at all. What the table needs
is JSON in the page; what is drawn is packed in lots, which the browser unpacks as it needs them.
"""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from html import escape
from importlib import resources
from string import Template
from typing import Any

from molscore.report.depict import elements
from molscore.versions import version


class Lots:
    """Drawings, packed as they come: gzip of a JSON list of so many of them, in base64.

    Args:
        size: drawings that are packed together.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._open: list[dict[str, Any]] = []
        self._packed: list[str] = []

    def add(self, drawing: dict[str, Any]) -> None:
        """Adds a drawing."""
        self._open.append(drawing)
        if len(self._open) == self.size:
            self._pack()

    def _pack(self) -> None:
        text = json.dumps(self._open, separators=(",", ":"))
        self._packed.append(b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode())
        self._open = []

    def html(self) -> str:
        """A ``<script>`` of data for each."""
        if self._open:
            self._pack()
        return "\n".join(f'<script type="text/plain" class="lot">{text}</script>' for text in self._packed)


def html_page(
    title: str, body: str, data: dict[str, Any], lots: Lots, symbols: Iterable[str], scripts: Sequence[str]
) -> str:
    """A whole page.

    Args:
        title: of the page, any text.
        body: HTML.
        data: JSON values, ``DATA`` of the scripts, which find the size of the lots there too.
        lots: the drawings.
        symbols: of the elements that occur.
        scripts: names of files of this package, in their order.
    """
    looks, gradients = elements(symbols)
    script = "\n".join(read(name) for name in scripts)
    return Template(read("shell.html")).substitute(
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        title=escape(title),
        style=read("style.css"),
        body=body,
        script=script,
        data=_json({"lot": lots.size, **data}),
        lots=lots.html(),
        elements=looks,
        gradients=gradients,
        version=escape(version()),
    )


def _json(value: object) -> str:
    """JSON for the inside of a ``<script>``."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def read(name: str) -> str:
    """The text of a file of this package."""
    return resources.files("molscore.report").joinpath(name).read_text(encoding="utf-8")
