"""The generator's promises: N molecules, all sound and different, each attempt fixed by (model, seed, index) alone."""

import numpy as np
import pytest
import torch
from rdkit import Chem
from run_length import STEPS

from molscore.chem.checks.alerts import extreme, unusual
from molscore.chem.checks.validity import FAULTS, check
from molscore.generate import GenerationOptions, Judge, MoleculeGenerator
from molscore.generate import attempts as module
from molscore.model import DiffusionConfig, MoleculeDiffusion, choose_device


def coordinates(mol: Chem.Mol) -> np.ndarray:
    return mol.GetConformer().GetPositions()


def assert_same(a: list[Chem.Mol], b: list[Chem.Mol], tolerance: float = 1e-3) -> None:
    assert [Chem.MolToSmiles(m) for m in a] == [Chem.MolToSmiles(m) for m in b]
    for x, y in zip(a, b, strict=True):
        assert np.abs(coordinates(x) - coordinates(y)).max() < tolerance


def test_delivers_what_was_asked_for(twelve):
    assert len(twelve.mols) == twelve.manifest["delivered"] == twelve.manifest["requested"] == 12
    for mol in twelve.mols:
        assert check(mol, net_charge=0) is None
        assert len(Chem.GetMolFrags(mol)) == 1
        assert all(atom.GetNumImplicitHs() == 0 and atom.GetNumRadicalElectrons() == 0 for atom in mol.GetAtoms())
        assert mol.GetConformer().Is3D()
    assert len({Chem.MolToSmiles(mol) for mol in twelve.mols}) == 12


def test_every_attempt_is_accounted_for(twelve):
    accepted = [mol.GetIntProp("molscore_index") for mol in twelve.mols]
    rejected = [attempt.index for attempt in twelve.rejects]
    assert sorted(accepted + rejected) == list(range(twelve.manifest["attempts"]))
    assert accepted == sorted(accepted)
    assert sum(twelve.manifest["rejected"].values()) == len(rejected)
    assert {attempt.fault.token for attempt in twelve.rejects} <= set(FAULTS)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_batch_size_does_not_matter(generator, twelve, batch_size):
    few = generator.generate(4, seed=0, steps=STEPS, batch_size=batch_size)
    assert_same(few.mols, twelve.mols[:4])


def test_another_seed_gives_other_molecules(generator, twelve):
    other = generator.generate(3, seed=1, steps=STEPS)
    assert not {Chem.MolToSmiles(m) for m in other.mols} & {Chem.MolToSmiles(m) for m in twelve.mols}


def test_raw_delivers_the_first_samples_untouched(generator):
    raw = generator.generate(8, seed=0, steps=4, raw=True)
    assert [mol.GetIntProp("molscore_index") for mol in raw.mols] == list(range(8))
    assert not raw.rejects
    assert not all(check(mol) is None for mol in raw.mols), (
        "four steps do not give eight valid molecules: raw must filter nothing"
    )


def test_duplicates_of_earlier_molecules_are_rejected(generator, twelve):
    seen = {Chem.MolToSmiles(Chem.RemoveHs(mol)) for mol in twelve.mols[:1]}
    attempts = list(generator.attempts(1, 0, GenerationOptions(steps=STEPS), seen=seen))
    first = next(a for a in attempts if a.index == twelve.mols[0].GetIntProp("molscore_index"))
    assert first.fault.token == "duplicate"


@pytest.mark.parametrize("n", [8, 24])
def test_nothing_is_sampled_beyond_the_last_that_is_needed(generator, monkeypatch, n):
    """Not even where a window ends with the last molecule."""
    asked, sample = [], generator.sample
    monkeypatch.setattr(generator, "sample", lambda indices, *rest: asked.extend(indices) or sample(indices, *rest))
    assert len(generator.generate(n, steps=2, raw=True).mols) == len(asked) == n


def test_gives_up_when_nothing_passes(monkeypatch):
    """A model that knows fluorine only cannot make one molecule of three atoms."""
    blank = MoleculeGenerator(MoleculeDiffusion(DiffusionConfig(), [(9, 0)], [0.0, 0.0, 0.0, 1.0]).eval(), "blank")
    monkeypatch.setattr(module, "PATIENCE", (1, 9))
    result = blank.generate(1, steps=2)
    assert result.mols == []
    assert result.manifest["attempts"] == 10
    assert result.manifest["delivered"] == 0


@pytest.mark.parametrize("bad", [{"n": 0}, {"n": 1, "steps": 0}, {"n": 1, "batch_size": 0}, {"n": 1, "sampler": "no"}])
def test_bad_arguments(generator, bad):
    with pytest.raises(ValueError):
        generator.generate(**bad)


def test_unknown_model_and_device():
    with pytest.raises(ValueError, match="bundled models: .*qm9"):
        MoleculeGenerator.from_pretrained("nothing")
    with pytest.raises(ValueError, match="unknown device"):
        choose_device("abacus")
    for none in ("meta", "mps", "xla", "cpu:1", "cuda:99", "", "CPU"):
        with pytest.raises(ValueError, match="device"):
            choose_device(none)
    assert str(choose_device("cpu")) == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="0 CUDA devices"):
            choose_device("cuda")


def test_sizes_within_bounds(generator):
    """All sizes asked for, each as likely as the model has it, and no other; what it never saw is refused."""
    known = generator.model.size_probabilities
    weights = generator.sizes((17, 19))
    assert weights.nonzero().flatten().tolist() == [17, 18, 19]
    assert torch.equal(weights[17:20], known[17:20])
    made = generator.generate(6, seed=0, steps=2, raw=True, atoms=(12, 13)).mols
    assert {mol.GetNumAtoms() for mol in made} == {12, 13}
    with pytest.raises(ValueError, match="no molecule of 300 to 400 atoms: qm9 knows 3 to 29"):
        generator.generate(1, atoms=(300, 400))


def test_a_model_of_heavy_atoms_delivers_hydrogens():
    """Its vocabulary has no hydrogen: what is sampled are heavy atoms, what is delivered are whole molecules."""
    torch.manual_seed(0)
    model = MoleculeDiffusion(DiffusionConfig(), [(6, 0), (7, 0), (8, 0)], [0, 0, 0, 0, 1.0])
    assert model.implied_hydrogens
    heavy = MoleculeGenerator(model, "untrained")
    sample = heavy.sample(range(1), 0, GenerationOptions(steps=2))[0]
    chain = np.zeros((4, 4, 4), dtype=np.float32)
    chain[..., 0] = 1
    for i in range(3):
        chain[i, i + 1] = chain[i + 1, i] = [0, 1, 0, 0]
    butane = np.array([[0, 0, 0], [1.53, 0, 0], [2.04, 1.44, 0], [3.57, 1.44, 0]], dtype=np.float32)
    atoms = np.tile(np.array([1, 0, 0], dtype=np.float32), (4, 1))
    sampled = sample._replace(positions=butane, atom_probabilities=atoms, bond_probabilities=chain)
    for raw in (False, True):
        attempt = Judge(model, GenerationOptions(raw=raw))(0, sampled)
        assert attempt.fault is None and not attempt.repaired
        assert Chem.MolToSmiles(Chem.RemoveHs(attempt.mol)) == "CCCC" and attempt.mol.GetNumAtoms() == 14
        np.testing.assert_allclose(coordinates(attempt.mol)[:4], butane, atol=1e-6)
    chain[0, 2] = chain[2, 0] = chain[0, 3] = chain[3, 0] = [0, 0, 1, 0]  # five bonds at the first atom
    broken = sampled._replace(bond_probabilities=chain)
    assert Judge(model, GenerationOptions(raw=True))(0, broken).mol.GetNumAtoms() == 4
    assert Judge(model, GenerationOptions())(0, broken).repaired


def test_what_passed_is_tagged(twelve):
    for mol in twelve.mols:
        properties = mol.GetPropsAsDict()
        assert properties["strain_kcal_per_mol"] >= 0 and 0 < properties["qed"] < 1 and 1 <= properties["sa"] <= 10
        tags = unusual(mol) + extreme(properties["strain_kcal_per_mol"], properties["sa"])
        assert properties.get("unusual", "") == "; ".join(tags)


def test_a_filter_rejects_and_is_counted(generator, twelve):
    """Of the same attempts those that fail it are rejected, with what they have and what was asked for."""
    filtered = generator.generate(3, seed=0, steps=STEPS, filter="rings >= 2")
    assert all(mol.GetRingInfo().NumRings() >= 2 for mol in filtered.mols)
    kept = {mol.GetIntProp("molscore_index") for mol in filtered.mols}
    before = {mol.GetIntProp("molscore_index"): mol for mol in twelve.mols}
    refused = [attempt for attempt in filtered.rejects if attempt.fault.token == "filter"]
    assert refused and all(attempt.mol.GetRingInfo().NumRings() < 2 for attempt in refused)
    assert all("not rings >= 2: rings " in attempt.fault.detail for attempt in refused)
    assert filtered.manifest["rejected"]["filter"] == len(refused) and filtered.manifest["filter"] == "rings >= 2"
    for index in kept & before.keys():
        assert before[index].GetRingInfo().NumRings() >= 2


@pytest.mark.parametrize(
    ("options", "keeps"),
    [
        (
            {"filter": "strain_kcal_per_mol < 8 and alerts == 0"},
            lambda p: p["strain_kcal_per_mol"] < 8,
        ),
        ({"filter": lambda mol: mol.GetDoubleProp("sa") < 4.5}, lambda p: p["sa"] < 4.5),
        ({"must_match": "[#8]", "must_not_match": ["[#7]", "C#C"]}, lambda p: "O" in p["SMILES"].upper()),
    ],
    ids=["computed", "a function", "SMARTS"],
)
def test_what_is_kept_is_what_was_asked_for(generator, twelve, options, keeps):
    """Conditions on all that is computed, functions and SMARTS; other attempts are what they are without."""
    kept = generator.generate(3, seed=0, steps=STEPS, **options)
    assert len(kept.mols) == 3 and all(keeps(mol.GetPropsAsDict()) for mol in kept.mols)
    passed = {mol.GetIntProp("molscore_index") for mol in kept.mols}
    refused = {attempt.index for attempt in kept.rejects if attempt.fault.token == "filter"}
    before = {mol.GetIntProp("molscore_index"): mol for mol in twelve.mols}
    for index in passed & before.keys():
        assert Chem.MolToSmiles(before[index]) in {Chem.MolToSmiles(mol) for mol in kept.mols}
    assert refused and passed | refused >= {i for i in before if i <= max(passed)}
    assert {"filter", "must_match"} & kept.manifest.keys()


def test_a_filter_of_scores_waits_for_them(generator):
    asked = "log_likelihood_nats_per_atom > -100 and score_norm_per_angstrom < 1e9"
    kept = generator.generate(1, seed=0, steps=STEPS, filter=asked, uncertainty=True)
    assert kept.mols[0].HasProp("log_likelihood_nats_per_atom")
    judge = Judge(generator.model, GenerationOptions(filter=asked, uncertainty=True))
    assert judge.waits and not Judge(generator.model, GenerationOptions(filter="qed > 0", uncertainty=True)).waits
    with pytest.raises(ValueError, match="ask for uncertainty too"):
        generator.generate(1, filter=asked)


def test_what_a_function_raises_is_not_hidden(generator):
    def broken(mol):
        raise KeyError("a fault of the user's")

    with pytest.raises(KeyError, match="a fault of the user's"):
        generator.generate(1, steps=STEPS, filter=broken)


def test_every_property_of_a_record_is_in_the_catalogue(generator):
    from molscore.chem.checks.catalogue import PROPERTIES

    kept = generator.generate(2, seed=0, steps=STEPS, uncertainty=True, relax="mmff")
    for mol in kept.mols:
        for name, value in mol.GetPropsAsDict().items():
            assert "generate" in PROPERTIES[name].records, name
            assert isinstance(value, (int, float)) == (PROPERTIES[name].kind == "number"), name


def test_relaxation_keeps_the_molecules_and_tells_the_energies(generator, twelve):
    relaxed = generator.generate(3, seed=0, steps=STEPS, relax="mmff")
    assert [Chem.MolToSmiles(m) for m in relaxed.mols] == [Chem.MolToSmiles(m) for m in twelve.mols[:3]]
    for mol, before in zip(relaxed.mols, twelve.mols, strict=False):
        properties = mol.GetPropsAsDict()
        assert properties["relaxed_with"] == "mmff" and properties["strain_kcal_per_mol"] == 0
        gain = properties["energy_before_kcal_per_mol"] - properties["energy_after_kcal_per_mol"]
        assert gain == pytest.approx(before.GetDoubleProp("strain_kcal_per_mol"), abs=0.02)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"batch_size": 0},
        {"sampler": "magic"},
        {"relax": "dft"},
        {"filter": "beauty > 1"},
        {"raw": True, "filter": "qed > 0"},
        {"raw": True, "must_match": "C"},
        {"must_match": "Q("},
        {"must_not_match": ["C", ""]},
        {"filter": 5},
        {"filter": "energy_after_kcal_per_mol < 0"},
        {"raw": True, "relax": "mmff"},
    ],
)
def test_options_that_cannot_be(generator, wrong):
    with pytest.raises(ValueError):
        generator.generate(1, **wrong)
