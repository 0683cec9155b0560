"""Pages of the documentation that are made from the code and from files of results, whenever it is built."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import mkdocs_gen_files

from molscore import cards, pretrained
from molscore.chem.checks.catalogue import ORIGINS, PROPERTIES, Property
from molscore.chem.checks.validity import FAULTS
from molscore.chem.io.inputs import INPUT_REASONS
from molscore.chem.whole import PREPARATION_FAULTS
from molscore.score.represent import UNREPRESENTABLE

DATA = Path(__file__).parents[1]

REASON_TABLES: dict[str, Mapping[str, str]] = {
    "Why `generate` rejects a sample": FAULTS,
    "Why a record of an input has no molecule": INPUT_REASONS,
    "Why a molecule has no conformer": PREPARATION_FAULTS,
    "Why a molecule has no score": UNREPRESENTABLE,
}


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [list(header), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def properties() -> str:
    """Tables of properties, by their origin."""
    parts = []
    for origin, title in ORIGINS.items():
        rows = [
            (f"`{name}`", meaning(entry), ", ".join(entry.records), ", ".join(entry.filters))
            for name, entry in PROPERTIES.items()
            if entry.origin == origin
        ]
        header = ("name", "meaning", "in the records of", "a filter of")
        parts.append(f"## Of {title}\n\n{table(header, rows)}")
    return "\n".join(parts)


def meaning(entry: Property) -> str:
    """What a property means, with its unit and source."""
    unit = f" [{entry.unit}]" if entry.unit else ""
    return f"{entry.meaning}{unit}" + (f"; {entry.source}" if entry.source else "")


def reasons() -> str:
    """Tables of reasons, by what was left out."""
    parts = []
    for title, words in REASON_TABLES.items():
        parts.append(
            f"## {title}\n\n{table(('reason', 'meaning'), ((f'`{name}`', text) for name, text in words.items()))}"
        )
    return "\n".join(parts)


def model_cards() -> str:
    """A section for each bundled model: what its file says of itself, and what `molscore.cards` adds."""
    parts = []
    for name in pretrained.names():
        about = cards.ABOUT[name]
        measured = {"conformers": "[conformers](quality/conformers.md), [scores](quality/scores.md)"}
        rows = {**cards.facts(name), "data": "; ".join(about.data)}
        rows |= {"limits": "; ".join(about.limits), "how good": measured.get(name, f"[{name}](quality/{name}.md)")}
        parts.append(f"## {name}\n\n{table(('made for', about.purpose), rows.items())}")
    return "\n".join(parts)


def licences() -> str:
    """A list of the sources of training data."""
    return "\n".join(
        f"* **{name}**: {known.words}. Source: {known.source}."
        + (f" Open: {known.open_question}." if known.open_question else "")
        for name, known in cards.LICENCES.items()
    )


def fill(name: str, **parts: str) -> None:
    """Writes a page with parts in the places of comments of their names."""
    text = (Path(__file__).parent / "pages" / name).read_text()
    for place, part in parts.items():
        text = text.replace(f"<!-- {place} -->", part)
    with mkdocs_gen_files.open(name, "w") as file:
        file.write(text)


def copy(source: Path) -> None:
    """A folder of results: its pages, pictures and files, under its name in this site."""
    for path in sorted(source.iterdir()):
        with mkdocs_gen_files.open(f"{source.name}/{path.name}", "wb") as file, path.open("rb") as original:
            shutil.copyfileobj(original, file)


fill("properties.md", properties=properties())
fill("reasons.md", reasons=reasons())
fill("models.md", cards=model_cards(), licences=licences())
for folder in ("benchmarks", "theory", "training"):
    copy(DATA / folder)
