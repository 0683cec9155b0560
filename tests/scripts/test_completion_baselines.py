"""Completion without the model that completes: fragments put together, and what chance gives."""

import json

import completion
import completion_baselines
import completion_verdict as verdict
import numpy as np
import pytest
from completion_baselines import certain
from enumeration import Enumerator
from fragments import Library
from rdkit import Chem
from rdkit.Chem import AllChem
from rejection import contained

from molscore import MoleculeGenerator
from molscore.chem.parts import kept_part
from molscore.generate import GenerationOptions
from molscore.generate.judge import Judge

WHOLE = "Cc1ccc(CC(=O)NCc2ccncc2)cc1"
KNOWN = (
    WHOLE,
    "CC(=O)Nc1ccc(CC(=O)NCc2ccccc2)cc1",
    "COc1ccc(CNC(=O)c2ccccc2C)cc1",
    "Fc1ccc(CCOCc2ccncc2)cc1",
    "C[NH2+]CCc1ccc(CNC(=O)Cc2ccncc2)cc1",
    "O=C([O-])CCc1ccc(OCc2ccccc2)cc1",
    "C[C@H](O)CNC(=O)c1ccc(Cl)cc1",
    "CCN(CC)C(=O)[C@@H]1CCCN1Cc1ccccc1",
)
LINKER = Chem.MolFromSmarts("[CH2;R0]C(=O)N[CH2;R0]")


@pytest.fixture(scope="module")
def library():
    return Library(KNOWN)


def embedded(smiles, seed=7):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=seed) == 0
    AllChem.MMFFOptimizeMolecule(mol)
    return Chem.RemoveHs(mol)


def pair(whole):
    """Fragments without the linker, the atoms that it joined."""
    linker = set(whole.GetSubstructMatch(LINKER))
    kept = [k for k in range(whole.GetNumAtoms()) if k not in linker]
    bonds = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in whole.GetBonds()]
    ends = [kept.index(k) for bond in bonds if len(linker & set(bond)) == 1 for k in set(bond) - linker]
    fragments = Chem.RWMol(whole)
    for k in sorted(linker, reverse=True):
        fragments.RemoveAtom(k)
    Chem.SanitizeMol(fragments)
    return fragments.GetMol(), tuple(ends)


def test_fragments_are_counted_where_they_were_bonded(library):
    fragments, counts = library.fitting(((6, True), (6, True)))
    assert len(fragments) == len(counts) and counts.min() >= 1 and all(len(f.ends) == 2 for f in fragments)
    amides = [k for k, f in enumerate(fragments) if sorted(f.numbers) == [6, 6, 6, 7, 8] and f.span == 5]
    assert counts[amides].tolist() == [3, 3]  # in either direction; in the first, second and fifth molecule
    everything = [f for ends in library.known.values() for entries in ends.values() for f, _ in entries]
    assert all(sum(f.charges) == 0 for f in everything)


def test_what_joins_fragments_is_put_between_them_as_they_lie(library):
    whole = embedded(WHOLE)
    fragments, anchors = pair(whole)
    part = GenerationOptions(link=fragments, anchors=anchors).part
    maker, smiles = Enumerator(part, library, seed=1), []
    while results := maker.round():
        for made, off in results:
            if made is not None and off <= 0.5:
                assert np.array_equal(made.positions[: len(part)], part.arrays.positions)
                token, mol = verdict.fault(made, part)
                smiles += [verdict.plain(mol)] if mol is not None and verdict.valid(token) else []
    assert verdict.plain(whole) in smiles
    assert len(set(smiles)) > 1
    assert not maker.round()  # each combination once


@pytest.mark.parametrize("posed", [True, False])
def test_a_core_keeps_its_stereo_and_its_place(library, posed):
    whole = embedded("CC[C@@H]1CC[C@](C)(O)[C@H](c2ccccc2)C1")
    core = [k for k in range(whole.GetNumAtoms()) if k not in (0, 1)]
    part = kept_part(whole, core, posed=posed)
    assert len(part.arrays.stereo)
    maker = Enumerator(part, library, seed=3)
    results = [result for _ in range(6) for result in maker.round()]
    assert len(results) == 6
    tokens = [verdict.fault(made, part)[0] for made, _ in results if made is not None]
    assert tokens and all(map(verdict.valid, tokens)), tokens


def test_a_linker_that_cannot_be_long_enough_is_not_tried(library):
    fragments, anchors = pair(embedded(WHOLE))
    conformer = fragments.GetConformer()
    far = Chem.GetMolFrags(fragments)[1]
    for k in far:
        conformer.SetAtomPosition(k, conformer.GetPositions()[k] + (40, 0, 0))
    assert Enumerator(GenerationOptions(link=fragments, anchors=anchors).part, library, seed=1).round() == []


def test_molecules_that_contain_a_part():
    whole = embedded(WHOLE)
    fragments, anchors = pair(whole)
    part = GenerationOptions(link=fragments, anchors=anchors).part
    mol = Chem.AddHs(whole, addCoords=True)
    made, off = contained(mol, part)
    assert off < 0.01 and verdict.valid(verdict.fault(made, part)[0])
    other, far = contained(Chem.AddHs(embedded(WHOLE, seed=3), addCoords=True), part)
    assert other is not None and far > 0.1 and verdict.fault(other, part)[0] == "moved"
    for smiles in ("Cc1ccc(CC(=O)NCc2cccnc2)cc1", "Cc1ccc(CC(=O)NCc2ccnc(C)c2)cc1", "c1ccc(CC(=O)NCc2ccncc2)cc1"):
        assert contained(Chem.AddHs(embedded(smiles), addCoords=True), part)[0] is None
    free = GenerationOptions(scaffold="c1nc2ccccc2n1[*:1]").part  # its double bonds may lie otherwise in the molecule
    assert contained(Chem.AddHs(embedded("CCn1cnc2ccccc21"), addCoords=True), free)[1] == 0
    assert contained(Chem.AddHs(embedded("CCn1c(C)nc2ccccc21"), addCoords=True), free)[0] is None


def test_the_checks_of_the_product_get_what_was_made():
    wish = GenerationOptions(scaffold="c1nc2ccccc2n1[*:1]")
    made, _ = contained(Chem.AddHs(embedded("CCn1cnc2ccccc21"), addCoords=True), wish.part)
    judge = Judge(MoleculeGenerator.from_pretrained("druglike").model, wish)
    judge.vocabulary, sample = certain(made)
    attempt = judge(0, sample)
    assert attempt.fault is None and not attempt.repaired and attempt.smiles == "CCn1cnc2ccccc21"


@pytest.fixture
def pairs(tmp_path):
    """A file of one pair of fragments."""
    fragments, anchors = pair(whole := embedded(WHOLE))
    fragments.SetProp("anchors", ",".join(map(str, anchors)))
    fragments.SetProp("reference_smiles", Chem.MolToSmiles(whole))
    with Chem.SDWriter(str(tmp_path / "pairs.sdf")) as file:
        file.write(fragments)
    return tmp_path / "pairs.sdf"


def test_what_the_product_completed_is_not_completed_again(command, pairs, tmp_path, capsys):
    words = ["linkers", pairs, "--samples", 2, "--steps", 3, "--workers", 1, "--out", tmp_path / "out.json"]
    command(completion, *words)
    first = json.loads((tmp_path / "out.json").read_text())
    assert first["rows"][0]["samples"] == sum(first["rows"][0]["faults"].values()) == 2
    table = capsys.readouterr().out
    command(completion, *words)
    again = capsys.readouterr()
    assert again.out == table and "anew" not in again.err
    assert json.loads((tmp_path / "out.json").read_text()) == first


def test_the_same_command_goes_on(command, pairs, tmp_path, capsys):
    (tmp_path / "known.smi").write_text("\n".join(KNOWN))
    words = ["linkers", pairs, "--library", tmp_path / "known.smi", "--steps", 3, "--seconds", 1]
    words += ["--out", tmp_path / "out.json"]
    command(completion_baselines, *words, "--methods", "enumeration")
    first = json.loads((tmp_path / "out.json").read_text())
    assert [row["method"] for row in first["rows"]] == ["enumeration"]
    command(completion_baselines, *words)
    saved = json.loads((tmp_path / "out.json").read_text())
    assert saved["rows"][0] == first["rows"][0]
    enumeration, rejection = saved["rows"]
    assert enumeration["valid"] >= enumeration["delivered"] > 0 and enumeration["moved"] == 0
    assert rejection["tried"] > 0 and rejection["made"] == 0
    assert saved["summary"]["rejection"]["valid"]["high"] > 0
    table = completion_baselines.markdown(saved["summary"])
    assert table in capsys.readouterr().out and "| valid, of those tried |" in table
