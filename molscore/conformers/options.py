"""The options of making conformers, beside their number and the seed."""

import os
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TypedDict

from rdkit import Chem

from molscore.chem.checks.filters import MoleculeFilter, Predicate, SmartsLists
from molscore.chem.checks.smarts import smarts_texts
from molscore.chem.forcefield import minimise
from molscore.chem.lead_core import LeadCore, lead_core
from molscore.chem.pocket.receptor import Pocket, check_pocket, given_pocket
from molscore.chem.wishes import Source, check_keep, molecule, read
from molscore.guidance.pocket.maps import PocketMaps
from molscore.limits import check, check_flags, check_word
from molscore.reprs import changes_repr


@dataclass(frozen=True)
class ConformerOptions:
    """Choices of `ConformerGenerator.generate`.

    Attributes:
        relax: ``torsions``: bonds and angles settle in MMFF94s, torsions hardly change; ``none``: heavy atoms stay
            where the model put them; ``mmff`` or ``xtb``: to the nearest minimum of MMFF94s, or of GFN2-xTB.
        energy: ``mmff`` or ``xtb``, by which conformers are ranked; None: that of the relaxation, else ``mmff``.
        window: kcal/mol above the best beyond which conformers are left out; None keeps all.
        rmsd: Å between heavy atoms, symmetries of the graph considered, below which two conformers count as the same
            and that of higher energy is left out; None and 0 keep all.
        stereo: what to do where stereo is left open: ``sample`` one isomer, or ``enumerate`` them.
        max_isomers: how many to enumerate at most.
        fragments: ``largest`` or ``refuse``, see `molscore.chem.prepare.whole`.
        fallback: let ETKDGv3 serve what the model cannot.
        method: ``score``, or ``etkdg`` to leave the model out.
        seconds: of a molecule, all its isomers together, after which no further conformer is begun; None is no limit.
            If ETKDGv3 may take over, a part of them is kept for it.
        oversampling: geometries that the model proposes for each conformer that is kept.
        steps: evaluations of the network for a geometry; None takes the model's.
        fill: where there are fewer distinct conformers than asked for, repeat some up to that number.
        filter: a condition such as ``mw < 500 and relative_energy_kcal_per_mol < 5 and input.pIC50 > 7``, see
            `molscore.chem.checks.conditions`, or a function of a molecule with one conformer and the properties of its
            record; molecules and conformers that fail it are left out. Several workers take functions of modules alone,
            no lambdas.
        must_match, must_not_match: SMARTS, or files of them, see `molscore.chem.checks.smarts`: molecules that do not
            match one of each, or match any, are left out.
        keep: SMARTS of a core that is held at the pose it has in `lead`, see `molscore.chem.lead_core`.
        lead: a molecule in 3-D, or a file of one.
        pocket: file of a protein, in one of whose pockets molecules are laid, or the pocket itself, of
            `molscore.chem.pocket.receptor.read_pocket`; see `molscore.conformers.posing`. Poses are in its frame, and
            ranked by its energy; those within 1 Å of a better one are left out, unless `rmsd` is larger, or 0.
        site: where that is, see `molscore.chem.pocket.site.read_site`.

    Raises:
        ValueError: for a value out of range, a method that is not installed, a filter that is not understood, what is
            no SMARTS, a lead whose core cannot be held, or a site without room.
    """

    relax: str = "torsions"
    energy: str | None = None
    window: float | None = None
    rmsd: float | None = 0.1
    stereo: str = "sample"
    max_isomers: int = 32
    fragments: str = "largest"
    fallback: bool = True
    method: str = "score"
    seconds: float | None = None
    oversampling: float = 1.3
    steps: int | None = None
    fill: bool = False
    filter: str | Predicate | None = None
    must_match: SmartsLists = ()
    must_not_match: SmartsLists = ()
    keep: str | None = None
    lead: Source | None = None
    pocket: str | os.PathLike[str] | Pocket | None = None
    site: str | os.PathLike[str] | Chem.Mol | None = None

    def __post_init__(self) -> None:
        for name in ("relax", "energy", "stereo", "fragments", "method"):
            if name != "energy" or self.energy is not None:
                check_word(name, getattr(self, name))
        for name in ("window", "rmsd", "max_isomers", "seconds", "oversampling", "steps"):
            if (value := getattr(self, name)) is not None:
                check(name, value)
        check_flags(self)
        for method in {self.relax, self.ranking} & set(minimise.METHODS):
            minimise.check_method(method)
        for name in ("must_match", "must_not_match"):  # read once: a run must not change with a file
            object.__setattr__(self, name, smarts_texts(getattr(self, name)))
        check_keep(self.keep, self.lead)
        object.__setattr__(self, "lead", read(self.lead, "lead"))
        check_pocket(self.pocket, self.site, "none" if self.relax == "torsions" else self.relax, self.energy)
        object.__setattr__(self, "pocket", given_pocket(self.pocket, self.site))
        _ = self.wanted, self.core  # what is not understood is refused here

    __repr__ = changes_repr

    @property
    def around(self) -> Pocket | None:
        """The pocket in which molecules are laid."""
        return self.pocket if isinstance(self.pocket, Pocket) else None

    @cached_property
    def maps(self) -> PocketMaps | None:
        """Its energies."""
        return None if self.around is None else PocketMaps(self.around)

    @cached_property
    def wanted(self) -> MoleculeFilter:
        """What the options ask to keep."""
        return MoleculeFilter(self.filter, self.must_match, self.must_not_match, "conformers")

    @cached_property
    def core(self) -> LeadCore | None:
        """What is held."""
        return None if self.keep is None or self.lead is None else lead_core(self.keep, molecule(self.lead, "lead"))

    @property
    def ranking(self) -> str:
        """The method whose energy ranks conformers."""
        return self.energy or ("xtb" if self.relax == "xtb" else "mmff")

    def text(self, n: int | None = None) -> str:
        """The choices that decide on the result, where they are not the default, in a line; ``n`` before them."""
        texts = self.wanted.texts() | ({} if self.core is None else {"lead": str(self.core)})
        texts |= {} if self.around is None else {"pocket": self.around.name, "site": self.around.site.text}
        values = [(option, texts.get(option.name, getattr(self, option.name))) for option in fields(self)]
        words = [] if n is None else [f"n {n}"]
        return "; ".join(words + [f"{option.name} {value}" for option, value in values if value != option.default])


class ConformerArguments(TypedDict, total=False):
    """`ConformerOptions` as the keyword arguments of `ConformerGenerator.generate`."""

    relax: str
    energy: str | None
    window: float | None
    rmsd: float | None
    stereo: str
    max_isomers: int
    fragments: str
    fallback: bool
    method: str
    seconds: float | None
    oversampling: float
    steps: int | None
    fill: bool
    filter: str | Predicate | None
    must_match: SmartsLists
    must_not_match: SmartsLists
    keep: str | None
    lead: Source | None
    pocket: str | os.PathLike[str] | Pocket | None
    site: str | os.PathLike[str] | Chem.Mol | None
