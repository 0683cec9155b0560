"""A client that a type checker understands: `mypy --strict` finds nothing in it."""

import molscore

options = molscore.ConformerOptions(relax="mmff", rmsd=0.5)
result = molscore.ConformerGenerator.from_pretrained().generate(["CCCCO", None], n=3, options=options)
counts: list[int] = [mol.GetNumConformers() for mol in result.mols if mol is not None]
reasons: dict[int, str] = {reject.item: reject.reason for reject in result.rejects}
print(counts, reasons)
