"""Structures in, the same records out with scores as properties, in their order, readable or not: SDF or a table."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import tee
from typing import Literal

from rdkit import Chem

from molscore.chem.arrays import MoleculeError
from molscore.chem.fit import TAGS as FIT_TAGS
from molscore.chem.fit import Fit, fit
from molscore.chem.io.formats import SDF, TABLES, check_output, record_writer
from molscore.chem.io.lines import ERRORS
from molscore.chem.io.mol2 import read_structures
from molscore.chem.io.protein import Protein
from molscore.chem.io.sdf_text import tagged
from molscore.chem.properties import Packed, unpacked
from molscore.files.ondisk import Columns
from molscore.files.paths import check_apart
from molscore.randomness import checked_seed
from molscore.score.batches import in_batches
from molscore.score.score import ATOM_TAG, REASON_TAG, TAGS, MoleculeScore
from molscore.score.scorer import MoleculeScorer
from molscore.workers import Workers, count

OUT = SDF + TABLES
"""Endings of files of scores: what holds properties."""
SCORE_FIGURES = ("log_likelihood", "score_norm", "position_uncertainty")
FIT_FIGURES = ("clashes", "overlap", "buried")
"""Attributes of `MoleculeScore` and `Fit` whose medians the summary tells."""


@dataclass
class ScoringRun:
    """The results for a file.

    Attributes:
        scores: figures of the records that have one, `SCORE_FIGURES`.
        fits: figures of the records that have 3-D coordinates, if there is a protein, `FIT_FIGURES`.
        reasons: records without a score, counted by the token of the reason.
        first: reason and place of the first of them.
        unread: number of those that could not be read.
    """

    scores: Columns = field(default_factory=partial(Columns, *SCORE_FIGURES))
    fits: Columns = field(default_factory=partial(Columns, *FIT_FIGURES))
    reasons: Counter[str] = field(default_factory=Counter)
    first: str | None = None
    unread: int = 0

    def text(self, out: object) -> str:
        """The summary for the user."""
        lines = [f"{len(self.scores)} of {len(self.scores) + self.reasons.total()} records scored, in {out}"]
        if self.scores:
            likelihood, norm, uncertainty = map(self.scores.median, SCORE_FIGURES)
            lines.append(f"medians: log-likelihood {likelihood:.2f} nats per atom, norm of the score {norm:.2f} / Å")
            lines[-1] += "" if uncertainty is None else f", uncertainty of positions {uncertainty:.2g} Å"
        if self.fits:
            overlap, buried = (100 * (self.fits.median(name) or 0) for name in ("overlap", "buried"))
            apart = self.fits.zeros("buried")  # and so without a clash
            clean = self.fits.zeros("clashes") - apart
            lines.append(f"{clean} of {len(self.fits)} lie in the protein without a clash; medians: ")
            lines[-1] += f"{overlap:.1f} % of the volume overlaps, {buried:.0f} % of the surface is buried"
            if apart:
                lines.append(f"{apart} of {len(self.fits)} lie apart from the protein: is it theirs, in their frame?")
        lines += [f"not scored: {count} {reason}" for reason, count in self.reasons.most_common()]
        return "\n".join(lines + ([f"the first: {self.first}"] if self.first else []))


def score_sdf(
    scorer: MoleculeScorer,
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    seed: int = 0,
    on_progress: Callable[[int], None] | None = None,
    protein: Protein | None = None,
    encoding: str | None = None,
    *,
    workers: int | Literal["auto"] = 1,
) -> ScoringRun:
    """Scores the molecules of a file.

    Args:
        scorer: with the model.
        source: SDF or mol2 file.
        out: the file to write, the same records with properties more; not `source` itself. SDF, CSV or Parquet, see
            `molscore.chem.io.formats.record_writer`.
        seed: as for `MoleculeScorer.stream`.
        on_progress: called with the number of finished records.
        protein: in whose frame the molecules lie; their fit is computed whether the model can score them or not.
        encoding: of the file, by default UTF-8; the file to write is UTF-8.
        workers: as for `MoleculeScorer.stream`.

    Raises:
        OSError, ValueError: if a file cannot be read or written, `out` is `source`, or there is no record. Nothing is
            written then.
    """
    check_output(out, OUT)
    check_apart({"out": out}, {"source": source})
    outcome, start = ScoringRun(), partial(_Scoring, scorer, checked_seed(seed), protein)
    with Workers(start, count(workers, scorer.model.device.type)) as pool, record_writer(out) as writer:
        records, again = tee(read_structures(source, encoding=encoding))
        judged = in_batches(pool, (record.mol for record in records), scorer.batch)
        for record, (score, pose) in zip(again, judged, strict=True):
            result = score if record.mol is not None else MoleculeScore(reason=record.reason)
            properties = dict.fromkeys(TAGS, "") | dict.fromkeys((ATOM_TAG, REASON_TAG)) | result.properties()
            if protein is not None:
                properties |= dict.fromkeys(FIT_TAGS, "") if pose is None else pose.properties()
                if pose is not None:
                    outcome.fits.add(*(getattr(pose, name) for name in FIT_FIGURES))
            writer.add(tagged(record.text, properties).encode("utf-8", ERRORS))
            if result.reason is None:
                outcome.scores.add(*(getattr(result, name) for name in SCORE_FIGURES))
            else:
                outcome.unread += record.mol is None
                outcome.reasons[result.reason.partition(":")[0]] += 1
                outcome.first = outcome.first or f"record {record.index + 1} (line {record.line}): {result.reason}"
            if on_progress is not None:
                on_progress(writer.count)
        if not writer.count:
            raise ValueError(f"{source} holds no record")
    return outcome


class _Scoring:
    """Scores molecules, and finds how they fit into a protein, if there is one."""

    def __init__(self, scorer: MoleculeScorer, seed: int, protein: Protein | None):
        self.scorer, self.seed, self.protein = scorer, seed, protein

    def __call__(self, window: list[Packed | None]) -> list[tuple[MoleculeScore, Fit | None]]:
        """Score and fit of each molecule of a batch."""
        fits = [None if self.protein is None else _fit(unpacked(mol), self.protein) for mol in window]
        return list(zip(self.scorer.together(window, seed=self.seed), fits, strict=True))


def _fit(mol: Chem.Mol | None, protein: Protein) -> Fit | None:
    try:
        return None if mol is None else fit(mol, protein)
    except MoleculeError:
        return None
