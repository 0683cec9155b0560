"""The documentation site: built strictly, without a network, whole."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from molscore.cards import ABOUT, LICENCES
from molscore.chem.checks.catalogue import PROPERTIES
from molscore.chem.checks.validity import FAULTS

pytest.importorskip("material", reason="needs the extra docs")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as CI does, but behind a proxy that is not there."""
    folder = tmp_path_factory.mktemp("site")
    nowhere = {f"{name}_proxy": "http://127.0.0.1:9" for name in ("http", "https", "all")}
    quiet = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    words = [
        "build",
        "--strict",
        "--config-file",
        str(ROOT / "data" / "docs" / "mkdocs.yml"),
        "--site-dir",
        str(folder),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", *words], env=os.environ | nowhere | quiet, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_every_page_is_there_and_loads_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text()
        for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", text):
            assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", tag), (page, tag)


def test_tables_are_those_of_the_code(site):
    properties, reasons = ((site / f"{name}.html").read_text() for name in ("properties", "reasons"))
    for name, entry in PROPERTIES.items():
        assert f"<code>{name}</code>" in properties and entry.meaning.split(",")[0] in unescape(properties)
    assert all(f"<code>{name}</code>" in reasons for name in FAULTS)


def test_pages_link_to_pages_that_are_in_the_repository():
    """So that they can be read there as well; results and the ledger are copied from beside the pages."""
    pages = ROOT / "data" / "docs" / "pages"
    for page in pages.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+\.md)", page.read_text()):
            target = (page.parent / link).resolve()
            copied = pages.parents[1] / target.relative_to(pages.resolve())
            assert target.is_file() or copied.is_file(), (page, link)


def test_model_cards_are_those_of_the_code(site):
    page = unescape((site / "models.html").read_text())
    for name, about in ABOUT.items():
        assert (
            f'id="{name}"' in page
            and about.purpose in page
            and all(limit.split("`")[0] in page for limit in about.limits)
        )
    assert all(licence.words in page and licence.open_question in page for licence in LICENCES.values())
    assert "<!-- " not in page.partition("<article")[2].partition("</article>")[0]


def test_the_api_and_the_theory_are_there(site):
    api = (site / "api.html").read_text()
    assert all(
        f'id="molscore.{name}"' in api for name in ("generate.MoleculeGenerator", "conformers.ConformerGenerator")
    )
    core = (site / "core.html").read_text()
    assert all(f'id="molscore.{name}"' in core for name in ("core.sde", "core.samplers", "testing"))
    assert (site / "theory" / "compass.png").is_file() and "compass.png" in (site / "theory" / "index.html").read_text()
