"""The version in every record is looked up once, not once for each."""

from importlib import metadata

from rdkit import Chem

import molscore
from molscore.chem.io.sdf_text import record_properties
from molscore.versions import version


def test_versions_are_those_of_installed_packages():
    assert version() == molscore.__version__ == metadata.version("molscore")
    assert version("torch") == metadata.version("torch")
    assert version("no-such-package") == "not installed"


def test_records_do_not_look_the_version_up_again(monkeypatch):
    version.cache_clear()
    lookups, look_up = [], metadata.version
    monkeypatch.setattr(metadata, "version", lambda package: lookups.append(package) or look_up(package))
    mol = Chem.MolFromSmiles("CCO")
    records = [record_properties(mol, model="m", seed=0, index=k) for k in range(5)]
    assert {record["molscore_version"] for record in records} == {look_up("molscore")}
    assert lookups == ["molscore"]
