"""What every test shares: run-time shape and type checks of the core, fixed hypothesis seeds, both precisions."""

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Every call into the core checks its jaxtyping annotations. The hook must stand before the core is imported.
install_import_hook("molscore.core", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    """A torch dtype, each in turn."""
    torch = pytest.importorskip("torch")
    return getattr(torch, request.param)
