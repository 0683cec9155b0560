"""Files of conformers are judged per molecule."""

import json

import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMultipleConfs
from small_molecules import embed, without_atom

from molscore.evaluate import Metrics, evaluate


def conformers(smiles, title, n, **properties):
    """Records of an ensemble, with values of each property one after another."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    records = []
    for k, index in enumerate(EmbedMultipleConfs(mol, n, randomSeed=3)):
        record = Chem.Mol(mol, False, index)
        record.SetProp("_Name", title)
        for name, values in properties.items():
            record.SetProp(name, str(values[k]))
        records.append(record)
    return records


@pytest.fixture(scope="module")
def ensembles():
    """Three, two and one conformers; the last of the second is a radical."""
    butanol = {
        "rank": [1, 2, 3],
        "energy_kcal_per_mol": [-4.0, -3.5, 2.0],
        "rmsd_to_best_angstrom": [0.0, 0.8, 0.5],
        "method": ["score", "score", "etkdg"],
        "fallback_reason": ["", "", "stereo"],
    }
    pair = conformers("CCCCC", "pentane", 2)
    broken = without_atom(pair[1], pair[1].GetNumAtoms() - 1)
    return [*conformers("CCCCO", "butanol", 3, **butanol), pair[0], broken, embed("CO")]


def test_figures_are_of_ensembles(ensembles):
    metrics = evaluate(ensembles, reference=None, posebusters=None, relaxation=False)
    found = metrics.ensembles
    assert (found["molecules"], found["conformers"], found["single"]) == (4, 6, 3)  # a radical is another molecule
    assert found["per_molecule"] == {"median": 1.0, "least": 1.0, "most": 3.0, "n": 4}
    assert found["energy_span_kcal_per_mol"] == {"median": 6.0, "least": 6.0, "most": 6.0, "n": 1}
    assert found["rmsd_spread_angstrom"]["most"] == 0.8
    assert (found["valid"], found["wholly_valid"], found["without_energy"]) == (5, 3, 3)
    assert found["methods"] == {"score": 2, "etkdg": 1} and found["fallbacks"] == {"stereo": 1}
    assert Metrics.from_dict(json.loads(metrics.to_json())) == metrics


def test_nobody_asks_conformers_to_be_different_molecules(ensembles):
    metrics = evaluate(ensembles, reference="qm9", posebusters=None, relaxation=False)
    assert not {"unique", "unique_stereo", "novel", "valid_unique_novel"} & set(metrics)
    assert metrics.effective_molecules is None and metrics.rediscovery is None
    text = metrics.format_text()
    assert "6 of 4 molecules" in text and "score 2, etkdg 1" in text and "unique" not in text


def test_distances_are_measured_where_records_do_not_say(ensembles):
    """Best fit of the heavy atoms, to the first."""
    found = evaluate(conformers("CCCCC", "", 4), reference=None, posebusters=None, relaxation=False).ensembles
    assert found["molecules"] == 1 and 0.1 < found["rmsd_spread_angstrom"]["most"] < 2


def test_molecules_are_no_ensembles():
    mols = [embed(smiles) for smiles in ("CO", "CC", "CCO")]
    metrics = evaluate([*mols, mols[2]], reference=None, posebusters=None, relaxation=False)
    assert metrics.ensembles is None and metrics["unique"].total == 4
