"""What is written in each format holds what the SDF records hold: read again by RDKit, pandas, Biopython and meeko."""

import csv
import gzip
import io
import re
import zipfile

import numpy as np
import pytest
from Bio.PDB import PDBParser
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMultipleConfs

from molscore import extras
from molscore.chem.arrays import isomeric_smiles
from molscore.chem.io.formats import ENDINGS, check_output, record_writer
from molscore.chem.io.inputs import read_inputs
from molscore.chem.io.sdf_text import format_conformers, format_record, tagged

TITLES = ("aspirin", "aspirin", "=2+3", "zwitter ion")


@pytest.fixture(scope="module")
def mols(embed):
    """Two conformers of one molecule, then two others."""
    aspirin = embed("CC(=O)Oc1ccccc1C(=O)O")
    assert len(EmbedMultipleConfs(aspirin, 2, randomSeed=1)) == 2
    pair = [Chem.Mol(aspirin, False, conformer.GetId()) for conformer in aspirin.GetConformers()]
    return [*pair, embed("C#CC[C@@H](O)c1ccncc1"), embed("C[C@H]([NH3+])C(=O)[O-]")]


@pytest.fixture(scope="module")
def records(mols):
    more = [
        {"energy_kcal_per_mol": 3.0, "rank": 1, "code": "007"},
        {"energy_kcal_per_mol": -1.25, "rank": 2, "seed": 2**100},
        {"rank": 3, "note": 'two\nlines, "quoted"', "seed": 1, "qed": 0.5},
        {"rank": "", "title": "Dr", "qed": 1, "energy_kcal_per_mol": 2},
    ]
    return [
        format_record(mol, title, {"SMILES": isomeric_smiles(mol), **values}).encode()
        for mol, title, values in zip(mols, TITLES, more, strict=True)
    ]


def write(path, records, **options):
    with record_writer(path, **options) as writer:
        for record in records:
            writer.add(record)
    return writer


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_is_written_the_same_twice_and_whatever_the_pieces(tmp_path, records, ending):
    one, other = tmp_path / f"one{ending}", tmp_path / f"other{ending.upper()}"
    assert write(one, records).count == write(other, [records[0] + records[1], b"".join(records[2:])]).count == 4
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_after_an_error_what_was_there_is_untouched(tmp_path, records, ending):
    path = tmp_path / f"out{ending}"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), record_writer(path) as writer:
        writer.add(records[0])
        raise ZeroDivisionError
    assert path.read_bytes() == b"before" and len(list(tmp_path.iterdir())) == 1


def test_sdf_is_as_it_is(tmp_path, records):
    write(tmp_path / "out.sdf", records)
    assert (tmp_path / "out.sdf").read_bytes() == b"".join(records)


def test_v3000_changes_the_mol_block_alone(tmp_path, mols, records):
    spoilt = records[0].replace(b"RDKit", b"RDKit").replace(b"V2000", b"V2999")
    write(tmp_path / "out.sdf", [*records, spoilt], v3000=True)
    assert (tmp_path / "out.sdf").read_bytes().endswith(spoilt)
    entries = list(read_inputs(str(tmp_path / "out.sdf")))[:-1]
    assert (tmp_path / "out.sdf").read_text().count("V3000") == 4
    for entry, mol, record in zip(entries, mols, records, strict=True):
        assert isomeric_smiles(entry.mol) == isomeric_smiles(mol)
        positions = entry.mol.GetConformer().GetPositions()
        np.testing.assert_allclose(positions, mol.GetConformer().GetPositions(), atol=1e-4)
        assert record.decode().endswith("".join(item.text for item in entry.items) + "$$$$\n")


@pytest.mark.parametrize("name", ["out.v3000.sdf", "OUT.V3000.SDF.GZ", "out.v3000.parquet"])
def test_a_name_may_ask_for_v3000(tmp_path, records, name):
    write(tmp_path / name, records)
    data = (tmp_path / name).read_bytes()
    if name.endswith("parquet"):
        parquet = pytest.importorskip("pyarrow.parquet")
        texts = parquet.read_table(tmp_path / name)["molblock"].to_pylist()
    else:
        texts = (gzip.decompress(data) if name.endswith("GZ") else data).decode().split("$$$$\n")[:-1]
    assert len(texts) == 4 and all("V3000" in text for text in texts)


def test_what_v2000_cannot_hold_is_v3000_by_itself(tmp_path):
    mol = Chem.AddHs(Chem.MolFromSmiles("C" * 400))
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(np.arange(3.0 * mol.GetNumAtoms()).reshape(-1, 3))
    mol.AddConformer(conformer)
    write(tmp_path / "out.sdf", [tagged(format_conformers(mol, "long")[0], {}).encode()])
    (entry,) = read_inputs(str(tmp_path / "out.sdf"))
    assert "V3000" in (tmp_path / "out.sdf").read_text() and entry.mol.GetNumAtoms() == 1202


def test_tables_have_a_column_for_each_property(tmp_path, mols, records):
    write(tmp_path / "out.csv", records)
    rows = list(csv.DictReader((tmp_path / "out.csv").open(newline="")))
    assert [row["SMILES"] for row in rows] == [isomeric_smiles(mol) for mol in mols]
    assert [row["title"] for row in rows] == ["aspirin", "aspirin", "'=2+3", "zwitter ion"]
    assert [row["energy_kcal_per_mol"] for row in rows] == ["3", "-1.25", "", "2"]
    assert rows[2]["note"] == 'two\nlines, "quoted"' and rows[3]["input_title"] == "Dr"


def test_a_table_can_be_read_again(tmp_path, mols, records):
    write(tmp_path / "out.csv", records)
    entries = list(read_inputs(str(tmp_path / "out.csv")))
    assert [isomeric_smiles(entry.mol) for entry in entries] == [isomeric_smiles(mol) for mol in mols]
    assert entries[3].name == "zwitter ion" and entries[1].properties["rank"] == "2"


def test_a_record_that_cannot_be_read_is_a_row_all_the_same(tmp_path, records):
    writer = write(tmp_path / "out.csv", [b"bad\n\n\nnot at all\n>  <why>\nnobody knows\n\n$$$$\n", records[0]])
    rows = list(csv.DictReader((tmp_path / "out.csv").open(newline="")))
    assert writer.count == 2 and not writer.refused
    assert (rows[0]["SMILES"], rows[0]["title"], rows[0]["why"]) == ("", "bad", "nobody knows")


def test_a_record_without_smiles_gets_that_of_its_mol_block(tmp_path, embed):
    write(tmp_path / "out.csv", [format_record(embed("C[C@H](N)C#N"), "x").encode()])
    (row,) = csv.DictReader((tmp_path / "out.csv").open(newline=""))
    assert row["SMILES"] == "C[C@H](N)C#N"


def test_columns_of_parquet_have_types(tmp_path, records):
    parquet = pytest.importorskip("pyarrow.parquet")
    write(tmp_path / "out.parquet", records)
    table = parquet.read_table(tmp_path / "out.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    numbers = {"rank": "int64", "energy_kcal_per_mol": "double", "qed": "double"}
    assert types == dict.fromkeys(types, "string") | numbers
    write(tmp_path / "none.parquet", [records[0].replace(b">\n3\n", b">\n\n", 1)])
    schema = parquet.read_schema(tmp_path / "none.parquet")
    assert str(schema.field("energy_kcal_per_mol").type) == "double"  # as in other files of the run
    rows = table.to_pylist()
    assert [row["seed"] for row in rows] == [None, str(2**100), "1", None] and rows[0]["code"] == "007"
    assert [row["rank"] for row in rows] == [1, 2, 3, None]
    mols = [Chem.MolFromMolBlock(row["molblock"], removeHs=False) for row in rows]
    assert [mol.GetNumAtoms() for mol in mols] == [21, 21, 20, 13]


def test_row_groups_of_parquet_are_bounded(tmp_path, records, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    from molscore.chem.io.writers import parquet as ours

    monkeypatch.setattr(ours, "GROUP", 2 * len(records[0]))
    write(tmp_path / "out.parquet", records * 5)
    file = parquet.ParquetFile(tmp_path / "out.parquet")
    assert file.num_row_groups > 4 and file.read()["title"].to_pylist() == [*TITLES] * 5


def test_xyz_holds_positions_charge_and_properties(tmp_path, mols, records):
    write(tmp_path / "out.xyz", records)
    lines = (tmp_path / "out.xyz").read_text().split("\n")
    for mol, title in zip(mols, TITLES, strict=True):
        n = int(lines[0])
        frame, lines = lines[: n + 2], lines[n + 2 :]
        again = Chem.MolFromXYZBlock("\n".join(frame))
        np.testing.assert_allclose(again.GetConformer().GetPositions(), mol.GetConformer().GetPositions(), atol=1e-4)
        assert [a.GetSymbol() for a in again.GetAtoms()] == [a.GetSymbol() for a in mol.GetAtoms()]
        assert f'title="{title}" charge=0 ' in frame[1]
    text = (tmp_path / "out.xyz").read_text()
    assert lines == [""] and 'note="two\\nlines, \\"quoted\\""' in text and " rank=3 " in text


def test_conformers_are_models_of_one_molecule_with_its_bonds(tmp_path, mols, records):
    write(tmp_path / "out.pdb", records[:2])
    text = (tmp_path / "out.pdb").read_text()
    assert re.sub(r"(.)\1+", r"\1", "".join(line[0] for line in text.splitlines())) == "MRHEMRHECE"
    models = list(PDBParser(QUIET=True).get_structure("x", io.StringIO(text)))
    assert len(models) == 2
    for model, expected in zip(models, mols, strict=False):
        positions = [atom.coord for atom in model.get_atoms()]
        np.testing.assert_allclose(positions, expected.GetConformer().GetPositions(), atol=1e-3)
        assert {residue.get_resname() for residue in model.get_residues()} == {"LIG"}


def test_a_single_pdb_record_is_read_with_its_bonds(tmp_path, mols, records):
    write(tmp_path / "out.pdb", records[2:3])
    text = (tmp_path / "out.pdb").read_text()
    mol = Chem.MolFromPDBBlock(text, removeHs=False, proximityBonding=False)
    assert isomeric_smiles(mol) == isomeric_smiles(mols[2]) and "MODEL" not in text


def test_other_molecules_in_a_pdb_file_have_their_own_bonds(tmp_path, records):
    write(tmp_path / "out.pdb", records)
    lines = (tmp_path / "out.pdb").read_text().splitlines()
    order = re.sub(r"(.)\1+", r"\1", "".join(line[0] for line in lines if line[:6] in ("MODEL ", "CONECT", "END")))
    assert order == "MCMCMCE" and [line for line in lines if line.startswith("MODEL")][-1] == "MODEL        4"


def test_pdbqt_is_what_meeko_reads(tmp_path, mols, records):
    meeko = pytest.importorskip("meeko")
    write(tmp_path / "one.pdbqt", records[:1])
    one = (tmp_path / "one.pdbqt").read_text()
    assert "MODEL" not in one and one.startswith("REMARK  Name = aspirin\n")
    write(tmp_path / "all.pdbqt", records)
    models = (tmp_path / "all.pdbqt").read_text()
    assert models.count("MODEL ") == models.count("ENDMDL\n") == 4
    for text, mol in zip(re.findall(r"MODEL +\d+\n(.*?)ENDMDL\n", models, re.DOTALL), mols, strict=True):
        (again,) = meeko.RDKitMolCreate.from_pdbqt_mol(meeko.PDBQTMolecule(text, is_dlg=False, skip_typing=True))
        assert Chem.MolToSmiles(Chem.RemoveHs(again)) == isomeric_smiles(mol)


def test_a_zip_holds_a_ligand_a_file(tmp_path, records):
    pytest.importorskip("meeko")
    write(tmp_path / "all.pdbqt.zip", records)
    archive = zipfile.ZipFile(tmp_path / "all.pdbqt.zip")
    assert archive.namelist() == [
        "00001_aspirin.pdbqt",
        "00002_aspirin.pdbqt",
        "00003_2+3.pdbqt",
        "00004_zwitter_ion.pdbqt",
    ]
    assert all(b"TORSDOF" in archive.read(name) and b"MODEL" not in archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("smiles", ["[Na+].[Cl-]", "C[Se]C", "[H][H]", "[He]"])
def test_what_meeko_cannot_prepare_is_left_out(tmp_path, records, smiles):
    pytest.importorskip("meeko")
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(np.arange(3.0 * mol.GetNumAtoms()).reshape(-1, 3))
    mol.AddConformer(conformer)
    with pytest.warns(UserWarning, match="1 records are left out: 1 (of several|that meeko cannot)"):
        writer = write(tmp_path / "out.pdbqt", [format_record(mol, smiles).encode(), records[0]])
    assert writer.count == 1 and (tmp_path / "out.pdbqt").read_text().startswith("REMARK  Name = aspirin\n")


def test_what_a_format_cannot_hold_is_counted_and_said(tmp_path, embed, records):
    flat = f"{Chem.MolToMolBlock(Chem.MolFromSmiles('CCO'))}$$$$\n".encode()
    with pytest.warns(
        UserWarning, match=r"2 records are left out: 1 unreadable \(record 1, bad\); 1 without 3-D .* \(record 2, \)"
    ):
        writer = write(tmp_path / "out.xyz", [b"bad\n\n\nnot at all\n$$$$\n", flat, records[0]])
    assert writer.count == 1 and (tmp_path / "out.xyz").read_text().count("title=") == 1


def test_unknown_endings_and_missing_packages_are_said_at_once(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"must end in .*\.parquet"):
        check_output(tmp_path / "out.mol2")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(extras.MissingExtraError, match=r"writing out.parquet needs .*\[tables\]"):
        check_output(tmp_path / "out.parquet")
