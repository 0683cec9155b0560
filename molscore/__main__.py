"""``python -m molscore``."""

from molscore.cli import app

app(prog_name="molscore")
