"""Wishes of completion, targets, pockets, and what is made, checked before a model is loaded."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from molscore.cli.common import complaints

if TYPE_CHECKING:
    from molscore.chem.pocket.receptor import Pocket


def check_generation(
    n: int, wishes: dict[str, Any], model: str, must_match: list[str], must_not_match: list[str], raw: bool
) -> None:
    """Refuses what cannot be kept, joined, replaced, neared, liked or made by a model, or not so many times.

    Args:
        n: how many molecules are asked for.
        wishes: by their names, None for those that were not given.
        model: its name or file.
        must_match, must_not_match: SMARTS.
        raw: whether samples are delivered as they are.

    Raises:
        ValueError: the message names the option and says what to do.
    """
    given = {name: value for name, value in wishes.items() if value is not None}
    if not (given or must_match):
        return
    import numpy as np

    from molscore import pretrained
    from molscore.chem import wishes as completion
    from molscore.chem.checks.filters import MoleculeFilter
    from molscore.chem.made_sizes import made_sizes
    from molscore.chem.possible import check_possible
    from molscore.chem.shape import ShapeQuery

    completion.check_wishes(given)
    aside = ("near", "noise", "like", "features", "particles", "elements", "atoms", "pocket", "target")
    named = {name: value for name, value in given.items() if name not in aside}
    part, elements, bounds = completion.keep(**named), None, given.get("atoms")
    if "elements" in given:
        elements = completion.symbols(given["elements"])
    query = completion.neighboured(given["near"]) if "near" in given else None
    shape = ShapeQuery(given["like"]) if "like" in given else None
    about = pretrained.about(model)
    sizes, parts = np.array(about["size_probabilities"]), [one for one in (part, query) if one is not None]
    completion.check_ability(parts, elements, about["vocabulary"], len(sizes) - 1, model)
    if shape is not None:
        completion.check_like(about["vocabulary"], model)
        _ = shape.heavy  # do structure and positions fit?
    if query is not None:
        sizes = np.eye(len(query) + 1)[-1]
    elif part is not None:
        sizes = made_sizes(part, sizes, bounds, elements)
    elif bounds is not None:
        pretrained.check_sizes(model, sizes.tolist(), bounds)
        sizes[: bounds[0]] = sizes[bounds[1] + 1 :] = 0
    elif shape is not None:
        sizes = shape.sizes(sizes)
    if not raw:
        wanted = MoleculeFilter(None, must_match, must_not_match)
        check_possible(n, part, elements, about["vocabulary"], sizes, wanted)


def check_core(keep: str | None, lead: str | None) -> None:
    """Refuses a core that cannot be held, before a model is loaded; errors as for `check_generation`."""
    if keep is None and lead is None:
        return
    from molscore.chem import lead_core, wishes

    wishes.check_keep(keep, lead)
    if keep is not None and lead is not None:
        lead_core.lead_core(keep, wishes.molecule(lead, "--from"))


def check_targets(targets: list[str] | None, model: str) -> None:
    """Raises ValueError for targets that are not understood, or that a model cannot be guided to."""
    if targets:
        from molscore import pretrained
        from molscore.chem.targets import check_seen, read_targets

        read = read_targets(targets)
        check_seen(read, pretrained.about_guide(model)["properties"], model)


def pocket_at(pocket: Path | None, site: str | None, relax: str, energy: str | None, quiet: bool) -> "Pocket | None":
    """The pocket that options name, if they do, and a word on what it is; ends the program where there is none."""
    if pocket is None and site is None:
        return None
    from molscore.chem.pocket.receptor import check_pocket, read_pocket

    with complaints(ValueError, OSError):
        check_pocket(pocket, site, relax, energy)
        assert pocket is not None and site is not None
        around = read_pocket(pocket, site)
    if not quiet:
        typer.echo(around.text(), err=True)
    return around
