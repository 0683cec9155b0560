"""The verdict on one geometry: every length, angle and shape that no table and no calculation can defend.

1. Bonds and angles of metals and hypervalent atoms must be as the literature knows them; hindered biaryls are twisted.
   Other bonds and angles whose environment has a range must lie in it, shapes within their limits; what does not is
   implausible too, unless GFN2-xTB keeps it: started from the delivered geometry it ends within `KEPT`. Strain is real.
2. A bond or an angle without a range is judged by GFN2-xTB alone: implausible if relaxing moves it beyond `MOVED`.
   Of 14 fluorides, chlorides, oxides of S, P, I, Xe, Cl, Os, Ti, Cr, Ge, Sn, Hg and Zn in the gas, of cisplatin in
   water, its worst bond was 0.10 Å off, of most 0.06; PbCl4 (0.11) and Hg-C (0.25) are worse, hence rule 1. Its soft
   angles may be off by more than 15 degrees: N=C=N of carbodiimides, H-C-S of ylides. A force field without parameters
   is wrong by a multiple of these thresholds.
3. Where GFN2-xTB gives no answer, rule 1 stands alone, and rule 2 gives way to sums of covalent radii, 0.35 Å wide; an
   angle then stays unjudged, and is counted.
"""

from typing import NamedTuple

import numpy as np
from rdkit import Chem

from judge.environments import Graph, is_metal, measure
from judge.literature import angles, lengths
from judge.reference import Reference
from judge.shapes import quantity, shapes
from judge.xtb import Referee

KEPT = {"bond": 0.06, "angle": 7.0, "contact": 0.2, "pyramid": 5.0}
"""Å or degrees by which relaxing may change what lies outside its limits; other kinds are torsions."""

KEPT_TORSION = 15.0

MOVED = {"bond": 0.12, "angle": 20.0}
MOVED_AT_METAL = {"bond": 0.2, "angle": 25.0}
PSEUDOROTATION = 25.0
"""As `MOVED`, for angles at atoms with five neighbours: trigonal bipyramids and square pyramids are close in energy."""

DISSOCIATED = 0.5
"""Å: a bond that relaxation draws out by more has come apart. That says that the molecule does not last, and nothing of
how long the bond is; its length is judged as where there is no answer."""

COVALENT = 0.35

VERDICTS = ("implausible", "unjudged", "strained")


class Fault(NamedTuple):
    """Something outside its limits, or unknown: what, where, how much, what was expected, what GFN2-xTB makes of it."""

    kind: str
    atoms: tuple[int, ...]
    symbols: str
    value: float
    low: float | None
    high: float | None
    relaxed: float | None
    verdict: str

    def describe(self) -> dict:
        """For a JSON file."""
        rounded = {key: None if x is None else round(x, 3) for key, x in self._asdict().items() if is_number(x)}
        return self._asdict() | rounded | {"high": None if self.high in (None, np.inf) else round(self.high, 3)}


def is_number(value: object) -> bool:
    """A float or nothing."""
    return value is None or isinstance(value, float)


def judge(mol: Chem.Mol, positions: np.ndarray, reference: Reference, referee: Referee) -> list[Fault]:
    """What is implausible (`implausible`), unusual but kept by GFN2-xTB (`strained`), or left open (`unjudged`)."""
    if not np.isfinite(positions).all():
        return [Fault("coordinates", (), "", np.nan, None, None, None, "implausible")]
    graph = Graph(mol)
    suspects, unknown = [], []
    bonds, bends = lengths(mol), angles(mol)
    for measured in measure(mol, positions, graph):
        if measured.kind == "bond":
            limits = bonds.get(frozenset(measured.atoms))
        else:
            limits = nearest(measured.value, bends.get(measured.atoms, ()))
        final = limits is not None
        limits = limits or reference.limits(measured)
        if limits is None:
            unknown.append((measured.kind, measured.atoms, measured.value, None, None, False))
        elif not limits[0] <= measured.value <= limits[1]:
            suspects.append((measured.kind, measured.atoms, measured.value, *limits, final))
    suspects += [(*check, check.kind == "biaryl") for check in shapes(mol, positions, graph) if not check.passed]
    if not suspects and not unknown:
        return []
    relaxed = referee.relaxed(mol, positions)
    faults = []
    for kind, atoms, value, low, high, final in suspects + unknown:
        after = None if relaxed is None else quantity(kind, atoms, relaxed)
        if low is None:
            said = estimated(mol, kind, atoms, value, after)
        else:
            said = "implausible" if final else known(kind, value, after)
        if said:
            symbols = "-".join(mol.GetAtomWithIdx(i).GetSymbol() for i in atoms)
            faults.append(Fault(kind, atoms, symbols, value, low, high, after, said))
    return sorted(faults, key=lambda fault: VERDICTS.index(fault.verdict))


def nearest(value: float, limits: tuple[tuple[float, float], ...]) -> tuple[float, float] | None:
    """Of several ranges the one that a value is in, or nearest to."""
    return min(limits, key=lambda r: max(r[0] - value, value - r[1]), default=None)


def known(kind: str, value: float, after: float | None) -> str:
    """The verdict on what lies outside its limits."""
    kept = after is not None and abs(after - value) <= KEPT.get(kind, KEPT_TORSION)
    return "strained" if kept else "implausible"


def estimated(mol: Chem.Mol, kind: str, atoms: tuple[int, ...], value: float, after: float | None) -> str:
    """The verdict on what nothing is known of; empty if it is plausible."""
    if kind == "bond" and after is not None and after - value > DISSOCIATED:
        after = None
    if after is not None:
        metal = any(is_metal(mol.GetAtomWithIdx(i)) for i in atoms)
        most = (MOVED_AT_METAL if metal else MOVED)[kind]
        if kind == "angle" and mol.GetAtomWithIdx(atoms[1]).GetDegree() == 5:
            most = PSEUDOROTATION
        return "implausible" if abs(after - value) > most else ""
    if kind == "angle":
        return "unjudged"
    table = Chem.GetPeriodicTable()
    length = sum(table.GetRcovalent(mol.GetAtomWithIdx(i).GetAtomicNum()) for i in atoms)
    return "implausible" if abs(value - length) > COVALENT else "unjudged"
