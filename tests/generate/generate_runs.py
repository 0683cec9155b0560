"""Runs of `generate_sdf`, stopped where asked, and their files."""

import csv

from molscore.chem.io.sdf_reader import read_sdf
from molscore.generate import GenerationOptions
from molscore.generate.files import generate_sdf

N, STEPS = 6, 12
"""So few steps that half of the attempts are rejected, over two windows."""


class Killed(BaseException):
    """Nothing catches this: the process is gone."""


def read(path):
    return [record.mol for record in read_sdf(path)]


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def run(generator, sdf, rejects=None, stop_at=None, stop=KeyboardInterrupt, n=N, seed=0, resume=False, **choices):
    """A run, stopped after so many attempts if so asked."""
    attempts = []

    def count(attempt, delivered):
        attempts.append(attempt)
        if len(attempts) == stop_at:
            raise stop

    options = GenerationOptions(**{"steps": STEPS, **choices})
    return generate_sdf(generator, n, sdf, seed, options, rejects=rejects, resume=resume, on_attempt=count)
