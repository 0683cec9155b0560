"""Runs the tutorials as a reader would, and puts what they print, and their pictures, into the pages.

    python scripts/tutorials.py [PAGE ...]

A block that is followed by ``<!-- output -->``, or by ``<!-- output 11 -->`` for eleven lines, gets its output there.
Nothing after ``<!-- not run -->`` is run. Pages are run one after the other in one folder; later ones use files of
earlier ones. Reports are drawn by Chromium.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from chromium import Browser, chromium
from contact_sheet import flat, legend
from rdkit.Chem.Draw import rdMolDraw2D

from molscore.chem.io.sdf_reader import read_sdf
from molscore.files.output import write_text

ROOT = Path(__file__).parents[1]
TUTORIALS = ROOT / "data" / "docs" / "pages" / "tutorials"
PAGES = ("generate", "complete", "shapes", "conformers", "poses", "screening", "training")
BLOCK = re.compile(
    r"^```(bash|python)\n(.*?)^```\n(?:\n(<!-- output ?(\d*) -->)\n(?:\n*```text\n.*?^```\n)?)?",
    re.DOTALL | re.MULTILINE,
)
"""A block of a page: its language and code, and if its output is shown the mark of that and the most lines."""

END = "<!-- not run -->"
LINES = 24
"""Lines of an output that are shown, at most."""


def main() -> None:
    """Runs all pages and rewrites them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "configs").symlink_to(ROOT / "configs")
        (folder / "data").mkdir()
        os.chdir(folder)
        for page in sys.argv[1:] or PAGES:
            if page == "training":
                (folder / "my.sdf").symlink_to("mols.sdf")
            path, names = TUTORIALS / f"{page}.md", {"__name__": "__main__"}
            text, end, rest = path.read_text().partition(END)
            write_text(path, BLOCK.sub(lambda match: with_output(match, names), text) + end + rest)  # noqa: B023
        for name, draw in PICTURES.items():
            draw(folder, TUTORIALS / name)


def with_output(match: re.Match[str], names: dict[str, object]) -> str:
    """A block, run, and what it printed if that is shown."""
    language, code, mark, most = match.groups()
    print(code.strip(), file=sys.stderr)
    output = bash(code) if language == "bash" else python(code, names)
    block = f"```{language}\n{code}```\n"
    return f"{block}\n{mark}\n\n```text\n{shortened(output, int(most or LINES))}```\n" if mark else block


def bash(code: str) -> str:
    """What a block of a shell prints, `molscore` and `python` being those of this environment."""
    program = f'molscore() {{ "{sys.executable}" -m molscore "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", program + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"TERM": "dumb", "COLUMNS": "120"},
    )
    assert done.returncode in (0, 3), done.stdout
    return done.stdout


def python(code: str, names: dict[str, object]) -> str:
    """What a block of Python prints; the blocks of a page share their names."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(code, "tutorial", "exec"), names)
    return output.getvalue()


def shortened(output: str, most: int) -> str:
    """The first lines, without progress bars and RDKit's log."""
    lines = [
        line.rstrip() for line in output.splitlines() if "━" not in line and not re.match(r"\[\d\d:\d\d:\d\d\]", line)
    ]
    lines = [line if len(line) <= 240 else f"{line[:237]}..." for line in lines]
    return "\n".join(lines[:most] + (["..."] if len(lines) > most else [])).strip("\n") + "\n"


def molecules(folder: Path, out: Path) -> None:
    """The first twelve molecules as structural formulas."""
    if not (folder / "mols.sdf").is_file():
        return
    mols = [record.mol for record in read_sdf(folder / "mols.sdf") if record.mol is not None][:12]
    drawing = rdMolDraw2D.MolDraw2DCairo(4 * 230, 3 * 190, 230, 190)
    drawing.DrawMolecules([flat(mol) for mol in mols], legends=[legend(mol) for mol in mols])
    drawing.FinishDrawing()
    out.write_bytes(drawing.GetDrawingText())


def page_of(html: str, height: int, script: str = "") -> Callable[[Path, Path], None]:
    """What draws the beginning of a report."""

    def draw(folder: Path, out: Path) -> None:
        if chromium() is None or not (folder / html).is_file():
            print(f"no Chromium, or no {html}: {out} stays as it is", file=sys.stderr)
            return
        with Browser(1200, height) as browser:
            browser.open(folder / html)
            if script:
                browser.run(script)
            browser.run("new Promise(done => setTimeout(done, 1500))")
            browser.picture(out)

    return draw


PICTURES: dict[str, Callable[[Path, Path], None]] = {
    "molecules.png": molecules,
    "report.png": page_of("report.html", 900),
    "ensembles.png": page_of("confs.html", 1100),
}

if __name__ == "__main__":
    main()
