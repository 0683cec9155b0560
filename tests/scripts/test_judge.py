"""The judge of geometries: right values pass, wrong ones do not; it uses nothing of what it judges."""

from pathlib import Path

import numpy as np
import pytest
from judge import literature
from judge.environments import Graph
from judge.reference import Reference, ranges
from judge.shapes import shapes
from judge.stereo import Marks, wrong_stereo
from judge.verdict import judge
from judge.xtb import Referee
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
from rdkit.Chem import rdMolTransforms as transforms

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def referee(tmp_path_factory):
    return Referee(tmp_path_factory.mktemp("xtb"))


@pytest.fixture(scope="module")
def alkanes():
    """A small reference: what MMFF94s makes of molecules that it knows."""
    smiles = ("CCCC", "CC(C)CC", "C1CCCCC1", "CC1CCCCC1", "CCO", "CC(C)O", "OC1CCCCC1", "c1ccccc1", "Cc1ccccc1")
    return Reference(ranges(embedded(s, seed) for s in smiles for seed in range(1, 4)))


def embedded(smiles: str, seed: int = 7) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=seed) == 0
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        rdForceFieldHelpers.MMFFOptimizeMolecule(mol, maxIters=2000)
    return mol


def relaxed(smiles: str, referee: Referee) -> Chem.Mol:
    """A good start for what no force field knows."""
    mol = embedded(smiles)
    mol.GetConformer().SetPositions(referee.relaxed(mol, mol.GetConformer().GetPositions()))
    return mol


def faults(mol: Chem.Mol, reference: Reference, referee: Referee) -> set[tuple[str, str]]:
    verdicts = judge(mol, mol.GetConformer().GetPositions(), reference, referee)
    return {(fault.kind, fault.symbols) for fault in verdicts if fault.verdict == "implausible"}


BONDS = {
    "isothiocyanate": ("CCN=C=S", (3, 4), 1.56, 1.80),
    "sulforaphane": ("CS(=O)CCCCN=C=S", (8, 9), 1.56, 1.80),
    "nitrile oxide, N-O": ("CC#[N+][O-]", (2, 3), 1.22, 1.42),
    "iodosyl": ("O=Ic1ccccc1", (1, 0), 1.80, 1.45),
    "iodoxy": ("O=I(=O)c1ccccc1", (1, 0), 1.80, 1.41),
    "hypervalent I-Cl": ("ClI(Cl)c1ccccc1", (1, 0), 2.47, 2.10),
    "germane": ("C[Ge](C)(C)C", (1, 0), 1.95, 2.20),
    "boronic acid": ("OB(O)c1ccccc1", (1, 0), 1.37, 1.60),
    "dimethylmercury": ("C[Hg]C", (1, 0), 2.08, 2.45),
}


@pytest.mark.parametrize("case", BONDS)
def test_bonds_without_reference(case, referee):
    smiles, (fixed, end), right, wrong = BONDS[case]
    mol = relaxed(smiles, referee)
    element = mol.GetAtomWithIdx(end).GetAtomicNum()
    for neighbour in mol.GetAtomWithIdx(fixed).GetNeighbors():
        if neighbour.GetAtomicNum() == element and not neighbour.GetIsAromatic():
            transforms.SetBondLength(mol.GetConformer(), fixed, neighbour.GetIdx(), right)
    assert not faults(mol, Reference({}), referee)
    transforms.SetBondLength(mol.GetConformer(), fixed, end, wrong)
    bond = mol.GetBondBetweenAtoms(fixed, end)
    symbols = f"{bond.GetBeginAtom().GetSymbol()}-{bond.GetEndAtom().GetSymbol()}"
    assert ("bond", symbols) in faults(mol, Reference({}), referee)


def test_nitrile_oxide_triple_bond(referee):
    mol = relaxed("CC#[N+][O-]", referee)
    for length, expected in ((1.16, set()), (1.46, {("bond", "C-N")})):
        positions = mol.GetConformer().GetPositions()
        axis = positions[2] - positions[1]
        positions[2:4] += axis / np.linalg.norm(axis) * (length - np.linalg.norm(axis))
        mol.GetConformer().SetPositions(positions)
        assert faults(mol, Reference({}), referee) == expected


@pytest.mark.parametrize("length, shortest, right", [(1.58, 2.2, True), (1.10, 1.5, False)])
def test_pentafluorosulfanyl(length, shortest, right, referee):
    mol = relaxed("FS(F)(F)(F)(F)c1ccccc1", referee)
    for fluorine in (0, 2, 3, 4, 5):
        transforms.SetBondLength(mol.GetConformer(), 1, fluorine, length)
    positions = mol.GetConformer().GetPositions()
    assert np.linalg.norm(positions[2] - positions[3]) > shortest
    kinds = faults(mol, Reference({}), referee)
    assert (not kinds) if right else {"bond"} <= {kind for kind, _ in kinds}


def test_fluorines_on_one_another(referee):
    mol = relaxed("FS(F)(F)(F)(F)c1ccccc1", referee)
    positions = mol.GetConformer().GetPositions()
    near = min((2, 3, 4, 5), key=lambda i: np.linalg.norm(positions[i] - positions[0]))
    between = positions[near] - positions[0]
    positions[near] = positions[0] + between * 0.97 / np.linalg.norm(between)
    mol.GetConformer().SetPositions(positions)
    assert ("contact", "F-F") in faults(mol, Reference({}), referee)


SQUARE = "Cl[Pt@SP1](Cl)([NH3])[NH3]"


def cisplatin(angle: float, referee: Referee) -> Chem.Mol:
    """Pt-Cl 2.33, Pt-N 2.05 Å, and the angle between the chlorines."""
    mol = Chem.AddHs(Chem.MolFromSmiles(SQUARE))
    half = np.radians(angle / 2)
    directions = [(np.cos(half), np.sin(half)), (np.cos(half), -np.sin(half)), (-0.7071, -0.7071), (-0.7071, 0.7071)]
    positions = np.zeros((mol.GetNumAtoms(), 3))
    for atom, direction, length in zip((0, 2, 3, 4), directions, (2.33, 2.33, 2.05, 2.05), strict=True):
        positions[atom, :2] = np.array(direction) * length
    for nitrogen in (3, 4):
        out = positions[nitrogen] / np.linalg.norm(positions[nitrogen])
        side = np.cross(out, (0, 0, 1.0))
        hydrogens = [n.GetIdx() for n in mol.GetAtomWithIdx(nitrogen).GetNeighbors() if n.GetAtomicNum() == 1]
        for k, hydrogen in enumerate(hydrogens):
            turn = 2 * np.pi * k / 3
            around = np.cos(turn) * np.array((0, 0, 1.0)) + np.sin(turn) * side
            positions[hydrogen] = positions[nitrogen] + 0.35 * out + 0.95 * around
    mol.AddConformer(Chem.Conformer(mol.GetNumAtoms()))
    mol.GetConformer().SetPositions(positions)
    return mol


def test_square_planar_platinum(referee):
    good = cisplatin(92.0, referee)
    assert not faults(good, Reference({}), referee)
    assert ("angle", "Cl-Pt-Cl") in faults(cisplatin(53.0, referee), Reference({}), referee)
    positions = good.GetConformer().GetPositions()
    assert not wrong_stereo(SQUARE, good, positions)
    assert wrong_stereo(SQUARE.replace("SP1", "SP2"), good, positions)
    assert not wrong_stereo(SQUARE.replace("SP1", "SP3"), good, positions)  # the two ammines are alike


@pytest.mark.parametrize(
    "smiles, atoms, right, wrong",
    [
        ("c1ccc(cc1)[I+]c1ccccc1", (3, 6, 7), 95.0, 179.0),
        ("ClI(Cl)c1ccccc1", (0, 1, 3), 90.0, 120.0),
        ("FS(F)(F)F", (0, 1, 2), 101.0, 130.0),
        ("C[Hg]Cl", (0, 1, 2), 178.0, 120.0),
    ],
)
def test_angles_of_the_literature(smiles, atoms, right, wrong):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    ranges = literature.angles(mol)[atoms]
    assert any(low <= right <= high for low, high in ranges)
    assert not any(low <= wrong <= high for low, high in ranges)
    assert literature.angles(Chem.AddHs(Chem.MolFromSmiles("CS(C)=O"))) == {}


@pytest.mark.parametrize(
    "smiles, bond, right, wrong",
    [
        ("O=[Cr](=O)(Cl)Cl", (1, 3), 2.126, 2.33),
        ("FI(F)c1ccccc1", (0, 1), 2.01, 1.8),
        ("C[Hg]Cl", (1, 2), 2.282, 2.5),
        ("FS(F)(F)(F)(F)c1ccccc1", (0, 1), 1.58, 1.67),
    ],
)
def test_lengths_of_the_literature(smiles, bond, right, wrong):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    low, high = next(limits for atoms, limits in literature.lengths(mol).items() if atoms == frozenset(bond))
    assert low <= right <= high and not low <= wrong <= high


def test_what_holds_for_chromyl_does_not_for_other_chlorides_of_chromium():
    assert literature.lengths(Chem.MolFromSmiles("Cl[Cr](Cl)(Cl)(<-O(C)C)(<-O(C)C)<-O(C)C")) == {}


def test_pyramidal_boron(referee):
    mol = relaxed("OB1OCc2cc(F)ccc21", referee)
    assert not faults(mol, Reference({}), referee)
    positions = mol.GetConformer().GetPositions()
    normal = np.cross(positions[0] - positions[1], positions[2] - positions[1])
    positions[1] += 0.33 * normal / np.linalg.norm(normal)
    mol.GetConformer().SetPositions(positions)
    check = next(c for c in shapes(mol, positions, Graph(mol)) if c.kind == "pyramid" and c.atoms[0] == 1)
    assert 7.0 < check.value < 20.0
    assert "pyramid" in {kind for kind, _ in faults(mol, Reference({}), referee)}


def test_bonds_with_reference(alkanes, referee):
    mol = embedded("CCCCC")
    assert not judge(mol, mol.GetConformer().GetPositions(), alkanes, referee)
    transforms.SetBondLength(mol.GetConformer(), 1, 2, 1.99)
    assert faults(mol, alkanes, referee) == {("bond", "C-C")}


def test_bond_of_an_impossible_cage_fails(alkanes, referee):
    mol = embedded("C1CCCCC1")
    transforms.SetAngleDeg(mol.GetConformer(), 6, 0, 1, 75.0)
    assert faults(mol, alkanes, referee)


def test_hindered_biaryls(referee):
    mol = embedded("Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12")
    turns = {}
    for turn in (90.0, 9.0):
        transforms.SetDihedralDeg(mol.GetConformer(), 1, 10, 11, 12, turn)
        checks = list(shapes(mol, mol.GetConformer().GetPositions(), Graph(mol)))
        turns[turn] = {check.kind for check in checks if not check.passed}
    assert "biaryl" not in turns[90.0] and "biaryl" in turns[9.0]
    free = embedded("c1ccccc1-c1ccccc1")
    checks = shapes(free, free.GetConformer().GetPositions(), Graph(free))
    assert "biaryl" not in {check.kind for check in checks}


@pytest.mark.parametrize("smiles", ["C12C3C4C1C5C2C3C45", "C1C2CC3CC1CC(C2)C3", "C1C2CC1C2", "C1CC2CC1C=C2"])
def test_strain_is_no_fault(smiles, alkanes, referee):
    assert not faults(relaxed(smiles, referee), alkanes, referee)


TETRAHEDRAL = [
    "C[C@H](N)C(=O)O",
    "[C@@H](N)(C)C(=O)O",
    "C[S@](=O)c1ccccc1",
    "O[C@@]1(C)CCC[C@H](F)C1",
    "F[C@](Cl)(Br)I",
]


@pytest.mark.parametrize("smiles", [*TETRAHEDRAL, "F/C=C/F", "C/C=C\\C(C)=O", "C/C(F)=N/O", "C1CCC/C=C/CC1"])
def test_stereo_is_read_from_coordinates(smiles):
    mol = embedded(smiles)
    positions = mol.GetConformer().GetPositions()
    assert wrong_stereo(smiles, mol, positions) == []
    if "@" in smiles:
        assert wrong_stereo(smiles, mol, positions * [1, 1, -1])
    else:
        other = embedded(other_double_bond(smiles))
        assert wrong_stereo(smiles, other, other.GetConformer().GetPositions())


def other_double_bond(smiles: str) -> str:
    head, slash, tail = smiles.rpartition("/" if smiles.rfind("/") > smiles.rfind("\\") else "\\")
    return head + ("\\" if slash == "/" else "/") + tail


def test_marks_that_rdkit_drops(referee):
    ring = embedded("C1CCCC=CC1")  # cis, as nearly all that RDKit makes of it
    assert wrong_stereo("C1CCC/C=C/C1", ring, ring.GetConformer().GetPositions()) == ["lost double bond 4=5"]
    assert not wrong_stereo("C1CCC/C=C\\C1", ring, ring.GetConformer().GetPositions())
    allene = embedded("CC=C=CC")
    positions = allene.GetConformer().GetPositions()
    hands = [wrong_stereo(s, allene, positions) for s in ("CC=[C@]=CC", "CC=[C@@]=CC")]
    assert sorted(map(len, hands)) == [0, 1]
    base = embedded("Cc1ccc2c(c1)CN1CN2Cc2cc(C)ccc21")
    pair = ("Cc1ccc2c(c1)C[N@@]1C[N@]2Cc2cc(C)ccc21", "Cc1ccc2c(c1)C[N@]1C[N@@]2Cc2cc(C)ccc21")
    hands = [wrong_stereo(s, base, base.GetConformer().GetPositions()) for s in pair]
    assert 0 in map(len, hands) and max(map(len, hands)) > 0


def test_axes():
    smiles = "Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12 |wU:10.11|"
    mol = embedded(smiles)
    positions = mol.GetConformer().GetPositions()
    assert wrong_stereo(smiles, mol, positions) == []
    assert wrong_stereo(smiles, mol, positions * [1, 1, -1])


def test_marks_that_mean_nothing_are_not_asked_for():
    mol = embedded("CC(C)O")
    positions = mol.GetConformer().GetPositions()
    assert not wrong_stereo("C[C@H](C)O", mol, positions) and not wrong_stereo("C[C@@H](C)O", mol, positions)
    with pytest.raises(ValueError, match="cannot read"):
        Marks("nonsense")
