"""From class probabilities to one molecule: the most probable assignment that satisfies valence and connectivity.

The network gives, for every atom, probabilities over (element, charge) classes and, for every pair, over bond orders.
Taking each at its most probable mostly gives a molecule. Where it does not, the decoder solves

    maximise    sum_i log p_i(c_i) + sum_{i<j} log p_ij(b_ij)
    subject to  sum_j b_ij in VALENCES[c_i] for every atom i,   and the bonds join all atoms into one molecule,

an integer linear program: one-hot variables for classes and orders, one equality per atom, and for every fragment S
that turns up in a solution the cut "at least one bond leaves S", added until none is left (Dantzig, Fulkerson &
Johnson, J. Oper. Res. Soc. Am. 2, 393, 1954). It is kept small: every option has a lower bound on the nats of any
solution that takes it, and is left out when that exceeds the cost of a solution already found, which loses nothing.

"""

from typing import NamedTuple

import numpy as np

from molscore.chem.arrays import MoleculeArrays, MoleculeError

# (atomic number, formal charge) -> allowed sums of bond orders, hydrogens being atoms: the closed-shell valences that
# RDKit sanitises without radicals, hypervalent S- and Se- aside. A repair never chooses a class that is not listed.
VALENCES: dict[tuple[int, int], tuple[int, ...]] = {
    (1, 0): (1,),
    (5, -1): (4,), (5, 0): (3,),
    (6, -1): (3,), (6, 0): (4,), (6, 1): (3,),
    (7, -1): (2,), (7, 0): (3,), (7, 1): (4,),
    (8, -1): (1,), (8, 0): (2,), (8, 1): (3,),
    (9, 0): (1,),
    (14, 0): (4,),
    (15, 0): (3, 5), (15, 1): (4,),
    (16, -1): (1,), (16, 0): (2, 4, 6), (16, 1): (3, 5),
    (17, 0): (1,),
    (33, 0): (3, 5), (33, 1): (4,),
    (34, -1): (1,), (34, 0): (2, 4, 6), (34, 1): (3, 5),
    (35, 0): (1,),
    (53, 0): (1, 3, 5),
}  # fmt: skip

BEARERS = {5, 6, 7, 8, 14, 15, 33}
"""Elements that may have implied hydrogens up to the largest of their valences."""

_FLOOR = 1e-37  # smallest probability that is distinguished from zero: the floor of single precision
_TRIES = 30, 100, 200, 400  # the most promising options, in rising numbers, before all of them
_MAX_PROVED = 300  # options: with more, a solution is taken without proof that none of the options left out is better
_MAX_ROUNDS = 8  # of cutting
_MAX_NODES = 200  # of branch and bound, in each round: unlike a time limit, the same on every machine


class Charges(NamedTuple):
    """Formal charges of the classes, ``(K,)``, and the sum that is asked for; None is any."""

    each: np.ndarray
    asked: int | None


def decode(
    atom_probabilities: np.ndarray,
    bond_probabilities: np.ndarray,
    positions: np.ndarray,
    vocabulary: list[tuple[int, int]],
    repair: bool = True,
    charge: int | None = None,
    implied: bool = False,
) -> MoleculeArrays:
    """Decodes one sample.

    Args:
        atom_probabilities: (N, K) probabilities of the classes of each atom.
        bond_probabilities: (N, N, 4) probabilities of no, single, double and triple bond; the two halves are averaged
            and the diagonal is not looked at.
        positions: (N, 3) Å, passed on as they are.
        vocabulary: K pairs (atomic number, formal charge).
        repair: if the most probable classes break valence or connectivity, return the most probable assignment that
            does not. If there is none, or none is found within the search bounds, return the most probable classes.
        charge: to which a repair must also make the charges add up; None is any.
        implied: the atoms are heavy atoms, and what their bonds leave of a valence is hydrogens.

    Returns:
        The molecule. Deterministic.

    Raises:
        ValueError: if shapes disagree or a probability is negative.
        MoleculeError: ``non_finite`` if a probability is not a number.
    """
    atom_costs, bond_costs = _costs(atom_probabilities, bond_probabilities, positions, vocabulary)
    classes, orders = atom_costs.argmin(axis=1), np.triu(bond_costs.argmin(axis=2), k=1)
    valences = [allowed_sums(*pair, implied) for pair in vocabulary]
    sums = Charges(np.array([q for _, q in vocabulary]), charge)
    if repair and not _is_sound(classes, orders, valences, sums):
        classes, orders = _most_probable(atom_costs, bond_costs, valences, sums) or (classes, orders)
    bonds = np.argwhere(orders > 0)
    return MoleculeArrays(
        atomic_numbers=np.array([vocabulary[k][0] for k in classes], dtype=np.uint8),
        formal_charges=np.array([vocabulary[k][1] for k in classes], dtype=np.int8),
        positions=np.asarray(positions, dtype=np.float32),
        bonds=bonds,
        bond_orders=orders[tuple(bonds.T)].astype(np.uint8),
    )


def allowed_sums(number: int, charge: int, implied: bool = False) -> tuple[int, ...]:
    """Sums of bond orders that an atom may have.

    Args:
        number, charge: atomic number and formal charge.
        implied: hydrogens are not among the bonds. Sulfur has them only as a thiol: what is oxidised has none.
    """
    sums = VALENCES.get((number, charge), ())
    if not implied:
        return sums
    if number in BEARERS and sums:
        return tuple(range(max(sums) + 1))
    return (0, 1, *sums) if sums and sums[0] == 2 else (0, *sums)


def _costs(
    atom_probabilities: np.ndarray,
    bond_probabilities: np.ndarray,
    positions: np.ndarray,
    vocabulary: list[tuple[int, int]],
) -> tuple[np.ndarray, np.ndarray]:
    """Nats by which each option is less probable than the best of its atom (N, K) or pair (N, N, 4): all >= 0."""
    atoms, bonds = np.asarray(atom_probabilities, dtype=float), np.asarray(bond_probabilities, dtype=float)
    n = len(atoms)
    shapes = (atoms.shape, bonds.shape, np.shape(positions))
    if n == 0 or shapes != ((n, len(vocabulary)), (n, n, 4), (n, 3)):
        raise ValueError(
            f"probabilities of atoms and bonds, and positions, have shapes {shapes}; "
            f"needed for N >= 1 atoms: (N, {len(vocabulary)}), (N, N, 4), (N, 3)"
        )
    bonds = (bonds + bonds.transpose(1, 0, 2)) / 2
    bonds[np.diag_indices(n)] = (1, 0, 0, 0)
    if not (np.isfinite(atoms).all() and np.isfinite(bonds).all()):
        raise MoleculeError("non_finite", "probabilities of atoms or bonds are not finite; the sampler has diverged")
    if atoms.min() < 0 or bonds.min() < 0:
        raise ValueError("probabilities must not be negative; give probabilities, not logarithms")
    atom_logs, bond_logs = (np.log(np.maximum(p, _FLOOR)) for p in (atoms, bonds))
    return _less_than_best(atom_logs), _less_than_best(bond_logs)


def _less_than_best(logs: np.ndarray) -> np.ndarray:
    return logs.max(axis=-1, keepdims=True) - logs


def _is_sound(classes: np.ndarray, orders: np.ndarray, valences: list[tuple[int, ...]], sums: Charges) -> bool:
    totals = orders.sum(axis=0) + orders.sum(axis=1)
    return (
        all(total in valences[k] for k, total in zip(classes, totals, strict=True))
        and sums.asked in (None, sums.each[classes].sum())
        and _fragments(orders).max() == 0
    )


def _fragments(orders: np.ndarray) -> np.ndarray:
    """(N,) index of the fragment that each atom belongs to, from 0 on in the order of their first atoms."""
    first = np.arange(len(orders))  # atom of the fragment of each
    for i, j in np.argwhere(orders > 0):
        low, high = sorted((first[i], first[j]))
        first[first == high] = low
    return np.unique(first, return_inverse=True)[1]


def _most_probable(
    atom_costs: np.ndarray, bond_costs: np.ndarray, valences: list[tuple[int, ...]], sums: Charges
) -> tuple[np.ndarray, np.ndarray] | None:
    """The cheapest sound classes (N,) and orders (N, N, upper half), or None.

    A solution among the options whose bound is within some limit is the best of all if it does not cost more than that;
    else its own cost is the next limit, unless that admits too many options. A program with few options takes
    milliseconds and one with all of them seconds, so the limit rises step by step. (What takes more than a few hundred
    options is two molecules side by side, far from any valid one.)
    """
    bounds = _bounds(atom_costs, bond_costs, valences)
    n = len(atom_costs)
    ranked = np.sort(np.concatenate([bounds[0].ravel(), bounds[1][np.triu_indices(n, k=1)].ravel()]))
    taken = n * (n + 1) // 2  # the most probable option of every atom and pair comes first
    limits = [ranked[taken + tries] for tries in _TRIES if taken + tries < len(ranked)]
    for limit in [*limits, np.inf]:
        best = _cheapest(atom_costs, bond_costs, bounds, valences, sums, limit)
        if best is not None and best[0] > limit and np.searchsorted(ranked, best[0]) <= taken + _MAX_PROVED:
            best = _cheapest(atom_costs, bond_costs, bounds, valences, sums, best[0]) or best
        if best is not None:
            return best[1:]
    return None


def _bounds(
    atom_costs: np.ndarray, bond_costs: np.ndarray, valences: list[tuple[int, ...]]
) -> tuple[np.ndarray, np.ndarray]:
    """Nats that any sound solution with a given option costs at least, (N, K) and (N, N, 4).

    The option's own, and those of the atoms whose valence is then wrong: each needs another class or another bond, and
    one bond can serve two of them.
    """
    n = len(atom_costs)
    classes, orders = atom_costs.argmin(axis=1), bond_costs.argmin(axis=2)
    totals = orders.sum(axis=0)
    fits = np.zeros((len(valences), 3 * n + 4), dtype=bool)  # (class, sum of orders)
    for k, sums in enumerate(valences):
        fits[k, [total for total in sums if total < fits.shape[1]]] = True
    possible = np.where(fits.any(axis=1), atom_costs, np.inf)
    possible[np.arange(n), classes] = np.inf
    other_bond = np.sort(bond_costs, axis=2)[..., 1]
    other_bond[np.diag_indices(n)] = np.inf
    repair = np.minimum(possible.min(axis=1), other_bond.min(axis=1) / 2).clip(max=1e6)  # nats for one atom
    debt = np.where(fits[classes, totals], 0, repair)

    atom_debt = np.where(fits[:, totals].T, 0, repair[:, None])
    new_totals = totals[:, None, None] + np.arange(4) - orders[..., None]
    bond_debt = np.where(fits[classes[:, None, None], new_totals], 0, repair[:, None, None]) - debt[:, None, None]
    owed = debt.sum()
    return atom_costs + owed + atom_debt - debt[:, None], bond_costs + owed + bond_debt + bond_debt.transpose(1, 0, 2)


def _cheapest(
    atom_costs: np.ndarray,
    bond_costs: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    valences: list[tuple[int, ...]],
    sums: Charges,
    limit: float,
) -> tuple[float, np.ndarray, np.ndarray] | None:
    """Cost, classes and orders of the cheapest sound solution among the options bounded by `limit`, or None."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # SciPy loads slowly, and most samples need no repair
    from scipy.sparse import coo_array, csr_array, vstack

    n = len(atom_costs)
    atom_open, bond_open = (bound <= limit + 1e-9 for bound in bounds)
    # One column per option: (atom, class, valence), then (pair, order). Pairs that cannot be bonded get none.
    atom, kind, valence = np.array(
        [(i, k, v) for i, k in np.argwhere(atom_open) for v in valences[k]], dtype=int
    ).reshape(-1, 3).T  # fmt: skip
    first, second = np.triu_indices(n, k=1)
    open_pairs = bond_open[first, second, 1:].any(axis=1)
    first, second = first[open_pairs], second[open_pairs]
    pair, order = np.nonzero(bond_open[first, second])
    i, j = first[pair], second[pair]
    cost = np.concatenate([atom_costs[atom, kind], bond_costs[i, j, order]])

    # Rows: each atom one option; each pair one option; bond orders add up to the valence; at least n - 1 bonds; charges
    # add up to the one asked for.
    a, b = np.arange(len(atom)), len(atom) + np.arange(len(pair))
    p = len(first)
    rows = np.concatenate([atom, n + pair, n + p + np.concatenate([i, j, atom]), np.full(len(b), 2 * n + p)])
    rows = np.concatenate([rows, np.full(len(a), 2 * n + p + 1)])
    columns = np.concatenate([a, b, b, b, a, b, a])
    values = np.concatenate([np.ones(len(a) + len(b)), order, order, -valence, order > 0, sums.each[kind]])
    matrix = coo_array((values, (rows, columns)), shape=(2 * n + p + 2, len(cost))).tocsr()
    charge = (-np.inf, np.inf) if sums.asked is None else (sums.asked, sums.asked)
    lower = np.concatenate([np.ones(n + p), np.zeros(n), [n - 1, charge[0]]])
    upper = np.concatenate([lower[:-2], [np.inf, charge[1]]])

    for _ in range(_MAX_ROUNDS):
        result = milp(
            cost,
            integrality=np.ones(len(cost), dtype=int),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, lower, upper),
            options={"node_limit": _MAX_NODES, "mip_rel_gap": 0.0},
        )
        if result.status != 0:
            return None
        atom_chosen, pair_chosen = np.split(result.x > 0.5, [len(atom)])
        orders = np.zeros((n, n), dtype=int)
        orders[i[pair_chosen], j[pair_chosen]] = order[pair_chosen]
        fragment = _fragments(orders)
        if fragment.max() == 0:
            classes = np.zeros(n, dtype=int)
            classes[atom[atom_chosen]] = kind[atom_chosen]
            return float(cost @ result.x), classes, orders
        inside = fragment[:, None] == np.arange(fragment.max() + 1)
        leaves = ((inside[i] != inside[j]) & (order > 0)[:, None]).T
        cuts = np.concatenate([np.zeros((len(leaves), len(atom))), leaves], axis=1)
        matrix = vstack([matrix, csr_array(cuts)])
        lower = np.concatenate([lower, np.ones(len(cuts))])
        upper = np.concatenate([upper, np.full(len(cuts), np.inf)])
    return None
