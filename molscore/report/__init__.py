"""A set of molecules as one HTML file that opens anywhere, without a network. No torch.

``write_report(path, mols, title=..., manifest=...)`` makes the page; ``report_file(sdf_path, out_path)`` makes it of an
SDF file (`from_file`). The parts: `page` (the whole), `facts` (its header), `rows` (what is kept of a record), `groups`
(ensembles), `columns` (of the property table), `histograms`, `tables` (rejects, metrics), `depict` (2-D and 3-D
drawings). ``page.html``, ``style.css`` and the scripts go into the page.
"""

from molscore.report.from_file import report_file
from molscore.report.page import write_report

__all__ = ["report_file", "write_report"]
