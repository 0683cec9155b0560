"""What tutorials show below their blocks: put there by scripts/tutorials.py, nothing of it empty or forgotten."""

import re
from pathlib import Path

import pytest

from molscore.chem.embedding.etkdg import embed
from molscore.chem.io.sdf_writer import SDFWriter

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "data" / "docs" / "pages" / "tutorials"


@pytest.fixture
def tutorials(monkeypatch):
    """The script."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import tutorials

    return tutorials


PAGE = """```bash
cat > a.txt <<END
1
2
3
END
sort -r a.txt
```

<!-- output 2 -->

Text.

```python
print(7 * 6)
```
"""


def test_a_block_gets_what_it_prints(tutorials, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    once = tutorials.BLOCK.sub(lambda match: tutorials.with_output(match, {}), PAGE)
    assert "<!-- output 2 -->\n\n```text\n3\n2\n...\n```\n\nText." in once and "42" not in once
    assert tutorials.BLOCK.sub(lambda match: tutorials.with_output(match, {}), once) == once


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_every_mark_has_its_output(tutorials, path):
    text = path.read_text()
    marked = [match for match in tutorials.BLOCK.finditer(text) if match[3]]
    assert len(marked) == len(re.findall("<!-- output", text)) > 0
    for match in marked:
        output = re.search(r"```text\n(.*?)^```", match[0], flags=re.DOTALL | re.MULTILINE)
        assert output is not None and output[1].strip(), match[2]
        assert not re.search(r"^(Error: |Traceback )", output[1], flags=re.MULTILINE), match[2]
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
        assert (path.parent / picture).read_bytes().startswith(b"\x89PNG")


def test_molecules_are_drawn(tutorials, tmp_path):
    with SDFWriter(tmp_path / "mols.sdf") as writer:
        writer.write(embed("CCO"), "ethanol", {"molscore_index": 0, "qed": 0.4, "sa": 1.0})
    tutorials.molecules(tmp_path, tmp_path / "molecules.png")
    assert (tmp_path / "molecules.png").read_bytes().startswith(b"\x89PNG")
