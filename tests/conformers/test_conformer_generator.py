"""What is delivered: as many as asked for, the stereo that was asked for, the same whatever else is worked on."""

import numpy as np
import pytest
from conformers.conftest import positions
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from molscore.chem.arrays import isomeric_smiles
from molscore.chem.ensemble import heavy_positions, rmsd_matrix, symmetries
from molscore.chem.prepare import whole
from molscore.chem.stereo.tags import tags, wrong
from molscore.conformers import ConformerGenerator
from molscore.conformers.propose import propose
from molscore.conformers.target import target_of
from molscore.evaluate.ensembles import stereo_kept
from molscore.model import load
from molscore.pretrained import find

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def of(generator: ConformerGenerator, *smiles: str, n: int = 3, seed: int = 0, **options):
    """The ensembles of some molecules, all isomers in a row."""
    mols = [Chem.MolFromSmiles(text) for text in smiles]
    return list(generator.stream(mols, n, seed, **options))


def test_the_stereo_that_was_asked_for(generator, known):
    mol = generator.generate(known, n=4, seed=1, fill=True).mols[0]
    assert mol.GetNumConformers() == 4
    assert all(stereo_kept(mol, known.split()[0])) or "|" in known  # a hindered axis, only tags know
    stereo = tags(mol)
    assert not wrong(positions(mol), stereo).any()
    handed = np.abs(stereo[:, 4]) == 1
    assert wrong(-positions(mol), stereo)[:, handed].all(), "in a mirror every centre would be wrong"


def test_enantiomers_are_mirror_images(generator):
    """What holds for one and fails for the other: the signed volume of each centre."""
    left, right = (generator.generate(f"C[{tag}H](N)C(=O)OCC", n=3).mols[0] for tag in ("C@", "C@@"))
    assert not wrong(-positions(left), tags(right)).any() and wrong(positions(left), tags(right)).all()


@pytest.mark.parametrize(
    "smiles", ["CCCC/C={}CCCC", "COC(=O)/C={}c1ccccc1", "C[C@{}(N)C(=O)OCC", "CCS[C@{}(C)c1ccccc1"]
)
def test_the_model_itself_knows_stereo(generator, smiles):
    """Of its proposals most have the stereo asked for, before anything is reflected; whichever it is."""
    shares = []
    for other in ("C\\", "C/") if "/" in smiles else ("H]", "@H]"):
        mol = whole(Chem.MolFromSmiles(smiles.format(other))).mol
        target = target_of(mol, generator.model)
        (proposals,) = propose(generator.model, [(target, range(30))], seed=0)
        assert len(target.arrays.stereo) == 1
        shares.append(wrong(proposals, target.arrays.stereo).mean())
    assert max(shares) < 0.5, shares


def test_properties_of_conformers(generator):
    mol = generator.generate(ASPIRIN, n=5).mols[0]
    records = [conformer.GetPropsAsDict() for conformer in mol.GetConformers()]
    assert [record["rank"] for record in records] == [1, 2, 3, 4, 5] and {record["method"] for record in records} == {
        "score"
    }
    energies = np.array([record["energy_kcal_per_mol"] for record in records])
    assert (np.diff(energies) >= 0).all()
    np.testing.assert_allclose([record["relative_energy_kcal_per_mol"] for record in records], energies - energies[0])
    distances = rmsd_matrix(heavy_positions(mol), symmetries(mol))
    np.testing.assert_allclose([record["rmsd_to_best_angstrom"] for record in records], distances[0], atol=1e-6)
    assert len({conformer.GetId() for conformer in mol.GetConformers()}) == 5
    assert all(conformer.Is3D() for conformer in mol.GetConformers())


def test_atoms_keep_their_order_and_their_kind(generator):
    mol = Chem.AddHs(Chem.MolFromSmiles("[13CH3]C(=O)N[C@@H](C)c1ccccc1"))
    order = np.random.default_rng(0).permutation(mol.GetNumAtoms()).tolist()
    shuffled = Chem.RenumberAtoms(mol, order)
    result = generator.generate(shuffled, n=2).mols[0]
    for a, b in zip(shuffled.GetAtoms(), result.GetAtoms(), strict=True):
        assert (a.GetAtomicNum(), a.GetIsotope()) == (b.GetAtomicNum(), b.GetIsotope())
    assert isomeric_smiles(result) == isomeric_smiles(shuffled)
    assert {(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in shuffled.GetBonds()} == {
        (b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in result.GetBonds()
    }
    smiles = generator.generate("OC(=O)CN", n=1).mols[0]
    assert [atom.GetSymbol() for atom in smiles.GetAtoms()] == list("OCOCN") + ["H"] * 5


def test_an_ensemble_depends_on_molecule_and_seed_alone(generator):
    options = {"n": 3, "relax": "none", "steps": 6}
    alone = generator.generate(ASPIRIN, **options).mols[0]
    among = of(generator, "CCCCC", ASPIRIN, "c1ccccc1CCN", **options)[1].mol
    np.testing.assert_allclose(positions(among), positions(alone), atol=1e-3)
    other = generator.generate(ASPIRIN, seed=1, **options).mols[0]
    assert np.abs(positions(other) - positions(alone)).max() > 0.1


def test_members_differ(generator):
    mol = generator.generate("CCCCC(=O)NCCc1ccccc1", n=5).mols[0]
    distances = rmsd_matrix(heavy_positions(mol), symmetries(mol))
    assert distances[np.triu_indices(5, 1)].min() > 0.2


@pytest.mark.parametrize(
    "smiles, reason",
    [
        ("C[Si](C)(C)c1ccccc1[Ge](C)(C)C", "unknown_atom"),
        ("CCO", "too_small"),
        ("C" * 60, "too_large"),
        ("CC[CH]CC", "implied_hydrogens"),
        ("[2H]C([2H])([2H])[C@]([2H])(O)c1ccccc1", None),
    ],
)
def test_what_the_model_cannot_serve_falls_to_etkdg(generator, smiles, reason):
    (ensemble,) = of(generator, smiles, n=2, fill=True)
    assert ensemble.mol.GetNumConformers() == 2
    if reason is None:
        assert isomeric_smiles(ensemble.mol) == Chem.CanonSmiles(smiles)
        return
    assert ensemble.reason[0] == reason and ensemble.methods == {"etkdg": 2}
    assert np.abs(positions(ensemble.mol)[0] - positions(ensemble.mol)[1]).max() > 0.01
    (none,) = of(generator, smiles, n=2, fallback=False)
    assert none.mol.GetNumConformers() == 0 and none.reason[0] == reason
    (reject,) = generator.generate(smiles, n=2, fallback=False).rejects
    assert reject.reason == reason


@pytest.mark.parametrize("smiles, reason", [("*CCO", "unknown_element"), ("", "empty"), ("CC[", "smiles")])
def test_what_is_no_molecule_is_refused_with_its_reason(generator, smiles, reason):
    result = generator.generate(smiles)
    (reject,) = result.rejects
    assert result.mols == [None] and reject.reason == reason and reject.detail


def test_stereo_that_cannot_be_has_no_conformer(generator):
    (ensemble,) = of(generator, "C1C[C@H]2CC[C@H]1C2", n=2)  # a bridge across the ring, inside out
    assert ensemble.mol.GetNumConformers() == 0 and ensemble.reason[0] == "embedding"


def test_salts_are_left_out_or_refused(generator):
    (ensemble,) = of(generator, "[Na+].CC(=O)[O-]", n=1)
    assert isomeric_smiles(ensemble.mol) == "CC(=O)[O-]" and ensemble.removed == "[Na+]"
    (refused,) = of(generator, "[Na+].CC(=O)[O-]", n=1, fragments="refuse")
    assert refused.reason[0] == "disconnected" and not refused.mol.GetNumConformers()


def test_open_stereo_is_drawn_or_enumerated(generator):
    smiles = "CC(O)C(F)CC=CC"
    (sampled,) = of(generator, smiles, n=2)
    assert sampled.stereo_open and "@" in isomeric_smiles(sampled.mol) and "/" in isomeric_smiles(sampled.mol)
    again, *_ = of(generator, smiles, n=2, seed=0)
    assert isomeric_smiles(again.mol) == isomeric_smiles(sampled.mol)
    ensembles = of(generator, smiles, n=1, stereo="enumerate")
    assert len({isomeric_smiles(ensemble.mol) for ensemble in ensembles}) == 8
    assert [(ensemble.isomer, ensemble.isomers) for ensemble in ensembles] == [(k + 1, 8) for k in range(8)]
    assert len(of(generator, smiles, n=1, stereo="enumerate", max_isomers=3)) == 3
    (whole,) = of(generator, "C[C@H](F)O", n=1)
    assert not whole.stereo_open


def test_window_and_rmsd_leave_out(generator):
    smiles = "CCCCC(=O)NCCc1ccccc1"
    everything = generator.generate(smiles, n=12).mols[0]
    spans = [conformer.GetDoubleProp("relative_energy_kcal_per_mol") for conformer in everything.GetConformers()]
    window = float(np.median(spans))
    (near,) = of(generator, smiles, n=12, window=window)
    assert near.mol.GetNumConformers() == sum(span <= window for span in spans) < 12
    assert near.dropped["window"] == 12 - near.mol.GetNumConformers()
    (spread,) = of(generator, smiles, n=12, rmsd=1.5)
    distances = rmsd_matrix(heavy_positions(spread.mol), symmetries(spread.mol))
    assert 1 < len(distances) < 12 and distances[np.triu_indices(len(distances), 1)].min() >= 1.5
    assert spread.dropped["rmsd"] >= 12 - len(distances) and not spread.short


@pytest.mark.parametrize("relax", ["none", "torsions", "mmff"])
def test_relaxation_lowers_the_energy_and_keeps_stereo(generator, relax):
    smiles = "C[C@H](O)[C@@H](F)C(=O)NC"
    mol = generator.generate(smiles, n=3, relax=relax).mols[0]
    assert all(stereo_kept(mol, smiles))
    energy = np.mean([conformer.GetDoubleProp("energy_kcal_per_mol") for conformer in mol.GetConformers()])
    rough = generator.generate(smiles, n=3, relax="none").mols[0]
    before = np.mean([conformer.GetDoubleProp("energy_kcal_per_mol") for conformer in rough.GetConformers()])
    assert energy == before if relax == "none" else energy < before


def test_xtb_ranks_on_demand(generator):
    pytest.importorskip("tblite")
    mol = generator.generate("CCCO", n=2, energy="xtb").mols[0]
    energies = [conformer.GetDoubleProp("energy_kcal_per_mol") for conformer in mol.GetConformers()]
    assert all(energy < -5000 for energy in energies) and energies == sorted(energies)


def test_time_is_kept(generator):
    (ensemble,) = of(generator, "CCCCCCCCC(=O)NCCc1ccccc1CCCCO", n=200, seconds=0.05)
    assert ensemble.mol.GetNumConformers() < 200
    if not ensemble.mol.GetNumConformers():
        assert ensemble.reason[0] == "late"


def test_the_model_may_be_left_out(generator):
    (ensemble,) = of(generator, ASPIRIN, n=2, method="etkdg")
    assert ensemble.methods == {"etkdg": 2} and ensemble.reason is None


def test_bad_options_and_models_are_refused(generator):
    for options in ({"relax": "uff"}, {"stereo": "all"}, {"rmsd": -1}, {"oversampling": 0.5}, {"energy": "dft"}):
        with pytest.raises(ValueError, match=next(iter(options))):
            generator.generate(ASPIRIN, **options).mols[0]
    with pytest.raises(ValueError, match="n must"):
        generator.generate(ASPIRIN, n=0).mols[0]
    with pytest.raises(ValueError, match="conformers"):
        ConformerGenerator(load(find("qm9")), "qm9")


def test_geometry_is_that_of_a_molecule(generator):
    mol = generator.generate("O=C(Nc1ccc(F)cc1)C1CCOCC1", n=3).mols[0]
    assert rdMolDescriptors.CalcNumAtoms(mol) == mol.GetNumAtoms()
    for x in positions(mol):
        lengths = [np.linalg.norm(x[b.GetBeginAtomIdx()] - x[b.GetEndAtomIdx()]) for b in mol.GetBonds()]
        assert 0.9 < min(lengths) and max(lengths) < 1.6


@pytest.mark.parametrize(
    "smiles",
    [
        "O[C@H]1CN2CCC1CC2",  # quinuclidinol
        "OC1CN2CCC1CC2",
        "C[C@]1(O)CN2CCC1CC2",
        "OC(c1cccs1)(c1cccs1)[C@H]1CN2CCC1CC2",
        "O=C(O[C@H]1CN2CCC1CC2)c1ccccc1",
        "C=C[C@H]1CN2CC[C@H]1C[C@H]2[C@H](O)c1ccnc2ccc(OC)cc12",  # quinine
        "CN1[C@H]2CC[C@@H]1C[C@H](C2)O",  # tropine
    ],
)
def test_bridgehead_nitrogens(generator, smiles):
    """Opposite a bridgehead nitrogen a carbon atom has a handedness by it alone, which RDKit does not read back."""
    asked = Chem.MolFromSmiles(smiles)
    codes = {k: code for k, code in Chem.FindMolChiralCenters(asked) if asked.GetAtomWithIdx(k).GetSymbol() == "C"}
    for seed in range(3):
        (ensemble,) = generator.stream(smiles, n=2, seed=seed)
        assert ensemble.mol.GetNumConformers() >= 1, ensemble.reason
        mol = Chem.Mol(ensemble.mol)
        Chem.AssignStereochemistryFrom3D(mol)
        assert codes.items() <= dict(Chem.FindMolChiralCenters(Chem.RemoveHs(mol))).items()
