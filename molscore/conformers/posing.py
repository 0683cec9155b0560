"""Poses of a molecule in a pocket, in the frame of its structure.

Conformers are laid into the pocket (`molscore.guidance.pocket.search`); the poses of the lowest energies are relaxed
where they lie (`molscore.chem.pocket.settle`). Those inside and without a clash are ranked by the energy of the pocket.
"""

import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
from rdkit import Chem

from molscore.chem.ensemble import frame_rmsd_matrix, heavy_positions, prune
from molscore.chem.properties import set_properties
from molscore.conformers.build import fault
from molscore.conformers.reasons import RDKIT, reason_of
from molscore.conformers.target import Target
from molscore.conformers.work import Work
from molscore.guidance.pocket.inside import settled
from molscore.guidance.pocket.maps import PocketMaps
from molscore.guidance.pocket.search import Search
from molscore.randomness import Purpose, stream

CONFORMERS, APART = 20, 1.0
"""Conformers that are laid into a pocket, and Å between distinct poses, at least."""

SPARE, FEWEST, NEARLY = 2, 10, 0.7
"""Poses that are relaxed for each that is asked for, at least so many, and the share of that distance that they are
apart before."""

ENERGY = "pocket_energy_kcal_per_mol"


def lay_in_pocket(work: Work, maps: PocketMaps, seed: int) -> None:
    """Makes an ensemble of poses from the conformers of a work, and finishes it.

    Args:
        work: whose conformers are made.
        maps: of the pocket.
        seed: of the run.
    """
    work.rank()
    work.ensemble.dropped.pop("rmsd", None)  # of conformers
    ensemble, dropped, reason, end = work.ensemble, Counter[str](), None, time.monotonic() + work.limit
    ensemble.asked, conformers, poses = work.poses, ensemble.mol, list[Chem.Mol]()
    try:
        for own, mol in _by_placement(work.target, conformers):
            poses += _poses(work, own, mol, maps, seed, dropped, end)
    except RDKIT as error:
        reason = reason_of(error)
    ensemble.mol = _chosen(work, poses, dropped)
    kept = ensemble.mol.GetNumConformers()
    ensemble.dropped += dropped
    ensemble.exhausted = bool(kept) and kept + dropped["window"] < ensemble.asked
    if not poses and conformers.GetNumConformers() and reason is None:
        token = dropped.most_common(1)[0][0] if dropped else "late"
        reason = token, "no pose fits: " + (", ".join(f"{k} {t}" for t, k in dropped.most_common()) or "no time")
    work.conclude(reason)


def _by_placement(target: Target, mol: Chem.Mol) -> Iterator[tuple[Target, Chem.Mol]]:
    """The conformers that hold the same core at the same atoms; all of them, if none is held."""
    for k in range(max(1, len(target.placements))):
        own, part = target.of_number(k), Chem.Mol(mol)
        if own.held is not None:
            atoms = " ".join(map(str, own.fixed))
            for conformer in list(part.GetConformers()):
                if conformer.GetProp("kept_atoms") != atoms:
                    part.RemoveConformer(conformer.GetId())
        if part.GetNumConformers():
            yield own, part


def _poses(
    work: Work, own: Target, mol: Chem.Mol, maps: PocketMaps, seed: int, dropped: Counter[str], end: float
) -> list[Chem.Mol]:
    """Relaxed poses that are sound and inside, with their properties; others are counted."""
    search = Search(mol, maps, own.fixed, lambda: end - time.monotonic())
    x, _, origin = search.poses(stream(seed, Purpose.POSE, work.ensemble.isomer))
    made, conformers = list[Chem.Mol](), list(mol.GetConformers())
    for k in search.apart(x, max(SPARE * work.poses, FEWEST), NEARLY * APART):
        if time.monotonic() >= end and made:
            break
        single = Chem.Mol(mol, False, conformers[origin[k]].GetId())
        single.GetConformer().SetPositions(x[k])
        single, misplaced, properties = settled(single, maps.pocket, own.fixed)
        token = misplaced.token if misplaced else fault(own, single, single.GetConformer().GetId())
        if token:
            dropped[token] += 1
            continue
        set_properties(single.GetConformer(), properties)
        made.append(single)
    return made


def _chosen(work: Work, poses: list[Chem.Mol], dropped: Counter[str]) -> Chem.Mol:
    """The molecule with the poses that are asked for, the best first; others are counted."""
    mol, options = Chem.Mol(work.target.mol), work.options
    mol.RemoveAllConformers()
    if not poses:
        return mol
    poses = sorted(poses, key=_energy)
    energies = np.array([_energy(pose) for pose in poses])
    order = list(range(len(poses)))
    if options.window is not None:
        order = [k for k in order if energies[k] - energies[0] <= options.window]
        dropped["window"] += len(poses) - len(order)
    x = np.concatenate([heavy_positions(pose) for pose in poses])
    apart = frame_rmsd_matrix(x, work.target.symmetries, x)
    if options.rmsd:
        kept = prune(apart, order, max(options.rmsd, APART))
        if options.fill:
            repeats = [k for k in order if k not in kept]
            kept = sorted(kept + repeats[: max(work.poses - len(kept), 0)])
        dropped["rmsd"] += len(order) - len(kept)
        order = kept
    for rank, k in enumerate(order[: work.poses], start=1):
        pose = poses[k].GetConformer()
        for name in ("energy_kcal_per_mol", "relaxation_reason"):
            pose.ClearProp(name)
        own = {"rank": rank, "ranked_by": "pocket", "relaxation": "pocket"}
        own["relative_energy_kcal_per_mol"] = round(float(energies[k] - energies[0]), 2)
        set_properties(pose, own | {"rmsd_to_best_angstrom": float(apart[k, order[0]]) if rank > 1 else 0.0})
        mol.AddConformer(pose, assignId=True)
    return mol


def _energy(pose: Chem.Mol) -> float:
    return float(pose.GetConformer().GetDoubleProp(ENERGY))
