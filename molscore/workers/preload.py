"""What the server of workers imports before all else."""

from molscore.garbage import search_less

search_less()
