"""Memorisation and mode collapse: does the generator repeat its training molecules, or miss part of the distribution?

The detectors are those of `molscore.core.diagnostics`. Two distances feed them.

* *Graphs*: one minus the Tanimoto similarity of Morgan counts (`graphs`). The pool is a random part of the training
  split and a random part of the test split; which of the two the neighbours of the samples come from must be chance.
* *Conformers*: where the graph of a sample is one of the pool, the RMSD of its heavy atoms to that molecule's, in Å,
  the best over symmetries and mirror images. Samples that meet a training molecule must not lie closer to it than
  samples that meet a test molecule lie to that.

QM9 has each molecule once, so that no test molecule is a training molecule, while a perfect generator returns many.
What training and test split have in common is the chance to be returned: hence these comparisons, and `rediscovery`.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMolAlign

from molscore.chem.arrays import MoleculeArrays
from molscore.core import diagnostics
from molscore.datasets.tensorfile import TensorFile
from molscore.evaluate.molecules.graphs import Environments, heavy_graph

TRAINING, HELDOUT = 20_000, 10_000
"""Molecules of the training and of the test split that enter the pool, at most."""

REAL, NEIGHBOUR, DRAWS, COVERING = 4000, 5, 10, 4000
"""Coverage: balls, the neighbour they reach to, fair samples to compare with, molecules of a sample at most."""

ENOUGH = 5
"""Conformers on either side below which they are not compared."""

FEWEST = 4 * NEIGHBOUR
"""Test molecules that the file must have."""

BATCH = 256
"""Samples whose distances to the whole pool are in memory at a time."""


def rediscovery(hashes: np.ndarray, training: np.ndarray, heldout: np.ndarray) -> dict[str, Any]:
    """How many of the molecules are training molecules, how many held-out ones?

    Args:
        hashes: (U,) uint64 of the different molecules generated.
        training, heldout: uint64 hashes of the two splits, neither empty.

    Returns:
        ``training``, ``heldout``: hits; ``training_size``, ``heldout_size``; ``ratio`` of the share of the training
        split that was hit to that of the held-out one, 1 without memorisation, None without hits; ``z``, standard
        normal without memorisation: given all hits, those in the training set are binomial.
    """
    hits = [int(np.isin(hashes, known).sum()) for known in (training, heldout)]
    sizes = len(training), len(heldout)
    f, total = sizes[0] / sum(sizes), sum(hits)
    return {
        "training": hits[0],
        "heldout": hits[1],
        "training_size": sizes[0],
        "heldout_size": sizes[1],
        "ratio": hits[0] / sizes[0] / (hits[1] / sizes[1]) if hits[1] else None,
        "z": (hits[0] - f * total) / sqrt(total * f * (1 - f)) if total else 0.0,
    }


def check_splits(dataset: TensorFile) -> None:
    """Raises ValueError if a tensor file has too few molecules to look for memorisation with."""
    training, heldout = len(dataset.indices("train")), len(dataset.indices("test"))
    if training < 1 or heldout < FEWEST:
        raise ValueError(
            f"the tensor file has {training} training and {heldout} test molecules; to look for memorisation it must "
            f"have some of the first and at least {FEWEST} of the second"
        )


def memorisation(molecules: Sequence[MoleculeArrays], dataset: TensorFile, seed: int = 0) -> dict[str, Any]:
    """Compares molecules with those that a model was trained on and with those that it was not.

    Args:
        molecules: n valid, connected molecules; those of hydrogen alone are left out.
        dataset: tensor file with a training and a test split.
        seed: of the choice of molecules from it.

    Returns:
        ``samples`` n; ``training_molecules``, ``heldout_molecules`` in the pool;
        ``graph``: ``share`` of samples whose nearest molecule of the pool is a training molecule, the share
        ``expected`` of chance, ``z``, and ``nearest``, the median distance to the nearest training molecule, beside
        ``nearest_of_heldout``, that of `BATCH` test molecules;
        ``conformer``: ``training_matches``, ``heldout_matches``, median ``training_rmsd`` and ``heldout_rmsd`` in Å,
        and ``z`` of the Mann-Whitney test, below -3 for copies; None where nothing compares;
        ``coverage``: of ``real`` test molecules by ``samples`` samples: ``value``, ``density``, and what as many test
        molecules score, ``fair`` and ``fair_density``; ``ratio`` of value and fair; ``neighbour``.

    Raises:
        ValueError: if the file has too few molecules to compare with (`check_splits`).
    """
    check_splits(dataset)
    rng = np.random.default_rng(seed)
    training, heldout = (
        [
            heavy_graph(dataset.molecule(i), dataset.implied_hydrogens)
            for i in rng.permutation(dataset.indices(split))[:most]
        ]
        for split, most in (("train", TRAINING), ("test", HELDOUT))
    )
    chosen = [molecules[i] for i in rng.permutation(len(molecules))]
    samples = [heavy_graph(molecule) for molecule in chosen if (molecule.atomic_numbers != 1).any()]
    result: dict[str, Any] = {
        "samples": len(samples),
        "training_molecules": len(training),
        "heldout_molecules": len(heldout),
        "graph": None,
        "conformer": None,
        "coverage": None,
    }
    if not samples:
        return result
    pool = training + heldout
    environments, known = Environments(pool), np.arange(len(pool)) < len(training)
    real = min(REAL, len(heldout) // 2)
    votes, near, to_real = np.zeros(len(pool)), [], []
    rmsds: tuple[list[float], list[float]] = [], []
    for start in range(0, len(samples), BATCH):
        batch = samples[start : start + BATCH]
        distances = environments.distances(batch)
        votes = votes + diagnostics.votes(distances)
        near.append(diagnostics.nearest(distances[:, known]))
        if start < COVERING:
            to_real.append(distances[:, len(training) : len(training) + real])
        for row, column in zip(*np.nonzero(distances == 0), strict=True):
            if (rmsd := heavy_rmsd(batch[row], pool[column])) is not None:
                rmsds[0 if known[column] else 1].append(rmsd)
    graph = diagnostics.memorisation(votes, known)
    fair = diagnostics.nearest(Environments(training).distances(heldout[:BATCH]))
    result["graph"] = {
        "share": graph.share,
        "expected": graph.expected,
        "z": graph.z,
        "nearest": float(np.median(np.concatenate(near))),
        "nearest_of_heldout": float(np.median(fair)),
    }
    result["conformer"] = _conformers(*map(np.array, rmsds))
    result["coverage"] = _coverage(np.concatenate(to_real), heldout[:real], heldout[real:], rng)
    return result


def heavy_rmsd(a: Chem.Mol, b: Chem.Mol) -> float | None:
    """RMSD in Å of two molecules without hydrogens, the best over symmetries and mirror images; None if they differ."""
    if Chem.MolToSmiles(a, isomericSmiles=False) != Chem.MolToSmiles(b, isomericSmiles=False):
        return None
    mirrored = Chem.Mol(a)
    mirrored.GetConformer().SetPositions(a.GetConformer().GetPositions() * [1.0, 1.0, -1.0])
    return min(rdMolAlign.GetBestRMS(Chem.Mol(a), b), rdMolAlign.GetBestRMS(mirrored, b))


def _conformers(training: np.ndarray, heldout: np.ndarray) -> dict[str, Any]:
    """RMSDs of the samples that meet a training molecule against those that meet a held-out one."""
    enough = min(len(training), len(heldout)) >= ENOUGH
    return {
        "training_matches": len(training),
        "heldout_matches": len(heldout),
        "training_rmsd": float(np.median(training)) if len(training) else None,
        "heldout_rmsd": float(np.median(heldout)) if len(heldout) else None,
        "z": diagnostics.copying(training, heldout) if enough else None,
    }


def _coverage(
    to_real: np.ndarray, real: list[Chem.Mol], others: list[Chem.Mol], rng: np.random.Generator
) -> dict[str, Any]:
    """Coverage of `real` by the samples, and by as many of the other held-out molecules."""
    n = min(len(to_real), COVERING, len(others))
    chosen = to_real[:n]
    environments = Environments(real)
    radii = diagnostics.neighbour_radii(environments.distances(real), NEIGHBOUR)
    spread = environments.distances(others)
    draws = [spread[rng.permutation(len(others))[:n]] for _ in range(DRAWS)]
    value, fair = (np.mean([diagnostics.coverage(d, radii) for d in sets]) for sets in ([chosen], draws))
    return {
        "value": float(value),
        "fair": float(fair),
        "ratio": float(value / fair) if fair else None,
        "density": diagnostics.density(chosen, radii, NEIGHBOUR),
        "fair_density": float(np.mean([diagnostics.density(d, radii, NEIGHBOUR) for d in draws])),
        "real": len(real),
        "samples": n,
        "neighbour": NEIGHBOUR,
    }
