"""What a report takes from the results of generators and scorers."""

import io
from collections.abc import Iterator
from itertools import chain
from typing import Any

from rdkit import Chem

from molscore.chem.io.sdf_reader import read_sdf
from molscore.results import Result


def molecules_of(result: Result) -> Iterator[Chem.Mol]:
    """The molecules of the SDF file of a result, one for each conformer, as written."""
    records = read_sdf(chain.from_iterable(map(io.StringIO, result.records())), sanitize=False)
    return (as_written(record.mol) for record in records if record.mol is not None)


def facts_of(result: Result) -> dict[str, Any]:
    """Its manifest; where it is of given items, their number, and ``rejected`` of them by reason."""
    if "attempts" in result.manifest:
        return dict(result.manifest)
    return {**result.manifest, "items": len(result), "rejected": dict(result.reasons().most_common())}


def as_written(mol: Chem.Mol) -> Chem.Mol:
    """No atom may take hydrogens that the record does not have."""
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(True)
    mol.UpdatePropertyCache(strict=False)
    return mol
