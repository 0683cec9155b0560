"""Generation around a part that is kept, near a molecule, of some elements; sizes of what is made."""

from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.checks.validity import check, sound_beside
from molscore.chem.made_sizes import anchor_distance, linkers, made_sizes
from molscore.chem.parts import kept_part
from molscore.generate import GenerationOptions, MoleculeGenerator
from molscore.generate.completion import likeness, with_part
from molscore.model import Sample


def embedded(smiles: str, seed: int = 7) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=seed) == 0
    return mol


@pytest.fixture(scope="module")
def generator():
    return MoleculeGenerator.from_pretrained("druglike")


@pytest.fixture(scope="module")
def core():
    """A benzamide far from the origin."""
    mol = embedded("c1ccccc1C(=O)N")
    mol.GetConformer().SetPositions(mol.GetConformer().GetPositions() + [30, -40, 50])
    return mol


def test_a_core_stays_where_it_is(generator, core):
    """Atoms, bonds and positions of raw samples; new atoms; only the atom named has new bonds."""
    result = generator.generate(4, steps=6, raw=True, scaffold=core, attach=(8,), atoms=(3, 6))
    given = core.GetConformer().GetPositions()[:9]
    assert len(result.mols) == 4
    for mol in result.mols:
        assert mol.GetProp("kept_atoms") == "0 1 2 3 4 5 6 7 8"
        heavy = [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
        assert 12 <= len(heavy) <= 15
        assert np.abs(mol.GetConformer().GetPositions()[:9] - given).max() < 1e-5
        for bond in core.GetBonds():
            ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            if max(ends) < 9:
                assert mol.GetBondBetweenAtoms(*ends) is not None
        for k in range(8):
            assert all(a.GetIdx() < 9 for a in mol.GetAtomWithIdx(k).GetNeighbors() if a.GetAtomicNum() > 1)
    assert "kept" in result.manifest and result.manifest["atoms"] == [3, 6]


def test_what_passes_keeps_the_part_and_says_so(generator, core):
    result = generator.generate(2, steps=40, scaffold=core, attach=(8,), relax="mmff", atoms=(1, 8))
    for mol in result.mols:
        assert mol.HasSubstructMatch(Chem.MolFromSmarts("c1ccccc1C(=O)N"))
        assert mol.GetProp("kept_atoms") == "0 1 2 3 4 5 6 7 8"
        assert mol.GetDoubleProp("kept_displacement_angstrom") <= 0.001
        moved = mol.GetConformer().GetPositions()[:9] - core.GetConformer().GetPositions()[:9]
        assert np.abs(moved).max() < 1e-3
    assert len(result.mols) == 2
    again = generator.generate(2, steps=40, scaffold=core, attach=(8,), relax="mmff", atoms=(1, 8), workers=2)
    assert [Chem.MolToMolBlock(mol) for mol in again.mols] == [Chem.MolToMolBlock(mol) for mol in result.mols]


def test_a_scaffold_whose_pose_is_free(generator):
    result = generator.generate(3, steps=6, raw=True, scaffold="c1ccc([*:1])cc1[*:2]")
    ring = Chem.MolFromSmarts("C1=CC=CC=C1")
    for mol in result.mols:
        block = Chem.Mol(mol)
        Chem.Kekulize(block, clearAromaticFlags=True)
        assert set(range(6)) in [set(match) for match in block.GetSubstructMatches(ring)]
        assert np.abs(mol.GetConformer().GetPositions()).max() < 50


def bonds_to_made(mol: Chem.Mol) -> list[int]:
    """Of each kept atom: how many made heavy atoms it is bonded to."""
    n = len(mol.GetProp("kept_atoms").split())
    return [
        sum(other.GetIdx() >= n and other.GetAtomicNum() > 1 for other in atom.GetNeighbors())
        for atom in list(mol.GetAtoms())[:n]
    ]


def test_every_mark_gets_its_bonds(generator):
    """Three marks, two of them on one atom, in samples as they are."""
    result = generator.generate(6, seed=2, steps=30, raw=True, scaffold="[*:1]c1cccc(C([*:2])([*:3])O)c1", atoms=(4, 8))
    for mol in result.mols:
        made = bonds_to_made(mol)
        assert sorted(made) == [0] * (len(made) - 2) + [1, 2]


def test_every_atom_named_and_every_end_of_what_is_replaced_gets_a_bond(generator, core):
    for wishes, ends in (
        ({"scaffold": core, "attach": (0, 2, 8), "atoms": (3, 8)}, 3),
        ({"replace": "c1ccccc1", "lead": embedded("CC(C)Cc1ccc(cc1)C(C)C(=O)NC1CC1")}, 2),
        ({"replace": "C(=O)N", "lead": embedded("c1ccccc1C(=O)NC1CC1")}, 2),
    ):
        result = generator.generate(6, seed=2, steps=30, raw=True, **wishes)
        for mol in result.mols:
            assert np.count_nonzero(bonds_to_made(mol)) == ends
        for mol in generator.generate(2, steps=40, **wishes).mols:
            assert np.count_nonzero(bonds_to_made(mol)) == ends


def test_elements_of_what_is_made(generator):
    for mol in generator.generate(3, steps=6, raw=True, elements=("C", "F"), atoms=(10, 12)).mols:
        assert {a.GetSymbol() for a in mol.GetAtoms()} <= {"C", "F", "H"}
    made = generator.generate(1, steps=20, scaffold="c1ccc([*:1])cc1", elements=("O",), atoms=(2, 2)).mols
    assert len(made) == 1
    for mol in made:  # where valences were repaired, a nitro group came before
        assert {a.GetSymbol() for a in list(mol.GetAtoms())[6:]} <= {"O", "H"}
    with pytest.raises(ValueError, match="does not make 'Xe'"):
        generator.generate(1, elements=("C", "Xe"))


def test_neighbours_are_of_the_size_of_the_lead_and_less_alike_the_more_noise(generator):
    lead = embedded("CC(C)Cc1ccc(cc1)C(C)C(=O)NC1CC1")
    query = kept_part(lead, attach=())
    alike = []
    for noise in (0.0, 1.0):
        result = generator.generate(4, steps=20, raw=True, near=lead, noise=noise)
        assert [mol.GetNumHeavyAtoms() for mol in result.mols] == [18] * 4
        alike.append(np.mean([likeness(mol, query)["near_similarity"] for mol in result.mols]))
    assert alike[0] > 0.8 > 0.5 > alike[1]


def test_neighbours_lie_where_the_lead_lies_and_have_its_charge(generator):
    lead = embedded("C[NH2+]CCc1ccc(OC)cc1")
    lead.GetConformer().SetPositions(lead.GetConformer().GetPositions() + [30, -40, 50])
    for raw in (True, False):
        for mol in generator.generate(2, steps=20, raw=raw, near=lead, noise=0.0).mols:
            assert Chem.GetFormalCharge(mol) == 1
            apart = mol.GetConformer().GetPositions()[:12] - lead.GetConformer().GetPositions()[:12]
            assert np.abs(apart.mean(0)).max() < 1
    (played,) = generator.trajectories([0], steps=5, near=lead, noise=0.1)
    assert np.abs(played.positions[-1].mean(0) - [30, -40, 50]).max() < 5


def test_faults_of_the_kept_geometry_are_not_counted(generator, core):
    """A bond of the core that no table would allow; what is made is judged as ever."""
    odd = Chem.Mol(core)
    x = odd.GetConformer().GetPositions()
    x[7] += (x[7] - x[6]) * 0.15  # C=O of 1.4 Å
    odd.GetConformer().SetPositions(x)
    assert check(odd).token == "bond_length"
    result = generator.generate(2, steps=40, scaffold=odd, attach=(8,), atoms=(1, 6))
    assert len(result.mols) == 2 and all(check(mol).token == "bond_length" for mol in result.mols)
    part = kept_part(odd, attach=(8,))
    assert sound_beside(len(part))(odd) is None
    x[8] += 1.0
    odd.GetConformer().SetPositions(x)
    assert sound_beside(7)(odd).token == "bond_length", "beside what is kept"


def test_what_a_model_cannot_hold_is_refused(generator):
    for smiles, words in (
        ("C" * 60, "60 heavy atoms"),
        ("C[Si](C)(C)C", "no Si of charge 0"),
    ):
        with pytest.raises(ValueError, match=words):
            generator.generate(1, scaffold=smiles)
    with pytest.raises(ValueError, match="no room for 90 to 100 atoms"):
        generator.generate(1, scaffold="CCO", atoms=(90, 100))
    with pytest.raises(ValueError, match="hydrogens as atoms of their own"):
        MoleculeGenerator.from_pretrained("qm9").generate(1, scaffold="CCO")


def test_sizes_and_elements_are_given_as_people_write_them(generator):
    """A number, or two; symbols, or a text of them as on the command line."""
    same = [
        generator.generate(2, steps=4, raw=True, atoms=atoms, elements=elements)
        for atoms, elements in ((6, "C,N"), ((6, 6), ("C", "N")), ([6, np.int64(6)], ["C", "N"]))
    ]
    for result in same:
        assert [mol.GetNumHeavyAtoms() for mol in result.mols] == [6, 6]
        assert (result.manifest["atoms"], result.manifest["elements"]) == ([6, 6], ["C", "N"])
        assert [mol.GetProp("SMILES") for mol in result.mols] == [mol.GetProp("SMILES") for mol in same[0].mols]
    for atoms, words in (
        ("5", "a number, or the fewest and the most"),
        ((1, 2, 3), "a number, or the fewest"),
        (0, "whole number from 1"),
        (5.0, "whole number from 1"),
        (True, "whole number from 1"),
        ((9, 5), "run backwards"),
    ):
        with pytest.raises(ValueError, match=words):
            GenerationOptions(atoms=atoms)


@pytest.mark.parametrize("noise", [-0.1, 1.5, float("nan")])
def test_noise_is_between_nothing_and_all(noise):
    with pytest.raises(ValueError, match="noise must be a number from 0 to 1"):
        GenerationOptions(near=embedded("CCO"), noise=noise)


def test_a_part_is_read_once(tmp_path, generator):
    """A run does not change with a file."""
    path = tmp_path / "core.sdf"
    Chem.MolToMolFile(embedded("Cc1ccccc1"), str(path))
    options = GenerationOptions(scaffold=str(path), raw=True, steps=3)
    path.unlink()
    assert len(generator.generate(1, options=options).mols) == 1


def test_repairs_never_touch_the_part():
    """The classes and bonds of the part are certain, whatever the sample says of them."""
    part = kept_part(embedded("CCO"), attach=(0,))
    vocabulary = [(6, 0), (7, 0), (8, 0)]
    generator = np.random.default_rng(0)
    noise = Sample(generator.normal(size=(5, 3)), generator.random((5, 3)), generator.random((5, 5, 4)))
    fixed = with_part(noise, part, vocabulary)
    assert fixed.atom_probabilities[:3].argmax(1).tolist() == [0, 0, 2] and fixed.atom_probabilities[:3].max() == 1
    assert fixed.bond_probabilities[0, 1].tolist() == [0, 1, 0, 0]
    assert (fixed.bond_probabilities[1:3, 3:] == [1, 0, 0, 0]).all()
    assert np.array_equal(fixed.bond_probabilities[0, 3:], noise.bond_probabilities[0, 3:])
    assert np.array_equal(fixed.positions[:3], part.arrays.positions)
    assert np.array_equal(fixed.positions[3:], noise.positions[3:])


def test_sizes_of_what_replaces_a_part_are_about_its_own():
    part = replace(kept_part(embedded("Cc1ccccc1")), removed=8)
    known = np.ones(41)
    weights = made_sizes(part, known)
    assert weights.argmax() == 15 and weights[:8].sum() == 0 and len(weights) == 41
    mean = (weights * np.arange(41)).sum() / weights.sum()
    assert abs(mean - 15) < 0.5


def test_sizes_of_what_grows_are_those_of_molecules():
    part = kept_part(Chem.MolFromSmiles("[*]c1ccc([*])cc1"), posed=False)
    known = np.zeros(31)
    known[[4, 7, 20, 30]] = [5, 1, 2, 1]
    weights = made_sizes(part, known)
    assert np.flatnonzero(weights).tolist() == [20, 30], "both places want an atom at least"
    assert weights[20] == 2 * weights[30]
    bounded = made_sizes(part, known, atoms=(3, 4))
    assert np.flatnonzero(bounded).tolist() == [9, 10], "asked for, also where no molecule of the data is so small"
    assert np.flatnonzero(made_sizes(part, known, atoms=(1, 1))).tolist() == [7], "it closes a ring"
    twice = kept_part(Chem.MolFromSmiles("[*]N([*])c1ccccc1"), posed=False)
    with pytest.raises(ValueError, match="2 atoms are made at least, not 1"):
        made_sizes(twice, known, atoms=(1, 1))


def test_an_atom_of_a_ring_may_be_replaced_by_one():
    lead = embedded("C1CCOCC1")
    part = kept_part(lead, [k for k in range(6) if k != 3], cut_ends=True)
    assert part.least.sum() == 2 and made_sizes(part, np.ones(41))[6] > 0


def test_linkers_are_longer_the_farther_apart_the_anchors_are():
    pair = Chem.CombineMols(embedded("Cc1ccccc1"), embedded("NC1CC1"))
    means = []
    for distance in (3.0, 6.0, 9.0):
        sizes, weights = linkers(distance)
        assert sizes[0] == 1 and abs(weights.sum() - 1) < 0.01
        means.append(float(sizes @ weights))
    assert means == sorted(means) and means[0] < 4 < means[2]
    x = pair.GetConformer().GetPositions()
    x[15:] += x[0] - x[15] + [-6, 0, 0]
    pair.GetConformer().SetPositions(x)
    part = kept_part(pair, attach=(0, 15))
    assert anchor_distance(part) == pytest.approx(6, abs=1e-4)
    weights = made_sizes(part, np.ones(41))
    n = len(part)
    assert weights[: n + 2].sum() == 0 and weights[n + 4 : n + 9].min() > 0
    with pytest.raises(ValueError, match="6.0 Å apart, which takes 3 atoms at least, and there may be 2"):
        made_sizes(part, np.ones(41), atoms=(1, 2))
    x[15:] -= [80, 0, 0]
    pair.GetConformer().SetPositions(x)
    with pytest.raises(ValueError, match="Å apart"):
        made_sizes(kept_part(pair, attach=(0, 15)), np.ones(41))
    assert anchor_distance(kept_part(embedded("CCO"))) is None


def test_every_fragment_must_be_in_reach():
    three = Chem.CombineMols(Chem.CombineMols(embedded("CCO"), beside(embedded("CN"), 9)), beside(embedded("CF"), 18))
    made_sizes(kept_part(three), np.ones(41))
    far = Chem.CombineMols(Chem.CombineMols(embedded("CCO"), beside(embedded("CN"), 9)), beside(embedded("CF"), 99))
    with pytest.raises(ValueError, match="Å apart, which takes"):
        made_sizes(kept_part(far), np.ones(41))


def beside(mol: Chem.Mol, x: float) -> Chem.Mol:
    moved = Chem.Mol(mol)
    moved.GetConformer().SetPositions(mol.GetConformer().GetPositions() + [x, 0, 0])
    return moved
