"""`MoleculeGenerator`: ask for N new molecules, get N, and know which samples were rejected.

Attempt i takes its size and all its noise from a stream of ``(seed, i)``, see `molscore.randomness`. Attempts are
judged in their order (`judge`) and compared with those accepted before. The first N that pass are delivered, so
neither batch size nor N decides what attempt i is. Which attempts share a call of the network follows from their
numbers alone (`windows`), so that a run that goes on where another stopped repeats its very bits.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import metadata
from itertools import chain, repeat
from typing import Any, Unpack

import numpy as np
import torch
from rdkit import Chem

from molscore import pretrained
from molscore.chem.checks.validity import DuplicateFilter
from molscore.chem.io.sdf_text import record_properties
from molscore.core.samplers import SAMPLERS
from molscore.generate.judge import Attempt, Judge
from molscore.generate.options import OptionArguments, Options
from molscore.limits import check
from molscore.model import MoleculeDiffusion, Sample, choose_device, load, sample_molecules
from molscore.model.fingerprint import fingerprint
from molscore.randomness import Purpose, checked_seed, stream
from molscore.score import MoleculeScorer

CPU_BATCH, GPU_BATCH = 32, 512
FIRST_WINDOWS = 0.25, 0.5, 1.0, 1.75
"""Batches sampled together, their attempts sorted by size, before windows are two batches long. On a CPU their ends are
attempts 8, 24, 56 and 112, so that neither ten nor a hundred molecules leave many attempts over."""
PATIENCE = 20, 500
"""Give up after 20 N + 500 attempts."""


@dataclass
class Generation:
    """What `MoleculeGenerator.generate` returns.

    Attributes:
        mols: delivered molecules; each carries title and properties of an SDF record, as strings.
        rejects: rejected attempts.
        manifest: provenance and counts.
    """

    mols: list[Chem.Mol] = field(default_factory=list)
    rejects: list[Attempt] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Generation({len(self.mols)} molecules, {len(self.rejects)} attempts rejected)"


class MoleculeGenerator:
    """Generates molecules with one model on one device.

    Args:
        model: a model of `molscore.model`.
        name: its name in records.

    Raises:
        ValueError: if the model has always been given the graph, and so cannot make one.
    """

    def __init__(self, model: MoleculeDiffusion, name: str):
        if model.config.graph_conditioned == 1:
            raise ValueError(
                f"{name} samples coordinates of given graphs, not new molecules; use '{pretrained.DEFAULT}'"
            )
        self.model, self.name = model, name

    def __repr__(self) -> str:
        return f"MoleculeGenerator({self.name!r}, device='{self.model.device}')"

    @classmethod
    def from_pretrained(cls, name: str = pretrained.DEFAULT, device: str = "auto") -> "MoleculeGenerator":
        """Loads a bundled model by name, or a model file by path.

        Args:
            name: a name that ``molscore models`` lists, or the path of a .safetensors file.
            device: ``auto`` (CUDA if available), ``cpu``, ``cuda`` or ``cuda:1``.

        Raises:
            ValueError: for an unknown model or a device that is not there.
        """
        return cls(load(pretrained.find(name), choose_device(device)), name)

    def generate(
        self,
        n: int,
        seed: int = 0,
        *,
        on_attempt: Callable[[Attempt], None] | None = None,
        **options: Unpack[OptionArguments],
    ) -> Generation:
        """Generates ``n`` different, valid molecules.

        Args:
            n: how many.
            seed: together with the model and the options it fixes the result.
            on_attempt: called with each attempt in order.
            options: steps, sampler, atoms, batch_size, raw, relax, filter: those of `molscore.generate.Options`.

        Returns:
            Molecules, rejected attempts, manifest. ``manifest["delivered"]`` is below ``n`` only if
            ``20 n + 500`` attempts did not suffice.

        Raises:
            ValueError: for ``n`` or ``seed`` out of bounds, bad options, or sizes that the model has never seen.
        """
        check("molecules", n, "n")
        check("seed", seed)
        began, result, attempts = time.monotonic(), Generation(), 0
        chosen = self.resolved(Options(**options))
        for attempt in self.attempts(n, seed, chosen):
            attempts += 1
            if attempt.fault is None:
                mol = attempt.built
                mol.SetProp("_Name", f"molscore_{seed}_{attempt.index}")
                for name, value in self.properties(attempt, seed, chosen).items():
                    mol.SetProp(name, str(value))
                result.mols.append(mol)
            else:
                result.rejects.append(attempt)
            if on_attempt is not None:
                on_attempt(attempt)
        result.manifest = self.manifest(n, seed, chosen) | {
            "delivered": len(result.mols),
            "attempts": attempts,
            "rejected": dict(Counter(attempt.fault.token for attempt in result.rejects if attempt.fault).most_common()),
            "seconds": round(time.monotonic() - began, 2),
        }
        return result

    def resolved(self, options: Options) -> Options:
        """The options with the model's own steps, if none were chosen."""
        return replace(options, steps=options.steps or self.model.config.sampling.steps)

    @cached_property
    def weights(self) -> str:
        """The first 16 digits of the SHA-256 of the model's weights, to tell it from others of its name."""
        return fingerprint(self.model)[:16]

    def properties(self, attempt: Attempt, seed: int, options: Options) -> dict[str, object]:
        """The properties of a record: provenance and tags."""
        made_with = {"molscore_weights": self.weights, "molscore_options": self.resolved(options).text()}
        extra = {**made_with, **attempt.properties}
        return record_properties(attempt.built, model=self.name, seed=seed, index=attempt.index, extra=extra)

    def manifest(self, n: int, seed: int, options: Options) -> dict[str, Any]:
        """Provenance: model, seed and options, which fix the result, and the device."""
        return {
            "molscore_version": version(),
            "model": self.name,
            "seed": seed,
            "requested": n,
            **self.resolved(options).manifest(),
            "device": str(self.model.size_probabilities.device),
        }

    def attempts(
        self,
        n: int,
        seed: int,
        options: Options,
        *,
        known: Mapping[int, str | None] | None = None,
        seen: set[str] | None = None,
    ) -> Iterator[Attempt]:
        """Attempts 0, 1, ... until ``n`` of them have passed, or `PATIENCE` is exceeded.

        Args:
            n: how many must pass.
            seed, options: as for `generate`.
            known: attempts that need not be made again: number to the isomeric SMILES of the molecule, or to None where
                it was rejected. They are left out, but count.
            seen: isomeric SMILES that count as duplicates from the start.
        """
        seed, known, duplicate = checked_seed(seed), known or {}, DuplicateFilter(seen)
        judge = Judge(self.model, options)
        scorer = MoleculeScorer.from_pretrained(device=str(self.model.device)) if options.uncertainty else None
        accepted, end = 0, PATIENCE[0] * n + PATIENCE[1]
        for window in windows(self.batch_size(options)):
            judged = None
            if any(index not in known for index in window if index < end):
                judged = self._window(window, seed, options, judge, duplicate, scorer)
            for index in window:
                if accepted >= n or index >= end:
                    return
                attempt = None if judged is None else next(judged)
                if index not in known:
                    assert attempt is not None
                    accepted += attempt.fault is None
                    yield attempt
                elif (smiles := known[index]) is not None:
                    accepted += 1
                    duplicate.seen.add(smiles)

    def _window(
        self,
        window: range,
        seed: int,
        options: Options,
        judge: Judge,
        duplicate: DuplicateFilter,
        scorer: MoleculeScorer | None,
    ) -> Iterator[Attempt]:
        """The attempts of a window, judged in order; those that passed are scored together, if scores are wanted."""
        samples = self.sample(window, seed, options.steps, options.sampler, self.batch_size(options), options.atoms)
        attempts = (_distinct(judge(k, sample), options, duplicate) for k, sample in zip(window, samples, strict=True))
        if scorer is None:
            yield from attempts
            return
        judged = list(attempts)
        scores = scorer.stream((attempt.mol for attempt in judged if attempt.fault is None), seed)
        for attempt in judged:
            properties = next(scores).properties() if attempt.fault is None else {}
            yield replace(attempt, properties=attempt.properties | properties)

    def batch_size(self, options: Options) -> int:
        """Molecules per network call."""
        return options.batch_size or (GPU_BATCH if self.model.device.type == "cuda" else CPU_BATCH)

    def sample(
        self,
        indices: range,
        seed: int,
        steps: int | None,
        sampler: str,
        batch_size: int,
        atoms: tuple[int, int] | None = None,
        **options: Any,
    ) -> list[Sample]:
        """The samples of the given attempts, in their order; `options` are those of
        `molscore.model.sample_molecules`."""
        streams = [stream(seed, Purpose.MOLECULE, i) for i in indices]
        cumulative = self.sizes(atoms).double().cumsum(0).numpy()
        sizes = [int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")) for rng in streams]
        order = sorted(range(len(indices)), key=lambda k: sizes[k])
        samples: dict[int, Sample] = {}
        for at in range(0, len(order), batch_size):
            batch = order[at : at + batch_size]
            own_sizes, own_streams = [sizes[k] for k in batch], [streams[k] for k in batch]
            own = None if sampler == "dpm" else SAMPLERS[sampler]()  # dpm with the noise that suits the model
            molecules = sample_molecules(self.model, own_sizes, own_streams, steps=steps, sampler=own, **options)
            for k, molecule in zip(batch, molecules, strict=True):
                samples[k] = molecule
        return [samples[k] for k in range(len(indices))]

    def sizes(self, atoms: tuple[int, int] | None = None) -> torch.Tensor:
        """Weights of the numbers of atoms, from 0 on, within bounds.

        Raises:
            ValueError: if the model has seen no molecule within them.
        """
        weights = self.model.size_probabilities.cpu()
        if atoms is None:
            return weights
        low, high = atoms
        inside = torch.arange(len(weights))
        weights = weights * ((inside >= low) & (inside <= high))
        if not weights.any():
            known = self.model.size_probabilities.nonzero().flatten().tolist()
            raise ValueError(f"no molecule of {low} to {high} atoms: {self.name} knows {known[0]} to {known[-1]}")
        return weights


def windows(batch_size: int) -> Iterator[range]:
    """Attempts that are sampled together, from 0 on: cut by their numbers alone, whatever a run asks for.

    The first are short, so that a few molecules cost few attempts; the longer ones, up to two batches, save padding.
    """
    start = 0
    for part in chain(FIRST_WINDOWS, repeat(2.0)):
        length = max(1, round(part * batch_size))
        yield range(start, start + length)
        start += length


def _distinct(attempt: Attempt, options: Options, duplicate: DuplicateFilter) -> Attempt:
    """The attempt, rejected as a duplicate if its molecule was accepted before."""
    if options.raw or attempt.fault is not None:
        return attempt
    return replace(attempt, fault=duplicate(attempt.built))


def version() -> str:
    """Version of the installed package."""
    return metadata.version("molscore")
