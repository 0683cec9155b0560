"""New molecules that pass a filter, in an SDF file."""

import molscore

generator = molscore.MoleculeGenerator.from_pretrained("qm9")
result = generator.generate(5, steps=20, filter="qed > 0.4 and logp < 1")
print(result.summary())
result.to_sdf("filtered.sdf")
