"""Small real molecules, embedded by RDKit, and a way to write any molecule to an SDF file."""

from rdkit import Chem
from rdkit.Chem import AllChem

from molscore.evaluate.molecules.records import Judgement, judge, read_records

SMILES = [
    "C",
    "CO",
    "CCO",
    "CC#N",
    "C1CC1O",
    "CC(=O)OC",
    "c1cc[nH]c1",
    "C[C@H](N)C(F)=O",
    "OC1CCC1",
    "CC(C)N",
    "C1CCCCC1",
    "C=CC=O",
]


def embed(smiles: str, seed: int = 7) -> Chem.Mol:
    """A relaxed conformer with explicit hydrogens."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=seed) == 0
    AllChem.MMFFOptimizeMolecule(mol)
    return mol


def judge_mol(mol: Chem.Mol | None) -> Judgement:
    """The judgement of a molecule that comes from no file."""
    return judge(read_records([mol])[0])


def write_sdf(path, mols, properties=None):
    """Writes molecules as they are, sanitised or not. Returns the path."""
    with Chem.SDWriter(str(path)) as writer:
        for k, mol in enumerate(mols):
            mol = Chem.Mol(mol)
            for name, values in (properties or {}).items():
                mol.SetProp(name, str(values[k]))
            writer.write(mol)
    return path


def without_atom(mol: Chem.Mol, index: int) -> Chem.Mol:
    """The molecule less one atom, nothing put in its place, unsanitised."""
    editable = Chem.RWMol(mol)
    for atom in editable.GetAtoms():
        atom.SetNoImplicit(True)
    editable.RemoveAtom(index)
    return editable.GetMol()


def with_hydrogen(mol: Chem.Mol, index: int) -> Chem.Mol:
    """The molecule with one more hydrogen on an atom, unsanitised."""
    editable = Chem.RWMol(mol)
    added = editable.AddAtom(Chem.Atom(1))
    editable.AddBond(index, added, Chem.BondType.SINGLE)
    editable.GetConformer().SetAtomPosition(added, [1.0, 2.0, 3.0])
    return editable.GetMol()
