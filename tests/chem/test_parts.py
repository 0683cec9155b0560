"""Parts that are kept: atoms, free valences, stereo, and what counts as keeping them."""

from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molscore.chem.arrays import from_mol
from molscore.chem.hydrogens import without_hydrogens
from molscore.chem.parts import kept_part, matched


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=7) == 0
    return mol


def test_all_of_a_molecule_with_every_free_valence_open():
    part = kept_part(embedded("CC(=O)Nc1ccccc1C(F)(F)F"))
    assert len(part) == 14 and part.charge == 0 and not part.named and part.removed == 0
    # Methyl, the amide's nitrogen, four carbon atoms of the ring; not C=O, CF3 or the substituted carbon atoms.
    assert np.flatnonzero(part.open).tolist() == [0, 3, 5, 6, 7, 8]


def test_positions_are_about_the_origin_and_add_up():
    mol = embedded("CCO")
    far = Chem.Mol(mol)
    far.GetConformer().SetPositions(mol.GetConformer().GetPositions() + 1e4)
    for one in (mol, far):
        part = kept_part(one)
        assert np.abs(part.arrays.positions.mean(0)).max() < 1e-6
        assert np.allclose(part.arrays.positions + part.origin, one.GetConformer().GetPositions()[:3], atol=1e-6)


@pytest.mark.parametrize(
    ("smiles", "opened", "charge"),
    [
        ("c1ccc([*:1])cc1[*:2]", 2, 0),
        ("[*]C(=O)[O-]", 1, -1),
        ("C[N+]1(C)CCC([*])C1", 1, 1),
        ("[*]C#C[*]", 2, 0),
        ("[*]N([*])c1ccccc1", 1, 0),
    ],
)
def test_dummy_atoms_mark_where_to_grow(smiles, opened, charge):
    part = kept_part(Chem.MolFromSmiles(smiles), posed=False)
    assert part.open.sum() == opened and part.named and part.charge == charge and not part.arrays.positions.any()


def test_a_hydrogen_stands_for_its_heavy_atom():
    mol = embedded("Cc1ccccc1")
    hydrogen = next(a.GetIdx() for a in mol.GetAtomWithIdx(3).GetNeighbors() if a.GetAtomicNum() == 1)
    assert np.flatnonzero(kept_part(mol, attach=[hydrogen]).open).tolist() == [3]


@pytest.mark.parametrize(
    ("smiles", "arguments", "words"),
    [
        ("FC(F)(F)C(F)(F)F", {}, "no free valence"),
        ("CC(F)(F)F", {"attach": [1]}, "atom 1 .C. has no free valence"),
        ("CCO", {"attach": [99]}, "there is no atom 99"),
        ("CCO", {"keep": [0, 1], "attach": [2]}, "atom 2 is not kept"),
        ("[H][H]", {}, "no heavy atom"),
    ],
)
def test_what_cannot_be_kept_is_said(smiles, arguments, words):
    with pytest.raises(ValueError, match=words):
        kept_part(embedded(smiles), **arguments)


def test_a_pose_needs_positions():
    with pytest.raises(ValueError, match="no 3-D positions"):
        kept_part(Chem.MolFromSmiles("CCO"))


@pytest.mark.parametrize(("scale", "words"), [(10, "not in Å"), (0, "0.00 Å long"), (0.1, "not in Å")])
def test_a_pose_must_fit_the_structure(scale, words):
    mol = embedded("NC(=O)c1ccccc1")
    mol.GetConformer().SetPositions(mol.GetConformer().GetPositions() * scale)
    with pytest.raises(ValueError, match=words):
        kept_part(mol)
    assert len(kept_part(mol, posed=False)) == 9


def test_small_cages_fit_their_poses():
    for smiles in ("C1CC1", "C12C3C4C1C5C2C3C45", "C1C2CC12", "N1=NC1", "C=C=C", "C#C"):
        kept_part(embedded(smiles))


def test_the_rest_of_a_lead_is_open_where_it_was_cut():
    lead = embedded("CC(C)Cc1ccc(cc1)C(C)C(=O)NC1CC1")
    part = kept_part(lead, matched(lead, Chem.MolFromSmarts("c1ccccc1"), rest=True))
    assert part.removed == 6 and part.named and part.open.sum() == 2
    assert len(set(part.pieces)) == 2
    marked = embedded("[*]Cc1ccc(cc1)C(=O)NC1CC1")
    part = kept_part(marked, matched(marked, Chem.MolFromSmarts("C1CC1"), rest=True))
    assert part.open.sum() == 2, "where it was cut and where it is marked"
    assert part.least.sum() == 1, "the mark; where it was cut it may stay as it is"
    core = kept_part(lead, matched(lead, Chem.MolFromSmarts("C(=O)N")))
    assert len(core) == 3 and core.open.sum() == 2 and core.removed == 15 and not core.least.any()
    part = kept_part(lead, matched(lead, Chem.MolFromSmarts("c1ccccc1"), rest=True), cut_ends=True)
    assert np.array_equal(part.least, part.open)


@pytest.mark.parametrize(
    ("smarts", "words"), [("[Si]", "matches nothing"), ("[CH3]", "in 3 places"), ("*", "in 41 places")]
)
def test_patterns_that_are_not_one_place_are_refused(smarts, words):
    lead = embedded("CC(C)Cc1ccc(cc1)C(C)C(=O)NC1CC1")
    with pytest.raises(ValueError, match=words):
        matched(lead, Chem.MolFromSmarts(smarts))


def test_a_pattern_of_the_whole_lead_leaves_nothing():
    lead = embedded("CCO")
    for rest, words in ((True, "nothing would be kept"), (False, "nothing would be made")):
        with pytest.raises(ValueError, match=words):
            matched(lead, Chem.MolFromSmarts("CCO"), rest=rest)


def test_stereo_within_the_part_is_kept_and_other_is_not():
    part = kept_part(Chem.MolFromSmiles("C[C@H](O)[*]"), posed=False)
    assert len(part.arrays.stereo) == 0, "one of its neighbours is yet to be made"
    part = kept_part(Chem.MolFromSmiles("C[C@](O)(N)C[*]"), posed=False)
    assert part.arrays.stereo.shape == (1, 5)
    assert len(kept_part(Chem.MolFromSmiles("C/C=C/C[*]"), posed=False).arrays.stereo) == 1


def grown(core: str, whole: str):
    """A core, and heavy atoms of a molecule whose first atoms it is."""
    mol = embedded(whole)
    match = mol.GetSubstructMatch(Chem.MolFromSmarts(core))
    rest = [k for k in range(mol.GetNumAtoms()) if k not in match]
    mol = Chem.RenumberAtoms(mol, [*match, *rest])
    return mol, without_hydrogens(from_mol(mol)), len(match)


def test_a_molecule_that_grew_from_its_part_has_no_fault():
    mol, arrays, n = grown("c1ccccc1C(=O)N", "CCNC(=O)c1ccc(F)cc1")
    part = kept_part(mol, range(n))
    assert part.fault(arrays) is None
    symbols = np.array(arrays.atomic_numbers)
    symbols[0] = 7
    assert "become another" in part.fault(replace(arrays, atomic_numbers=symbols))
    orders = np.array(arrays.bond_orders)
    orders[0] = 3 - orders[0]
    assert "within the kept part has changed" in part.fault(replace(arrays, bond_orders=orders))
    closed = replace(part, open=np.zeros(n, dtype=bool))
    assert "where none is allowed" in closed.fault(arrays)
    wider = replace(part, open=np.ones(n, dtype=bool))
    assert wider.fault(arrays) is None
    assert "has no new bond" in replace(wider, least=wider.open.astype(int)).fault(arrays)
    grew = [int(b) for ends in arrays.bonds.tolist() for b in ends if min(ends) < n <= max(ends) and b < n]
    assert kept_part(mol, range(n), attach=grew).fault(arrays) is None
    other = next(k for k in range(5) if k not in grew)  # of the ring, with a hydrogen
    assert "has no new bond" in kept_part(mol, range(n), attach=[*grew, other]).fault(arrays)


def test_a_part_whose_stereo_is_turned_has_a_fault():
    mol, arrays, n = grown("C[C@](O)(N)C", "C[C@](O)(N)CCO")
    part = kept_part(mol, range(n), posed=False)
    if not len(part.arrays.stereo):
        pytest.fail("the centre lies within the part")
    assert part.fault(arrays) is None
    mirrored = replace(arrays, positions=arrays.positions * np.float32([-1, 1, 1]))
    assert "stereo" in part.fault(mirrored)


def test_digests_tell_parts_apart():
    mol = embedded("Cc1ccccc1O")
    parts = [kept_part(mol), kept_part(mol, attach=[0]), kept_part(mol, posed=False), kept_part(embedded("Cc1ccccc1N"))]
    assert len({part.digest for part in parts}) == 4 and kept_part(mol).digest == parts[0].digest
    assert parts[1].smiles == "*Cc1ccccc1O"


@pytest.mark.parametrize(
    "smiles",
    [
        "C[C@](O)(N)C[*]",
        "C[C@@](O)(N)C[*]",
        "N[C@@H](C[*])C(=O)O",
        "[*][C@](C)(N)O",
        "C/C=C/C[*]",
        "C/C=C\\C[*]",
        "C/C(F)=C(/Cl)C[*]",
        "O[C@H]1CC[C@@H](C[*])CC1",
        "C[S@](=O)C[*]",
        "N[C@H]([C@@H](O)C[*])C1=CC=CC=C1",
    ],
)
def test_what_is_kept_is_written_with_its_stereo(smiles):
    """So that records and a run that is resumed tell enantiomers apart."""
    wanted = Chem.CanonSmiles(smiles)
    assert Chem.CanonSmiles(kept_part(Chem.MolFromSmiles(smiles), posed=False).smiles) == wanted
    whole = embedded(smiles.replace("[*]", "Br"))
    end = next(atom.GetIdx() for atom in whole.GetAtoms() if atom.GetSymbol() == "Br")
    heavy = [atom.GetIdx() for atom in whole.GetAtoms() if atom.GetIdx() != end]
    posed = kept_part(whole, heavy)
    assert Chem.CanonSmiles(posed.smiles) == wanted
    mirrored = Chem.Mol(whole)
    mirrored.GetConformer().SetPositions(whole.GetConformer().GetPositions() * [-1, 1, 1])
    assert kept_part(mirrored, heavy).digest != posed.digest
