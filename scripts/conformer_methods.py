"""What `bench_conformers.py` compares: our generator and its peers.

* *etkdg*: RDKit's ETKDGv3. *mmff*: the same, each conformer minimised with MMFF94s, which is what people run.
* *clustered*: medoids of ten times as many conformers of ETKDGv3.
* *conforge*: CONFORGE (Seidel et al., J. Chem. Inf. Model. 63, 5549, 2023), ``pip install cdpkit==1.3.0``.
"""

import argparse
import inspect
from collections.abc import Callable, Sequence

from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
from rdkit.Geometry import Point3D

from molscore import pretrained
from molscore.chem.ensemble import heavy_positions, k_medoids, rmsd_matrix, symmetries

BASELINES = ("etkdg", "mmff", "clustered", "conforge")
OVERSAMPLING = 10
"""Conformers that *clustered* makes for each that it keeps."""

ENOUGH = 100
"""Symmetries that *clustered* looks at; one molecule in a hundred has more, and some have very many."""

LONGEST = 60_000
"""Milliseconds that *conforge* may take for a molecule; its own limit is an hour."""

Method = Callable[[Sequence[str], int], list[Chem.Mol]]
"""From SMILES and a count to molecules with so many conformers, or with none; explicit hydrogens last."""


def score(words: argparse.Namespace) -> Method:
    """Our generator, ready. A setting goes to ``from_pretrained`` if that has a parameter of its name."""
    from molscore.conformers import ConformerGenerator
    from molscore.model import load

    known = inspect.signature(ConformerGenerator.from_pretrained).parameters
    early = {key: value for key, value in words.settings.items() if key in known}
    late = {key: value for key, value in words.settings.items() if key not in known}
    generator = ConformerGenerator.from_pretrained(words.model, **early)
    if words.sampler:
        sampling = load(pretrained.find(words.sampler)).config.sampling
        generator.model.config = generator.model.config.model_copy(update={"sampling": sampling})
    generator.generate("CCCCO", n=1, seed=words.seed, **late)  # whatever is loaded or compiled at the first use

    def method(smiles: Sequence[str], count: int) -> list[Chem.Mol]:
        mols, made = map(Chem.MolFromSmiles, smiles), []
        for ensemble in generator.stream(mols, count, words.seed, workers=words.cores, **late):
            made.append(ensemble.mol)
            if not ensemble.mol.GetNumConformers():
                ensemble.mol.SetProp("_reason", ensemble.reason[0])
        return made

    return method


def etkdg(words: argparse.Namespace) -> Method:
    """RDKit as it is. Its seed is ours plus 1: from 0 it makes the same conformer over and over."""
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = words.seed + 1
    parameters.numThreads = words.cores

    def method(smiles: Sequence[str], count: int) -> list[Chem.Mol]:
        mols = [Chem.AddHs(Chem.MolFromSmiles(text)) for text in smiles]
        for mol in mols:
            rdDistGeom.EmbedMultipleConfs(mol, count, parameters)
        return mols

    return method


def mmff(words: argparse.Namespace) -> Method:
    """ETKDGv3, and MMFF94s for each conformer until it has converged; where it lacks a parameter, ETKDGv3 alone."""
    embedded = etkdg(words)

    def method(smiles: Sequence[str], count: int) -> list[Chem.Mol]:
        mols = embedded(smiles, count)
        for mol in mols:
            if mol.GetNumConformers() and rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
                rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(
                    mol, numThreads=words.cores, maxIters=2000, mmffVariant="MMFF94s"
                )
        return mols

    return method


def conforge(words: argparse.Namespace) -> Method:
    """CONFORGE with its defaults, but for the number of conformers."""
    from CDPL import Chem as cdpl
    from CDPL import ConfGen

    generator = ConfGen.ConformerGenerator()
    generator.settings.timeout = LONGEST

    def one(text: str, count: int) -> Chem.Mol:
        theirs, ours = cdpl.parseSMILES(text), Chem.AddHs(Chem.MolFromSmiles(text))
        ConfGen.prepareForConformerGeneration(theirs)
        generator.settings.maxNumOutputConformers = count
        generator.generate(theirs)
        hydrogen = [cdpl.getType(atom) == 1 for atom in theirs.atoms]
        order = same_atoms(ours, hydrogen, [[other.index for other in atom.atoms] for atom in theirs.atoms])
        for k in range(generator.getNumConformers()):
            positions, conformer = generator.getConformer(k), Chem.Conformer(ours.GetNumAtoms())
            for own, other in enumerate(order):
                conformer.SetAtomPosition(own, Point3D(*(float(x) for x in positions[other])))
            conformer.Set3D(True)
            ours.AddConformer(conformer, assignId=True)
        return ours

    return lambda smiles, count: [one(text, count) for text in smiles]


def same_atoms(mol: Chem.Mol, hydrogen: list[bool], neighbours: list[list[int]]) -> list[int]:
    """For each atom its number in another program: heavy atoms are in the order of the SMILES.

    Args:
        mol: hydrogens explicit.
        hydrogen: whether the other program's atoms are hydrogens.
        neighbours: of these atoms.
    """
    heavy = iter(k for k, light in enumerate(hydrogen) if not light)
    order = {atom.GetIdx(): next(heavy) for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1}
    free = {k: [other for other in neighbours[k] if hydrogen[other]] for k in order.values()}
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 1:
            order[atom.GetIdx()] = free[order[atom.GetNeighbors()[0].GetIdx()]].pop()
    return [order[k] for k in range(mol.GetNumAtoms())]


def clustered(words: argparse.Namespace) -> Method:
    """Medoids of many."""
    many = etkdg(words)

    def method(smiles: Sequence[str], count: int) -> list[Chem.Mol]:
        mols = many(smiles, OVERSAMPLING * count)
        for mol in mols:
            if mol.GetNumConformers() > count:
                kept = k_medoids(rmsd_matrix(heavy_positions(mol), symmetries(mol, ENOUGH)), count)
                for k, conformer in enumerate(list(mol.GetConformers())):
                    if k not in kept:
                        mol.RemoveConformer(conformer.GetId())
        return mols

    return method


METHODS: dict[str, Callable[[argparse.Namespace], Method]] = {
    "score": score,
    "etkdg": etkdg,
    "mmff": mmff,
    "clustered": clustered,
    "conforge": conforge,
}
