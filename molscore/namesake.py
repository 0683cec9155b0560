"""Another project is published on PyPI as ``molscore``, and installs a folder of that name too.

Where both are installed, one overwrites files of the other. `warn` says so, once, when this package is first imported
or its command is run. Only the names of files are looked at, which takes a millisecond.
"""

import os
import sys
import warnings
from functools import cache

from molscore.versions import DISTRIBUTION

OURS = "The molscore authors"
"""Author of this project, which was once installed as ``molscore`` itself."""


class NamesakeWarning(UserWarning):
    """Another project called molscore is installed in the same environment."""


@cache
def warn() -> None:
    """Warns if the other project is installed. Worker processes leave that to the process that started them."""
    if _is_worker() or (other := version_of_other(sys.path)) is None:
        return
    warnings.warn(
        f"another project called molscore ({other}) is installed in this environment beside {DISTRIBUTION}, and both "
        "install a package `molscore`: one overwrites the other. Keep them in environments of their own; to keep "
        f"{DISTRIBUTION} here: pip uninstall -y molscore {DISTRIBUTION} && pip install {DISTRIBUTION}",
        NamesakeWarning,
        stacklevel=2,
    )


def version_of_other(folders: list[str]) -> str | None:
    """The version of the other project, None if it is in none of the folders that Python imports from."""
    for folder in folders:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            project, _, rest = name.partition("-")
            if (
                project.lower() == "molscore"
                and rest.endswith((".dist-info", ".egg-info"))
                and not _is_ours(os.path.join(folder, name))
            ):
                return rest.rpartition(".")[0].partition("-py")[0]
    return None


def _is_ours(folder: str) -> bool:
    """Whether this is an install of this project under its former name."""
    for name in ("METADATA", "PKG-INFO"):
        try:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                header = file.read().partition("\n\n")[0]
        except OSError:
            continue
        return f"Author: {OURS}" in header.splitlines()
    return False


def _is_worker() -> bool:
    """Whether `multiprocessing` started this process."""
    module = sys.modules.get("multiprocessing.process")
    return "multiprocessing.forkserver" in sys.modules or (module is not None and module.parent_process() is not None)
