"""A set of molecules as one HTML file that opens anywhere, without a network. No torch.

``write_report(path, mols, title=..., manifest=...)`` makes the page; ``report_file(sdf_path, out_path)`` makes it of an
SDF file; ``write_trajectories(path, trajectories)`` plays molecules on their way from noise. The parts: `shell` (what
pages share), `page` (the report and its header), `rows`, `groups` and `columns` (the property table), `tables`
(rejects, metrics), `histograms`, `depict` (the 2-D and 3-D pictures), `from_file`, `trajectories`; the scripts, the
style and the HTML beside them go into the pages.
"""

from molscore.report.from_file import report_file
from molscore.report.page import write_report
from molscore.report.trajectories import write_trajectories

__all__ = ["report_file", "write_report", "write_trajectories"]
