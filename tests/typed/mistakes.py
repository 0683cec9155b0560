"""Mistakes that a type checker must find, each in the line that names its code. It is checked, not run."""

import molscore

result = molscore.MoleculeGenerator.from_pretrained().generat(10)  # attr-defined
result = molscore.MoleculeGenerator.from_pretrained().generate("10")  # arg-type
print(result.mols.shape)  # attr-defined
