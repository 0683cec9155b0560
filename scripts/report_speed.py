"""How long a report takes to open in headless Chromium: from the call to the first frame, rows in sight drawn.

    molscore generate --n 1000 --out mols.sdf && python scripts/report_speed.py mols.sdf --n 1000

A file with fewer records than asked for is gone through again and again.
"""

import argparse
import json
import statistics
import tempfile
from itertools import chain, islice, repeat
from pathlib import Path

from chromium import Browser

from molscore.chem.io.sdf_reader import read_sdf
from molscore.report import write_report


def main() -> None:
    """Writes the report, opens it some times, prints the seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sdf", type=Path)
    parser.add_argument("--n", type=int, default=1000, help="molecules")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    mols = [record.mol for record in read_sdf(arguments.sdf) if record.mol is not None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        listed = islice(chain.from_iterable(repeat(mols)), arguments.n)
        write_report(path, listed, title=f"{arguments.n} molecules", manifest={})
        seconds = []
        for _ in range(arguments.repeats):
            with Browser() as browser:
                seconds.append(browser.open(path))
                rows = browser.run("document.querySelectorAll('#grid tr[data-item]').length")
                assert rows and not browser.errors, browser.errors
        figures = {
            "molecules": arguments.n,
            "megabytes": round(path.stat().st_size / 1e6, 2),
            "median_seconds": round(statistics.median(seconds), 3),
            "seconds": [round(s, 3) for s in seconds],
        }
    print(json.dumps(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
