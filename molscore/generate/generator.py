"""`MoleculeGenerator`: ask for N new molecules, get N, and know which samples were rejected.

Attempt i takes its size and all its noise from a stream of ``(seed, i)``, see `molscore.randomness`. Attempts are
judged in their order (`attempts`) and compared with those accepted before. The first N that pass are delivered, so
neither batch size nor N decides what attempt i is.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Literal, Unpack

import numpy as np
import torch
from rdkit import Chem

from molscore import pretrained
from molscore.chem.io.sdf_text import record_properties
from molscore.chem.possible import check_possible
from molscore.chem.properties import set_properties
from molscore.chem.trajectory import Trajectory
from molscore.core.samplers import SAMPLERS
from molscore.generate.attempts import attempts
from molscore.generate.completion import check_conditions, conditions
from molscore.generate.guiding import Watch, watched
from molscore.generate.judge import Attempt
from molscore.generate.options import GenerationArguments, GenerationOptions
from molscore.generate.result import Generation
from molscore.generate.sizes import unconditioned, within
from molscore.generate.trajectories import trajectories
from molscore.guidance.property_guide import load_guide
from molscore.guidance.soft import Wish
from molscore.limits import check
from molscore.model import MoleculeDiffusion, Sample, sample_molecules
from molscore.model.mixin import PretrainedMixin
from molscore.randomness import Purpose, checked_seed, stream
from molscore.results import options_of
from molscore.versions import version
from molscore.workers import Cluster, WorkerNumber, check_function, count, shared

CPU_BATCH, GPU_BATCH = 16, 256
"""Molecules in a call of the network. On a CPU larger batches save little, and are more padding and less to share."""


class MoleculeGenerator(PretrainedMixin):
    """Generates molecules with one model on one device.

    Args:
        model: a model of `molscore.model`.
        name: its name in records.

    Raises:
        ValueError: if the model has always been given the graph, and so cannot make one.
    """

    default_model = pretrained.DEFAULT

    def __init__(self, model: MoleculeDiffusion, name: str):
        if not self.samples(model.config.graph_conditioned):
            raise ValueError(
                f"{name} samples coordinates of given graphs, not new molecules; use '{pretrained.DEFAULT}'"
            )
        super().__init__(model, name)

    @staticmethod
    def samples(graph_conditioned: float) -> bool:
        return graph_conditioned < 1

    def generate(
        self,
        n: int,
        seed: int = 0,
        *,
        options: GenerationOptions | None = None,
        workers: int | Literal["auto"] | None = None,
        ray: str | None = None,
        **keywords: Unpack[GenerationArguments],
    ) -> Generation:
        """Generates ``n`` different, valid molecules.

        Args:
            n: how many.
            seed: together with the model and the options it fixes the result.
            options: the choices as one object, in place of keywords.
            workers, ray: processes, or a cluster, that share the work, see `molscore.workers`.
            keywords: the choices, see `GenerationOptions`.

        Returns:
            Molecules, rejected attempts, manifest. ``manifest["delivered"]`` is below ``n`` only if
            ``20 n + 500`` attempts did not suffice.

        Raises:
            TypeError: for an unknown keyword, or keywords and `options` together.
            ValueError: for ``n`` or ``seed`` out of bounds, bad options, sizes that the model has never seen, or wishes
                that fewer molecules than ``n`` can meet.
        """
        began, result, made = time.monotonic(), Generation(), 0
        serving, choices = self._serving(options_of(GenerationOptions, options, keywords))
        for attempt in serving._checked_attempts(n, seed, choices, shared(workers, ray)):
            made += 1
            if attempt.fault is None:
                result.mols.append(serving.delivered(attempt, seed, choices))
            else:
                result.rejects.append(attempt)
        result.manifest = serving.manifest(n, seed, choices) | {
            "delivered": len(result.mols),
            "attempts": made,
            "rejected": dict(Counter(attempt.fault.token for attempt in result.rejects if attempt.fault).most_common()),
            "seconds": round(time.monotonic() - began, 2),
        }
        return result

    def stream(
        self,
        n: int,
        seed: int = 0,
        *,
        options: GenerationOptions | None = None,
        workers: int | Literal["auto"] | None = None,
        ray: str | None = None,
        **keywords: Unpack[GenerationArguments],
    ) -> Iterator[Chem.Mol]:
        """As `generate`, one by one as they are made; what is rejected is not kept.

        Yields:
            Up to ``n`` molecules, each with title and properties of an SDF record.
        """
        serving, choices = self._serving(options_of(GenerationOptions, options, keywords))
        attempts = serving._checked_attempts(n, seed, choices, shared(workers, ray))
        return (serving.delivered(attempt, seed, choices) for attempt in attempts if attempt.fault is None)

    def _checked_attempts(
        self, n: int, seed: int, options: GenerationOptions, workers: WorkerNumber
    ) -> Iterator[Attempt]:
        """As `attempts`, with arguments that are checked at once, not at the first attempt."""
        self.check_request(n, options)
        return self.attempts(n, seed, options, workers=workers)

    def check_request(self, n: int, options: GenerationOptions) -> None:
        """Raises ValueError for ``n`` out of bounds, and for what cannot be made, or not ``n`` times."""
        check("molecules", n, "n")
        sizes = self.sizes_for(options)
        if not options.raw:
            check_possible(n, options.part, options.elements, self.model.vocabulary, sizes, options.wanted)

    def delivered(self, attempt: Attempt, seed: int, options: GenerationOptions) -> Chem.Mol:
        """The molecule of an attempt that passed, with title and properties of a record."""
        title = {"_Name": f"molscore_{seed}_{attempt.index}"}
        set_properties(attempt.built, title | self.properties(attempt, seed, options))
        return attempt.built

    def trajectories(
        self,
        indices: Sequence[int],
        seed: int = 0,
        *,
        options: GenerationOptions | None = None,
        **keywords: Unpack[GenerationArguments],
    ) -> list[Trajectory]:
        """Attempts of a run once more, each with all its steps from noise to molecule.

        Args:
            indices: numbers of the attempts, such as ``molscore_index`` of a record.
            seed, options, keywords: of the run. Filters by scores and duplicates are not looked at.

        Returns:
            In the order of the indices; the molecules are those that `generate` makes of these attempts. For
            `molscore.report.write_trajectories`.

        Raises:
            TypeError: for an unknown keyword, or keywords and `options` together.
            ValueError: for an index below 0, or bad options.
        """
        serving, choices = self._serving(options_of(GenerationOptions, options, keywords))
        if any(index < 0 for index in indices):
            raise ValueError(f"attempts are numbered from 0, there is none with number {min(indices)}")
        return trajectories(serving, list(indices), checked_seed(seed), choices)

    def serving(self, options: GenerationOptions) -> "MoleculeGenerator":
        """What does the work: `few_steps` where as few are asked for, of molecules made from noise alone; else this."""
        few, steps = self.few_steps, options.steps or 0
        return few if few and options.plain and 0 < steps <= few.model.config.sampling.steps else self

    def _serving(self, options: GenerationOptions) -> tuple["MoleculeGenerator", GenerationOptions]:
        return (serving := self.serving(options)), serving.resolved(options)

    def resolved(self, options: GenerationOptions) -> GenerationOptions:
        """The options with the model's own steps, if none were chosen."""
        return replace(options, steps=options.steps or self.model.config.sampling.steps)

    def properties(self, attempt: Attempt, seed: int, options: GenerationOptions) -> dict[str, object]:
        """The properties of a record: provenance and tags."""
        made_with = {"molscore_weights": self.weights, "molscore_options": self.resolved(options).text()}
        extra = {**made_with, **attempt.properties}
        return record_properties(attempt.smiles or "", model=self.name, seed=seed, index=attempt.index, extra=extra)

    def manifest(self, n: int, seed: int, options: GenerationOptions) -> dict[str, Any]:
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
        self, n: int, seed: int, options: GenerationOptions, *, workers: WorkerNumber = 1, **more: Any
    ) -> Iterator[Attempt]:
        """Attempts 0, 1, ... until ``n`` of them have passed; see `molscore.generate.attempts.attempts`."""
        seed, options = checked_seed(seed), self.resolved(options)
        return attempts(self, n, seed, options, workers=self.workers(workers, options), **more)

    def workers(self, workers: WorkerNumber, options: GenerationOptions) -> int | Cluster:
        """How many workers there are to be, as `molscore.workers.count`; the functions among the options suit them."""
        number = count(workers, self.model.device.type)
        check_function(options.filter, number, "filter")
        for name in ("checks", "wishes"):
            for function in getattr(options, name):
                check_function(function, number, name)
        return number

    def batch_size(self, options: GenerationOptions) -> int:
        """Molecules per network call: whole groups of particles."""
        size = options.batch_size or (GPU_BATCH if self.model.device.type == "cuda" else CPU_BATCH)
        return max(size // options.particles, 1) * options.particles

    def batches(self, indices: Sequence[int], seed: int, options: GenerationOptions) -> list[tuple[int, ...]]:
        """Attempts sorted by size, the largest first, cut into what calls of the network take."""
        together = options.particles
        groups = [tuple(indices[at : at + together]) for at in range(0, len(indices), together)]
        if any(group[0] % together or len(group) < together for group in groups):
            raise ValueError(f"attempts of a run with particles are made in whole groups of {together}")
        sizes = self._sizes([stream(seed, Purpose.MOLECULE, group[0]) for group in groups], options)
        order = [groups[k] for k in sorted(range(len(groups)), key=lambda k: -sizes[k])]
        count = self.batch_size(options) // together
        return [tuple(chain.from_iterable(order[at : at + count])) for at in range(0, len(order), count)]

    def sample(
        self,
        indices: Sequence[int],
        seed: int = 0,
        options: GenerationOptions = GenerationOptions(),  # noqa: B008 (it is frozen)
        watch: Watch | None = None,
        **more: Any,
    ) -> list[Sample]:
        """The samples of the given attempts, in their order.

        Args:
            indices: numbers of the attempts.
            seed: of the run.
            options: steps, sampler, atoms and batch size are looked at.
            watch: makes, of the model's denoiser and of what guidance made of it, what is asked.
            more: further arguments of `molscore.model.sample_molecules`.
        """
        samples: dict[int, Sample] = {}
        own = None if options.sampler == "dpm" else SAMPLERS[options.sampler]()  # dpm: the noise that suits the model
        for batch in self.batches(indices, seed, options):
            streams = [stream(seed, Purpose.MOLECULE, i) for i in batch]
            each = self._sizes(streams, options)
            sizes = [each[k - k % options.particles] for k in range(len(batch))]
            arguments = watched(conditions(options, self.model, streams, self.wishes(options)), watch) | more
            molecules = sample_molecules(self.model, sizes, streams, steps=options.steps, sampler=own, **arguments)
            samples |= zip(batch, molecules, strict=True)
        return [samples[index] for index in indices]

    def wishes(self, options: GenerationOptions) -> tuple[Wish, ...]:
        """The energies of options, and that of their targets."""
        if not options.targets:
            return options.energies
        return *options.energies, load_guide(pretrained.guide_file(self.name)).wish(options.aims)

    def _sizes(self, streams: Sequence[np.random.Generator], options: GenerationOptions) -> list[int]:
        """The number of atoms of each attempt: the first that its stream draws."""
        cumulative = self.sizes_for(options).cumsum()
        return [int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")) for rng in streams]

    def sizes_for(self, options: GenerationOptions) -> np.ndarray:
        """Weights of the numbers of atoms, from 0 on, of all that an attempt has.

        Raises:
            ValueError: if the model cannot do what the options ask for; the message says why.
        """
        check_conditions(options, self.model, self.name)
        weights = unconditioned(options, self.model, self.name)
        if not options.targets:
            return weights
        return weights * load_guide(pretrained.guide_file(self.name)).size_weights(options.aims, len(weights))

    def sizes(self, atoms: tuple[int, int] | None = None) -> torch.Tensor:
        """Weights of the numbers of atoms, from 0 on, within bounds.

        Raises:
            ValueError: if the model has seen no molecule within them.
        """
        return torch.from_numpy(within(self.model, self.name, atoms))
