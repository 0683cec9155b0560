"""`MoleculeGenerator`: ask for N new molecules, get N, and know what was thrown away.

Attempt i draws its size and all its noise from a generator seeded by ``(seed, i)``. Attempts are judged in their order:
decoded (`molscore.chem.decode`), checked (`molscore.chem.validity`), compared with those accepted before. The first N
that pass are delivered, so neither batch size nor N decides what attempt i is.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import numpy as np
import torch
from rdkit import Chem

from molscore import pretrained
from molscore.chem.arrays import MoleculeArrays, MoleculeError, to_mol
from molscore.chem.decode import decode
from molscore.chem.validity import DuplicateFilter, Verdict, check
from molscore.model import Sample, load, sample
from molscore.pretrained import DEFAULT_STEPS

CPU_BATCH, GPU_BATCH = 32, 512
WINDOW = 4
"""Batches drawn together: their attempts are sorted by size, which saves padding."""
PATIENCE = 20, 500
"""Give up after 20 N + 500 attempts."""


@dataclass(frozen=True)
class Attempt:
    """One sample, judged.

    Attributes:
        index: number of the attempt.
        mol: the molecule, with explicit hydrogens and one conformer; None if nothing could be built.
        verdict: whether it passed, else why not.
        repaired: whether decoding had to leave the most probable classes to satisfy valence and connectivity.
    """

    index: int
    mol: Chem.Mol | None
    verdict: Verdict
    repaired: bool


@dataclass
class Generation:
    """What `MoleculeGenerator.generate` returns.

    Attributes:
        mols: delivered molecules; each carries ``molscore_index`` as an int property.
        rejects: rejected attempts.
        manifest: provenance and counts.
    """

    mols: list[Chem.Mol] = field(default_factory=list)
    rejects: list[Attempt] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)


class MoleculeGenerator:
    """Generates molecules with one model on one device.

    Args:
        model: a model of `molscore.model`.
        name: what to call it in records.
    """

    def __init__(self, model: torch.nn.Module, name: str):
        self.model, self.name = model, name

    @classmethod
    def from_pretrained(cls, name: str = "qm9", device: str = "auto") -> "MoleculeGenerator":
        """Loads a bundled model by name, or a model file by path.

        Args:
            name: a name that ``molscore models`` lists, or the path of a .safetensors file.
            device: ``auto`` (CUDA if there is any), ``cpu``, ``cuda`` or ``cuda:1``.

        Raises:
            ValueError: for an unknown model or a device that is not there.
        """
        return cls(load(pretrained.find(name), choose_device(device)), name)

    def generate(
        self,
        n: int,
        seed: int = 0,
        *,
        steps: int = DEFAULT_STEPS,
        sampler: str = "dpm",
        batch_size: int | None = None,
        raw: bool = False,
        on_attempt: Callable[[Attempt], None] | None = None,
    ) -> Generation:
        """Generates ``n`` different, valid molecules.

        Args:
            n: how many.
            seed: together with the model it fixes the result.
            steps: steps from noise to molecule, one network evaluation each, two with ``pc`` and ``ode``.
            sampler: ``dpm``, ``em``, ``pc`` or ``ode``, see `molscore.core.sampling`.
            batch_size: molecules per network call; None chooses by device.
            raw: deliver the first ``n`` samples as they are: nothing repaired, nothing rejected but what no mol block
                can hold.
            on_attempt: called with each attempt in order.

        Returns:
            Molecules, rejected attempts, manifest. ``manifest["delivered"]`` is below ``n`` only if
            ``20 n + 500`` attempts did not suffice.

        Raises:
            ValueError: for ``n``, ``steps`` or ``batch_size`` below 1, or an unknown sampler.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, not {n}")
        began, result, attempts = time.monotonic(), Generation(), 0
        for attempt in self.attempts(n, seed, steps=steps, sampler=sampler, batch_size=batch_size, raw=raw):
            attempts += 1
            if attempt.verdict.ok:
                result.mols.append(attempt.mol)
            else:
                result.rejects.append(attempt)
            if on_attempt is not None:
                on_attempt(attempt)
        result.manifest = self.manifest(n, seed, steps, sampler) | {
            "delivered": len(result.mols),
            "attempts": attempts,
            "rejected": dict(Counter(a.verdict.reason for a in result.rejects).most_common()),
            "seconds": round(time.monotonic() - began, 2),
        }
        return result

    def manifest(self, n: int, seed: int, steps: int, sampler: str) -> dict[str, Any]:
        """What fixes the result, and with what it was made."""
        return {
            "molscore_version": version(),
            "model": self.name,
            "seed": seed,
            "requested": n,
            "steps": steps,
            "sampler": sampler,
            "device": str(self.model.size_probabilities.device),
        }

    def attempts(
        self,
        n: int,
        seed: int,
        *,
        start: int = 0,
        seen: set[str] | None = None,
        steps: int = DEFAULT_STEPS,
        sampler: str = "dpm",
        batch_size: int | None = None,
        raw: bool = False,
    ) -> Iterator[Attempt]:
        """Attempts ``start, start + 1, ...`` until ``n`` of them have passed or patience ends.

        Args:
            n: how many must pass.
            seed, steps, sampler, batch_size, raw: as for `generate`.
            start: first attempt.
            seen: isomeric SMILES that count as duplicates from the start.
        """
        if batch_size is None:
            batch_size = GPU_BATCH if self.model.size_probabilities.device.type == "cuda" else CPU_BATCH
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        duplicate = DuplicateFilter(seen)
        accepted, end = 0, start + PATIENCE[0] * n + PATIENCE[1]
        index = start
        while accepted < n and index < end:
            rate = max(accepted / (index - start), 0.1) if index > start else 1.0
            count = min(WINDOW * batch_size, int((n - accepted) / rate * 1.05) + 1, end - index)
            for drawn in self.draw(range(index, index + count), seed, steps, sampler, batch_size):
                attempt = self.judge(index, drawn, raw)
                if attempt.verdict.ok and not raw:
                    verdict = duplicate(attempt.mol)
                    attempt = Attempt(index, attempt.mol, verdict, attempt.repaired)
                index, accepted = index + 1, accepted + attempt.verdict.ok
                yield attempt
                if accepted == n:
                    return

    def draw(
        self, indices: range, seed: int, steps: int, sampler: str, batch_size: int, **options: float
    ) -> list[Sample]:
        """The samples of the given attempts, in their order; `options` are those of `molscore.model.sample`."""
        generators = [torch.Generator().manual_seed(attempt_seed(seed, i)) for i in indices]
        weights = self.model.size_probabilities.cpu()
        sizes = [int(torch.multinomial(weights, 1, generator=g)) for g in generators]
        order = sorted(range(len(indices)), key=lambda k: sizes[k])
        samples: list[Sample | None] = [None] * len(indices)
        for at in range(0, len(order), batch_size):
            batch = order[at : at + batch_size]
            parts = [sizes[k] for k in batch], [generators[k] for k in batch]
            drawn = sample(self.model, *parts, steps=steps, sampler=sampler, **options)
            for k, one in zip(batch, drawn, strict=True):
                samples[k] = one
        return samples

    def judge(self, index: int, drawn: Sample, raw: bool = False) -> Attempt:
        """Decodes and checks one sample."""
        parts = drawn.atom_probabilities, drawn.bond_probabilities, drawn.positions, self.model.vocabulary
        repaired = False
        try:
            arrays = plain = decode(*parts, repair=False)
            if not raw:
                arrays = decode(*parts, repair=True, neutral=True)
                repaired = not _same_graph(arrays, plain)
            mol = to_mol(arrays, sanitize=not raw)
        except MoleculeError as error:
            return Attempt(index, None, Verdict(False, error.reason, error.detail), repaired)
        mol.SetIntProp("molscore_index", index)
        return Attempt(index, mol, Verdict(True) if raw else check(mol, net_charge=0), repaired)


def choose_device(device: str) -> torch.device:
    """``auto`` is CUDA if there is any, else the CPU.

    Raises:
        ValueError: if the device is not known, or is CUDA and there is none.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"unknown device '{device}'; use auto, cpu, cuda or cuda:N") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ValueError(f"device '{device}' is not there: torch sees {count} CUDA devices; use cpu")
    return chosen


def attempt_seed(seed: int, index: int) -> int:
    """One 63-bit seed for attempt ``index`` of a run."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> 1)


def version() -> str:
    """Version of the installed package."""
    return metadata.version("molscore")


def _same_graph(a: MoleculeArrays, b: MoleculeArrays) -> bool:
    return (
        np.array_equal(a.atomic_numbers, b.atomic_numbers)
        and np.array_equal(a.formal_charges, b.formal_charges)
        and np.array_equal(a.bonds, b.bonds)
        and np.array_equal(a.bond_orders, b.bond_orders)
    )
