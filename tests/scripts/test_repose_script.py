"""scripts/repose.py: distances that are known, and a summary of rows that are."""

import numpy as np
import pytest
import repose
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule


def test_distances_are_measured_where_poses_lie_over_symmetries():
    crystal = Chem.AddHs(Chem.MolFromSmiles("Cc1ccccc1"))
    assert EmbedMolecule(crystal, randomSeed=1) == 0
    shifted, flipped = Chem.Mol(crystal), Chem.RenumberAtoms(crystal, [0, 1, 6, 5, 4, 3, 2, *range(7, 15)])
    shifted.GetConformer().SetPositions(crystal.GetConformer().GetPositions() + np.array([3.0, 0, 4]))
    assert repose.rmsds([crystal, shifted, flipped], crystal) == pytest.approx([0, 5, 0], abs=1e-6)


def test_rates_are_of_pockets_and_of_poses():
    def pose(rmsd, *busted):
        return {"rmsd": rmsd, "energy": -1.0, "busted": list(busted)}

    vina = {"rmsd": 1.0, "busted": [], "seconds": 2.0}
    rows = [
        {"poses": [pose(2.5), pose(1.0, "flat")], "dropped": {"rmsd": 3}, "seconds": 1.0, "vina": vina},
        {"poses": [pose(2.0)], "dropped": {}, "seconds": 3.0, "vina": vina | {"rmsd": 4.0}},
        {"poses": [], "dropped": {"pocket_clash": 9}, "seconds": 3.0, "vina": vina | {"rmsd": None}},
    ]
    figures = repose.summary(rows)
    counts = {name: rate["count"] for name, rate in figures["near"].items()}
    assert counts == {"1": 1, "3": 2, "all": 2} and figures["near"]["1"]["total"] == 3
    assert figures["near_and_sound"]["count"] == 1 and figures["with_poses"]["count"] == 2
    assert (figures["busters"]["count"], figures["busters"]["total"]) == (2, 3)
    assert (figures["vina_near"]["count"], figures["vina_near"]["total"]) == (1, 3)
    assert figures["rmsd"] == 2.25 and figures["dropped"] == {"pocket_clash": 9, "rmsd": 3}
    assert "best-ranked pose within 2 Å" in repose.markdown(figures)
