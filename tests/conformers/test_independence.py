"""No molecule of a stream depends on the others, whatever these are, and none is lost."""

import time

import numpy as np
import pytest
from conformers.conftest import positions
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Chem.rdMolTransforms import GetDihedralDeg

from molscore.chem.embedding import etkdg as embed
from molscore.chem.io.inputs import read_inputs
from molscore.chem.stereo.tags import tags, wrong
from molscore.conformers import work

STREAM = ["CCCCC", "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O", "CCO", "O=C(Nc1ccccc1)C1CC1"]
BINOL = "Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12"


def of(generator, *mols, n=3, seed=0, **options):
    return list(generator.stream(mols, n, seed, **options))


def test_bit_for_bit_alone_reversed_and_among_others(generator):
    options = {"n": 4, "steps": 4}
    among = of(generator, *STREAM, **options)
    again = of(generator, *reversed(STREAM), **options)[::-1]
    alone = [of(generator, smiles, **options)[0] for smiles in STREAM]
    for first, *others in zip(among, again, alone, strict=True):
        for other in others:
            np.testing.assert_array_equal(positions(first.mol), positions(other.mol))
            for a, b in zip(first.mol.GetConformers(), other.mol.GetConformers(), strict=True):
                assert a.GetPropsAsDict() == b.GetPropsAsDict()


def test_an_isomer_is_the_same_alone(generator):
    """Isomers of one molecule do not share batches either."""
    isomers = of(generator, "CC(O)C(F)CC", stereo="enumerate", steps=6)
    for isomer in isomers:
        (alone,) = of(generator, Chem.Mol(isomer.mol, True), steps=6)
        np.testing.assert_array_equal(positions(alone.mol), positions(isomer.mol))


def test_what_is_no_molecule_does_not_end_the_stream(generator):
    unsanitised = Chem.MolFromSmiles("CC(=O)Nc1ccccc1", sanitize=False)
    five = Chem.MolFromSmiles("C(C)(C)(C)(C)(C)C", sanitize=False)
    ensembles = of(generator, None, "CCCC[", unsanitised, five, "", Chem.Mol(), "CCCCO", 42, n=1, steps=4)
    reasons = [ensemble.reason and ensemble.reason[0] for ensemble in ensembles]
    assert reasons == ["unreadable", "smiles", None, "valence", "empty", "empty", None, "unreadable"]
    assert [ensemble.mol.GetNumConformers() for ensemble in ensembles] == [0, 0, 1, 0, 0, 0, 1, 0]
    assert all(
        "\n" not in ensemble.reason[1] and "Violation" not in ensemble.reason[1]
        for ensemble in ensembles
        if ensemble.reason
    )
    assert "not 42" in ensembles[-1].reason[1]


def test_titles_and_properties_go_along(generator):
    mol = Chem.MolFromSmiles("CCCCO")
    mol.SetProp("_Name", "butanol")
    mol.SetProp("assay", "0012")
    mol.SetIntProp("count", 3)
    mol.SetDoubleProp("activity", 7.5)
    named, numbered, written = of(generator, mol, "CCCCN", "CCCCF fluorobutane", n=1, steps=4)
    assert named.mol.GetPropsAsDict(autoConvertStrings=False) == {"assay": "0012", "count": 3, "activity": 7.5}
    names = [ensemble.mol.GetProp("_Name") for ensemble in (named, numbered, written)]
    assert names == ["butanol", "molecule_2", "fluorobutane"]
    for single, properties in named.single():
        assert single.GetProp("_Name") == "butanol" and single.GetProp("assay") == "0012" and properties["rank"] == 1
    assert generator.generate("CCCCO", n=1, steps=4).mols[0].GetProp("_Name") == "molecule_1"


class Bug(ValueError):
    """A fault of this program."""


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_what_the_model_made_outlives_etkdg(generator, monkeypatch, error):
    """Some of those that are asked for come from the model; then RDKit raises."""

    def fail(*_):
        raise error("Pre-condition Violation\n\tsome text\n\tViolation occurred on line 1 in file x.cpp\n")

    options = {"n": 12, "steps": 3, "oversampling": 1.0, "rmsd": None}
    monkeypatch.setattr(work, "ROUNDS", 1)
    monkeypatch.setattr("molscore.conformers.generator.ROUNDS", 1)
    smiles = "CCOC(=O)C[C@H](F)/C=C\\CNC(C)=O"
    (whole,) = of(generator, smiles, **options)
    assert 0 < whole.methods["score"] < 12 and whole.methods["etkdg"] == 12 - whole.methods["score"]
    monkeypatch.setattr(embed.rdDistGeom, "EmbedMolecule", fail)
    (ensemble,) = of(generator, smiles, **options)
    assert ensemble.methods == {"score": whole.methods["score"]} and ensemble.short
    (none,) = of(generator, "CCO", n=2)
    assert none.reason == ("rdkit", "ETKDGv3 of RDKit failed: some text")


def test_rdkit_raising_once_costs_one_conformer(generator, monkeypatch):
    real, calls = embed.rdDistGeom.EmbedMolecule, []

    def fail_third(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("zero length vector")
        return real(*arguments)

    monkeypatch.setattr(embed.rdDistGeom, "EmbedMolecule", fail_third)
    (ensemble,) = of(generator, "CCCCCCO", n=5, method="etkdg", rmsd=None)
    assert ensemble.methods == {"etkdg": 5} and len(calls) > 5


@pytest.mark.parametrize("place", ["completed", "fault", "embedded", "ranked"])
def test_our_own_faults_are_not_hidden(generator, monkeypatch, place):
    def fail(*_, **__):
        raise Bug("index of the wrong kind")

    monkeypatch.setattr(work, place, fail)
    with pytest.raises(Bug):
        of(generator, "CCO" if place == "embedded" else "CCCCO", n=2, steps=4)


def test_time_is_of_the_molecule_with_all_its_isomers(generator):
    """Thirty-two isomers share a time that one alone would use up; ETKDGv3 has a part of it."""
    smiles, limit = "CC(O)C(F)C(N)C(Cl)C(O)CCCCCC", 2.0
    began = time.monotonic()
    isomers = of(generator, smiles, n=100, stereo="enumerate", seconds=limit)
    assert len(isomers) > 8 and time.monotonic() - began < len(isomers) * limit / 4
    (mixed,) = of(generator, "CCCCCCCCC(=O)NCCc1ccccc1CCCCO", n=400, seconds=limit)
    assert mixed.methods["score"] and mixed.methods["etkdg"] and mixed.short and mixed.reason[0] == "late"
    (alone,) = of(generator, "CCCCCCCCC(=O)NCCc1ccccc1CCCCO", n=400, seconds=0.3, fallback=False)
    assert not alone.methods["etkdg"] and alone.short


def test_stereo_that_is_not_held_is_said_or_refused(generator):
    amine, plain, ring = of(generator, "C[N@](CC)CCCO", "CCCCO", "C1CCC/C=C/C1", n=2, steps=6)
    assert len(amine.not_held) == 1 and plain.not_held == ()
    assert amine.mol.GetNumConformers() == 2
    assert all("atom 2 (N)" in conformer.GetProp("stereo_not_held") for conformer in amine.mol.GetConformers())
    assert not any(conformer.HasProp("stereo_not_held") for conformer in plain.mol.GetConformers())
    assert ring.reason[0] == "stereo" and "5-6 is E in a ring of 7" in ring.reason[1]
    (reject,) = generator.generate("C1CC/C=C/C1").rejects
    assert "E in a ring" in reject.detail
    assert generator.generate("C1CCCC/C=C/C1", n=1).mols[0].GetNumConformers() == 1


@pytest.mark.parametrize("way", ["smiles", "unsanitised", "smi", "csv"])
def test_marks_are_not_lost_in_silence_whatever_brings_them(generator, tmp_path, way):
    marked = {
        "C1CCC/C=C/C1": "E in a ring of 7",
        "C1CC/C=C/C1": "E in a ring of 6",
        "Cc1ccc2c(c1)C[N@@]1C[N@]2Cc2cc(C)ccc21": "atom 9 (N)",
        "C1CC=[C@]=CCC1": "atom 4 (C)",
        "CC=[C@]=CC": "",
    }
    mols = list(marked)
    if way == "unsanitised":
        mols = [Chem.MolFromSmiles(smiles, sanitize=False) for smiles in marked]
    elif way in ("smi", "csv"):
        path = tmp_path / f"in.{way}"
        path.write_text("".join(f"{smiles}\n" for smiles in (["smiles"] if way == "csv" else []) + mols))
        mols = [entry.mol for entry in read_inputs(str(path))]
    for words, ensemble in zip(marked.values(), of(generator, *mols, n=1, steps=4), strict=True):
        if "ring" in words:
            assert ensemble.reason[0] == "stereo" and words in ensemble.reason[1]
        elif words:
            assert words in ensemble.mol.GetConformer().GetProp("stereo_not_held")
            assert not any("stereo" in name for name in ensemble.mol.GetPropNames(includePrivate=True))
        else:
            assert not ensemble.not_held
            angle = GetDihedralDeg(ensemble.mol.GetConformer(), 0, 1, 3, 4)
            assert angle == pytest.approx(-90, abs=6)  # (R), which is M


def test_a_racemic_axis_gives_both_hands(generator):
    isomers = of(generator, f"{BINOL} |wU:10.11,&1:10,11|", n=3, stereo="enumerate")
    assert [isomer.isomers for isomer in isomers] == [2, 2] and all(isomer.mol.GetNumConformers() for isomer in isomers)
    left, right = (positions(isomer.mol) for isomer in isomers)
    tag = tags(isomers[0].mol)
    assert not wrong(left, tag).any() and wrong(right, tag).all()


@pytest.mark.parametrize("mirror", [1, -1])
@pytest.mark.parametrize("smiles", [BINOL, "Cc1cccc(Cl)c1-c1c(C)cccc1O"])
def test_the_axis_of_a_3d_file_is_kept(generator, tmp_path, smiles, mirror):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=2) == 0
    mol.GetConformer().SetPositions(mirror * mol.GetConformer().GetPositions())
    path = tmp_path / "in.sdf"
    path.write_text(Chem.MolToMolBlock(mol) + "$$$$\n")
    (entry,) = read_inputs(str(path))
    for method in ("score", "etkdg"):
        (ensemble,) = of(generator, entry.mol, n=4, method=method)
        tag = tags(ensemble.mol)
        assert len(tag) == 1 and not wrong(positions(ensemble.mol), tag).any()
        assert not wrong(mol.GetConformer().GetPositions()[None], tag).any()
