"""The verdict on completed molecules: valid as sampled, and what is delivered of them.

A sample is valid if, as sampled, it sanitises, is one molecule, keeps the part with its bonds, charges and stereo
within 0.1 Å, and its hydrogens are placed without clash. Rates have Wilson intervals at 95 %, over samples; means over
cases have those of a bootstrap over molecules.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from judge.completion_cases import Case
from judge.likeness import sc_rdkit
from rdkit import Chem

from molscore.chem.arrays import MoleculeArrays, MoleculeError
from molscore.chem.checks.validity import check
from molscore.chem.decode import decode
from molscore.chem.hydrogens import complete
from molscore.chem.parts import KeptPart
from molscore.evaluate.molecules.busters import bust
from molscore.evaluate.rates import wilson
from molscore.generate import GenerationOptions
from molscore.generate.judge import Judge
from molscore.model import MoleculeDiffusion, Sample

NEAR = 0.1
"""Å by which a kept atom may move."""

GEOMETRY = {
    "bond_length",
    "bond_angle",
    "ring_not_flat",
    "double_bond_not_flat",
    "flat_biaryl",
    "cumulene",
    "ring_flat",
}
"""Faults of a geometry that make no sample invalid; what is delivered has none of them."""


def judged(
    samples: Sequence[Sample], case: Case, options: GenerationOptions, model: MoleculeDiffusion
) -> dict[str, Any]:
    """A row of a table: how many samples are valid and why others are not, what is delivered, and how alike it is."""
    judge, part = Judge(model, options), options.part
    assert part is not None
    faults, good, delivered = Counter[str](), [], []
    for k, sample in enumerate(samples):
        parts = sample.atom_probabilities, sample.bond_probabilities, sample.positions, model.vocabulary
        try:
            token, mol = fault(decode(*parts, repair=False), part)
        except MoleculeError as error:  # the sampler has diverged
            token, mol = error.reason, None
        faults[token or "none"] += 1
        if mol is not None and valid(token):
            good.append(plain(mol))
        attempt = judge(k, sample)
        if attempt.fault is None:
            delivered.append(attempt.built)
    wanted, found = plain(case.reference), [plain(mol) for mol in delivered]
    posed = part.posed and case.reference.GetNumConformers() > 0
    return {
        "faults": dict(faults),
        "valid": len(good),
        "unique": len(set(good)),
        "recovered": wanted in good or wanted in found,
        "delivered": len(delivered),
        "busters": sum(all(bust(mol).values()) for mol in delivered),
        "sc_rdkit": [round(sc_rdkit(mol, case.reference), 4) for mol in delivered] if posed else [],
        "moved": displacement(delivered, part),
    }


def fault(made: MoleculeArrays, part: KeptPart) -> tuple[str | None, Chem.Mol | None]:
    """The fault of heavy atoms as they are, the part first and about its own origin; and their molecule."""
    if part.fault(made):
        return "kept_part", None
    if part.posed and np.linalg.norm(made.positions[: len(part)] - part.arrays.positions, axis=1).max() > NEAR:
        return "moved", None
    try:
        mol = complete(made)
    except MoleculeError as error:
        return error.reason, None
    found = check(mol)
    return (None if found is None else found.token), mol


def valid(token: str | None) -> bool:
    """Whether what has this fault, or none, counts as valid."""
    return token is None or token in GEOMETRY


def plain(mol: Chem.Mol) -> str:
    """SMILES without stereo, that two molecules share if they are the same."""
    return Chem.MolToSmiles(Chem.RemoveHs(mol), isomericSmiles=False)


def raw_displacement(sample: Sample, part: KeptPart) -> float:
    """Å by which an atom of the part has moved at most, as sampled."""
    return float(np.linalg.norm(sample.positions[: len(part)] - part.arrays.positions, axis=1).max())


def displacement(mols: Sequence[Chem.Mol], part: KeptPart) -> float | None:
    """Å by which an atom of the part has moved at most."""
    if not part.posed or not mols:
        return None
    given = part.arrays.positions + part.origin
    places = (mol.GetConformer().GetPositions()[: len(part)] for mol in mols)
    return round(max(float(np.linalg.norm(x - given, axis=1).max()) for x in places), 5)


def rate(count: int, total: int) -> dict[str, float] | None:
    """With its Wilson interval."""
    if not total:
        return None
    low, high = wilson(count, total)
    return {"count": count, "total": total, "value": count / total, "low": low, "high": high}


def mean(rows: Sequence[dict[str, Any]], name: str) -> dict[str, float | None]:
    """Over cases, with the interval of a bootstrap over molecules."""
    if not rows:
        return {"value": None, "low": None, "high": None}
    groups: dict[str, list[float]] = {}
    for row in rows:
        groups.setdefault(row["molecule"], []).append(row[name])
    each = list(groups.values())
    generator = np.random.default_rng(0)
    draws = [np.mean([x for k in generator.integers(len(each), size=len(each)) for x in each[k]]) for _ in range(1000)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"value": float(np.mean([row[name] for row in rows])), "low": float(low), "high": float(high)}
