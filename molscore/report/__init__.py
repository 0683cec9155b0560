"""A set of molecules as one HTML file that opens anywhere, without a network. No torch.

``write_report(path, mols, title=..., manifest=...)`` makes the page; ``report_file(sdf_path, out_path)`` makes it of an
SDF file. The parts: `page` (the whole and its header), `tables` (rejects, metrics), `gallery` (one card a molecule),
`depict` (the 2-D and 3-D pictures), `from_file`; ``page.html``, ``style.css`` and ``viewer.js`` go into the page.
"""

from molscore.report.from_file import report_file
from molscore.report.page import write_report

__all__ = ["report_file", "write_report"]
