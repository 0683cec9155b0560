"""New molecules, what they are worth, and a page to look at them."""

import molscore
from molscore.report import report_file

result = molscore.MoleculeGenerator.from_pretrained("qm9").generate(5, steps=20)
print(molscore.evaluate(result).format_text())
result.to_sdf("mols.sdf")
report_file("mols.sdf", "report.html", manifest=result.manifest)
