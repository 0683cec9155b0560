"""What a user writes: type checkers have nothing to say against it. It is checked, not run (`test_typed.py`)."""

from rdkit import Chem

import molscore
from molscore.conformers import ConformerOptions, Ensemble
from molscore.core.denoiser import Denoiser
from molscore.core.samplers import Heun, Sampler
from molscore.generate import Attempt, Generation
from molscore.model import MoleculeDiffusion, load
from molscore.score import MoleculeScore

version: str = molscore.__version__

generator = molscore.MoleculeGenerator.from_pretrained("druglike", device="cpu")
result: Generation = generator.generate(10, seed=0, steps=50, atoms=(10, 20), filter="qed > 0.5")
mols: list[Chem.Mol] = result.mols
delivered: int = result.manifest["delivered"]


def why(attempt: Attempt) -> str:
    return "" if attempt.fault is None else f"{attempt.index}: {attempt.fault.token}, {attempt.fault.detail}"


reasons = [why(attempt) for attempt in result.rejects]

conformer_generator = molscore.ConformerGenerator.from_pretrained()
mol: Chem.Mol = conformer_generator.generate("CC(=O)Oc1ccccc1C(=O)O", n=20, seed=0, rmsd=0.5)
energies: list[float] = [conformer.GetDoubleProp("energy_kcal_per_mol") for conformer in mol.GetConformers()]
for ensembles in conformer_generator.ensembles(["CCO", mol, None], n=5, options=ConformerOptions(relax="mmff")):
    ensemble: Ensemble
    for ensemble in ensembles:
        print(ensemble.mol.GetNumConformers(), ensemble.methods.total(), ensemble.reason)

scorer = molscore.MoleculeScorer.from_pretrained()
scores: list[MoleculeScore] = scorer.score(mols)
likelihoods: list[float] = [score.log_likelihood for score in scores if score.log_likelihood is not None]

metrics: molscore.Metrics = molscore.evaluate(mols, reference="qm9", posebusters=None)
valid: float | None = metrics["valid"].value
table: str = metrics.format_text()

model: MoleculeDiffusion = load("model.safetensors")
sampler: Sampler = Heun()


def described(denoiser: Denoiser) -> str:
    return repr(denoiser)
