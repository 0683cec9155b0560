"""Generation to files: the molecules as SDF, the rejected attempts as CSV; interrupted runs keep what they have.

Both files appear under their names only when they are complete, or when the user interrupts the run: then they hold
every molecule accepted so far, and ``resume`` goes on after the last of them.
"""

import csv
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rdkit import Chem

from molscore.chem.io.sdf_reader import read_sdf
from molscore.chem.io.sdf_writer import SDFWriter
from molscore.generate.generator import MoleculeGenerator
from molscore.generate.judge import Attempt
from molscore.generate.options import Options


@dataclass
class Outcome:
    """What a run to files did.

    Attributes:
        requested, delivered: molecules asked for; molecules in the file.
        kept: molecules that were in the file already.
        attempts: samples drawn by this run.
        as_sampled: those of them whose most probable classes were a valid molecule, unrepaired (duplicates count).
        rejected: rejected attempts by reason, most frequent first.
        interrupted: whether the user stopped the run.
    """

    requested: int
    delivered: int = 0
    kept: int = 0
    attempts: int = 0
    as_sampled: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    interrupted: bool = False

    def counts(self) -> dict[str, Any]:
        """What a manifest says of the outcome."""
        return {"delivered": self.delivered, "attempts": self.attempts, "rejected": dict(self.rejected.most_common())}

    def text(self, out: Path) -> str:
        """What to tell the user."""
        lines = [f"{self.delivered} of {self.requested} molecules in {out}"]
        if self.kept:
            lines[0] += f", {self.kept} of them from before"
        if self.attempts:
            share = f"{self.as_sampled} of {self.attempts} samples ({self.as_sampled / self.attempts:.0%})"
            lines.append(f"{share} were valid as sampled, before any repair")
        if self.rejected:
            reasons = ", ".join(f"{count} {reason}" for reason, count in self.rejected.most_common())
            lines.append(f"{self.rejected.total()} rejected: {reasons}")
        if self.interrupted:
            lines.append("interrupted; the same command with --resume goes on")
        elif self.delivered < self.requested:
            lines.append(f"gave up after {self.attempts} attempts; see --rejects for the reasons, or try more --steps")
        return "\n".join(lines)


def generate_sdf(
    generator: MoleculeGenerator,
    n: int,
    out: Path,
    seed: int = 0,
    options: Options = Options(),  # noqa: B008 (it is frozen)
    *,
    rejects: Path | None = None,
    resume: bool = False,
    on_attempt: Callable[[Attempt, int], None] | None = None,
) -> Outcome:
    """Generates ``n`` molecules into an SDF file.

    Args:
        generator, n, seed: as for `MoleculeGenerator.generate`.
        options: its choices.
        out: the SDF file; an existing one is replaced when the run is complete.
        rejects: CSV file of rejected attempts: index, reason, detail, SMILES.
        resume: keep the molecules that ``out`` holds, which must be of the same model, seed and options, and go on.
        on_attempt: called with each attempt and the number of molecules delivered so far.

    Returns:
        Counts. ``KeyboardInterrupt`` is caught: the outcome says so, and the files hold what there is.

    Raises:
        ValueError: for bad arguments, or a file that cannot be resumed.
        OSError: if a file cannot be written.
    """
    options = generator.resolved(options)
    held = _held(out, generator.name, seed, options) if resume else []
    outcome = Outcome(n, delivered=len(held), kept=len(held))
    if len(held) >= n:
        return outcome
    start = max((mol.GetIntProp("molscore_index") for mol in held), default=-1) + 1
    old_rows = _rows_before(rejects, start) if resume and rejects else []
    with SDFWriter(out) as molecules, _RejectsFile(rejects) as refused:
        for row in old_rows:
            refused.writerow(row)
        for mol in held:
            molecules.write(mol, mol.GetProp("_Name"), {name: mol.GetProp(name) for name in mol.GetPropNames()})
        try:
            seen = {mol.GetProp("SMILES") for mol in held}
            for attempt in generator.attempts(n - len(held), seed, options, start=start, seen=seen):
                outcome.attempts += 1
                ok, reason, detail = attempt.verdict
                outcome.as_sampled += not attempt.repaired and (ok or reason == "duplicate")
                if ok:
                    properties = generator.properties(attempt, seed, options)
                    molecules.write(attempt.mol, f"molscore_{seed}_{attempt.index}", properties)
                    outcome.delivered += 1
                else:
                    outcome.rejected[reason] += 1
                    refused.writerow([attempt.index, reason, detail])
                if on_attempt is not None:
                    on_attempt(attempt, outcome.delivered)
        except KeyboardInterrupt:
            outcome.interrupted = True
    return outcome


def _held(out: Path, model: str, seed: int, options: Options) -> list[Chem.Mol]:
    """The molecules of an SDF file that a run can go on from."""
    if not out.is_file():
        raise ValueError(f"there is no {out} to resume; run without --resume first")
    held = []
    for record in read_sdf(out):
        if record.mol is None or not record.mol.HasProp("molscore_index"):
            raise ValueError(f"{out}, line {record.line}: not a molecule that molscore generated; it cannot be resumed")
        known = record.mol.GetPropsAsDict(autoConvertStrings=False)
        made = [known.get(f"molscore_{name}", "unknown") for name in ("model", "seed", "options")]
        if made != [model, str(seed), options.text()]:
            words = f"model {made[0]}, seed {made[1]} and options {made[2]}"
            raise ValueError(f"{out} was made with {words}; resume with the same")
        held.append(record.mol)
    return held


def _rows_before(path: Path, start: int) -> list[list[str]]:
    """Rows of an earlier rejects file that come before attempt ``start``."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row for row in rows if row and row[0].isdigit() and int(row[0]) < start]


class _RejectsFile:
    """A CSV file that is renamed into place when the block ends without an exception; None writes nowhere."""

    def __init__(self, path: Path | None):
        self.path, self.file = path, None

    def __enter__(self) -> "_RejectsFile":
        if self.path is not None:
            self.temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
            self.file = self.temporary.open("w", newline="")
            self.csv = csv.writer(self.file)
            self.csv.writerow(["molscore_index", "reason", "detail"])
        return self

    def writerow(self, row: list[object]) -> None:
        if self.file is not None:
            self.csv.writerow(row)

    def __exit__(self, exception_type, exception, traceback) -> None:
        if self.file is None:
            return
        self.file.close()
        if exception_type is None:
            os.replace(self.temporary, self.path)
        self.temporary.unlink(missing_ok=True)
