"""The options of a generation, beside the number of molecules and the seed."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

import numpy as np
from rdkit import Chem

from molscore.chem.checks.conditions import check_computed, check_raw
from molscore.chem.checks.filters import MoleculeFilter, Predicate, SmartsLists
from molscore.chem.checks.smarts import smarts_texts
from molscore.chem.checks.validity import Check
from molscore.chem.forcefield.relax import check_method
from molscore.chem.parts import KeptPart
from molscore.chem.pocket.receptor import Pocket, check_pocket, given_pocket
from molscore.chem.shape import ShapeQuery
from molscore.chem.targets import Target, Targets, read_targets
from molscore.chem.wishes import Source, check_wishes, keep, kept_texts, neighboured, read, symbols
from molscore.generate.liking import Likeness
from molscore.guidance.pocket.wish import PocketWish
from molscore.guidance.soft import Wish
from molscore.limits import check, check_flags, check_word, shown
from molscore.reprs import changes_repr

WISHES = ("scaffold", "attach", "link", "anchors", "replace", "lead", "near", "like", "noise", "elements", "atoms")

HELD = 0.3
"""Share of a pocket's energy that guides where a kept part has its pose: what is made cannot turn away, and gives in by
its elements and bond lengths. With all of it 7 of 24 samples passed all checks, with this share 11."""


@dataclass(frozen=True)
class GenerationOptions:
    """Choices of `MoleculeGenerator.generate`.

    Attributes:
        steps: steps from noise to molecule, one network evaluation each, two with ``pc`` and ``ode``; None takes the
            model's own.
        sampler: ``dpm``, ``em``, ``pc`` or ``ode``, see `molscore.core.samplers`.
        atoms: of a molecule, their number, or the fewest and the most, as the model counts them: heavy atoms if it
            implies hydrogens. None follows the sizes of the training data; so does what lies within the bounds.
        batch_size: molecules per network call; None chooses by device.
        scaffold, attach, link, anchors, replace, lead: what is kept while the rest is made, see
            `molscore.chem.wishes.keep`; ``atoms`` are then those of the part that is made.
        near: a molecule in 3-D, or a file of one, whose neighbours are made.
        noise: how far they may go, from 0, the molecule itself, to 1, any of its size; with ``like``, how far atoms
            start from the query's, while the graph is free.
        like: a molecule in 3-D, or a file of one, whose shape is wanted, see `molscore.generate.liking`.
        features: let its donors, acceptors, rings, hydrophobes and charges count too.
        elements: symbols of the elements of what is made, ``"C,N"`` or ``("C", "N")``; None is all of the model.
        pocket: file of a protein, in one of whose pockets molecules are made, in its frame; or the pocket itself, of
            `molscore.chem.pocket.receptor.read_pocket`.
        site: where that is, see `molscore.chem.pocket.site.read_site`.
        raw: deliver the first ``n`` samples as they are: nothing repaired, relaxed or rejected but what no mol block
            can hold.
        relax: ``none``, ``mmff`` or ``xtb``: let what passed relax, see `molscore.chem.forcefield.relax`.
        filter: a condition such as ``qed > 0.5 and alerts == 0``, see `molscore.chem.checks.conditions`, or a function
            of a molecule with the properties of its record; what fails it, or is False to the function, is rejected.
            Several workers take functions of modules alone, no lambdas.
        must_match, must_not_match: SMARTS, or files of them, see `molscore.chem.checks.smarts`: what does not match one
            of each, or matches any, is rejected.
        uncertainty: let the graph-conditioned model score what passed, see `molscore.score`.
        targets: properties that molecules are guided to, such as ``{"logp": 2.5, "tpsa": (60, 90), "qed": "max"}``, see
            `molscore.chem.targets`; what misses one by more than its tolerance is rejected.
        wishes: energies that guide samples, see `molscore.guidance.soft.Wish`; lower is better. Several workers take
            functions of modules, or objects that can be pickled.
        guidance: strength of their guidance, 1 takes them as they are; 0 does not guide, and leaves particles.
        particles: attempts that go side by side in groups of so many, of one size; those that meet the wishes worst
            give way to copies of better ones. 1 is none.
        checks: further ones, after those of `molscore.chem.checks.validity.CHECKS`; what has a fault is rejected.

    Raises:
        ValueError: for ``steps``, ``batch_size`` or ``atoms`` out of bounds, an unknown sampler or method, a filter
            that is not understood or asks for what is not computed, what is no SMARTS, or ``raw`` together with a
            choice that it leaves no room for.
    """

    steps: int | None = None
    sampler: str = "dpm"
    atoms: int | tuple[int, int] | None = None
    batch_size: int | None = None
    raw: bool = False
    relax: str = "none"
    filter: str | Predicate | None = None
    must_match: SmartsLists = ()
    must_not_match: SmartsLists = ()
    uncertainty: bool = False
    targets: Targets = ()
    wishes: tuple[Wish, ...] = ()
    guidance: float = 1.0
    particles: int = 1
    checks: tuple[Check, ...] = ()
    scaffold: Source | None = None
    attach: tuple[int, ...] | None = None
    link: Source | None = None
    anchors: tuple[int, ...] | None = None
    replace: str | None = None
    lead: Source | None = None
    near: Source | None = None
    noise: float | None = None
    elements: str | tuple[str, ...] | None = None
    like: Source | None = None
    features: bool = False
    pocket: str | os.PathLike[str] | Pocket | None = None
    site: str | os.PathLike[str] | Chem.Mol | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "guidance", "particles"):
            if (value := getattr(self, name)) is not None:
                check(name, value)
        check_flags(self)
        if self.elements is not None:
            object.__setattr__(self, "elements", symbols(self.elements))
        _ = self.bounds
        check_word("sampler", self.sampler)
        check_method(self.relax)
        object.__setattr__(self, "targets", read_targets(self.targets))
        for name in ("must_match", "must_not_match"):  # files are read once: a run must not change with them
            object.__setattr__(self, name, smarts_texts(getattr(self, name)))
        check_raw(self.raw, not self.wanted.empty, self.relax != "none", self.checks)
        check_computed(self.wanted.names, self.relax, self.uncertainty)
        chosen = {name: value for name in WISHES if (value := getattr(self, name)) is not None}
        check_wishes(chosen | ({"features": True} if self.features else {}))
        if self.noise is not None:
            check("noise", self.noise)
        for name in ("scaffold", "link", "lead", "near", "like"):
            object.__setattr__(self, name, read(getattr(self, name), name))
        _ = self.part, self.query, self.liking
        check_pocket(self.pocket, self.site, self.relax)
        object.__setattr__(self, "pocket", given_pocket(self.pocket, self.site))
        if self.particles > 1 and not (self.energies or self.targets):
            raise ValueError("particles follow wishes: name some, or leave particles out")
        if self.batch_size is not None and self.batch_size % self.particles:
            raise ValueError(f"batch_size {self.batch_size} must be whole groups of {self.particles} particles")

    __repr__ = changes_repr

    @property
    def around(self) -> Pocket | None:
        """The pocket in which molecules are made."""
        return self.pocket if isinstance(self.pocket, Pocket) else None

    @property
    def placed(self) -> bool:
        """Whether molecules have to find their pose in the pocket: nothing that is given has one."""
        framed = self.part or self.query
        posed = self.liking is not None or (framed is not None and framed.posed)
        return self.around is not None and not posed

    @cached_property
    def wanted(self) -> MoleculeFilter:
        """What the options ask to keep."""
        return MoleculeFilter(self.filter, self.must_match, self.must_not_match)

    @cached_property
    def part(self) -> KeptPart | None:
        """What is kept."""
        return keep(self.scaffold, self.attach, self.link, self.anchors, self.replace, self.lead)

    @cached_property
    def query(self) -> KeptPart | None:
        """The molecule whose neighbours are made."""
        return None if self.near is None else neighboured(self.near)

    @cached_property
    def liking(self) -> Likeness | None:
        """The molecule whose shape is wanted."""
        return None if self.like is None else Likeness(ShapeQuery(self.like, self.features))

    @property
    def energies(self) -> tuple[Wish, ...]:
        """All that guides: wishes, the likeness to a query, the pocket."""
        pocket = () if self._pocket_wish is None else (self._pocket_wish,)
        return self.wishes + (() if self.liking is None else self.liking.wishes) + pocket

    @cached_property
    def _pocket_wish(self) -> PocketWish | None:
        return None if self.around is None else PocketWish(self.around, 1.0 if self.placed else HELD)

    @property
    def aims(self) -> tuple[Target, ...]:
        """The targets, as read."""
        return read_targets(self.targets)

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The fewest and the most atoms."""
        return None if self.atoms is None else atom_bounds(self.atoms)

    @property
    def frame(self) -> np.ndarray:
        """``(3,)`` Å: where the origin of samples lies, with what is kept, neared or liked where it was given."""
        framed = self.part or self.query
        if framed is None or not framed.posed:
            framed = None if self.liking is None else self.liking.query.heavy
        return np.zeros(3) if framed is None else framed.origin

    @property
    def plain(self) -> bool:
        """Whether molecules are made from noise alone: nothing is given or guides, and the sampler is the model's."""
        given = self.part or self.query or self.around or self.energies or self.targets
        return not given and self.particles == 1 and self.sampler == "dpm"

    @property
    def charge(self) -> int:
        """The net charge of what is made: that of what is kept, or of the molecule that is neared."""
        held = self.part or self.query
        return 0 if held is None else held.charge

    def manifest(self) -> dict[str, object]:
        """For a manifest: the options that decide on the result, where they are not the default."""
        manifest: dict[str, object] = {"steps": self.steps, "sampler": self.sampler}
        manifest |= {"atoms": list(self.bounds)} if self.bounds else {}
        manifest |= {"relax": self.relax} if self.relax != "none" else {}
        manifest |= self.wanted.texts()
        manifest |= kept_texts(self.part, self.query, None if self.liking is None else self.liking.query.heavy)
        manifest |= {"features": True} if self.features else {}
        manifest |= {"noise": self.noise} if self.noise is not None else {}
        manifest |= {"elements": list(self.elements)} if self.elements else {}
        for name in ("checks", "wishes"):
            names = [getattr(function, "__name__", repr(function)) for function in getattr(self, name)]
            manifest |= {name: names} if names else {}
        manifest |= {"targets": [target.text for target in self.aims]} if self.targets else {}
        if self.around is not None:
            manifest |= {"pocket": self.around.name, "site": self.around.site.text}
        if self.energies or self.targets:
            manifest |= {"guidance": self.guidance, "particles": self.particles}
        return manifest | {name: True for name in ("raw", "uncertainty") if getattr(self, name)}

    def text(self) -> str:
        """The same in a line."""
        return "; ".join(f"{name} {value}" for name, value in self.manifest().items())


class GenerationArguments(TypedDict, total=False):
    """`GenerationOptions` as the keyword arguments of `MoleculeGenerator.generate`."""

    steps: int | None
    sampler: str
    atoms: int | tuple[int, int] | None
    batch_size: int | None
    raw: bool
    relax: str
    filter: str | Predicate | None
    must_match: SmartsLists
    must_not_match: SmartsLists
    uncertainty: bool
    targets: Targets
    wishes: tuple[Wish, ...]
    guidance: float
    particles: int
    checks: tuple[Check, ...]
    scaffold: Source | None
    attach: tuple[int, ...] | None
    link: Source | None
    anchors: tuple[int, ...] | None
    replace: str | None
    lead: Source | None
    near: Source | None
    noise: float | None
    elements: str | tuple[str, ...] | None
    like: Source | None
    features: bool
    pocket: str | os.PathLike[str] | Pocket | None
    site: str | os.PathLike[str] | Chem.Mol | None


def atom_bounds(atoms: object) -> tuple[int, int]:
    """The fewest and the most atoms of a molecule, of a number or two; raises ValueError for what is neither."""
    bounds = tuple(atoms) if isinstance(atoms, (tuple, list)) else (atoms, atoms)
    if len(bounds) != 2 or isinstance(atoms, str):
        raise ValueError(f"atoms must be a number, or the fewest and the most such as (20, 30), not {shown(atoms)}")
    for bound in bounds:
        check("atoms", bound)
    if bounds[0] > bounds[1]:
        raise ValueError(f"atoms {bounds} run backwards")
    return int(bounds[0]), int(bounds[1])
