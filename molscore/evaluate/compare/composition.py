"""What the molecules are made of: atoms, elements, rings, groups, charges. Figures to hold against the reference's."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays
from molscore.chem.checks.alerts import unusual
from molscore.chem.checks.descriptors import describe
from molscore.evaluate.compare.groups import GROUPS, groups_of, mean_difference

PROPERTIES = ("qed", "sa", "logp", "mw", "rings", "heavy")
"""Descriptors whose means are compared, see `molscore.chem.checks.descriptors`."""

LARGEST_RING = 8
"""Rings of this many atoms and more are counted together."""


class Portrait(NamedTuple):
    """What `composition` needs of one valid molecule.

    Attributes:
        elements: atomic number -> atoms.
        rings: size, `LARGEST_RING` and more together -> rings.
        groups: functional groups that it has.
        charged: a formal charge on any atom.
        net_charged: charges that do not cancel.
        properties: values of `PROPERTIES`.
        unusual: patterns of `molscore.chem.checks.alerts`.
    """

    elements: dict[int, int]
    rings: dict[int, int]
    groups: tuple[str, ...]
    charged: bool
    net_charged: bool
    properties: tuple[float, ...]
    unusual: tuple[str, ...]


def portrait(arrays: MoleculeArrays, mol: Chem.Mol) -> Portrait:
    """The portrait of a valid molecule, given in both forms; sanitised."""
    descriptors = describe(mol, PROPERTIES)
    return Portrait(
        dict(Counter(arrays.atomic_numbers.tolist())),
        dict(Counter(min(len(ring), LARGEST_RING) for ring in mol.GetRingInfo().AtomRings())),
        groups_of(mol),
        bool(arrays.formal_charges.any()),
        int(arrays.formal_charges.sum()) != 0,
        tuple(descriptors[name] for name in PROPERTIES),
        tuple(unusual(mol)),
    )


def composition(portraits: Iterable[Portrait]) -> dict[str, Any]:
    """Summarises M valid molecules, given by their portraits.

    Returns:
        ``molecules`` M; ``atoms_per_molecule`` and its standard deviation ``atoms_per_molecule_sd``; ``elements``
        symbol -> share of all atoms; ``rings_per_molecule`` size -> mean number of such rings (smallest set of
        smallest rings), with '8+' for 8 and more; ``groups`` functional group -> share of molecules with it;
        ``charged_molecules`` share with a formal charge on any atom; ``net_charged_molecules`` share whose charges do
        not cancel; ``properties`` mean of each of `PROPERTIES`; ``unusual`` share of molecules with each pattern of
        `molscore.chem.checks.alerts`, and under ``any`` of those with one or more. Absurd chemistry shows there. Of no
        molecules, only ``molecules``.
    """
    elements, rings, groups, patterns = Counter[int](), Counter[int](), Counter[str](), Counter[str]()
    sizes, values = [], []
    charged = net_charged = odd = 0
    for one in portraits:
        elements.update(one.elements)
        rings.update(one.rings)
        groups.update(one.groups)
        patterns.update(one.unusual)
        sizes.append(sum(one.elements.values()))
        values.append(one.properties)
        charged, net_charged, odd = charged + one.charged, net_charged + one.net_charged, odd + bool(one.unusual)
    if not (m := len(sizes)):
        return {"molecules": 0}
    table = Chem.GetPeriodicTable()
    return {
        "molecules": m,
        "atoms_per_molecule": float(np.mean(sizes)),
        "atoms_per_molecule_sd": float(np.std(sizes)),
        "elements": {table.GetElementSymbol(z): n / sum(sizes) for z, n in sorted(elements.items())},
        "rings_per_molecule": {
            f"{size}+" if size == LARGEST_RING else str(size): rings[size] / m for size in range(3, LARGEST_RING + 1)
        },
        "groups": {name: groups[name] / m for name in GROUPS},
        "charged_molecules": charged / m,
        "net_charged_molecules": net_charged / m,
        "properties": {
            name: float(np.mean(column)) for name, column in zip(PROPERTIES, zip(*values, strict=True), strict=True)
        },
        "unusual": {"any": odd / m} | {name: n / m for name, n in patterns.most_common()},
    }


def differences(a: dict[str, Any], b: dict[str, Any]) -> dict[str, float]:
    """One figure for each table of two compositions.

    Returns:
        ``elements`` half the summed absolute difference of the shares (total variation: the share of atoms that would
        have to be another element); ``rings`` and ``groups`` the mean absolute difference of their figures. Empty if
        either is of no molecules.
    """
    if "elements" not in a or "elements" not in b:
        return {}
    n_elements = len(a["elements"].keys() | b["elements"].keys())
    return {
        "elements": mean_difference(a["elements"], b["elements"]) * n_elements / 2,
        "rings": mean_difference(a["rings_per_molecule"], b["rings_per_molecule"]),
        "groups": mean_difference(a["groups"], b["groups"]),
    }
