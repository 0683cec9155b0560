"""Handedness in strained cages: atoms of two small rings.

Some are flat or inverted (bicyclobutanes, propellanes), which RDKit's embedding takes for wrong whatever the tag, and
what distance geometry makes of them need not exist (bicyclo[2.1.0]pentane with a bridge from above to below). Here an
embedding has no constraint on the handedness, is relaxed by the table of bond lengths and angles, and the strain that
is left decides.

"""

import math
import time
from collections.abc import Iterable

from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom

from molscore.chem.forcefield.springs import settle_by_table_in_place, springs
from molscore.chem.geometry import expected
from molscore.chem.settings import configured
from molscore.chem.stereo.tags import tags, wrong
from molscore.chem.thresholds import THRESHOLDS

ATTEMPTS = 8
"""Tries at an embedding before stereo counts as impossible. Most that exists embeds at the first."""


def cage_atoms(mol: Chem.Mol) -> set[int]:
    """Atoms of two small rings, which together have no more atoms than those of a cage."""
    sizes = [sorted(mol.GetRingInfo().AtomRingSizes(k))[:2] for k in range(mol.GetNumAtoms())]
    return {k for k, two in enumerate(sizes) if len(two) == 2 and sum(two) <= THRESHOLDS.embedding.cage_rings}


def without_cage_stereo(mol: Chem.Mol) -> Chem.Mol | None:
    """A copy without the handedness of cage atoms; None if there is none to leave out.

    Whoever embeds such a copy has to check the stereo.
    """
    free, changed = Chem.Mol(mol), False
    for index in cage_atoms(mol):
        atom = free.GetAtomWithIdx(index)
        changed |= atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return free if changed else None


def kdg_in_place(mol: Chem.Mol, seed: int) -> bool:
    """Embeds one conformer by KDG with the stereo that is specified; returns whether that succeeded.

    Source: Riniker and Landrum, J. Chem. Inf. Model. 55, 2562 (2015).
    """
    parameters = configured(rdDistGeom.KDG(), randomSeed=seed, maxIterations=ATTEMPTS, useRandomCoords=True)
    with rdBase.BlockLogs():
        return rdDistGeom.EmbedMolecule(mol, parameters) == 0


def settled(mol: Chem.Mol, seeds: Iterable[int], end: float = math.inf) -> list[Chem.Mol]:
    """Embeddings of little strain without constraints on the handedness of cage atoms; other specified stereo holds.

    Args:
        mol: sanitised, every hydrogen an atom.
        seeds: for RDKit, of an embedding each.
        end: by `time.monotonic`, after which no further embedding is begun, but a first.

    Returns:
        Copies of the molecule with a conformer each, in the order of the seeds. Where a cage atom is tagged, the
        conformer may contradict the tag.
    """
    free = without_cage_stereo(mol) or mol
    embeddings: list[tuple[float, Chem.Mol]] = []
    wanted, asked = expected(mol), tags(free)
    for seed in seeds:
        if embeddings and time.monotonic() > end:
            break
        placed = Chem.Mol(free)
        if not kdg_in_place(placed, seed):
            continue
        settle_by_table_in_place(placed, wanted)
        positions = placed.GetConformer().GetPositions()
        if not wrong(positions[None], asked).any():
            embeddings.append((springs(free, wanted).energy(positions.ravel())[0], placed))
    least = min((energy for energy, _ in embeddings), default=0.0)
    most = least + THRESHOLDS.embedding.cage_strain
    return [_copy(mol, placed) for energy, placed in embeddings if energy < most]


def _copy(mol: Chem.Mol, placed: Chem.Mol) -> Chem.Mol:
    """The molecule with the conformer of another that is alike but for tags."""
    copy = Chem.Mol(mol)
    copy.RemoveAllConformers()
    copy.AddConformer(placed.GetConformer(), assignId=True)
    return copy
