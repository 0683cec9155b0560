"""From a sample to a molecule, checked and with its properties.

Decode (`molscore.chem.decode`), add implied hydrogens, check (`molscore.chem.checks.validity`), relax and filter where
asked for, tag. The first step that fails is the reason for which a sample is rejected.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays, MoleculeError, isomeric_smiles, to_mol
from molscore.chem.checks.alerts import alerts, extreme, unusual
from molscore.chem.checks.catalogue import PROPERTIES
from molscore.chem.checks.descriptors import DESCRIPTORS, describe
from molscore.chem.checks.validity import CHECKS, Fault, check, sound_beside, sound_geometry
from molscore.chem.decode import decode
from molscore.chem.forcefield.relax import relax
from molscore.chem.forcefield.strain import relaxation_energy
from molscore.chem.hydrogens import complete
from molscore.chem.properties import set_properties
from molscore.chem.wishes import allowed_classes
from molscore.generate.completion import kept_tags, likeness, of_classes, other_element, shift_in_place, with_part
from molscore.generate.estimates import Estimate
from molscore.generate.options import GenerationOptions
from molscore.guidance.pocket.inside import settled
from molscore.model import MoleculeDiffusion, Sample


@dataclass(frozen=True)
class Attempt:
    """One sample, judged.

    Attributes:
        index: number of the attempt.
        mol: the molecule, with explicit hydrogens and one conformer; None if nothing could be built.
        fault: why it was rejected; None if it passed.
        repaired: whether decoding had to depart from the most probable classes to satisfy valence and connectivity.
        properties: tags and energies of what passed, see `tags`.
        smiles: isomeric SMILES of what passed.
    """

    index: int
    mol: Chem.Mol | None
    fault: Fault | None
    repaired: bool
    properties: dict[str, float | str] = field(default_factory=dict)
    smiles: str | None = None

    def __repr__(self) -> str:
        return f"Attempt({self.index}, {'passed' if self.fault is None else f'rejected: {self.fault.token}'})"

    @property
    def reason(self) -> str | None:
        """Token of the fault; None if it passed."""
        return None if self.fault is None else self.fault.token

    @property
    def detail(self) -> str | None:
        """Sentence on the fault; None if it passed."""
        return None if self.fault is None else self.fault.detail

    @property
    def built(self) -> Chem.Mol:
        """The molecule, where there is one, as of every attempt that passed."""
        assert self.mol is not None, self.fault
        return self.mol


class Judge:
    """Judges the samples of a model.

    Args:
        model: whose vocabulary it is.
        options: raw, relax, filter, SMARTS, checks.
        estimate: of properties with a target that RDKit cannot say, see `molscore.generate.estimates`.

    Attributes:
        waits: whether the filter has to wait for scores: then `filtered` is to be called with them.
    """

    def __init__(self, model: MoleculeDiffusion, options: GenerationOptions, estimate: Estimate | None = None):
        self.estimate = estimate
        self.vocabulary, self.implied = model.vocabulary, model.implied_hydrogens
        self.raw, self.method = options.raw, options.relax
        self.part, self.query, self.charge = options.part, options.query, options.charge
        self.frame, part, self.liking = options.frame, options.part, options.liking
        self.pocket = options.around
        self.elements, self.allowed = options.elements, None
        if options.elements is not None:
            self.allowed = np.array(allowed_classes(options.elements, model.vocabulary, "the model"), dtype=float)
        geometry = sound_geometry if part is None or not part.posed else sound_beside(len(part))
        self.checks = (*(geometry if find is sound_geometry else find for find in CHECKS), *options.checks)
        self.filter, self.targets = options.wanted, options.aims
        scored = any(PROPERTIES[name].origin == "score" for name in self.filter.names)
        self.waits = scored or (options.uncertainty and self.filter.keep is not None)

    def __call__(self, index: int, sample: Sample) -> Attempt:
        """Attempt ``index``, checked, but not for duplicates."""
        part, charge, repaired = self.part, self.charge, False
        kept_atoms = 0 if part is None else len(part)
        sample = sample if self.allowed is None else of_classes(sample, self.allowed, kept_atoms)
        sample = sample if part is None else with_part(sample, part, self.vocabulary)
        parts = sample.atom_probabilities, sample.bond_probabilities, sample.positions, self.vocabulary
        try:
            arrays = plain = decode(*parts, repair=False)
            if not self.raw:
                arrays = decode(*parts, repair=True, charge=charge, implied=self.implied)
                repaired = not _same_graph(arrays, plain)
            build = complete if self.implied else to_mol
            mol = build(arrays, sanitize=not self.raw)
        except MoleculeError as error:
            return Attempt(index, None, Fault(error.reason, error.detail), repaired)
        if self.raw:
            kept = {} if part is None else kept_tags(mol, part)
            shift_in_place(mol, self.frame)
            return Attempt(index, _numbered(mol, index), None, repaired, kept, isomeric_smiles(mol))
        fault, properties = check(mol, charge, self.checks), dict[str, Any]()
        if fault is None and part is not None and (detail := part.fault(arrays)):
            fault = Fault("kept_part", detail)
        made = arrays.atomic_numbers[kept_atoms:]
        if fault is None and self.elements and (detail := other_element(made, self.elements)):
            fault = Fault("filter", detail)
        if fault is None and (detail := self.filter.graph(mol)):
            fault = Fault("filter", detail)
        if fault is None and self.targets:
            reached = self._reached(mol)
            properties |= {name: round(value, 3) for name, value in reached.items()}
            if misses := [miss for target in self.targets if (miss := target.miss(reached[target.name]))]:
                fault = Fault("target", "; ".join(misses))
        if fault is None and self.pocket is not None:
            shift_in_place(mol, self.frame)
            mol, fault, more = settled(mol, self.pocket, range(len(part)) if part and part.posed else ())
            shift_in_place(mol, -self.frame)
            fault, properties = fault or check(mol, charge, self.checks), properties | more
        if fault is None:
            relaxation = relax(mol, self.method, fixed=range(len(part)) if part is not None and part.posed else ())
            mol = relaxation.mol
            if self.method != "none":
                reason = relaxation.reason
                properties |= {
                    "relaxed_with": self.method if reason is None else f"nothing: {reason}",
                    "energy_before_kcal_per_mol": relaxation.before,
                    "energy_after_kcal_per_mol": relaxation.after,
                }
            at_minimum = self.method == "mmff" and relaxation.reason is None
            properties |= tags(mol, 0.0 if at_minimum and part is None else None)
            if part is not None:
                properties |= kept_tags(mol, part)
            if self.query is not None:
                properties |= likeness(mol, self.query)
        shift_in_place(mol, self.frame)
        if fault is None and self.liking is not None:
            aligned, alike = self.liking.laid_over(mol)
            mol, properties = aligned if part is None else mol, properties | alike
        properties = {name: value for name, value in properties.items() if value is not None}
        smiles = isomeric_smiles(mol) if fault is None else None
        attempt = Attempt(index, _numbered(mol, index), fault, repaired, properties, smiles)
        return attempt if self.waits else self.filtered(attempt)

    def filtered(self, attempt: Attempt) -> Attempt:
        """The attempt, rejected if the filter refuses what is computed of it beside the graph."""
        if attempt.fault is not None or not (detail := self.filter.rest(attempt.built, attempt.properties)):
            return attempt
        return replace(attempt, fault=Fault("filter", detail), smiles=None)

    def _reached(self, mol: Chem.Mol) -> dict[str, float]:
        """The properties that have a target: by RDKit, or estimated."""
        names = [target.name for target in self.targets]
        computed = describe(mol, tuple(name for name in names if name in DESCRIPTORS))
        return computed if self.estimate is None else computed | self.estimate(mol)


def tags(mol: Chem.Mol, strain: float | None = None) -> dict[str, Any]:
    """The tags in the record of a molecule that passed.

    Args:
        mol: the molecule.
        strain: its MMFF94s relaxation energy in kcal/mol, if it is known; at a minimum it is 0.

    Returns:
        ``strain_kcal_per_mol``, the MMFF94s relaxation energy, None if there is none; ``qed``; ``sa``; and where
        there are any, what is ``unusual`` (patterns, ``high_strain``, ``high_sa``) and catalogue ``alerts``, joined by
        "; ".
    """
    descriptors = describe(mol, ("qed", "sa"))
    strain = relaxation_energy(mol).energy if strain is None else strain
    values = {
        "strain_kcal_per_mol": None if strain is None else round(strain, 2),
        "qed": round(descriptors["qed"], 3),
        "sa": round(descriptors["sa"], 2),
    }
    named = {"unusual": unusual(mol) + extreme(strain, descriptors["sa"]), "alerts": alerts(mol)}
    return values | {name: "; ".join(words) for name, words in named.items() if words}


def _numbered(mol: Chem.Mol, index: int) -> Chem.Mol:
    set_properties(mol, {"molscore_index": index})
    return mol


def _same_graph(a: MoleculeArrays, b: MoleculeArrays) -> bool:
    return (
        np.array_equal(a.atomic_numbers, b.atomic_numbers)
        and np.array_equal(a.formal_charges, b.formal_charges)
        and np.array_equal(a.bonds, b.bonds)
        and np.array_equal(a.bond_orders, b.bond_orders)
    )
