"""The table of groups is sound, and what README says of the packages was measured."""

import csv
import json
import re
from pathlib import Path

import protonation
import pytest
from rdkit import Chem

ROOT = Path(protonation.__file__).parents[1]


def test_forms_differ_in_hydrogens_and_charge_alone():
    rows = list(csv.DictReader((ROOT / "scripts" / "protonation.csv").open(newline="")))
    assert len({row["group"] for row in rows}) == len(rows) > 50
    for row in rows:
        written = Chem.MolFromSmiles(row["smiles"])
        for form in map(Chem.MolFromSmiles, row["form"].split()):
            assert form.GetNumHeavyAtoms() == written.GetNumHeavyAtoms(), row
            hydrogens = [sum(atom.GetTotalNumHs() for atom in mol.GetAtoms()) for mol in (form, written)]
            assert hydrogens[0] - hydrogens[1] == Chem.GetFormalCharge(form) - Chem.GetFormalCharge(written), row


def test_the_figures_of_the_documentation_are_those_measured():
    measured = json.loads((ROOT / "data" / "benchmarks" / "protonation.json").read_text())
    texts = [
        path.read_text() for path in (ROOT / "README.md", *(ROOT / "data" / "docs").rglob("*.md")) if path.exists()
    ]
    found = re.search(r"of (\d+) common groups dimorphite-dl finds (\d+) .*? molscrub (\d+)", "\n".join(texts))
    groups, *right = map(int, found.groups())
    assert {result["groups"] for result in measured.values()} == {groups}
    assert [measured[name]["right"] for name in ("dimorphite_dl", "molscrub")] == right


@pytest.mark.parametrize("name", protonation.PACKAGES)
def test_a_package_is_asked_for_one_ph(name):
    pytest.importorskip(name)
    forms = protonation.PACKAGES[name]
    assert [Chem.CanonSmiles(form) for form in forms("CC(=O)O")] == ["CC(=O)[O-]"]
    assert [Chem.CanonSmiles(form) for form in forms("CCN")] == ["CC[NH3+]"]
