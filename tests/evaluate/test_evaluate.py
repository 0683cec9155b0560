import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors
from small_molecules import SMILES, embed, with_hydrogen, without_atom, write_sdf

import molscore.evaluate
from molscore.chem.arrays import from_mol
from molscore.datasets.tensorfile import pack, write_tensorfile
from molscore.evaluate import Metrics, evaluate


@pytest.fixture(scope="module")
def tiny(mols, tmp_path_factory):
    """A reference of a few of the molecules."""
    return write_sdf(tmp_path_factory.mktemp("reference") / "tiny.sdf", mols[:6])


@pytest.fixture(scope="module")
def raw(mols, tmp_path_factory):
    """12 sound molecules, one of them again, a radical, two fragments, a broken valence, an unreadable record: 17."""
    unsound = [without_atom(embed("CC"), 7), embed("O.CC"), with_hydrogen(embed("CC"), 0), embed("CF")]
    records = [*mols, mols[3], *unsound]
    path = write_sdf(tmp_path_factory.mktemp("raw") / "raw.sdf", records)
    parts = path.read_text().split("$$$$\n")
    parts[-2] = parts[-2].replace(" C ", " Qq ", 1)
    path.write_text("$$$$\n".join(parts))
    return path


@pytest.fixture(scope="module")
def metrics(raw, tiny):
    return evaluate(raw, reference=tiny)


def test_every_record_is_in_the_denominator(metrics):
    n = len(SMILES)
    assert [
        (metrics[name].count, metrics[name].total) for name in ("readable", "sanitised", "valid_connected", "valid")
    ] == [
        (n + 4, n + 5),
        (n + 3, n + 5),
        (n + 2, n + 5),
        (n + 1, n + 5),
    ]
    stable = metrics["molecules_stable_explicit"]
    assert (stable.count, stable.total) == (n + 2, n + 5)  # fragments may be stable
    assert metrics["posebusters"].total == n + 3
    assert metrics["posebusters_of_all"].total == n + 5
    assert metrics["posebusters"].count == metrics["posebusters_of_all"].count == n + 1
    assert metrics.posebusters["no_radicals"].count == n + 2
    assert metrics.posebusters["all_atoms_connected"].count == n + 2


def test_duplicates_and_known_molecules_are_counted(metrics):
    n = len(SMILES)
    assert (metrics["unique"].count, metrics["unique"].total) == (n, n + 1)
    assert (metrics["novel"].count, metrics["novel"].total) == (n - 6, n)
    assert (metrics["valid_unique_novel"].count, metrics["valid_unique_novel"].total) == (n - 6, n + 5)


def test_atoms_of_an_unreadable_record_cannot_be_counted(metrics, mols):
    atoms = sum(mol.GetNumAtoms() for mol in [*mols, mols[3]]) + 7 + 11 + 9
    assert metrics["atoms_stable_explicit"].total == atoms
    assert metrics["atoms_stable_explicit"].count == atoms - 2  # the carbons of three and five bonds


def test_composition_and_notes(metrics):
    assert metrics.composition["molecules"] == len(SMILES) + 1
    assert sum(metrics.composition["elements"].values()) == pytest.approx(1)
    assert metrics.composition["charged_molecules"] == 0
    assert metrics.composition["rings_per_molecule"]["3"] == pytest.approx(1 / (len(SMILES) + 1))
    assert any(note.startswith("1 of the records could not be read") for note in metrics.notes)
    assert any(f"record {len(SMILES) + 5} (line" in note for note in metrics.notes)
    assert metrics.reference_composition["molecules"] == 6


def test_relaxation_is_of_valid_and_connected_records(metrics):
    n = len(SMILES)
    assert metrics.relaxation["n"] == n + 2  # with the radical, without the fragments
    assert 0 <= metrics.relaxation["low"] <= metrics.relaxation["median"] <= metrics.relaxation["high"] < 100
    assert metrics.reference_relaxation["n"] == 6
    assert "Relaxation energy, MMFF94s, kcal/mol" in metrics.format_text()


def test_compositions_are_compared(metrics):
    assert set(metrics.differences) == {"elements", "rings", "groups"}
    assert 0 < metrics.differences["elements"] < 0.5
    assert metrics.composition["groups"]["nitrile"] == pytest.approx(2 / (len(SMILES) + 1))
    text = metrics.format_text()
    assert re.search(r"with nitrile, % +15\.38 +16\.67", text)
    assert "functional groups, mean absolute difference" in text


def test_the_text_begins_with_ten_lines(metrics):
    head, *lines = metrics.format_text().split("\n\n")[0].splitlines()
    assert f"reference {metrics.reference}" in head
    assert len(lines) == 10 and all(line.startswith("  ") for line in lines)
    valid = metrics["valid_connected"]
    assert lines[0].split() == f"valid & connected {100 * valid.value:.1f} %, {valid.count} of {valid.total}".split()
    energies = f"{metrics.relaxation['median']:.1f} kcal/mol (reference {metrics.reference_relaxation['median']:.1f})"
    assert any(line.endswith(energies) for line in lines)


def test_effective_number_of_molecules(metrics):
    n = len(SMILES)  # one of them twice
    entropy = (n - 1) / (n + 1) * math.log(n + 1) + 2 / (n + 1) * math.log((n + 1) / 2)
    assert metrics.effective_molecules == pytest.approx(math.exp(entropy))


def test_training_file_is_looked_into(mols, tmp_path):
    path = tmp_path / "made.safetensors"
    arrays = [from_mol(mol) for mol in mols]
    write_tensorfile(path, pack(arrays[:6] + arrays[6:] * 4, np.repeat([0, 2], [6, 24]), np.arange(30)), {})
    metrics = evaluate(mols[:6] * 2, reference=None, posebusters=None, relaxation=False, training=path)
    assert metrics.relaxation is None and metrics.rediscovery is None
    assert metrics.memorisation["conformer"]["training_matches"] == 12
    assert metrics.memorisation["graph"]["z"] > 3
    assert Metrics.from_dict(json.loads(metrics.to_json())) == metrics
    text = metrics.format_text()
    assert "nearest graph is a training molecule 100.00 %, by chance 20.00 %" in text
    assert "to 12 training molecules" in text and "coverage of" in text


def test_a_training_file_without_test_split_is_an_error_before_any_work(mols, tmp_path):
    path = tmp_path / "made.safetensors"
    write_tensorfile(path, pack([from_mol(mols[0])], np.zeros(1), np.zeros(1)), {})
    with pytest.raises(ValueError, match="at least 20"):
        evaluate(mols, None, training=path, on_progress=lambda done, total: pytest.fail("work was done"))


def test_json_round_trip(metrics):
    text = metrics.to_json()
    assert Metrics.from_dict(json.loads(text)) == metrics
    rate = json.loads(text)["rates"]["valid"]
    assert rate["low"] < rate["value"] == rate["count"] / rate["total"] < rate["high"]


def test_text_shows_denominators_intervals_and_floors(metrics):
    text = metrics.format_text()
    n = len(SMILES)
    assert f"{n + 1} / {n + 5} records" in text
    assert f"{n} / {n + 1} valid records" in text
    assert f"{n + 1} / {n + 3} sanitised records" in text
    assert re.search(r"valid & connected +82\.35 +58\.97 - +93\.81 +14 / 17 records", text)
    for word in (
        "floor",
        "distance table",
        "explicit bonds",
        "W1 (circular)",
        "MMD",
        "double bond flatness",
        "tiny.sdf",
    ):
        assert word in text
    assert all(len(line) < 140 for line in text.splitlines())


def test_distance_to_itself_is_zero_and_below_the_floor(tiny):
    metrics = evaluate(tiny, reference=tiny, posebusters=None)
    for distance in metrics.distances.values():
        assert distance.value == pytest.approx(0, abs=1e-9)
        assert distance.floor > 0
    assert metrics["novel"].count == 0
    assert metrics.posebusters == {} and "posebusters" not in metrics.rates


def test_delivered_is_counted_against_the_attempts(mols, tmp_path):
    path = write_sdf(tmp_path / "kept.sdf", mols[:3], {"molscore_index": [0, 3, 9]})
    metrics = evaluate(path, reference=None, posebusters=None)
    assert (metrics["delivered"].count, metrics["delivered"].total) == (3, 10)
    assert "novel" not in metrics.rates and metrics.distances == {} and metrics.reference is None
    assert "3 / 10 attempts" in metrics.format_text()
    shards = write_sdf(tmp_path / "shards.sdf", mols[:3], {"molscore_index": [1, 2**32, 2**32 + 6]})
    assert evaluate(shards, reference=None, posebusters=None)["delivered"].total == 2 + 7
    twice = write_sdf(tmp_path / "twice.sdf", mols[:2], {"molscore_index": [4, 4]})
    assert "delivered" not in evaluate(twice, reference=None, posebusters=None).rates


def test_progress_reaches_the_total(mols):
    seen = []
    evaluate(mols[:4], reference=None, posebusters=None, on_progress=lambda *step: seen.append(step))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_nothing_valid_is_no_crash(tiny):
    metrics = evaluate([None, without_atom(embed("C"), 1)], reference=tiny)
    assert metrics["valid"].count == 0 and metrics["valid"].total == 2
    assert metrics["unique"].value is None
    assert metrics.distances["bond_mmd"].value is None
    assert Metrics.from_dict(json.loads(metrics.to_json())) == metrics
    assert "0 / 0 valid records" in metrics.format_text()


def test_molecules_without_hydrogens_are_pointed_out(mols):
    metrics = evaluate([Chem.RemoveHs(mol) for mol in mols], reference=None, posebusters=None)
    assert metrics["valid"].count == 0
    assert any("no record has hydrogen atoms" in note for note in metrics.notes)


def test_unknown_reference_is_an_error_before_any_work(mols):
    with pytest.raises(ValueError, match="no reference called 'zinc'"):
        evaluate(mols, reference="zinc", on_progress=lambda done, total: pytest.fail("work was done"))


def test_the_package_can_be_called_like_the_function(mols):
    assert molscore.evaluate(mols[:1], reference=None, posebusters=None)["valid"].count == 1


def test_torch_is_never_imported():
    code = (
        "import sys; from molscore.evaluate import evaluate; from rdkit import Chem\n"
        "evaluate([None, Chem.MolFromSmiles('C')], reference='qm9')\n"
        "assert not [m for m in sys.modules if m.split('.')[0] == 'torch'], 'torch'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_relaxation_with_xtb(mols):
    """Of the first so many; it is reported beside that of MMFF94s, and survives the way through JSON."""
    pytest.importorskip("tblite")
    metrics = evaluate(mols[:4], reference=None, posebusters=None, xtb=2)
    assert metrics.xtb_relaxation["n"] == 2 and metrics.relaxation["n"] == 4
    assert "Relaxation energy, GFN2-xTB, kcal/mol" in metrics.format_text()
    assert Metrics.from_dict(json.loads(metrics.to_json())) == metrics


def test_means_of_properties(mols):
    metrics = evaluate(mols[:4], reference=None, posebusters=None, relaxation=False)
    weights = [Descriptors.MolWt(mol) for mol in mols[:4]]
    assert metrics.composition["properties"]["mw"] == pytest.approx(np.mean(weights))
    assert "mean qed" in metrics.format_text()


def test_unknown_posebusters_checks_are_refused(mols):
    with pytest.raises(ValueError, match="choose one of mol_fast, mol"):
        evaluate(mols[:1], reference=None, posebusters="gen")


def test_unusual_chemistry_is_counted(mols):
    """A peroxide and an enol among four: half are unusual, a quarter each."""
    metrics = evaluate([*mols[:2], embed("CCOOCC"), embed("OC=CC")], reference=None, posebusters=None, relaxation=False)
    assert metrics.composition["unusual"] == {"any": 0.5, "peroxide": 0.25, "enol": 0.25}
    assert "unusual, peroxide, %" in metrics.format_text()


@pytest.mark.parametrize("number", [2, 3])
def test_workers_change_nothing(raw, tiny, metrics, monkeypatch, number):
    monkeypatch.setattr("molscore.evaluate.molecules.assess.TOGETHER", 3)
    seen = []
    shared = evaluate(raw, reference=tiny, workers=number, on_progress=lambda *step: seen.append(step))
    assert json.dumps(shared.to_dict()) == json.dumps(metrics.to_dict())
    assert seen == [(k, 17) for k in range(1, 18)]
