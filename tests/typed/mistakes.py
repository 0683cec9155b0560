"""Mistakes that a type checker must find, each in the line that names its code. It is checked, not run."""

import molscore

result = molscore.MoleculeGenerator.from_pretrained().generate(10, sead=0)  # call-arg
result = molscore.MoleculeGenerator.from_pretrained().generate("10")  # arg-type
print(result.moles)  # attr-defined
conformers = molscore.ConformerGenerator.from_pretrained().generate("CCO", n=5, relaxation="mmff")  # call-arg
conformers = molscore.ConformerGenerator.from_pretrained().generate("CCO", n="5")  # arg-type
print(conformers.rejected)  # attr-defined
scores = molscore.MoleculeScorer.from_pretrained().score([], sed=1)  # call-arg
scores = molscore.MoleculeScorer.from_pretrained().score([1])  # list-item
print(scores.molecules)  # attr-defined
