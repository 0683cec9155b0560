"""What a user writes: type checkers have nothing to say against it. It is checked, not run (`test_typed.py`)."""

from rdkit import Chem

import molscore
from molscore.conformers import ConformerOptions, Conformers, Ensemble
from molscore.core.denoiser import Denoiser
from molscore.core.samplers import Heun, Sampler
from molscore.generate import Attempt, Generation
from molscore.model import MoleculeDiffusion, load
from molscore.score import MoleculeScore, Scores

version: str = molscore.__version__

generator = molscore.MoleculeGenerator.from_pretrained("druglike", device="cpu")
result: Generation = generator.generate(10, seed=0, steps=50, atoms=(10, 20), filter="qed > 0.5")
mols: list[Chem.Mol] = result.mols
delivered: int = result.manifest["delivered"]


def why(attempt: Attempt) -> str:
    return "" if attempt.fault is None else f"{attempt.index}: {attempt.fault.token}, {attempt.fault.detail}"


reasons = [why(attempt) for attempt in result.rejects]

for new in generator.stream(1000, options=molscore.GenerationOptions(steps=20)):
    title: str = new.GetProp("_Name")

conformer_generator = molscore.ConformerGenerator.from_pretrained()
one: Conformers = conformer_generator.generate("CC(=O)Oc1ccccc1C(=O)O", n=20, seed=0, rmsd=0.5)
many: Conformers = conformer_generator.generate(["CCO", None, *mols], options=ConformerOptions(relax="mmff"))
again: Conformers = conformer_generator.generate(result, n=1)
mol: Chem.Mol | None = one.mols[0]
energies = [conformer.GetDoubleProp("energy_kcal_per_mol") for conformer in mol.GetConformers()] if mol else []
records: int = many.to_sdf("many.sdf")
bad: list[tuple[int, str]] = [(reject.item, reject.reason) for reject in many.rejects]
ensemble: Ensemble
for ensemble in conformer_generator.stream((line for line in ["CCO", "CCN"]), n=5):
    print(ensemble.mol.GetNumConformers(), ensemble.methods.total(), ensemble.reason)

scorer = molscore.MoleculeScorer.from_pretrained()
scores: Scores = scorer.score(mols)
likelihoods: list[float] = [score.log_likelihood for score in scores if score.log_likelihood is not None]
first: MoleculeScore = scores[0]
texts: list[str] = [result.summary(), many.summary(), scores.summary()]

ranking: molscore.Ranking = molscore.rank(mols, "query.sdf", top=10, features=True)
shapes: list[float] = [hit.overlap.shape for hit in ranking]

metrics: molscore.Metrics = molscore.evaluate(mols, reference="qm9", posebusters=None)
valid: float | None = metrics["valid"].value
table: str = metrics.format_text()

model: MoleculeDiffusion = load("model.safetensors")
sampler: Sampler = Heun()


def described(denoiser: Denoiser) -> str:
    return repr(denoiser)
