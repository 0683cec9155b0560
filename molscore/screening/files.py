"""A library in a file, ranked in constant memory: the best of it, or all in its order."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, tee
from pathlib import Path
from typing import Literal, NamedTuple

from molscore.chem.io.formats import check_output, record_writer
from molscore.chem.io.inputs import Entry, read_inputs
from molscore.chem.io.lines import ERRORS
from molscore.chem.io.sdf_text import carried, format_mol, record_properties, tagged
from molscore.chem.io.source import check_posed, check_source
from molscore.chem.properties import packed
from molscore.conformers.one_file import HEADER
from molscore.files.output import written
from molscore.files.paths import check_apart
from molscore.files.summary import listed
from molscore.files.table import csv_text
from molscore.limits import check
from molscore.screening.ranker import Fit, Ranker
from molscore.screening.ranking import device_of
from molscore.versions import version
from molscore.workers import Workers, count, ready

TOP = 100
"""Hits that are kept, unless the user says otherwise."""

LISTED = 10
"""Problems that the summary names; the others it counts."""


@dataclass
class RankingRun:
    """The result for a file.

    Attributes:
        records: read.
        ranked: molecules that were; of records in a row that are conformers of one molecule the best counts.
        hits: written.
        best: value of the best hit, by which it is ranked; None if there is none.
        failed: records without a fit, by reason.
        problems: the first of them, in words.
    """

    records: int = 0
    ranked: int = 0
    hits: int = 0
    best: float | None = None
    failed: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def text(self, out: object) -> str:
        """The summary for the user."""
        lines = [f"{self.hits:,} hits of {self.ranked:,} molecules ({self.records:,} records), in {out}"]
        if self.best is not None:
            lines.append(f"the best: {self.best:.3f}")
        if self.failed:
            lines.append(f"not ranked: {listed(self.failed)}")
            lines += [f"  {problem}" for problem in self.problems]
            if (more := self.failed.total() - len(self.problems)) > 0:
                lines.append(f"  and {more} more; --problems FILE lists them all")
        return "\n".join(lines)


class _Scored(NamedTuple):
    """What a worker sends back of a record: its number is known, and a molecule weighs more than its text."""

    value: float
    smiles: str
    text: str
    reason: str
    detail: str


def rank_file(
    ranker: Ranker,
    source: str,
    out: Path,
    top: int | None = TOP,
    *,
    form: str | None = None,
    smiles_column: str = "smiles",
    name_column: str | None = None,
    encoding: str | None = None,
    problems: Path | None = None,
    workers: int | Literal["auto"] = 1,
    on_progress: Callable[[int], None] | None = None,
) -> RankingRun:
    """Ranks the molecules of a file.

    Args:
        ranker: see `molscore.screening.ranking.ranker_of`.
        source, form, smiles_column, name_column, encoding: the library, as for `molscore.chem.io.inputs.read_inputs`.
            Where its own conformers are taken, records in a row of one isomeric SMILES are conformers of one molecule.
        out: the file to write, a record for each hit in the frame of the query, in a format of
            `molscore.chem.io.formats`; ``-`` is standard output.
        top: how many to write, best first; None: all, in their order.
        problems: CSV file for records that could not be ranked: number, line, name, reason, detail.
        workers: processes, see `molscore.workers`.
        on_progress: called with the number of finished records.

    Raises:
        ValueError: for bad arguments, positions that SMILES do not have, or a library without records.
        OSError: if a file cannot be read or written. Nothing is written then.
    """
    kind = check_source(source, form)
    if ranker.generator is None:
        check_posed(source, kind)
    if top is not None:
        check("top", top)
    check_output(out)
    check_apart({"out": out, "problems": problems}, {"source": source})
    entries = read_inputs(source, form=form, smiles_column=smiles_column, name_column=name_column, encoding=encoding)
    run = RankingRun()
    with ExitStack() as stack:
        number = count(workers, device_of(ranker))
        pool: Workers[list[tuple[Entry, object]], list[_Scored]] = Workers(ready(partial(_scored, ranker)), number)
        stack.enter_context(pool)
        writer = stack.enter_context(record_writer(out))
        listing = None if problems is None else stack.enter_context(written(problems))

        def note(entry: Entry, scored: _Scored) -> None:
            run.failed[scored.reason] += 1
            row = (entry.number, entry.line, entry.name, scored.reason, scored.detail)
            if len(run.problems) < LISTED:
                name = f" ({entry.name})" if entry.name else ""
                run.problems.append(f"record {row[0]}, line {row[1]}{name}: {scored.reason}: {scored.detail}")
            if listing is not None:
                listing.write(csv_text([row]).encode("utf-8", ERRORS))

        if listing is not None:
            listing.write(csv_text([HEADER]).encode())
        best: list[tuple[float, int, str]] = []
        for place, scored in enumerate(_molecules(_results(pool, ranker, entries, run, note, on_progress), ranker)):
            run.ranked += 1
            run.best = scored.value if run.best is None else max(run.best, scored.value)
            if top is None:
                writer.add(scored.text.encode("utf-8", ERRORS))
            elif len(best) < top:
                heapq.heappush(best, (scored.value, -place, scored.text))
            else:
                heapq.heappushpop(best, (scored.value, -place, scored.text))
        for _, _, text in sorted(best, reverse=True):
            writer.add(text.encode("utf-8", ERRORS))
        run.hits = run.ranked if top is None else len(best)
        if not run.records:
            raise ValueError(f"{source} holds no record")
    return run


def _results(
    pool: Workers[list[tuple[Entry, object]], list[_Scored]],
    ranker: Ranker,
    entries: Iterator[Entry],
    run: RankingRun,
    note: Callable[[Entry, _Scored], None],
    on_progress: Callable[[int], None] | None,
) -> Iterator[_Scored]:
    """What the records come to, in their order; those that failed are noted."""
    ahead, again = tee(entries)
    sound = ((replace(entry, mol=None), packed(entry.mol)) for entry in ahead if entry.mol is not None)
    made = chain.from_iterable(pool.map(ranker.groups(sound)))
    for entry in again:
        fit = Fit(reason=entry.reason or "", detail=entry.detail or "") if entry.mol is None else None
        scored = next(made) if fit is None else _Scored(0.0, "", "", fit.reason, fit.detail)
        run.records += 1
        if scored.reason:
            note(entry, scored)
        else:
            yield scored
        if on_progress is not None:
            on_progress(run.records)


def _molecules(results: Iterator[_Scored], ranker: Ranker) -> Iterator[_Scored]:
    """The best of each molecule: conformers that a file holds follow one another."""
    if ranker.generator is not None:
        yield from results
        return
    best: _Scored | None = None
    for scored in results:
        if best is None or best.smiles != scored.smiles:
            if best is not None:
                yield best
            best = scored
        elif scored.value > best.value:
            best = scored
    if best is not None:
        yield best


def _scored(ranker: Ranker, group: Sequence[tuple[Entry, object]]) -> list[_Scored]:
    fits = ranker([(entry.number, mol) for entry, mol in group])
    return [
        _Scored(fit.value, fit.smiles, _text(ranker, entry, fit), fit.reason, fit.detail)
        for (entry, _), fit in zip(group, fits, strict=True)
    ]


def _text(ranker: Ranker, entry: Entry, fit: Fit) -> str:
    """The record of a hit; "" where there is none."""
    if fit.mol is None:
        return ""
    ours: dict[str, object] = {"SMILES": fit.smiles, "molscore_version": version(), "molscore_index": entry.number}
    if ranker.generator is not None:
        how = {"molscore_options": ranker.options.text(ranker.n)}
        name, seed = ranker.generator.name, ranker.seed
        ours = record_properties(fit.smiles, model=name, seed=seed, index=entry.number, extra=how)
    ours |= fit.overlap.properties()
    title = entry.name if entry.name.strip() else f"molecule_{entry.number}"
    return tagged(format_mol(fit.mol, title) + carried(entry.items, ours), ours)
