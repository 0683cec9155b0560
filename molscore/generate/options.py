"""The options of a generation, beside the number of molecules and the seed."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

from molscore.chem.checks.conditions import check_computed
from molscore.chem.checks.filters import MoleculeFilter, Predicate, SmartsLists
from molscore.chem.checks.smarts import smarts_texts
from molscore.chem.checks.validity import Check
from molscore.chem.forcefield.relax import check_method
from molscore.limits import check, check_flags, check_word, shown
from molscore.reprs import changes_repr


@dataclass(frozen=True)
class GenerationOptions:
    """Choices of `MoleculeGenerator.generate`.

    Attributes:
        steps: steps from noise to molecule, one network evaluation each, two with ``pc`` and ``ode``; None takes the
            model's own.
        sampler: ``dpm``, ``em``, ``pc`` or ``ode``, see `molscore.core.samplers`.
        atoms: fewest and most atoms of a molecule, as the model counts them: heavy atoms if it implies hydrogens. None
            follows the sizes of the training data; so does what lies within the bounds.
        batch_size: molecules per network call; None chooses by device.
        raw: deliver the first ``n`` samples as they are: nothing repaired, relaxed or rejected but what no mol block
            can hold.
        relax: ``none``, ``mmff`` or ``xtb``: let what passed relax, see `molscore.chem.forcefield.relax`.
        filter: a condition such as ``qed > 0.5 and alerts == 0``, see `molscore.chem.checks.conditions`, or a function
            of a molecule with the properties of its record; what fails it, or is False to the function, is rejected.
        must_match, must_not_match: SMARTS, or files of them, see `molscore.chem.checks.smarts`: what does not match one
            of each, or matches any, is rejected.
        uncertainty: let the graph-conditioned model score what passed, see `molscore.score`.
        checks: further ones, after those of `molscore.chem.checks.validity.CHECKS`; what has a fault is rejected.

    Raises:
        ValueError: for ``steps``, ``batch_size`` or ``atoms`` out of bounds, an unknown sampler or method, a filter
            that is not understood or asks for what is not computed, what is no SMARTS, or ``raw`` together with a
            choice that it leaves no room for.
    """

    steps: int | None = None
    sampler: str = "dpm"
    atoms: tuple[int, int] | None = None
    batch_size: int | None = None
    raw: bool = False
    relax: str = "none"
    filter: str | Predicate | None = None
    must_match: SmartsLists = ()
    must_not_match: SmartsLists = ()
    uncertainty: bool = False
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size"):
            if (value := getattr(self, name)) is not None:
                check(name, value)
        check_flags(self)
        if self.atoms is not None:
            check_atoms(self.atoms)
        check_word("sampler", self.sampler)
        check_method(self.relax)
        for name in ("must_match", "must_not_match"):  # read once: a run must not change with a file
            object.__setattr__(self, name, smarts_texts(getattr(self, name)))
        if self.raw and (not self.wanted.empty or self.relax != "none" or self.checks):
            raise ValueError("raw samples are not filtered, checked or relaxed: leave out raw, or what asks for that")
        check_computed(self.wanted.names, self.relax, self.uncertainty)

    __repr__ = changes_repr

    @cached_property
    def wanted(self) -> MoleculeFilter:
        """What the options ask to keep."""
        return MoleculeFilter(self.filter, self.must_match, self.must_not_match)

    def manifest(self) -> dict[str, object]:
        """For a manifest: the options that decide on the result, where they are not the default."""
        manifest: dict[str, object] = {"steps": self.steps, "sampler": self.sampler}
        manifest |= {"atoms": list(self.atoms)} if self.atoms else {}
        manifest |= {"relax": self.relax} if self.relax != "none" else {}
        manifest |= self.wanted.texts()
        names = [getattr(check, "__name__", repr(check)) for check in self.checks]
        manifest |= {"checks": names} if names else {}
        return manifest | {name: True for name in ("raw", "uncertainty") if getattr(self, name)}

    def text(self) -> str:
        """The same in a line."""
        return "; ".join(f"{name} {value}" for name, value in self.manifest().items())


class GenerationArguments(TypedDict, total=False):
    """`GenerationOptions` as the keyword arguments of `MoleculeGenerator.generate`."""

    steps: int | None
    sampler: str
    atoms: tuple[int, int] | None
    batch_size: int | None
    raw: bool
    relax: str
    filter: str | Predicate | None
    must_match: SmartsLists
    must_not_match: SmartsLists
    uncertainty: bool
    checks: tuple[Check, ...]


def check_atoms(bounds: tuple[int, int]) -> None:
    """Raises ValueError unless these are the fewest and the most atoms of a molecule."""
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise ValueError(f"atoms must be two numbers, the fewest and the most, not {shown(bounds)}")
    for bound in bounds:
        check("atoms", bound)
    if bounds[0] > bounds[1]:
        raise ValueError(f"atoms {bounds} run backwards")
