"""What the tests of this folder share."""

import pytest
from small_molecules import SMILES, embed


@pytest.fixture(scope="session")
def mols():
    """Small real molecules in 3-D, one for each of `SMILES`."""
    return [embed(smiles) for smiles in SMILES]
