"""Conformers as PDBQT files, what AutoDock Vina takes."""

from pathlib import Path

from meeko import MoleculePreparation, PDBQTWriterLegacy

import molscore

conformers = molscore.ConformerGenerator.from_pretrained().generate(["CCCCO butanol", "OCc1ccccc1 benzylalcohol"], n=2)
for row in conformers.to_frame(conformers=True).itertuples():
    (setup,) = MoleculePreparation().prepare(row.mol)
    Path(f"{row.title}_{row.rank}.pdbqt").write_text(PDBQTWriterLegacy.write_string(setup)[0])
