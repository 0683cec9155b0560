"""New molecules, the attempts that were rejected on the way, and where they come from."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rdkit import Chem

from molscore.chem.io.sdf_text import format_record
from molscore.files.summary import listed
from molscore.generate.judge import Attempt
from molscore.results import Result


@dataclass(repr=False, eq=False)
class Generation(Result):
    """What `molscore.MoleculeGenerator.generate` returns. It can be iterated over: its molecules.

    Attributes:
        mols: delivered molecules; each carries title and properties of an SDF record.
        rejects: rejected attempts, each with a ``reason`` and a ``detail``.
        manifest: provenance and counts.
    """

    mols: list[Chem.Mol] = field(default_factory=list)
    rejects: list[Attempt] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    _columns: ClassVar[Mapping[str, type]] = {"title": str, "SMILES": str, "mol": object}

    def __len__(self) -> int:
        return len(self.mols)

    def __iter__(self) -> Iterator[Chem.Mol]:
        return iter(self.mols)

    def summary(self) -> str:
        """Counts: molecules, and rejected attempts by reason."""
        line = f"{len(self.mols):,} molecules, {len(self.rejects):,} attempts rejected"
        reasons = self.reasons()
        asked = self.manifest.get("requested", len(self.mols))
        missing = f"\n{asked - len(self.mols):,} fewer than asked for" if asked > len(self.mols) else ""
        return line + (f"\nrejected: {listed(reasons)}" if reasons else "") + missing

    def reasons(self) -> Counter[str]:
        """How many attempts were rejected, by reason."""
        return Counter(attempt.reason for attempt in self.rejects if attempt.reason)

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for mol in self.mols:
            properties = mol.GetPropsAsDict(autoConvertStrings=False)
            rows.append({"title": mol.GetProp("_Name"), "SMILES": properties.get("SMILES"), "mol": mol} | properties)
        return rows

    def records(self) -> Iterator[str]:
        """A record for each molecule."""
        for mol in self.mols:
            yield format_record(mol, mol.GetProp("_Name"), mol.GetPropsAsDict(autoConvertStrings=False))
