"""What `bench_conformers.py` compares: our generator, ETKDGv3, and medoids of many conformers of ETKDGv3."""

import argparse
import inspect
from collections.abc import Callable, Sequence

from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molscore.chem.ensemble import heavy_positions, k_medoids, rmsd_matrix, symmetries

BASELINES = ("etkdg", "clustered")
OVERSAMPLING = 10
"""Conformers that *clustered* makes for each that it keeps."""

ENOUGH = 100
"""Symmetries that *clustered* looks at; one molecule in a hundred has more, and some have very many."""

Method = Callable[[Sequence[str], int], list[Chem.Mol]]
"""From SMILES and a count to molecules with so many conformers, or with none; explicit hydrogens last."""


def score(words: argparse.Namespace) -> Method:
    """Our generator, ready. A setting goes to ``from_pretrained`` if that has a parameter of its name."""
    from molscore.conformers import ConformerGenerator

    known = inspect.signature(ConformerGenerator.from_pretrained).parameters
    early = {key: value for key, value in words.settings.items() if key in known}
    late = {key: value for key, value in words.settings.items() if key not in known}
    generator = ConformerGenerator.from_pretrained(words.model, **early)
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


METHODS: dict[str, Callable[[argparse.Namespace], Method]] = {"score": score, "etkdg": etkdg, "clustered": clustered}
