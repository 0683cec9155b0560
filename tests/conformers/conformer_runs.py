"""Runs of `conformers_sdf` over a short list, stopped where asked."""

import gzip

from rdkit import Chem

from molscore.conformers import ConformerOptions
from molscore.conformers.files import conformers_sdf

QUICK = ConformerOptions(steps=4, oversampling=1, fill=True)
LIST = "CCCCO butanol\nc1ccccc1C pentane, no: toluene\nnonsense(\n\nCC(=O)[O-].[Na+] salt\nCC(N)C(=O)O ala\n"


class Killed(BaseException):
    """Nothing catches this: the process is gone."""


def read(path) -> list[Chem.Mol]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        return list(Chem.ForwardSDMolSupplier(file, removeHs=False))


def run(generator, source, out, problems=None, stop_at=None, stop=KeyboardInterrupt, seed=0, n=2, **options):
    """A run, stopped after so many records if so asked."""

    def count(records: int) -> None:
        if records == stop_at:
            raise stop

    chosen = options.pop("chosen", QUICK)
    return conformers_sdf(generator, str(source), out, n, seed, chosen, problems=problems, on_progress=count, **options)
