"""What can be made at all, as far as it is known before anything is: wishes that nothing meets, or too few molecules.

Only what is certain is refused. What is merely improbable is not: then a run gives up, and says for what reasons.
"""

from collections.abc import Sequence
from itertools import product
from math import comb

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdmolops import FindPotentialStereo  # type: ignore[attr-defined]

from molscore.chem.arrays import to_mol
from molscore.chem.checks.filters import MoleculeFilter
from molscore.chem.checks.smarts import Pattern
from molscore.chem.made_sizes import HALOGENS
from molscore.chem.parts import KeptPart

KINDS = Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE

MATCHES = 10_000
"""Of a pattern that are looked at."""


def check_possible(
    n: int,
    part: KeptPart | None,
    elements: Sequence[str] | None,
    vocabulary: Sequence[tuple[int, int]],
    sizes: np.ndarray,
    wanted: MoleculeFilter,
) -> None:
    """Whether ``n`` different molecules can meet wishes.

    Args:
        n: how many are asked for.
        part: what they keep; None is nothing.
        elements: of what is made; None is any of the vocabulary.
        vocabulary: (atomic number, formal charge) of the model's classes.
        sizes: weights of the numbers of atoms, from 0 on.
        wanted: SMARTS that they must, or must not, match.

    Raises:
        ValueError: if not; the message says why, and what to change.
    """
    symbol = Chem.GetPeriodicTable().GetElementSymbol
    of_made = {symbol(int(number)) for number, _ in vocabulary} if elements is None else set(elements)
    if elements is not None and of_made <= set(HALOGENS):
        _check_ends(n, part, sorted(of_made), sizes)
    of_part = [] if part is None else [atom.GetSymbol() for atom in to_mol(part.arrays, sanitize=False).GetAtoms()]
    most = int(np.flatnonzero(sizes)[-1])
    for patterns in wanted.must_match:
        reasons = [_missing(pattern, of_part, of_made, most) for pattern in patterns.patterns]
        if all(reasons):
            raise ValueError(f"nothing can match {patterns}: {reasons[0]}")
    for patterns in wanted.must_not_match:
        for pattern in patterns.patterns:
            if part is not None and always_matches(part, pattern.query):
                raise ValueError(
                    f"the part to keep matches {pattern.name}, which must not match: leave one of the two out"
                )


def always_matches(part: KeptPart, query: Chem.Mol) -> bool:
    """Whether a pattern matches among the kept atoms, whatever is bonded to them: for certain, or it is False.

    Without recursion and rings an atom's part in a match depends on its own bonds alone. So it is looked for with every
    number of bonds that the open atoms can get, single ones and multiple ones. Not certain are atoms with multiple
    bonds, or lone pairs, in a ring that may yet be closed: it may be aromatic.
    """
    texts = [atom.DescribeQuery() for atom in query.GetAtoms()] + [bond.DescribeQuery() for bond in query.GetBonds()]
    if any(word in text for text in texts for word in ("Ring", "Recursive")):
        return False
    probes, certain = _probes(part), _certain(part)
    matches = (probe.GetSubstructMatches(query, uniquify=False, maxMatches=MATCHES) for probe in probes)
    same = [set(inside) for inside in matches]
    return bool(probes) and any(
        max(match) < len(part)
        and all(certain[k] or all(probe.GetAtomWithIdx(k).GetIsAromatic() for probe in probes) for k in match)
        for match in set.intersection(*same)
    )


def _check_ends(n: int, part: KeptPart | None, elements: list[str], sizes: np.ndarray) -> None:
    """`check_possible` where all that is made are halogens."""
    words = ", ".join(elements)
    if part is None:
        raise ValueError(f"of {words} alone, with one bond each, molecules have two atoms at most: add C, or others")
    if len(set(part.pieces)) > 1:
        raise ValueError(f"of {words} alone, with one bond each, nothing joins fragments: add C, or others")
    ways, kinds = [1], len(elements)  # of so many atoms, bonded to the open atoms so far
    for least, free in zip(part.least[part.open].tolist(), part.free[part.open].tolist(), strict=True):
        own = [comb(kinds + m - 1, m) if m >= least else 0 for m in range(free + 1)]
        ways = [
            sum(ways[k] * own[m - k] for k in range(len(ways)) if 0 <= m - k < len(own))
            for m in range(len(ways) + len(own) - 1)
        ]
    made = [m for m in range(1, len(ways)) if len(part) + m < len(sizes) and sizes[len(part) + m] > 0]
    number = sum(ways[m] for m in made) << _stereo(part)
    if number < n:
        raise ValueError(
            f"of {words} alone, with one bond each, what can be made around the part is {number} at most, not {n}: "
            "ask for fewer, or add elements or atoms at which to grow"
        )


def _stereo(part: KeptPart) -> int:
    """Centres and double bonds that can have stereo, if all that is bonded to the part differs."""
    mol = Chem.RWMol(to_mol(part.arrays, sanitize=False, implied=True))
    for k in np.flatnonzero(part.open).tolist():
        for m in range(int(part.free[k])):
            dummy = Chem.Atom(0)
            dummy.SetIsotope(100 * (k + 1) + m)
            mol.AddBond(k, mol.AddAtom(dummy), Chem.BondType.SINGLE)
    mol.UpdatePropertyCache(strict=False)
    return len(FindPotentialStereo(mol))


def _missing(pattern: Pattern, of_part: Sequence[str], of_made: set[str], most: int) -> str | None:
    """What a pattern needs that no molecule has; None if there may be one."""
    symbol = Chem.GetPeriodicTable().GetElementSymbol
    heavy = [atom.GetAtomicNum() for atom in pattern.query.GetAtoms()]
    needed = [symbol(number) for number in heavy if number > 1]  # 0: of no single element
    for element in dict.fromkeys(needed):
        if element not in of_made and needed.count(element) > of_part.count(element):
            return f"it needs {element}, which is not made; made are {', '.join(sorted(of_made))}"
    if len(needed) > most:
        return f"it has {len(needed)} heavy atoms, and what is made has {most} at most"
    return None


def _certain(part: KeptPart) -> np.ndarray:
    """``(N,)`` bool: atoms that no ring can make aromatic which what is made may close."""
    mol = Chem.RWMol(to_mol(part.arrays, sanitize=False))
    Chem.FastFindRings(mol)
    before = {bond.GetIdx(): bond.IsInRing() for bond in mol.GetBonds()}
    made = mol.AddAtom(Chem.Atom(0))  # stands for all of it
    for k in np.flatnonzero(part.open).tolist():
        mol.AddBond(k, made, Chem.BondType.SINGLE)
    Chem.FastFindRings(mol)

    def certain(atom: Chem.Atom) -> bool:
        k = atom.GetIdx()
        closes = any(bond.IsInRing() and not before.get(bond.GetIdx(), False) for bond in atom.GetBonds())
        closes |= bool(part.open[k] and part.free[k] > 1)
        single = all(bond.GetBondType() == Chem.BondType.SINGLE for bond in atom.GetBonds())
        return not closes or (atom.GetAtomicNum() == 6 and single and not part.open[k])

    return np.array([certain(mol.GetAtomWithIdx(k)) for k in range(len(part))])


def _probes(part: KeptPart) -> list[Chem.Mol]:
    """The part with each number of bonds that its open atoms may get, all single, or one of them of a higher order."""
    probes = []
    for number, order in product(range(int(part.free[part.open].max(initial=0)) + 1), (1, 2, 3)):
        mol = Chem.RWMol(to_mol(part.arrays, sanitize=False, implied=True))
        for k in np.flatnonzero(part.open).tolist():
            free = int(part.free[k])
            count = min(free, max(number, int(part.least[k])))
            for m in range(count):
                kind = KINDS[order - 1] if m == 0 and count - 1 + order <= free else KINDS[0]
                mol.AddBond(k, mol.AddAtom(Chem.Atom(6)), kind)
        if Chem.SanitizeMol(mol, catchErrors=True) == Chem.SanitizeFlags.SANITIZE_NONE:
            probes.append(mol)
    return probes
