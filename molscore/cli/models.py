"""``molscore models``, ``molscore info`` and ``molscore properties``."""

import json
from typing import Annotated

import typer

from molscore.cli.common import complaints
from molscore.pretrained import DEFAULT

Json = Annotated[bool, typer.Option("--json", help="All there is, as JSON.")]


def models() -> None:
    """List the bundled models."""
    from molscore import pretrained

    for name in pretrained.names():
        about = pretrained.about(name)
        record = about["record"]
        typer.echo(
            f"{name}\t{about['parameters'] / 1e6:.2f} M parameters, trained on {record['molecules']:,} molecules "
            f"in {record['seconds'] / 3600:.1f} h ({record['hardware']})"
        )


def info(
    model: Annotated[str, typer.Argument(help="Bundled model or .safetensors file.")] = DEFAULT,
    as_json: Json = False,
) -> None:
    """Show a model's card: what it is for, its data and their licences, sizes, elements, quality and limits."""
    from molscore import pretrained

    with complaints(ValueError, OSError):
        about = pretrained.about(model)
        if model not in pretrained.names():  # a file from elsewhere is shown only if it is sound
            from molscore.model.files import load

            load(pretrained.find(model))
    if as_json:
        typer.echo(json.dumps(about, indent=1))
    else:
        from molscore.cards import card

        typer.echo(card(model))


def properties(as_json: Json = False) -> None:
    """List the properties of records: names (the same in filters), units and meanings."""
    from molscore.chem.checks.catalogue import ORIGINS, PROPERTIES

    if as_json:
        typer.echo(json.dumps({name: entry._asdict() for name, entry in PROPERTIES.items()}, indent=1))
        return
    width = max(len(name) for name, entry in PROPERTIES.items() if entry.filters)
    for origin, words in ORIGINS.items():
        typer.echo(f"\n{words[0].upper()}{words[1:]}")
        for name, entry in PROPERTIES.items():
            if entry.origin == origin:
                unit = f" [{entry.unit}]" if entry.unit else ""
                filters = f" (filter: {', '.join(entry.filters)})" if entry.filters else ""
                typer.echo(f"  {name.ljust(width)}  {entry.meaning}{unit}{filters}")
