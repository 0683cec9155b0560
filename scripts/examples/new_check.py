"""A check of one's own: no molecule whose heavy atoms are for the most part not carbon.

``python scripts/examples/new_check.py`` generates ten molecules that pass it besides the package's own checks.
"""

from molscore import MoleculeGenerator
from molscore.chem.checks.validity import CHECKS, Fault, check


def mostly_carbon(mol):
    """A fault, or None."""
    heavy = [atom.GetSymbol() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    if 2 * heavy.count("C") >= len(heavy):
        return None
    return Fault("not_organic", f"only {heavy.count('C')} of {len(heavy)} heavy atoms are carbon")


if __name__ == "__main__":
    result = MoleculeGenerator.from_pretrained("qm9").generate(10, seed=0, steps=30, checks=(mostly_carbon,))
    assert all(check(mol, checks=[*CHECKS, mostly_carbon]) is None for mol in result.mols)
    print(f"{len(result.mols)} molecules; rejected: {result.manifest['rejected']}")
