"""From SMILES to conformers: ETKDGv3, then minima of MMFF94s.

Sources: Wang, Witek, Landrum and Riniker, J. Chem. Inf. Model. 60, 2044 (2020), for ETKDGv3; Halgren, J. Comput. Chem.
20, 720 (1999), for MMFF94s.
"""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom
from rdkit.Geometry import Point3D

from molscore.chem.arrays import MoleculeError, assign_stereo_in_place, isomeric_smiles
from molscore.chem.ensemble import heavy_positions, prune, rmsd_matrix, symmetries
from molscore.chem.forcefield.minimise import MINIMISE_REASONS, minimise
from molscore.chem.rdkit_errors import rdkit_call
from molscore.chem.settings import configured
from molscore.chem.thresholds import THRESHOLDS
from molscore.randomness import Purpose, rdkit_seed

ATTEMPTS = 20
"""Tries at an embedding: from distances, and if that fails as many from random coordinates."""

SYMMETRIES = 2000
"""Symmetries of a molecule that are looked at to tell whether conformers differ: benzene with three trifluoromethyl
groups has 1296."""


def embed(smiles: str, seed: int = 0) -> Chem.Mol:
    """One relaxed conformer.

    Args:
        smiles: one molecule, one fragment.
        seed: of the embedding, 0 or more; the same seed gives the same conformer.

    Returns:
        The molecule with explicit hydrogens and a conformer. Stereo that the SMILES leaves open is chosen at random.

    Raises:
        MoleculeError: ``smiles``, ``disconnected``, ``embedding``, or a reason of `minimise`.
    """
    return embed_mol(parse(smiles), seed)


def parse(smiles: str) -> Chem.Mol:
    """The molecule of a SMILES or an InChI, without a conformer.

    Raises:
        MoleculeError: ``smiles`` if RDKit cannot read it, or there is no atom.
    """
    with rdBase.BlockLogs():
        mol = Chem.MolFromInchi(smiles) if smiles.startswith("InChI=") else Chem.MolFromSmiles(smiles)
    if mol is None or mol.GetNumAtoms() == 0:
        raise MoleculeError("smiles", f"RDKit cannot read {smiles!r}")
    return mol


def embed_mol(mol: Chem.Mol, seed: int = 0) -> Chem.Mol:
    """`embed` for a molecule that has been read; coordinates it may have are not looked at."""
    return _embed(mol, rdkit_seed(seed, Purpose.EMBEDDING, 0))[0]


def etkdg_in_place(
    mol: Chem.Mol,
    seed: int,
    attempts: int = ATTEMPTS,
    random: bool = False,
    enforced: bool = True,
    seconds: int | None = None,
    bounds: np.ndarray | None = None,
    near: tuple[np.ndarray, np.ndarray] | None = None,
) -> bool:
    """Embeds one conformer by ETKDGv3, without relaxation; returns whether that succeeded.

    Args:
        mol: every hydrogen an atom; gets the conformer in place of those that it had.
        seed: of the embedding, see `molscore.randomness.rdkit_seed`.
        attempts: tries.
        random: begin with random coordinates, not with distances.
        enforced: only with the specified stereo (RDKit's ``enforceChirality``); else the caller has to check it.
        seconds: after which to give up; None is no limit.
        bounds: of distances, `molscore.chem.embedding.distance_bounds.corrected_bounds` of the molecule; None takes
            RDKit's own.
        near: atoms ``(m,)``, and their positions ``(m, 3)`` in Å, whose distances the embedding is to have.

    Raises:
        MoleculeError: ``rdkit`` if RDKit raises.
    """
    parameters = configured(
        rdDistGeom.ETKDGv3(),
        randomSeed=seed,
        maxIterations=attempts,
        useRandomCoords=random,
        enforceChirality=enforced,
    )
    if seconds is not None:
        configured(parameters, timeout=seconds)
    if bounds is not None:
        parameters.SetBoundsMat(bounds)
    if near is not None:
        places = {int(k): Point3D(*x) for k, x in zip(near[0], near[1].tolist(), strict=True)}
        parameters.SetCoordMap(places)  # type: ignore[call-arg, arg-type]  # the stubs take it for a static method
    with rdBase.BlockLogs(), rdkit_call("ETKDGv3"):
        return rdDistGeom.EmbedMolecule(mol, parameters) == 0


def embed_ensemble(mol: Chem.Mol, n: int, seed: int = 0) -> Chem.Mol:
    """Different conformers of one stereoisomer: n are made, of which `distinct` keeps some.

    Args:
        mol: as for `embed_mol`, whose conformer for this seed is the first. That one decides open stereo; conformers
            with other stereo, and embeddings that fail, are left out.
        n: how many to make, at least 1.
        seed: of the embeddings.

    Returns:
        The molecule with explicit hydrogens and 1 to n conformers, those of low energy first.

    Raises:
        ValueError: if n is below 1.
        MoleculeError: as `embed_mol`.
    """
    if n < 1:
        raise ValueError(f"{n} conformers cannot be made; n must be at least 1")
    first, energy = _embed(mol, rdkit_seed(seed, Purpose.EMBEDDING, 0))
    mols, energies, smiles = [first], [energy], isomeric_smiles(first)
    for k in range(1, n):
        try:
            other, energy = _embed(first, rdkit_seed(seed, Purpose.EMBEDDING, k))
        except MoleculeError:
            continue
        if isomeric_smiles(other) == smiles:
            mols.append(other)
            energies.append(energy)
    return distinct(mols, energies)


def distinct(mols: Sequence[Chem.Mol], energies: Sequence[float]) -> Chem.Mol:
    """One molecule with those conformers that differ from all of lower energy that are kept.

    Args:
        mols: K >= 1 molecules of one conformer each, alike but for positions.
        energies: (K,), in any unit.

    Returns:
        The first molecule with the conformers that are kept, in the order of their energies.
    """
    if len(mols) == 1:
        return Chem.Mol(mols[0])
    distances = rmsd_matrix(np.concatenate([heavy_positions(mol) for mol in mols]), symmetries(mols[0], SYMMETRIES))
    kept = prune(distances, np.argsort(energies, kind="stable").tolist(), THRESHOLDS.embedding.same_conformer)
    ensemble = Chem.Mol(mols[0])
    ensemble.RemoveAllConformers()
    for k in kept:
        ensemble.AddConformer(mols[k].GetConformer(), assignId=True)
    return ensemble


def _embed(mol: Chem.Mol, seed: int) -> tuple[Chem.Mol, float]:
    """One relaxed conformer, and its energy in kcal/mol."""
    if len(Chem.GetMolFrags(mol)) > 1:
        raise MoleculeError("disconnected", "more than one fragment; separate salts and solvents first")
    with rdBase.BlockLogs():
        mol = Chem.AddHs(mol)
        if not any(etkdg_in_place(mol, seed, random=random) for random in (False, True)):
            raise MoleculeError("embedding", "ETKDGv3 finds no conformer")
        minimum = minimise(mol, "mmff")
        if minimum.reason is not None:
            raise MoleculeError(minimum.reason, f"MMFF94s: {MINIMISE_REASONS[minimum.reason]}")
        assert minimum.after is not None
        mol.GetConformer().SetPositions(minimum.positions)
        assign_stereo_in_place(mol)
    return mol, minimum.after
