"""A table of SMILES, to conformers, to a table: one row each, bad ones with a reason."""

import pandas as pd

import molscore

table = pd.DataFrame({"smiles": ["CCCCO", "not one", "CC(=O)Oc1ccccc1C(=O)O"], "activity": [1.2, 3.4, 5.6]})
conformers = molscore.ConformerGenerator.from_pretrained().generate(table, n=3)
table = table.join(conformers.to_frame())
table.drop(columns="mol").to_csv("conformers.csv", index=False)
