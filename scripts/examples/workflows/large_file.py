"""A list of SMILES of any length, line by line in constant memory, to an SDF file."""

import molscore
from molscore.chem.io.sdf_writer import SDFWriter

generator = molscore.ConformerGenerator.from_pretrained()
with open("library.smi") as lines, SDFWriter("library.sdf") as writer:
    for ensemble in generator.stream(lines, n=1):
        for mol, properties in ensemble.single():
            writer.write(mol, mol.GetProp("_Name"), properties)
