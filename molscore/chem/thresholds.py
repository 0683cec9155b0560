"""The thresholds of ``thresholds.yaml``, beside this file, typed: ``THRESHOLDS.flat_biaryl.twist``.

Units, meanings and sources stand in that file.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

PATH = Path(__file__).with_name("thresholds.yaml")


class _Group(BaseModel):
    """No threshold has a default, and none that is not listed is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class No3D(_Group):
    """Molecules without extent."""

    extent: float


class Clash(_Group):
    """Atoms that are too close."""

    tolerance: float
    hydrogen_tolerance: float
    cage_three_bonds: float
    cage_farther: float
    cage_hydrogen: float
    proposal: float


class NotFlat(_Group):
    """Aromatic rings and double bonds."""

    out_of_plane: float


class RingFlat(_Group):
    """Six-membered rings that have to pucker."""

    pucker: float
    sp3_atoms: int


class BondLength(_Group):
    """Margins of bond lengths."""

    margins: tuple[float, float, float, float]
    radii_margin: float


class BondAngle(_Group):
    """Margins of angles, and flat atoms."""

    margins: tuple[float, float, float, float, float]
    ideal_margin: float
    shape_margin: float
    cage_margin: float
    flat_sum: Mapping[str, float]


class FlatBiaryl(_Group):
    """Hindered biaryls."""

    twist: float
    ortho_atoms: int


class Cumulene(_Group):
    """Cumulated double bonds."""

    tolerance: float
    ring_tolerance: float
    smallest_ring: int
    strained_ring: int
    clear: float


class Stereo(_Group):
    """Where positions show no stereo, or none that can be held."""

    flat_centre: float
    twisted_bond: float
    smallest_e_ring: int


class Alerts(_Group):
    """Tags of what is unusual."""

    high_strain: float
    high_sa: float
    small_ring: int
    bredt: int


class ForceField(_Group):
    """Which parameters of a force field to trust, and when a minimum is reached."""

    bond: float
    aromatic_bond: float
    angle: float
    uff_angle: float
    xtb_gradient: float


class Strays(_Group):
    """What a minimisation has left outside of what is known."""

    length: float
    angle: float
    plane: float
    ring: float
    largest_flat_ring: int
    contact: float


class Barrier(_Group):
    """Conformers on a torsional barrier."""

    energy: float
    turn: float


class Torsion(_Group):
    """Torsions of proposed conformers that crystals hardly show."""

    potential: float


class Embedding(_Group):
    """Which embeddings are alike, exist, or need other bounds."""

    same_conformer: float
    cage_rings: int
    cage_strain: float
    wrong_bond: float
    wrong_angle: float


class Perception(_Group):
    """Bonds from distances."""

    longest_bond: float


class Protein(_Group):
    """How a molecule lies in a protein."""

    clash: float
    contact: float
    same_atom: float


class Coverage(_Group):
    """Evaluation of ensembles."""

    rmsd: tuple[float, ...]


class DistanceStability(_Group):
    """Stability of atoms by distances."""

    margins: tuple[int, int, int]


class Thresholds(_Group):
    """All of them, by check."""

    no_3d: No3D
    clash: Clash
    not_flat: NotFlat
    ring_flat: RingFlat
    bond_length: BondLength
    bond_angle: BondAngle
    flat_biaryl: FlatBiaryl
    cumulene: Cumulene
    stereo: Stereo
    alerts: Alerts
    force_field: ForceField
    strays: Strays
    barrier: Barrier
    torsion: Torsion
    embedding: Embedding
    perception: Perception
    protein: Protein
    coverage: Coverage
    distance_stability: DistanceStability


def parse(text: str) -> Thresholds:
    """The thresholds of a text in the form of ``thresholds.yaml``.

    Raises:
        pydantic.ValidationError: if one is missing, unknown, or no number.
    """
    return Thresholds.model_validate(yaml.safe_load(text))


THRESHOLDS = parse(PATH.read_text(encoding="utf-8"))
"""Those that the package carries."""
