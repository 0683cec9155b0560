"""What defines a model beside its weights, and how it is best sampled."""

from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

from molscore.limits import ELEMENTS, LIMITS, MOST_ATOMS, MOST_CHARGE
from molscore.network.config import NetworkConfig


class SamplingConfig(BaseModel):
    """How a model is sampled best, unless the user says otherwise, see `molscore.model.sampling`. Chosen on validation
    samples.

    Attributes:
        steps: steps from noise to molecule.
        power, middle: of the time grid.
        t_start: the coordinates' time at which conformers of known molecules begin.
        t_end: graph time at which the posterior mean is taken; of conformers, the coordinates' time.
        eta_x, eta_g: noise in coordinates and graph.
        order: of `molscore.core.samplers.DPMSolver`; 1 for models distilled to few steps.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    steps: int = Field(default=50, ge=LIMITS["steps"].low, le=LIMITS["steps"].high)
    power: float = Field(default=1.25, ge=0.01, le=100)
    middle: float = Field(default=0.5, gt=-1, lt=1)
    t_start: float = Field(default=0.98, gt=0, le=1)
    t_end: float = Field(default=0.03, ge=0, lt=1)
    eta_x: float = Field(default=3.0, ge=0, le=1e4)
    eta_g: float = Field(default=3.0, ge=0, le=1e4)
    order: int = Field(default=2, ge=1, le=2)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.t_end >= self.t_start:
            raise ValueError(f"t_end must lie below t_start, but is {self.t_end} and t_start {self.t_start}")
        return self


class TaskShares(BaseModel):
    """Shares of training molecules by what they are given, see `molscore.model.tasks`. The rest is given nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    pieces: float = Field(default=0, ge=0, le=1)
    scaffolds: float = Field(default=0, ge=0, le=1)
    cores: float = Field(default=0, ge=0, le=1)
    shapes: float = Field(default=0, ge=0, le=1)

    @model_validator(mode="after")
    def _within_one(self) -> Self:
        if self.total > 1:
            raise ValueError(f"shares must add up to at most 1, not to {self.total:.6g}")
        return self

    @property
    def total(self) -> float:
        """Share of the molecules that are given something, graph-conditioned ones aside."""
        return self.pieces + self.scaffolds + self.cores + self.shapes


class DiffusionConfig(BaseModel):
    """What defines a model, weights and data aside.

    Attributes:
        network: sizes of the network.
        sampling: how it is sampled.
        position_scale: Å per unit of the coordinates' state.
        position_power: the coordinates' time is ``t ** position_power`` at graph time ``t``.
        category_scale: length of the one-hot vectors.
        sde: the noising process: ``cosine`` (variance preserving) or ``ve`` (variance exploding), see
            `molscore.core.sde`.
        sigma_min, alpha_min: ends of the cosine schedule.
        sigma_max: of ``ve``, which begins at ``sigma_min``; in units of the state.
        atom_weight, bond_weight: weights of the cross-entropies beside the coordinates' loss.
        self_conditioning: fraction of training batches that see a previous prediction.
        fake_atoms: most fake atoms of a molecule; 0 is none.
        distortion: noise added once more to the coordinates in training, a share of their sigma.
        graph_conditioned: fraction of training molecules whose graph is given, at time 0, and the coordinates alone are
            noised. That is the score of conformers, and of the likelihood of coordinates.
        tasks: shares of training molecules that are given parts of themselves, to complete them.
        walks: kinds of walks on the previous prediction's bonds that the network is shown, see `walks`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    network: NetworkConfig = NetworkConfig()
    sampling: SamplingConfig = SamplingConfig()
    position_scale: float = Field(default=1.4, ge=1e-3, le=1e3)
    position_power: float = Field(default=2.0, ge=0.01, le=100)
    category_scale: float = Field(default=1.0, ge=1e-3, le=1e3)
    sde: Literal["cosine", "ve"] = "cosine"
    sigma_min: float = Field(default=0.005, ge=1e-6, le=0.5)
    alpha_min: float = Field(default=0.001, ge=1e-6, le=0.5)
    sigma_max: float = Field(default=20.0, ge=1, le=1e4)
    atom_weight: float = Field(default=0.5, ge=0, le=1e6)
    bond_weight: float = Field(default=0.5, ge=0, le=1e6)
    self_conditioning: float = Field(default=0.5, ge=0, le=1)
    fake_atoms: int = Field(default=0, ge=0, le=MOST_ATOMS)
    distortion: float = Field(default=0.0, ge=0, le=100)
    graph_conditioned: float = Field(
        default=0.0, ge=0, le=1, validation_alias=AliasChoices("graph_conditioned", "known_graph")
    )  # the second name is that of files of version 0.1.0
    tasks: TaskShares = TaskShares()
    walks: int = Field(default=0, ge=0, le=16)

    @model_validator(mode="after")
    def _shares(self) -> Self:
        total = self.graph_conditioned + self.tasks.total
        if total > 1 + 1e-9:
            raise ValueError(f"graph_conditioned and the shares of tasks must add up to at most 1, not to {total:.6g}")
        return self


Class = tuple[
    Annotated[int, Field(ge=1, le=ELEMENTS)],
    Annotated[int, Field(ge=-MOST_CHARGE, le=MOST_CHARGE)],
]
"""Atomic number and formal charge."""

Probability = Annotated[float, Field(ge=0, le=1)]


class Description(BaseModel):
    """What a model's file holds beside tensors; see `molscore.model.files`.

    Attributes:
        config: what defines the model.
        vocabulary: (atomic number, formal charge) of each atom class, none twice.
        size_probabilities: probability of each number of atoms, from 0 on; they add up to 1, and 0 has none.
        record: how the model was made.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    config: DiffusionConfig
    vocabulary: list[Class] = Field(min_length=1, max_length=1000)
    size_probabilities: list[Probability] = Field(min_length=2, max_length=MOST_ATOMS + 1)
    record: dict[str, Any]

    @field_validator("vocabulary")
    @classmethod
    def _different(cls, classes: list[tuple[int, int]]) -> list[tuple[int, int]]:
        if len(set(classes)) < len(classes):
            raise ValueError("an atom class comes twice")
        return classes

    @field_validator("size_probabilities")
    @classmethod
    def _whole(cls, values: list[float]) -> list[float]:
        if values[0] != 0:
            raise ValueError("a molecule of no atoms must have no probability")
        if abs(sum(values) - 1) > 1e-3:
            raise ValueError(f"probabilities must add up to 1, not to {sum(values):.6g}")
        return values
