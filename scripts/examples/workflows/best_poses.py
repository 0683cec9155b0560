"""The most plausible pose of each docked molecule."""

from rdkit import Chem

import molscore

poses = Chem.SDMolSupplier("poses.sdf", removeHs=False)
scores = molscore.MoleculeScorer.from_pretrained().score(poses).to_frame().dropna(subset="mol")
best = scores.sort_values("log_likelihood_nats_per_atom").groupby("title").tail(1)
with Chem.SDWriter("best.sdf") as writer:
    for mol in best["mol"]:
        writer.write(mol)
