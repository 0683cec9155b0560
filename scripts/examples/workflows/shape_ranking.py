"""Which molecules of a library can take the shape of a query?"""

from rdkit.Chem.rdShapeAlign import AlignMol

import molscore

smiles = ["OCc1ccccc1", "OCCCCC pentanol", "NCc1ccccc1 benzylamine"]
query, *library = molscore.ConformerGenerator.from_pretrained().generate(smiles, n=5).mols
for mol in library:
    ids = [conformer.GetId() for conformer in mol.GetConformers()]
    shape, features = max(AlignMol(query, mol, probeConfId=k) for k in ids)
    print(f"{mol.GetProp('_Name')}: shape {shape:.2f}, features {features:.2f}")
