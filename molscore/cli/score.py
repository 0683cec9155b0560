"""``molscore score`` and ``molscore interpolate``."""

from pathlib import Path
from typing import Annotated

import typer

from molscore.cli.common import Encoding, Model, Quiet, bar, complaints, fail
from molscore.pretrained import GRAPH_CONDITIONED


def score(
    mols: Annotated[Path, typer.Argument(help="SDF file, 3-D.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="SDF file to write: the same records, tagged.")],
    structure: Annotated[
        Path | None, typer.Option("--protein", help=".pdb or .cif file (.gz too) that they lie in: do they fit?")
    ] = None,
    model: Model = GRAPH_CONDITIONED,
    seed: Annotated[int, typer.Option(min=0, help="Of the estimates: same seed, same figures.")] = 0,
    encoding: Encoding = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Tag each molecule with log-likelihood, norm of the score and uncertainty, and with its fit into a protein."""
    from molscore import pretrained
    from molscore.chem.io.lines import check_encoding
    from molscore.chem.io.source import check_sdf
    from molscore.files.paths import check_apart, check_writable

    if structure is not None and not structure.is_file():
        fail(f"there is no file {structure}")
    with complaints(ValueError, OSError):
        check_sdf(mols)
        check_encoding(encoding)
        check_writable(out, (".sdf", ".sdf.gz"))
        check_apart({"--out": out}, {"MOLS": mols, "--protein": structure, "--model": pretrained.find(model)})
    protein = None
    if structure is not None:
        from molscore.chem.io.protein import read_protein

        with complaints(ValueError, OSError):
            protein = read_protein(structure)
        if not quiet:
            typer.echo(protein.text(), err=True)
    from molscore.score.files import score_sdf
    from molscore.score.scorer import MoleculeScorer

    with complaints(ValueError):
        scorer = MoleculeScorer.from_pretrained(model, device)
    with complaints(ValueError, OSError, code=1), bar("scoring", None, quiet) as advance:
        outcome = score_sdf(scorer, mols, out, seed, advance, protein, encoding)
    if not quiet:
        typer.echo(outcome.text(out), err=True)
    if not (outcome.scores or outcome.fits):
        raise typer.Exit(1)
    if outcome.unread:
        raise typer.Exit(3)


def interpolate(
    first: Annotated[Path, typer.Argument(help="SDF file: the first record is where the way begins.")],
    last: Annotated[Path, typer.Argument(help="SDF file: the first record is where it ends.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="SDF file to write.")] = Path("path.sdf"),
    n: Annotated[int, typer.Option("--n", "-n", min=2, help="Molecules on the way, ends included.")] = 11,
    model: Model = GRAPH_CONDITIONED,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the flow, there and back.")] = 60,
    encoding: Encoding = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Walk from one conformer of a molecule to another, along the latent line of the probability flow."""
    from molscore import pretrained
    from molscore.chem.io.lines import check_encoding
    from molscore.chem.io.source import check_sdf
    from molscore.files.paths import check_apart, check_writable

    with complaints(ValueError, OSError):
        for path in (first, last):
            check_sdf(path)
        check_encoding(encoding)
        check_writable(out, (".sdf", ".sdf.gz"))
        check_apart({"--out": out}, {"FIRST": first, "LAST": last, "--model": pretrained.find(model)})
    from molscore.chem.io.sdf_reader import read_sdf
    from molscore.chem.io.sdf_writer import SDFWriter
    from molscore.score.interpolate import interpolate as walk
    from molscore.score.scorer import MoleculeScorer

    with complaints(ValueError):
        scorer = MoleculeScorer.from_pretrained(model, device)
    with complaints(ValueError, OSError, code=1):
        ends = []
        for path in (first, last):
            if (record := next(read_sdf(path, encoding=encoding), None)) is None or record.mol is None:
                raise ValueError(f"{path}: {record.reason if record else 'there is no record'}")
            ends.append(record.mol)
        way = walk(scorer.model, *ends, n=n, steps=steps)
        scores = scorer.score([one.mol for one in way])
        with SDFWriter(out) as writer:
            for k, (one, told) in enumerate(zip(way, scores, strict=True)):
                writer.write(one.mol, f"step {k}", one.properties() | told.properties())
    if not quiet:
        strains = [one.strain for one in way if one.strain is not None]
        most = f", at most {max(strains):.1f} kcal/mol above a minimum of MMFF94s" if strains else ""
        typer.echo(f"{n} molecules in {out}, ends {way[-1].to_first:.2f} Å apart{most}", err=True)
