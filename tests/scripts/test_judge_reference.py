"""What the judge of hard molecules counts and refers to, and that nothing of the product is in it."""

import ast
from pathlib import Path

from judge.reference import Reference, molecules, outside
from judge.xtb import unpaired_electrons
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

SCRIPTS = Path(__file__).parents[2] / "scripts"


def _embedded(smiles: str, seed: int) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=seed) == 0
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        rdForceFieldHelpers.MMFFOptimizeMolecule(mol, maxIters=2000)
    return mol


def test_electrons():
    counts = {"C[CH2]": 1, "[O][O]": 2, "CN1[C]N(C)C=C1": 0, "CC1(C)CCCC(C)(C)N1[O]": 1, "[Cu]": 1, "C[N+](C)(C)C": 0}
    assert {s: unpaired_electrons(Chem.AddHs(Chem.MolFromSmiles(s))) for s in counts} == counts


def test_what_a_reference_says_of_its_own_molecules(tmp_path):
    with Chem.SDWriter(str(tmp_path / "known.sdf")) as writer:
        for seed in range(1, 25):
            writer.write(_embedded("CCCO", seed))
    reference = Reference.build([tmp_path / "known.sdf"])
    reference.write(tmp_path / "kept.json")
    again = Reference.read(tmp_path / "kept.json")
    assert again.ranges == reference.ranges
    counts = outside(again, molecules(tmp_path / "known.sdf"))
    assert counts["bond"]["all"] == 24 * 11 and not counts["bond"].get("outside") and not counts["angle"].get("outside")


def test_nothing_of_the_product_is_imported():
    for path in (SCRIPTS / "hard_molecules.py", *(SCRIPTS / "judge").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "molscore" for name in names), path
