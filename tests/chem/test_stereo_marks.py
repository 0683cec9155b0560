"""What RDKit drops of the stereo that an input marks is said, and what means nothing is not."""

import pytest
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Chem.rdMolTransforms import GetDihedralDeg

from molscore.chem.io.inputs import read_inputs
from molscore.chem.io.smiles import parse_smiles
from molscore.chem.stereo.marks import not_held, opposite

LOST = {
    "C1CC=[C@]=CCC1": ["atom 4"],
    "[C@]1(=CCCCCCCC=1)": ["atom 1"],
    "CC(O)=[C@]=NC": ["atom 4"],
    "C/C=C=C/C": ["cumulated"],
    "C1[N@]2Cc3ccc(C)cc3[N@]1Cc1ccc(C)cc12": ["atom 2 (N)", "atom 11 (N)"],
    "C[N@](CC)CCC": ["atom 2 (N)"],
    "C[C@H]1CC[N@](C)CC1": ["atom 2 (C)", "atom 5 (N)"],
    "CC/C=CC": ["3-4"],
    "C[C@H]=C=CC": ["atom 2"],
    "C[C@H](N)C(=O)[N@](C)CC": ["atom 6 (N)"],
}
HELD = [
    "C[C@H](N)C(=O)O",
    "CC=[C@]=CC",
    "OC(=[C@@]=C(F)C)Cl",
    "C/C=C=C=C/C",
    "C1CCCC=[C@]=CCC1",
    "C/C=C/C",
    "C/C=C/C=C/C",
    "C/C=C/C=CC",
    "C1CCCC/C=C/C1",
    "C1CCC/C=C\\C1",
    "C[S@](=O)CC",
    "C[N@@+](CC)(CCC)CCCC",
    "C[N@]1CC1C",
    "C[C@H]1CC[C@@H](C)CC1",
    "Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12 |wU:10.11,&1:10,11|",
    "Cl[Pt@SP3](Cl)([NH3])[NH3]",
    "C/C=N/O",
    "[H]/N=C/C",
]
MEANINGLESS = [
    "C[C@H](C)O",
    "CC=[C@]=C(C)C",
    "C/C=C(C)/C",
    "C[C@@H]1CC1",
    "CN1CC[N@](CC)CC1",
    "C[S@@](=O)C",
    "c1cc[n@](C)c1",
]
SMALL = {
    "C1CCC/C=C/C1": "5-6",
    "C1CC/C=C/C1": "4-5",
    "C1CCC/C=C/C1 |t:4|": "5-6",
    "F/C1=C(/F)CCCC1": "2-3",
    "C1=CCCC/C=C/1": "6-7",
    "CC1(C)CCC/C=C/C1": "7-8",
}


@pytest.mark.parametrize("smiles", LOST)
def test_what_is_dropped_is_said(smiles):
    mol, *_ = parse_smiles(smiles)
    words = not_held(mol)
    assert len(words) == len(LOST[smiles])
    assert all(any(place in sentence for sentence in words) for place in LOST[smiles]), words
    assert opposite(mol) is None


@pytest.mark.parametrize("smiles", HELD + MEANINGLESS)
def test_what_is_held_or_means_nothing_is_not_said(smiles):
    mol, *_ = parse_smiles(smiles)
    assert not_held(mol) == () and opposite(mol) is None


@pytest.mark.parametrize("smiles", SMALL)
def test_no_ring_below_eight_is_e(smiles):
    mol, *_ = parse_smiles(smiles)
    assert f"{SMALL[smiles]} is E in a ring" in opposite(mol)
    assert opposite(parse_smiles("C1CCC/C=C\\C1")[0]) is None


def test_an_sdf_says_it_too(tmp_path):
    """Wedges that came to nothing, and what coordinates show."""
    flat = Chem.MolFromSmiles("CC=C=CC")
    rdDepictor.Compute2DCoords(flat)
    block = Chem.MolToMolBlock(flat).replace("  1  2  1  0", "  2  1  1  1")
    solid = Chem.AddHs(Chem.MolFromSmiles("CC=C=CC"))
    troeger = Chem.AddHs(Chem.MolFromSmiles("C1N2Cc3ccc(C)cc3N1Cc1ccc(C)cc12"))
    plain = Chem.AddHs(Chem.MolFromSmiles("CC=C=C(C)C"))
    blocks = [block]
    for mol in (solid, troeger, plain):
        assert EmbedMolecule(mol, randomSeed=1) == 0
        blocks.append(Chem.MolToMolBlock(mol))
    path = tmp_path / "in.sdf"
    path.write_text("$$$$\n".join(blocks) + "$$$$\n")
    words = [not_held(entry.mol) for entry in read_inputs(str(path))]
    assert "cumulated" in words[0][0] and words[1] == ()
    assert [word.split()[-1] for word in words[2]] == ["(N)", "(N)"] and words[3] == ()


def test_e_in_a_small_ring_of_coordinates():
    """trans-Cycloheptene as a strained, but possible geometry: the torsion of its double bond is 180° less 40."""
    mol = Chem.AddHs(Chem.MolFromSmiles("C1CCCCC=C1"))
    assert EmbedMolecule(mol, randomSeed=1) == 0
    assert opposite(mol) is None
    single = Chem.RWMol(Chem.MolFromSmiles("C1CCCCCC1"))
    for seed in range(200):  # a saturated ring with a torsion that is trans stands for it
        placed = Chem.AddHs(single)
        assert EmbedMolecule(placed, randomSeed=seed) == 0
        torsions = GetDihedralDeg(placed.GetConformer(), 4, 5, 6, 0)
        if abs(torsions) > 95:
            break
    ring = Chem.RWMol(Chem.RemoveHs(placed))
    ring.GetBondBetweenAtoms(5, 6).SetBondType(Chem.BondType.DOUBLE)
    Chem.SanitizeMol(ring)
    assert "E in a ring of 7" in opposite(ring)
