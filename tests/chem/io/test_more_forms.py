"""InChI, tables by tabs, Parquet and mol2: the same molecules as their SMILES, bad ones with a reason and a place."""

import gzip

import pytest
from chem.conftest import put, read, smiles
from rdkit import Chem

from molscore.chem.io import inputs, mol2, sdf_reader
from molscore.chem.io.count import record_count
from molscore.chem.io.inputs import INPUT_REASONS, read_inputs
from molscore.chem.io.mol2 import read_mol2, read_structures
from molscore.chem.io.sdf_text import format_record
from molscore.chem.io.source import check_sdf

ALANINE = "InChI=1S/C3H7NO2/c1-2(4)3(5)6/h2H,4H2,1H3,(H,5,6)/t2-/m0/s1"

ACID = """# a comment
@<TRIPOS>MOLECULE
acetate
 7 6 1 0 0
SMALL
USER_CHARGES

@<TRIPOS>ATOM
 1 C1 0.000 0.000 0.000 C.3 1 LIG -0.1
 2 C2 1.500 0.000 0.000 C.2 1 LIG 0.5
 3 O1 2.100 1.100 0.000 O.co2 1 LIG -0.7
 4 O2 2.100 -1.100 0.000 O.co2 1 LIG -0.7
 5 H1 -0.400 1.000 0.000 H 1 LIG 0.0
 6 H2 -0.400 -0.500 0.900 H 1 LIG 0.0
 7 H3 -0.400 -0.500 -0.900 H 1 LIG 0.0
@<TRIPOS>BOND
 1 1 2 1
 2 2 3 ar
 3 2 4 ar
 4 1 5 1
 5 1 6 1
 6 1 7 1
"""
METHANE = """@<TRIPOS>MOLECULE
****
 1 0
SMALL
NO_CHARGES
@<TRIPOS>ATOM
 1 C1 0.000 0.000 0.000 C.3
"""
SPOILT = METHANE.replace("****", "spoilt").replace(" 0.000 C.3", " nonsense")
FIVE = ACID.partition("\n")[2].replace(" 1 1 2 1\n", " 1 1 2 3\n").replace("acetate", "five")


def test_inchi_in_a_list_a_table_and_on_the_command_line(tmp_path):
    for entries in (
        read(f"{ALANINE} alanine\nCC ethane\n"),
        read(f"inchi\tname\n{ALANINE}\talanine\nCC\tethane\n", "tsv", smiles_column="InChI"),
    ):
        assert smiles(entries) == ["C[C@H](N)C(=O)O", "CC"]
        assert [e.name for e in entries] == ["alanine", "ethane"] and entries[0].text == ALANINE
    (entry,) = read_inputs(ALANINE)
    assert smiles([entry]) == ["C[C@H](N)C(=O)O"]
    (entry,) = read_inputs(put(tmp_path, "a.inchi.gz", ALANINE))
    assert smiles([entry]) == ["C[C@H](N)C(=O)O"]


@pytest.mark.parametrize("text", ["InChI=1S/C3H7NO2/c1-2", "InChI=", "InChI=1S/CH9/h1H9", "InChI=1S/nonsense"])
def test_bad_inchi_has_a_reason_and_the_rest_goes_on(text):
    bad, good = read(f"{text} name\nCC\n")
    assert bad.mol is None and bad.reason in INPUT_REASONS and bad.detail and bad.name == "name"
    assert smiles([good]) == ["CC"]


def test_tabs_alone_separate_what_ends_in_tsv(tmp_path):
    path = put(tmp_path, "a.tsv.gz", "a,b;c\tSMILES\tname\n1,2\tCC\tethane, pure\n3\tbad bad\tx\n")
    first, second = read_inputs(path)
    assert (first.name, first.properties) == ("ethane, pure", {"a,b;c": "1,2"})
    assert (second.reason, second.line, record_count(path, "tsv")) == ("smiles", 3, 2)


@pytest.fixture
def parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    table = pyarrow.table(
        {
            "Smiles": ["CCO", None, "c1ccccc1N", "C1CC", ALANINE] * 1000,
            "ID": [f"m{k}" for k in range(5000)],
            "score": [1.5, 2.0, None, 3.25, 0.0] * 1000,
        }
    )
    write_table(table, tmp_path / "a.parquet")
    return str(tmp_path / "a.parquet")


def test_parquet(parquet):
    entries = list(read_inputs(parquet))
    assert len(entries) == record_count(parquet, "parquet") == 5000
    assert smiles(entries[:5]) == ["CCO", None, "Nc1ccccc1", None, "C[C@H](N)C(=O)O"]
    assert [e.reason for e in entries[:5]] == [None, "empty", None, "smiles", None]
    assert entries[4999].name == "m4999" and entries[4998].line == 4999
    assert [e.properties["score"] for e in entries[:3]] == ["1.5", "2.0", ""]
    with pytest.raises(ValueError, match="no column 'x', only Smiles, ID, score; say which with --smiles-column"):
        read_inputs(parquet, smiles_column="x")


def test_damaged_parquet_is_said_at_once(tmp_path, parquet):
    with pytest.raises(ValueError, match="is no Parquet file"):
        read_inputs(put(tmp_path, "b.parquet", b"PAR1 but nothing else"))
    with pytest.raises(ValueError, match="Parquet is not read from standard input"):
        read_inputs("-", form="parquet")
    with pytest.raises(FileNotFoundError):
        read_inputs(str(tmp_path / "none.parquet"))


def test_mol2_block_by_block(tmp_path):
    path = put(tmp_path, "a.mol2.gz", ACID + SPOILT + FIVE + METHANE)
    entries = list(read_inputs(path))
    assert [(e.number, e.line, e.name, e.reason) for e in entries] == [
        (1, 2, "acetate", None),
        (2, 23, "spoilt", "unreadable"),
        (3, 30, "five", "valence"),
        (4, 51, "", None),
    ]
    assert smiles(entries)[0] == "[H]C([H])([H])C(=O)[O-]" and record_count(path, "mol2") == 4
    assert entries[0].mol.GetConformer().Is3D() and all(e.detail for e in entries[1:3])


def test_stereo_of_mol2_is_that_of_its_coordinates(embed):
    """Written by hand from an embedded molecule: RDKit has no writer of mol2."""
    mol = embed("C[C@H](N)C#N")
    kinds = {"C": "C.3", "N": "N.3", "H": "H"}
    sp = {a.GetIdx() for a in mol.GetAtoms() if a.GetHybridization() == Chem.HybridizationType.SP}
    atoms = [
        f"{a.GetIdx() + 1} {a.GetSymbol()}{a.GetIdx()} {x} {y} {z} "
        + (f"{a.GetSymbol()}.1" if a.GetIdx() in sp else kinds[a.GetSymbol()])
        for a, (x, y, z) in zip(mol.GetAtoms(), mol.GetConformer().GetPositions(), strict=True)
    ]
    bonds = [
        f"{b.GetIdx() + 1} {b.GetBeginAtomIdx() + 1} {b.GetEndAtomIdx() + 1} {int(b.GetBondTypeAsDouble())}"
        for b in mol.GetBonds()
    ]
    lines = ["@<TRIPOS>MOLECULE", "x", f"{len(atoms)} {len(bonds)}", "SMALL", "NO_CHARGES", "@<TRIPOS>ATOM", *atoms]
    text = [f"{line}\n" for line in [*lines, "@<TRIPOS>BOND", *bonds]]
    for sanitize in (True, False):
        (record,) = read_mol2(text, sanitize)
        mol = Chem.MolFromMolBlock(record.text)
        assert Chem.MolToSmiles(mol) == "C[C@H](N)C#N" and mol.GetProp("_Name") == "x"


def test_structures_are_read_by_their_ending(tmp_path, embed):
    sdf, mol2 = put(tmp_path, "a.mol", format_record(embed("CO"), "x")), put(tmp_path, "a.mol2", ACID + SPOILT)
    assert [r.mol.GetNumAtoms() for r in read_structures(sdf)] == [6]
    good, bad = read_structures(mol2)
    assert good.mol.GetNumAtoms() == 7 and bad.reason in bad.text and bad.text.startswith("spoilt\n")
    check_sdf(mol2)
    with pytest.raises(ValueError, match="is not an SDF file .*mol2.* but holds SMILES"):
        check_sdf(put(tmp_path, "a.parquet", b"x"))


def test_a_damaged_mol2_file_ends_with_a_reason(tmp_path):
    packed = gzip.compress((ACID * 3000).encode())
    *_, last = read_inputs(put(tmp_path, "cut.mol2", packed[: len(packed) // 2]))
    assert last.reason == "unreadable" and "damaged" in last.detail
    (bad,) = read_inputs(put(tmp_path, "b.mol2", ACID.replace("acetate", "acétate").encode("latin-1")))
    assert bad.reason == "encoding"
    assert list(read_inputs(put(tmp_path, "c.mol2", "nothing here\n"))) == []


@pytest.mark.parametrize("form", ["smi", "csv", "sdf", "mol2"])
def test_records_that_are_not_wanted_are_not_parsed(form, tmp_path, monkeypatch):
    """They keep their numbers and lines, so that a part of a file is that part of the whole."""
    record = f"a{Chem.MolToMolBlock(Chem.MolFromSmiles('CCO'))}>  <x>\n1\n\n$$$$\n"
    text = {"smi": "CCO a\n\nnonsense( b\nCC c\n", "csv": "smiles,id,x\nCCO,a,1\nnonsense(,b,2\nCC,c,3\n"}
    text |= {"sdf": f"{record}b\n\n\nnonsense\n$$$$\n{record}", "mol2": 3 * ACID}
    path = put(tmp_path, f"in.{form}", text[form])
    whole = list(read_inputs(path))
    parsed = []
    for home, parse in ((inputs, "parse_smiles"), (sdf_reader, "_record"), (mol2, "_record")):
        original = getattr(home, parse)
        noted = lambda *words, original=original: parsed.append(words) or original(*words)  # noqa: E731
        monkeypatch.setattr(home, parse, noted)
    part = list(read_inputs(path, wanted=lambda number: number == 3))
    assert [(entry.number, entry.line) for entry in part] == [(entry.number, entry.line) for entry in whole]
    assert all(entry.mol is entry.reason is None and entry.items == () for entry in part[:2])
    assert (part[2].name, part[2].items, smiles(part[2:])) == (whole[2].name, whole[2].items, smiles(whole[2:]))
    assert len(parsed) == 1
