"""What `molscore.evaluate` returns."""

from dataclasses import dataclass

from molscore.evaluate.figures import Figures
from molscore.evaluate.text import format_metrics


@dataclass(frozen=True, repr=False)
class Metrics(Figures):
    """The result of an evaluation; ``metrics["valid"]`` is the rate of that name. For its attributes see `Figures`."""

    def format_text(self) -> str:
        """A plain-text table of everything, for a terminal."""
        return format_metrics(self)
