"""What defines a model beside its weights, and how it is best sampled."""

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from molscore.network.network import NetworkConfig


class SamplingConfig(BaseModel):
    """How a model is sampled best, unless the user says otherwise: found on validation samples, see `sampling.sample`.

    Attributes:
        steps: steps from noise to molecule.
        power, middle: of the time grid.
        t_start: the coordinates' time at which conformers of known molecules begin.
        t_end: graph time at which the posterior mean is taken; of conformers, the coordinates' time.
        eta_x, eta_g: noise in coordinates and graph.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: PositiveInt = 50
    power: PositiveFloat = 1.25
    middle: float = 0.5
    t_start: float = 0.98
    t_end: float = 0.03
    eta_x: NonNegativeFloat = 3.0
    eta_g: NonNegativeFloat = 3.0


class DiffusionConfig(BaseModel):
    """What defines a model, weights and data aside.

    Attributes:
        network: sizes of the network.
        sampling: how it is sampled.
        position_scale: Å per unit of the coordinates' state.
        position_power: the coordinates' clock is ``t ** position_power``.
        category_scale: length of the one-hot vectors.
        sigma_min, alpha_min: ends of the cosine schedule.
        atom_weight, bond_weight: weights of the cross-entropies beside the coordinates' loss.
        self_conditioning: fraction of training batches that see a previous prediction.
        fake_atoms: most fake atoms of a molecule; 0 is none.
        distortion: noise added once more to the coordinates in training, a share of their sigma.
        known_graph: fraction of training molecules whose graph's clock stands at 0: the graph is given, the coordinates
            are to be found. That is the score of conformers, and of the likelihood of coordinates.
        walks: kinds of walks on the previous prediction's bonds that the network is shown, see `walks`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: NetworkConfig = NetworkConfig()
    sampling: SamplingConfig = SamplingConfig()
    position_scale: PositiveFloat = 1.4
    position_power: PositiveFloat = 2.0
    category_scale: PositiveFloat = 1.0
    sigma_min: PositiveFloat = 0.005
    alpha_min: PositiveFloat = 0.001
    atom_weight: NonNegativeFloat = 0.5
    bond_weight: NonNegativeFloat = 0.5
    self_conditioning: float = Field(default=0.5, ge=0, le=1)
    fake_atoms: NonNegativeInt = 0
    distortion: NonNegativeFloat = 0.0
    known_graph: float = Field(default=0.0, ge=0, le=1)
    walks: NonNegativeInt = 0
