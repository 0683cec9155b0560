"""Every property that a record may carry or a filter may ask for: one name each, with unit, meaning and source.

Records, ``--filter``, ``molscore properties``, reports and the documentation take names and words from here. Imports
nothing but the standard library.
"""

from typing import Literal, NamedTuple

Kind = Literal["number", "words", "text"]
"""``words``: names, joined by "; " in a record; to a filter how many there are, and ``"name" in`` them."""

Origin = Literal["graph", "geometry", "relaxation", "lead", "query", "score", "conformer", "protein", "provenance"]
"""What a property tells of, see `ORIGINS`."""

ORIGINS: dict[Origin, str] = {
    "graph": "the molecule, without its coordinates",
    "geometry": "the molecule with its coordinates",
    "relaxation": "what --relax did to a generated molecule",
    "lead": "how a generated molecule relates to what was given of it",
    "query": "how a molecule relates to a query that it was laid over",
    "score": "what the graph-conditioned model makes of the coordinates",
    "conformer": "a conformer among the others of its molecule",
    "protein": "how a molecule lies in a protein",
    "provenance": "how a record was made",
}

COMMANDS = ("generate", "conformers", "rank", "score")
"""Commands whose records are described here."""

SHAPE = "Grant, Gallardo and Pickup, J. Comput. Chem. 17, 1653 (1996)"

_OF_CONFORMERS = ("conformers",)
_GENERATED = ("generate",)


class Property(NamedTuple):
    """A property.

    Attributes:
        unit: of the number, "" if it has none.
        meaning: in a few words.
        kind: of the value.
        origin: what it tells of.
        records: commands whose records carry it, where it applies.
        filters: commands whose ``--filter`` knows it.
        source: a paper, "" where the meaning says all.
    """

    unit: str
    meaning: str
    kind: Kind
    origin: Origin
    records: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    source: str = ""


def _graph(unit: str, meaning: str, source: str = "", records: tuple[str, ...] = ()) -> Property:
    return Property(unit, meaning, "number", "graph", records, ("generate", "conformers"), source)


def _estimated(unit: str, meaning: str) -> Property:
    source = "B3LYP/6-31G(2df,p): Ramakrishnan et al., Sci. Data 1, 140022 (2014)"
    return Property(unit, meaning, "number", "geometry", _GENERATED, source=source)


def _lead(unit: str, meaning: str) -> Property:
    return Property(unit, meaning, "number", "lead", _GENERATED, _GENERATED)


def _query(meaning: str, source: str = "") -> Property:
    return Property("", meaning, "number", "query", ("rank",), source=source)


def _score(unit: str, meaning: str) -> Property:
    return Property(unit, meaning, "number", "score", ("score", "generate"), _GENERATED)


def _conformer(unit: str, meaning: str, kind: Kind = "number") -> Property:
    return Property(unit, meaning, kind, "conformer", _OF_CONFORMERS, _OF_CONFORMERS)


def _protein(unit: str, meaning: str, kind: Kind = "number") -> Property:
    return Property(unit, meaning, kind, "protein", ("score", "generate", "conformers"))


def _pocket(meaning: str) -> Property:
    return Property("kcal/mol", meaning, "number", "protein", ("generate", "conformers"))


def _made(meaning: str, kind: Kind = "text", records: tuple[str, ...] = ("generate", "conformers", "rank")) -> Property:
    return Property("", meaning, kind, "provenance", records)


PROPERTIES: dict[str, Property] = {
    "qed": _graph("", "drug-likeness, 0 to 1", "Bickerton et al., Nature Chemistry 4, 90 (2012)", _GENERATED),
    "sa": _graph(
        "",
        "synthetic accessibility, 1 (easy) to 10 (hard)",
        "Ertl and Schuffenhauer, J. Cheminformatics 1, 8 (2009)",
        _GENERATED,
    ),
    "logp": _graph("", "logP", "Wildman and Crippen, J. Chem. Inf. Comput. Sci. 39, 868 (1999)", records=_GENERATED),
    "mw": _graph("g/mol", "molar mass", records=_GENERATED),
    "tpsa": _graph(
        "Å²", "topological polar surface area", "Ertl et al., J. Med. Chem. 43, 3714 (2000)", records=_GENERATED
    ),
    "hbd": _graph("", "donors of hydrogen bonds", records=_GENERATED),
    "hba": _graph("", "acceptors of hydrogen bonds", records=_GENERATED),
    "rotatable": _graph("", "rotatable bonds", records=_GENERATED),
    "rings": _graph("", "rings", records=_GENERATED),
    "aromatic_rings": _graph("", "aromatic rings", records=_GENERATED),
    "heavy": _graph("", "heavy atoms"),
    "fsp3": _graph("", "share of carbons that are sp3", records=_GENERATED),
    "stereocentres": _graph("", "tetrahedral stereocentres, specified or not"),
    "charge": _graph("", "formal charge"),
    "mu": _estimated("D", "dipole moment, as the guide of qm9 estimates it"),
    "alpha": _estimated("Bohr³", "isotropic polarisability, as the guide of qm9 estimates it"),
    "gap": _estimated("eV", "gap between HOMO and LUMO, as the guide of qm9 estimates it"),
    "alerts": Property(
        "",
        "structural alerts: entries of PAINS and of Brenk's list",
        "words",
        "graph",
        _GENERATED,
        ("generate", "conformers"),
        "Baell and Holloway, J. Med. Chem. 53, 2719 (2010); Brenk et al., ChemMedChem 3, 435 (2008)",
    ),
    "unusual": Property(
        "",
        "rare or unstable patterns; high_sa, and of a generated molecule high_strain",
        "words",
        "geometry",
        _GENERATED,
        ("generate", "conformers"),
    ),
    "strain_kcal_per_mol": Property(
        "kcal/mol",
        "MMFF94s energy above the nearest minimum",
        "number",
        "geometry",
        _GENERATED,
        _GENERATED,
        "Halgren, J. Comput. Chem. 20, 720 (1999)",
    ),
    "relaxed_with": Property("", "mmff, xtb, or nothing and why", "text", "relaxation", _GENERATED, _GENERATED),
    "energy_before_kcal_per_mol": Property(
        "kcal/mol", "energy of the sample", "number", "relaxation", _GENERATED, _GENERATED
    ),
    "energy_after_kcal_per_mol": Property(
        "kcal/mol", "energy of what was made of it", "number", "relaxation", _GENERATED, _GENERATED
    ),
    "kept_atoms": Property("", "atoms that were given, numbers from 0 on", "text", "lead", ("generate", "conformers")),
    "kept_displacement_angstrom": Property(
        "Å",
        "how far the farthest of them lies from where it was given",
        "number",
        "lead",
        ("generate", "conformers"),
        _GENERATED,
    ),
    "near_similarity": _lead("", "Tanimoto similarity to the lead of Morgan fingerprints, radius 2, 2048 bits"),
    "near_shape_similarity": _lead("", "Tanimoto similarity to the lead of volumes, as they lie"),
    "like_shape": _lead("", "Tanimoto similarity to the query of volumes, laid over one another"),
    "like_color": _lead("", "the same of features: donors, acceptors, rings, hydrophobes, charges"),
    "like_similarity": _lead("", "Tanimoto similarity to the query of Morgan fingerprints, radius 2, 2048 bits"),
    "shape_tanimoto": _query("Tanimoto similarity to the query of volumes, laid over one another", SHAPE),
    "color_tanimoto": _query("the same of features: donors, acceptors, rings, hydrophobes, charges", SHAPE),
    "combo": _query("sum of both, 0 to 2"),
    "log_likelihood_nats_per_atom": _score("nats/atom", "log-likelihood of the coordinates, given the graph"),
    "log_likelihood_standard_error_nats_per_atom": _score("nats/atom", "standard error of that estimate"),
    "score_norm_per_angstrom": _score("1/Å", "norm of the score; small where the geometry is relaxed"),
    "score_uncertainty_per_angstrom": _score("1/Å", "epistemic uncertainty of the score"),
    "position_uncertainty_angstrom": _score("Å", "epistemic uncertainty of the positions"),
    "atom.dprop.position_uncertainty_angstrom": Property(
        "Å", "the same of each atom, in their order", "text", "score", ("score", "generate")
    ),
    "not_scored": Property("", "why there is no score", "text", "score", ("score", "generate")),
    "rank": _conformer("", "place in the order of energy, from 1"),
    "ranked_by": _conformer("", "mmff94s, gfn2-xtb, pocket, or none: then the rank is the order of making", "text"),
    "energy_kcal_per_mol": _conformer("kcal/mol", "energy by that method"),
    "relative_energy_kcal_per_mol": _conformer("kcal/mol", "energy above the best conformer"),
    "rmsd_to_best_angstrom": _conformer("Å", "RMSD of heavy atoms to the best conformer, symmetries considered"),
    "method": _conformer("", "score (the model) or etkdg (ETKDGv3)", "text"),
    "relaxation": _conformer("", "what was relaxed, and in which force field", "text"),
    "relaxation_reason": _conformer("", "why it was not relaxed as asked for", "text"),
    "fallback_reason": Property("", "why ETKDGv3 made it", "text", "conformer", _OF_CONFORMERS),
    "stereo_not_held": _conformer("", "stereo of the input that the conformer need not have", "words"),
    "protein_clashes": _protein("", "pairs of heavy atoms that are too close"),
    "protein_closest_ratio": _protein("", "smallest distance to it, in units of the sum of the radii"),
    "protein_overlap_percent": _protein("%", "share of the ligand's volume inside the protein"),
    "ligand_buried_percent": _protein("%", "share of the ligand's surface that the protein covers"),
    "protein_contacts": _protein("", "heavy atoms of the ligand that touch it"),
    "protein_residues": _protein("", "residues that are touched", "text"),
    "pocket_energy_kcal_per_mol": _pocket("sum of the energies that guided it in a pocket"),
    "pocket_sterics_kcal_per_mol": _pocket("overlap with atoms of the pocket"),
    "pocket_hydrogen_bonds_kcal_per_mol": _pocket("hydrogen bonds with the pocket"),
    "pocket_hydrophobic_kcal_per_mol": _pocket("contact of bare carbon with bare carbon"),
    "pocket_electrostatics_kcal_per_mol": _pocket("charges among those of the pocket"),
    "pocket_burial_kcal_per_mol": _pocket("contact with the pocket, less what lies outside"),
    "SMILES": _made("isomeric SMILES"),
    "isomer": _made("which of the enumerated isomers; sampled: one was chosen by the seed", records=_OF_CONFORMERS),
    "removed_fragments": _made("fragments of the input that were left out", records=_OF_CONFORMERS),
    "molscore_version": _made("version of this program"),
    "molscore_model": _made("name or file of the model"),
    "molscore_weights": _made("first digits of the SHA-256 of its weights", records=_GENERATED),
    "molscore_seed": _made("seed of the run", "number"),
    "molscore_index": _made("number of the attempt, or of the input record", "number"),
    "molscore_options": _made("options that decide on the result, where they are not the default"),
}
"""By name, in the order in which they are listed."""


def filterable(command: str) -> dict[str, Property]:
    """The properties that the filter of a command knows."""
    return {name: entry for name, entry in PROPERTIES.items() if command in entry.filters}
