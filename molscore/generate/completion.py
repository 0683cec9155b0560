"""Kept parts as a model sees them, and as they stand in what it made."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from rdkit import Chem
from rdkit.Chem import rdShapeHelpers
from torch import Tensor

from molscore import pretrained
from molscore.chem.arrays import to_mol
from molscore.chem.parts import KeptPart
from molscore.chem.similarity import graph_similarity
from molscore.chem.targets import check_seen
from molscore.chem.wishes import allowed_classes, check_ability, check_like
from molscore.datasets.batch import MoleculeBatch
from molscore.generate import liking
from molscore.generate.guiding import guide, steer
from molscore.generate.options import GenerationOptions
from molscore.generate.placing import placed, steered
from molscore.guidance.soft import Wish
from molscore.model import MoleculeDiffusion, Sample
from molscore.model.completion import Given

NOISE, LEAST_NOISE = 0.4, 0.05
"""Graph time to which the molecule is noised whose neighbours are made: by default, and at least."""


def check_conditions(options: GenerationOptions, model: MoleculeDiffusion, name: str) -> None:
    """Whether a model can do what options ask of what is kept, neared and made; see `molscore.chem.wishes`."""
    parts, most = (options.part, options.query), len(model.size_probabilities) - 1
    if options.liking is not None:
        check_like(model.vocabulary, name)
    if options.targets:
        check_seen(options.aims, pretrained.about_guide(name)["properties"], name)
    check_ability([part for part in parts if part is not None], options.elements, model.vocabulary, most, name)


def conditions(
    options: GenerationOptions, model: MoleculeDiffusion, streams: Sequence[np.random.Generator], wishes: Sequence[Wish]
) -> dict[str, Any]:
    """What options ask of samples, one for each stream, as arguments of `molscore.model.sample_molecules`.

    Args:
        options: of the run.
        model: whose samples they are.
        streams: one for each sample.
        wishes: those of the options, and what follows from their targets.
    """
    arguments: dict[str, Any] = {}
    if options.part is not None:
        arguments["given"] = given_parts(options.part, model, len(streams))
    if options.query is not None:
        noise = options.noise if options.noise is not None else NOISE
        arguments["near"] = given_parts(options.query, model, len(streams)).batch, max(noise, LEAST_NOISE)
    if options.elements is not None:
        arguments["classes"] = allowed_classes(options.elements, model.vocabulary, "the model")
    if options.liking is not None and options.part is None:
        noise = options.noise if options.noise is not None else liking.NOISE
        arguments["around"] = options.liking.start, max(noise, LEAST_NOISE)
    if options.placed and options.around is not None:
        arguments["guide"] = placed(wishes, options.around.volume.points, streams, options.guidance)
    elif wishes and options.guidance:
        arguments["guide"] = guide(wishes, options.guidance, options.frame)
    if options.particles > 1 and options.placed:
        arguments["steer"] = steered(options.particles, streams)
    elif options.particles > 1:
        arguments["steer"] = steer(wishes, options.particles, streams, frame=options.frame)
    return arguments


def given_parts(part: KeptPart, model: MoleculeDiffusion, count: int) -> Given:
    """The part, given to each of so many molecules; their first atoms are its own."""
    n, arrays = len(part), part.arrays
    classes = {pair: k for k, pair in enumerate(model.vocabulary)}
    bonds = np.zeros((n, n), dtype=np.int64)
    i, j = arrays.bonds.T
    bonds[i, j] = bonds[j, i] = arrays.bond_orders

    def repeated(values: np.ndarray) -> Tensor:
        one = torch.from_numpy(np.ascontiguousarray(values)).to(model.device)
        return one[None].expand(count, *one.shape).clone()

    batch = MoleculeBatch(
        positions=repeated(arrays.positions),
        atoms=repeated(np.array([classes[pair] for pair in part.classes], dtype=np.int64)),
        bonds=repeated(bonds),
        mask=repeated(np.ones(n, dtype=bool)),
        stereo=repeated(arrays.stereo if model.config.network.stereo else np.zeros((0, 5), dtype=np.int64)),
    )
    graph = batch.mask
    posed = graph if part.posed else torch.zeros_like(graph)
    return Given(batch, graph, posed, closed=repeated(~part.open), least=repeated(part.least))


def with_part(sample: Sample, part: KeptPart, vocabulary: list[tuple[int, int]]) -> Sample:
    """A sample whose first atoms are the part, with probabilities of 1, so that no repair changes them."""
    n, arrays = len(part), part.arrays
    positions, atoms, bonds = (np.array(y) for y in sample)
    classes = [vocabulary.index(pair) for pair in part.classes]
    atoms[:n] = np.eye(len(vocabulary))[classes]
    orders = np.zeros((n, n), dtype=int)
    i, j = arrays.bonds.T
    orders[i, j] = orders[j, i] = arrays.bond_orders
    bonds[:n, :n] = np.eye(4)[orders]
    closed = np.flatnonzero(~part.open)
    bonds[closed, n:] = bonds[n:, closed] = (1, 0, 0, 0)
    if part.posed:
        positions[:n] = arrays.positions
    return Sample(positions, atoms, bonds)


def of_classes(sample: Sample, allowed: np.ndarray, kept: int) -> Sample:
    """A sample whose atoms after the first ``kept`` are of the classes ``allowed (K,)`` with certainty."""
    atoms = np.array(sample.atom_probabilities)
    atoms[kept:] *= allowed
    lost = atoms[kept:].sum(1) == 0
    atoms[kept:][lost] = allowed
    return sample._replace(atom_probabilities=atoms / atoms.sum(1, keepdims=True))


def other_element(numbers: np.ndarray, elements: Collection[str]) -> str | None:
    """A sentence on the first atom, of its atomic numbers, that is of none of the elements; None if all are."""
    symbols = map(Chem.GetPeriodicTable().GetElementSymbol, numbers.tolist())
    other = next((symbol for symbol in symbols if symbol not in elements), None)
    return None if other is None else f"{other} was made, and the elements asked for are {', '.join(elements)}"


def shift_in_place(mol: Chem.Mol, frame: np.ndarray) -> None:
    """Moves a molecule from the frame of samples, whose origin is ``frame`` ``(3,)`` Å, to that of what was given."""
    if frame.any() and mol.GetNumConformers():
        conformer = mol.GetConformer()
        conformer.SetPositions(conformer.GetPositions() + frame)


def kept_tags(mol: Chem.Mol, part: KeptPart) -> dict[str, Any]:
    """``kept_atoms``, those that were given; where they had positions, how far the farthest has moved from there.

    Args:
        mol: whose first atoms are the part, about the origin.
        part: what was given.
    """
    n = len(part)
    values: dict[str, Any] = {"kept_atoms": " ".join(map(str, range(n)))}
    if part.posed:
        moved = mol.GetConformer().GetPositions()[:n] - part.arrays.positions
        values["kept_displacement_angstrom"] = round(float(np.linalg.norm(moved, axis=1).max()), 4)
    return values


def likeness(mol: Chem.Mol, query: KeptPart) -> dict[str, float]:
    """Tanimoto similarity to the query: of Morgan fingerprints (radius 2, 2048 bits), and of the shapes as they lie.

    Args:
        mol: hydrogens explicit, in the frame of the query.
        query: a whole molecule.
    """
    own, other = Chem.RemoveHs(mol), to_mol(query.arrays, implied=True)
    shape = 1 - rdShapeHelpers.ShapeTanimotoDist(own, other)
    return {"near_similarity": round(graph_similarity(own, other), 3), "near_shape_similarity": round(shape, 3)}
